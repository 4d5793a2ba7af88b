/* Built in one pass as objects of objects; lists are recognised at the end, as objects whose names are all 0, 1, 2…
 * up to 999 (qs's arrayLimit): "a[]=" takes a free number. */
#include "schema/query.h"
#include "base/utf8.h"
#include "schema/json.h"
#include <stdio.h>
#include <string.h>

#define MAX_INDEX 999

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* A broken escape stays as it is, as in qs. */
static void decode(struct str *out, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '%' && i + 2 < text.len && hex_digit(text.at[i + 1]) >= 0 && hex_digit(text.at[i + 2]) >= 0) {
            c = (char)(hex_digit(text.at[i + 1]) * 16 + hex_digit(text.at[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        str_addc(out, c);
    }
}

static bool index_name(const char *name)
{
    if (!*name || (name[0] == '0' && name[1])) return false;
    int n = 0;
    for (; *name; name++) {
        if (*name < '0' || *name > '9') return false;
        n = n * 10 + (*name - '0');
        if (n > MAX_INDEX) return false;
    }
    return true;
}

/* The object under parent[name], made if missing. NULL: there is a value already, or no memory. */
static struct json_object *descend(struct json_object *parent, const char *name)
{
    struct json_object *child = NULL;
    if (json_object_object_get_ex(parent, name, &child))
        return json_object_is_type(child, json_type_object) ? child : NULL;
    child = json_object_new_object();
    if (child && json_object_object_add(parent, name, child)) {
        json_object_put(child);
        return NULL;
    }
    return child;
}

/* The next free number, for "[]". */
static const char *next_index(struct json_object *parent, char buffer[24])
{
    int n = json_object_object_length(parent);
    do snprintf(buffer, 24, "%d", n++);
    while (json_object_object_get_ex(parent, buffer, NULL));
    return buffer;
}

static bool put_leaf(struct json_object *parent, const char *name, struct json_object *leaf)
{
    struct json_object *old = NULL;
    if (json_object_object_get_ex(parent, name, &old)) {
        if (!json_object_is_type(old, json_type_object)) {
            struct json_object *list = json_object_new_object();
            if (!list || json_object_object_add(list, "0", json_object_get(old)) ||
                json_object_object_add(parent, name, list))
                return false;
            old = list;
        }
        char next[24];
        return !json_object_object_add(old, next_index(old, next), leaf);
    }
    return !json_object_object_add(parent, name, leaf);
}

/* The "=" behind the name: the first that stands in no bracket, or the first of all; NULL: there is none. qs takes the
 * first behind a "]", which may be in the value. */
static const char *separator(struct view part)
{
    bool inside = false;
    for (size_t i = 0; i < part.len; i++) {
        struct view rest = {part.at + i, part.len - i < 3 ? part.len - i : 3};
        if (*rest.at == '=' && !inside) return rest.at;
        if (*rest.at == '[' || view_is_nocase(rest, "%5B")) inside = true;
        if (*rest.at == ']' || view_is_nocase(rest, "%5D")) inside = false;
    }
    return memchr(part.at, '=', part.len);
}

/* One parameter. Cuts `name` in place; it has a NUL behind it. */
static bool put_parameter(struct json_object *root, char *name, struct json_object *leaf)
{
    struct json_object *parent = root;
    char *bracket = strchr(name, '[');
    char *rest = NULL;
    if (bracket == name) { /* "[a]=": qs takes a as the name */
        char *close = strchr(bracket, ']');
        if (!close) return put_leaf(root, name, leaf);
        name = bracket + 1;
        rest = close + 1;
        *close = 0;
    } else if (bracket) {
        if (!strchr(bracket, ']')) return put_leaf(root, name, leaf);
        rest = bracket;
    }
    char *segments[QUERY_MAX_DEPTH + 1];
    size_t n = 0;
    while (rest && *rest == '[' && strchr(rest, ']')) {
        if (n == QUERY_MAX_DEPTH) {
            segments[n++] = rest;
            break;
        }
        segments[n++] = rest + 1;
        rest = strchr(rest, ']') + 1;
    }
    if (bracket && bracket != name - 1 && n) *bracket = 0;
    for (size_t i = 0; i < n && i < QUERY_MAX_DEPTH; i++) *strchr(segments[i], ']') = 0;
    for (size_t i = 0; i <= n; i++) {
        const char *key = i == 0 ? name : segments[i - 1];
        char next[24];
        /* Behind "[]" comes a member of an object: always the first, as in qs, which merges them. */
        if (i > 0 && !*key) key = i < n ? "0" : next_index(parent, next);
        if (i == n) return put_leaf(parent, key, leaf);
        parent = descend(parent, key);
        if (!parent) return false;
    }
    return false;
}

/* The object's members by their numbers, as a list; NULL without memory. */
static struct json_object *numbered(struct json_object *object)
{
    struct json_object *array = json_object_new_array();
    int left = json_object_object_length(object);
    for (int i = 0; array && left; i++) {
        char name[24];
        struct json_object *item = NULL;
        snprintf(name, sizeof name, "%d", i);
        if (!json_object_object_get_ex(object, name, &item)) continue;
        left--;
        if (!json_object_array_add(array, json_object_get(item))) continue;
        json_object_put(item);
        json_object_put(array);
        return NULL;
    }
    return array;
}

/* Objects with index names only become lists. Returns the value to keep in place of `value`, with its own count; NULL
 * without memory: a part of a query would be another query. */
static struct json_object *listed(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_object)) return json_object_get(value);
    bool list = json_object_object_length(value) > 0;
    struct json_object *out = json_object_new_object(), *array;
    json_object_object_foreach(value, name, member)
    {
        struct json_object *kept = listed(member);
        if (!index_name(name)) list = false;
        if (out && kept && !json_object_object_add(out, name, kept)) continue;
        json_object_put(kept);
        json_object_put(out);
        return NULL;
    }
    if (!out || !list) return out;
    array = numbered(out);
    json_object_put(out);
    return array;
}

enum status query_parse(struct arena *arena, struct view text, struct json_object **out, struct failure *f)
{
    enum status status = OK;
    struct str name = {0}, value = {0};
    struct json_object *root = json_object_new_object();
    size_t parameters = 0;

    *out = NULL;
    if (!root) return fail(f, NO_MEMORY, "Out of memory.");
    while (text.at) {
        struct view part = view_cut(&text, '&');
        if (!part.len) continue;
        if (++parameters > QUERY_MAX_PARAMETERS) {
            status = fail(f, INVALID, "A query may have %d parameters.", QUERY_MAX_PARAMETERS);
            goto out;
        }
        const char *equals = separator(part);
        size_t name_len = equals ? (size_t)(equals - part.at) : part.len;
        str_reset(&name);
        str_reset(&value);
        decode(&name, (struct view){part.at, name_len});
        if (equals) decode(&value, (struct view){equals + 1, part.len - name_len - 1});
        if (name.failed || value.failed) {
            status = fail(f, NO_MEMORY, "Out of memory.");
            goto out;
        }
        if (!name.len) continue;
        if (memchr(name.at, 0, name.len) || (value.len && memchr(value.at, 0, value.len)) ||
            !utf8_valid(str_view(&name)) || !utf8_valid(str_view(&value))) {
            status = fail(f, INVALID, "The query is not valid UTF-8 text.");
            goto out;
        }
        struct json_object *leaf = json_object_new_string_len(value.at ? value.at : "", (int)value.len);
        if (!leaf || !put_parameter(root, name.at, leaf)) {
            json_object_put(leaf);
            status = fail(f, INVALID, "The query names something both as a value and as an object.");
            goto out;
        }
    }
    *out = json_keep(arena, listed(root));
    if (!*out) status = fail(f, NO_MEMORY, "Out of memory.");

out:
    json_object_put(root);
    str_release(&name);
    str_release(&value);
    return status;
}
