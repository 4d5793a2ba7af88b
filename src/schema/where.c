#include "schema/where.h"
#include "base/check.h"
#include "schema/json.h"
#include "schema/kind.h"
#include "schema/registry.h"
#include <string.h>

struct parser {
    const struct collection *collection;
    struct arena *arena;
    struct failure *f;
    const struct readable *readable;
    size_t nodes, values;
};

static enum status count_nodes(struct parser *p, size_t more)
{
    p->nodes += more;
    if (p->nodes <= WHERE_MAX_NODES) return OK;
    return fail(p->f, INVALID, "A where may have %d conditions.", WHERE_MAX_NODES);
}

static struct where *node_new(struct parser *p, enum where_kind kind)
{
    if (count_nodes(p, 1)) return NULL;
    struct where *w = ARENA_NEW(p->arena, struct where);
    if (w)
        w->kind = kind;
    else
        fail(p->f, NO_MEMORY, "Out of memory.");
    return w;
}

static enum status refuse_path(struct parser *p, const char *path)
{
    const char *copy = arena_copy(p->arena, view_of(path));
    if (!copy) return fail(p->f, NO_MEMORY, "Out of memory.");
    return fail_flaw(p->f, FAILURE_QUERY, (struct flaw){.path = copy});
}

/* "sender" or "sender.email": where it leads. A path that must not be asked for is a flaw of the query and the parse
 * goes on, so that all of them are named together; `*field` is NULL then. */
static enum status resolve(struct parser *p, const char *path, const struct field **via,
    const struct collection **collection, const struct field **field)
{
    struct view rest = view_of(path);
    struct view first = view_cut(&rest, '.');
    int i = field_find(p->collection, first);
    *via = *field = NULL;
    *collection = p->collection;
    if (i < 0 || p->collection->fields[i].use == USE_HIDDEN) return refuse_path(p, path);
    if (!rest.at) {
        *field = &p->collection->fields[i];
        return OK;
    }
    *via = &p->collection->fields[i];
    if ((*via)->kind != KIND_RELATIONSHIP) return refuse_path(p, path);
    *collection = collection_find(view_of((*via)->relation_to));
    i = field_find(*collection, rest);
    bool readable = p->readable->all[collection_index(*collection)];
    if (i < 0 || (*collection)->fields[i].use == USE_HIDDEN || (!readable && (*collection)->fields[i].kind != KIND_ID))
        return refuse_path(p, rest.at);
    *field = &(*collection)->fields[i];
    if ((*field)->kind != KIND_ID) return OK;
    /* Its id is in the document itself, where the other one may be missing. */
    *field = *via;
    *via = NULL;
    *collection = p->collection;
    return OK;
}

static enum status add_value(struct parser *p, struct where *w, size_t room, struct value v)
{
    if (room > WHERE_MAX_VALUES) room = WHERE_MAX_VALUES;
    if (!w->values) w->values = ARENA_ARRAY(p->arena, struct value, room);
    if (!w->values) return fail(p->f, NO_MEMORY, "Out of memory.");
    if (++p->values > WHERE_MAX_VALUES) return fail(p->f, INVALID, "A where may have %d values.", WHERE_MAX_VALUES);
    w->values[w->nvalues++] = v;
    return OK;
}

static enum status refuse_value(struct parser *p, const struct where *w)
{
    return fail(
        p->f, INVALID, "The value of %s for %s cannot be understood.", operator_row(w->op)->name, w->field->name);
}

static bool numeric(const struct field *field)
{
    return field->kind == KIND_ID || field->kind == KIND_NUMBER || field->kind == KIND_RELATIONSHIP;
}

/* In a list a text that is no date is equal to nothing, as a word is to a number; so is an empty one to a number,
 * which alone is 0. */
static bool equals_nothing(const struct where *w, struct json_object *json, bool bad)
{
    if (operator_row(w->op)->operand != OPERAND_LIST || !json_object_is_type(json, json_type_string)) return false;
    return bad ? w->field->kind == KIND_DATE : numeric(w->field) && !json_object_get_string_len(json);
}

static enum status read_value(struct parser *p, struct where *w, struct json_object *json, size_t room)
{
    struct value v;
    bool bad = false;
    if (equals_nothing(w, json, false)) return OK;
    if (kind_row(w->field->kind)->operand(json, p->arena, &v, &bad)) return add_value(p, w, room, v);
    if (p->arena->failed) return fail(p->f, NO_MEMORY, "Out of memory.");
    return bad && !equals_nothing(w, json, true) ? refuse_value(p, w) : OK;
}

static enum status read_values(struct parser *p, struct where *w, struct json_object *json)
{
    enum status status = OK;
    if (json_object_is_type(json, json_type_array)) {
        size_t n = json_object_array_length(json);
        for (size_t i = 0; i < n && !status; i++) status = read_value(p, w, json_object_array_get_idx(json, i), n);
        return status;
    }
    if (json_object_is_type(json, json_type_int) || json_object_is_type(json, json_type_double))
        return read_value(p, w, json, 1);
    if (!json_object_is_type(json, json_type_string)) return refuse_value(p, w);
    struct view rest = json_text(json);
    size_t room = 1;
    for (size_t i = 0; i < rest.len; i++) room += rest.at[i] == ',';
    if (!rest.len) return OK;
    while (rest.at && !status) {
        struct view item = view_cut(&rest, ',');
        struct json_object *text = json_keep(p->arena, json_object_new_string_len(item.at, (int)item.len));
        status = text ? read_value(p, w, text, room) : fail(p->f, NO_MEMORY, "Out of memory.");
    }
    return status;
}

static enum status add_pattern(struct parser *p, struct where *w, size_t room, struct view text)
{
    if (text.len > WHERE_MAX_LIKE)
        return fail(p->f, INVALID, "A text to search for may have %d bytes.", WHERE_MAX_LIKE);
    return add_value(p, w, room, value_text(text));
}

static enum status read_pattern(struct parser *p, struct where *w, struct json_object *json)
{
    bool number = numeric(w->field);
    if (number && w->op == OP_LIKE) {
        w->op = OP_EQUALS;
        return read_value(p, w, json, 1);
    }
    if (number && json_object_is_type(json, json_type_boolean)) return OK; /* no digits are "true" */
    struct value v = value_null();
    bool bad = false;
    bool as_date = w->field->kind == KIND_DATE && w->op != OP_LIKE;
    enum kind kind = as_date ? KIND_DATE : number ? KIND_NUMBER : KIND_TEXT;
    if (!kind_row(kind)->operand(json, p->arena, &v, &bad) && bad) return refuse_value(p, w);
    if (bad || v.type == VALUE_NULL) return OK; /* nothing holds it */
    if (v.type != VALUE_TEXT) {
        struct str digits = {0};
        value_add_json(&digits, &v);
        v.text = (struct view){arena_copy(p->arena, str_view(&digits)), digits.len};
        str_release(&digits);
        if (!v.text.at) return fail(p->f, NO_MEMORY, "Out of memory.");
    }
    if (w->op != OP_LIKE) return add_pattern(p, w, 1, v.text);
    size_t room = 1;
    for (size_t i = 0; i < v.text.len; i++) room += v.text.at[i] == ' ';
    enum status status = count_nodes(p, room - 1);
    for (struct view rest = v.text; rest.at && !status;) status = add_pattern(p, w, room, view_cut(&rest, ' '));
    return status;
}

static enum status read_compare(struct parser *p, struct where *w, struct json_object *json)
{
    switch (operator_row(w->op)->operand) {
    case OPERAND_BOOL:
        return add_value(p, w, 1,
            value_integer(json_object_is_type(json, json_type_boolean) ? json_object_get_boolean(json)
                                                                       : view_is(json_text(json), "true")));
    case OPERAND_LIST: return read_values(p, w, json);
    case OPERAND_PATTERN: return read_pattern(p, w, json);
    case OPERAND_ONE:
        if (json_object_is_type(json, json_type_array) && w->field->kind == KIND_RELATIONSHIP &&
            (w->op == OP_EQUALS || w->op == OP_NOT_EQUALS)) {
            w->op = w->op == OP_EQUALS ? OP_IN : OP_NOT_IN;
            return read_values(p, w, json);
        }
        return read_value(p, w, json, 1);
    }
    return refuse_value(p, w);
}

/* A failure that ends the parse; flaws of paths are gathered to the end. */
static bool stops(const struct parser *p)
{
    return p->f->status && p->f->shape == FAILURE_PLAIN;
}

static void parse_field(struct parser *p, struct where ***tail, const char *path, struct json_object *tests)
{
    bool closed = false; /* by an operator that is the last: what follows must be understood all the same */
    if (!json_object_is_type(tests, json_type_object)) {
        refuse_path(p, path);
        return;
    }
    json_object_object_foreach(tests, name, json)
    {
        if (operator_find(name) < 0 && !operator_unused(name)) {
            char *whole = arena_printf(p->arena, "%s.%s", path, name);
            refuse_path(p, whole ? whole : path);
            continue;
        }
        const struct field *via, *field;
        const struct collection *c;
        if (resolve(p, path, &via, &c, &field)) continue;
        int op = operator_find(name);
        if (op < 0) {
            fail(p->f, INVALID, "The operator %s is not for the field %s.", name, field->name);
            return;
        }
        struct where *w = node_new(p, WHERE_COMPARE);
        if (!w) return;
        w->op = (enum where_operator)op;
        w->collection = c;
        w->field = field;
        w->via = via;
        if (read_compare(p, w, json)) return;
        if (closed) continue;
        **tail = w;
        *tail = &w->next;
        closed = operator_row(w->op)->last;
    }
}

static struct where *parse_object(struct parser *p, struct json_object *json);

/* How a query writes a list without items: "where[or][]". */
static bool no_item(struct json_object *item)
{
    return json_object_is_type(item, json_type_string) && !json_text(item).len;
}

static void parse_group(struct parser *p, struct where ***tail, enum where_kind kind, struct json_object *list)
{
    size_t n = json_object_array_length(list);
    struct where *group = node_new(p, kind);
    if (!group) return;
    struct where **inner = &group->first;
    for (size_t i = 0; i < n; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        if (no_item(item)) continue;
        struct where *one = parse_object(p, item);
        if (stops(p)) return;
        /* A member that asks for nothing is none, as in Payload: in an OR it would let everything through. */
        if (!one || !one->first) continue;
        *inner = one;
        inner = &one->next;
    }
    if (!group->first) return; /* an empty group asks for nothing, as in Payload */
    **tail = group;
    *tail = &group->next;
}

static struct where *parse_object(struct parser *p, struct json_object *json)
{
    if (!json_object_is_type(json, json_type_object)) {
        fail(p->f, INVALID, "A where must be an object.");
        return NULL;
    }
    struct where *all = node_new(p, WHERE_AND);
    if (!all) return NULL;
    struct where **tail = &all->first;
    json_object_object_foreach(json, name, member)
    {
        bool all_of = view_is_nocase(view_of(name), "and"), any_of = view_is_nocase(view_of(name), "or");
        if (!all_of && !any_of)
            parse_field(p, &tail, name, member);
        else if (json_object_is_type(member, json_type_array))
            parse_group(p, &tail, all_of ? WHERE_AND : WHERE_OR, member);
        else
            fail(p->f, INVALID, "The value of %s in a where must be a list.", name);
        if (stops(p)) return NULL;
    }
    return all;
}

enum status where_parse(struct where **out, const struct collection *c, struct json_object *json,
    const struct readable *readable, struct arena *arena, struct failure *f)
{
    struct parser p = {.collection = c, .arena = arena, .f = f, .readable = readable};
    *f = (struct failure){0};
    if (json_object_is_type(json, json_type_string)) {
        struct view text = json_text(json);
        if (!text.len)
            json = NULL;
        else if (json_read(arena, text, &json, f))
            return fail(f, INVALID, "The where is not a valid JSON object.");
        else if (!json)
            return fail(f, INVALID, "A where must be an object.");
    }
    *out = json ? parse_object(&p, json) : node_new(&p, WHERE_AND);
    return f->status;
}

bool where_is_everything(const struct where *w)
{
    if (w->kind != WHERE_AND) return false;
    for (const struct where *one = w->first; one; one = one->next)
        if (!where_is_everything(one)) return false;
    return true;
}

bool where_joins(const struct where *w)
{
    if (w->via) return true;
    for (const struct where *one = w->first; one; one = one->next)
        if (where_joins(one)) return true;
    return false;
}
