/* json-c is the parser; it is more generous than RFC 8259 and UTF-8 allow even in its strict mode, drops all but the
 * last of equal names, and cuts names at U+0000. So the text's tokens are looked at first, and names are counted before
 * and after: when json-c kept fewer than the text has, two were equal, however they were escaped. Integers that a
 * double stands for in JavaScript are copied as such, "…e0": json-c would bring those beyond 64 bits back to where they
 * fit. */
#include "schema/json.h"
#include "base/utf8.h"
#include "schema/number.h"
#include <math.h>
#include <string.h>

#define INTEGER_DIGITS 16 /* more are beyond 2^53 */

struct scan {
    const char *at, *end;
    const char *copied; /* up to here, to `to` */
    char *to;
    size_t names; /* of object members */
};

static enum status bad(struct failure *f)
{
    return fail(f, INVALID, "Invalid JSON");
}

static bool hex4(const char *at, const char *end)
{
    if (end - at < 4) return false;
    for (int i = 0; i < 4; i++)
        if (!strchr("0123456789abcdefABCDEF", at[i]) || !at[i]) return false;
    return true;
}

/* at[-1] is the opening quote. */
static enum status scan_string(struct scan *s, struct failure *f)
{
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at++;
        if (c == '"') return OK;
        if (c == 0) return fail(f, INVALID, "Invalid JSON: the character U+0000 is not accepted.");
        if (c < 0x20) return bad(f);
        if (c != '\\') continue;
        if (s->at == s->end) return bad(f);
        char escape = *s->at++;
        if (escape == 'u') {
            if (!hex4(s->at, s->end)) return bad(f);
            if (!memcmp(s->at, "0000", 4))
                return fail(f, INVALID, "Invalid JSON: the character U+0000 is not accepted.");
            s->at += 4;
        } else if (!strchr("\"\\/bfnrt", escape) || !escape) {
            return bad(f);
        }
    }
    return bad(f);
}

static size_t digits(struct scan *s)
{
    size_t n = 0;
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) n++;
    return n;
}

static void copy(struct scan *s)
{
    if (s->at == s->copied) return;
    memcpy(s->to, s->copied, (size_t)(s->at - s->copied));
    s->to += s->at - s->copied;
    s->copied = s->at;
}

static bool scan_number(struct scan *s)
{
    if (s->at < s->end && *s->at == '-') s->at++;
    const char *first = s->at;
    size_t n = digits(s);
    if (!n || (n > 1 && *first == '0')) return false;
    bool point = s->at < s->end && *s->at == '.';
    if (point) {
        s->at++;
        if (!digits(s)) return false;
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-')) s->at++;
        return digits(s);
    }
    if (point || n <= INTEGER_DIGITS) return true;
    copy(s);
    *s->to++ = 'e';
    *s->to++ = '0';
    return true;
}

static bool scan_word(struct scan *s)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(s->end - s->at) >= len && !memcmp(s->at, words[i], len)) {
            s->at += len;
            return true;
        }
    }
    return false;
}

static enum status scan_tokens(struct scan *s, struct failure *f)
{
    while (s->at < s->end) {
        switch (*s->at) {
        case ' ':
        case '\t':
        case '\n':
        case '\r':
        case '{':
        case '}':
        case '[':
        case ']':
        case ',': s->at++; break;
        case ':':
            s->at++;
            s->names++;
            break;
        case '"': {
            s->at++;
            enum status status = scan_string(s, f);
            if (status) return status;
            break;
        }
        default:
            if ((*s->at == '-' || (*s->at >= '0' && *s->at <= '9')) ? !scan_number(s) : !scan_word(s)) return bad(f);
        }
    }
    return OK;
}

static size_t count_names(struct json_object *value)
{
    size_t n = 0;
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            n += 1 + count_names(member);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            n += count_names(json_object_array_get_idx(value, i));
    }
    return n;
}

static void put(void *value)
{
    json_object_put(value);
}

struct json_object *json_keep(struct arena *arena, struct json_object *value)
{
    return value && arena_defer(arena, put, value) ? value : NULL;
}

enum status json_read(struct arena *arena, struct view text, struct json_object **out, struct failure *f)
{
    *out = NULL;
    if (text.len > INT32_MAX / 2) return fail(f, TOO_LARGE, "The JSON text is too long.");
    if (!utf8_valid(text)) return fail(f, INVALID, "Invalid JSON: the text is not UTF-8.");
    char *copied = arena_alloc(arena, text.len + text.len / INTEGER_DIGITS * 2 + 1);
    if (!copied) return fail(f, NO_MEMORY, "Out of memory.");
    struct scan scan = {.at = text.at, .end = text.at + text.len, .copied = text.at, .to = copied};
    enum status status = scan_tokens(&scan, f);
    if (status) return status;
    copy(&scan);

    struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
    if (!tokener) return fail(f, NO_MEMORY, "Out of memory.");
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    /* A number at the end of the text is complete only when its closing NUL has been seen. */
    struct json_object *value = json_tokener_parse_ex(tokener, copied, (int)(scan.to - copied) + 1);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    json_tokener_free(tokener);
    if (error == json_tokener_error_depth) {
        json_object_put(value);
        return fail(f, INVALID, "Invalid JSON: it is nested deeper than %d.", JSON_MAX_DEPTH);
    }
    if (error != json_tokener_success) {
        json_object_put(value);
        return bad(f);
    }
    if (value && !json_keep(arena, value)) return fail(f, NO_MEMORY, "Out of memory.");
    if (count_names(value) != scan.names) return fail(f, INVALID, "Invalid JSON: a name occurs twice in one object.");
    *out = value;
    return OK;
}

/* String(n); 1e999 is Infinity, which no JSON text can hold. */
static void add_number(struct str *out, struct json_object *value)
{
    if (json_object_is_type(value, json_type_double)) {
        number_add(out, json_object_get_double(value));
        return;
    }
    int64_t n = json_object_get_int64(value);
    /* Beyond 2^53 JavaScript has doubles only. */
    if (n > -(INT64_C(1) << 53) && n < INT64_C(1) << 53)
        str_add_integer(out, n);
    else
        number_add(out, json_object_get_double(value));
}

void json_separate(struct str *out)
{
    char last = out->len ? out->at[out->len - 1] : '{';
    if (last != '{' && last != '[') str_addc(out, ',');
}

void json_add(struct str *out, struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null: str_add(out, VIEW("null")); break;
    case json_type_boolean: str_addz(out, json_object_get_boolean(value) ? "true" : "false"); break;
    case json_type_int:
    case json_type_double:
        if (isfinite(json_object_get_double(value)))
            add_number(out, value);
        else
            str_addz(out, "null");
        break;
    case json_type_string: str_add_json(out, json_text(value)); break;
    case json_type_array:
        str_addc(out, '[');
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            if (i) str_addc(out, ',');
            json_add(out, json_object_array_get_idx(value, i));
        }
        str_addc(out, ']');
        break;
    case json_type_object: {
        bool first = true;
        str_addc(out, '{');
        json_object_object_foreach(value, name, member)
        {
            if (!first) str_addc(out, ',');
            first = false;
            str_add_json(out, view_of(name));
            str_addc(out, ':');
            json_add(out, member);
        }
        str_addc(out, '}');
        break;
    }
    }
}

void json_add_plain(struct str *out, struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_string: str_add(out, json_text(value)); break;
    case json_type_object: str_add(out, VIEW("[object Object]")); break;
    case json_type_array:
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            struct json_object *item = json_object_array_get_idx(value, i);
            if (i) str_addc(out, ',');
            if (item) json_add_plain(out, item);
        }
        break;
    case json_type_int:
    case json_type_double: add_number(out, value); break;
    default: json_add(out, value);
    }
}

struct view json_text(struct json_object *string)
{
    if (!json_object_is_type(string, json_type_string)) return (struct view){0};
    return (struct view){json_object_get_string(string), (size_t)json_object_get_string_len(string)};
}

struct json_object *json_member(struct json_object *object, const char *name)
{
    struct json_object *member = NULL;
    if (json_object_is_type(object, json_type_object)) json_object_object_get_ex(object, name, &member);
    return member;
}

bool json_falsy(struct json_object *json)
{
    switch (json_object_get_type(json)) {
    case json_type_null: return true;
    case json_type_boolean: return !json_object_get_boolean(json);
    case json_type_int: return json_object_get_int64(json) == 0;
    case json_type_double: return !(fabs(json_object_get_double(json)) > 0);
    case json_type_string: return json_object_get_string_len(json) == 0;
    default: return false;
    }
}
