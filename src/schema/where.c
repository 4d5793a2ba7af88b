#include "schema/where.h"
#include "schema/json.h"
#include "schema/kind.h"
#include "schema/registry.h"
#include <string.h>

enum operand { OPERAND_ONE, OPERAND_LIST, OPERAND_BOOL, OPERAND_PATTERN };

static const struct operator_row {
    const char *name;
    enum operand operand;
    const char *sql; /* with one value */
    bool last;       /* Payload looks at no operator behind it on the same field; its recorded answers show that */
} operators[] = {
    [OP_EQUALS] = {"equals", OPERAND_ONE, "=", false},
    [OP_NOT_EQUALS] = {"not_equals", OPERAND_ONE, "<>", false},
    [OP_IN] = {"in", OPERAND_LIST, "IN", false},
    [OP_NOT_IN] = {"not_in", OPERAND_LIST, "NOT IN", false},
    [OP_EXISTS] = {"exists", OPERAND_BOOL, NULL, false},
    [OP_LIKE] = {"like", OPERAND_PATTERN, "LIKE", true},
    [OP_CONTAINS] = {"contains", OPERAND_PATTERN, "LIKE", false},
    [OP_NOT_LIKE] = {"not_like", OPERAND_PATTERN, "NOT LIKE", false},
    [OP_GREATER_THAN] = {"greater_than", OPERAND_ONE, ">", false},
    [OP_GREATER_THAN_EQUAL] = {"greater_than_equal", OPERAND_ONE, ">=", false},
    [OP_LESS_THAN] = {"less_than", OPERAND_ONE, "<", false},
    [OP_LESS_THAN_EQUAL] = {"less_than_equal", OPERAND_ONE, "<=", false},
};

/* Payload has them; they ask for what no field here is. */
static const char *const other_operators[] = {"all", "near", "within", "intersects"};

struct parser {
    const struct collection *collection;
    struct arena *arena;
    struct failure *f;
    bool signed_in;
    size_t nodes, values;
};

static struct where *node_new(struct parser *p, enum where_kind kind)
{
    if (++p->nodes > WHERE_MAX_NODES) {
        fail(p->f, INVALID, "A where may have %d conditions.", WHERE_MAX_NODES);
        return NULL;
    }
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
    bool readable = p->signed_in || (*collection)->access.read == ACCESS_ANYONE;
    if (i < 0 || (*collection)->fields[i].use == USE_HIDDEN || (!readable && (*collection)->fields[i].kind != KIND_ID))
        return refuse_path(p, rest.at);
    *field = &(*collection)->fields[i];
    return OK;
}

static enum status add_value(struct parser *p, struct where *w, size_t room, struct value v)
{
    if (!w->values) w->values = ARENA_ARRAY(p->arena, struct value, room);
    if (!w->values) return fail(p->f, NO_MEMORY, "Out of memory.");
    if (++p->values > WHERE_MAX_VALUES) return fail(p->f, INVALID, "A where may have %d values.", WHERE_MAX_VALUES);
    w->values[w->nvalues++] = v;
    return OK;
}

static enum status refuse_value(struct parser *p, const struct where *w)
{
    return fail(p->f, INVALID, "The value of %s for %s cannot be understood.", operators[w->op].name, w->field->name);
}

static bool in_list(const struct where *w)
{
    return operators[w->op].operand == OPERAND_LIST && w->field->kind == KIND_DATE;
}

static enum status read_value(struct parser *p, struct where *w, struct json_object *json, size_t room)
{
    struct value v;
    bool bad = false;
    if (kind_row(w->field->kind)->operand(json, p->arena, &v, &bad)) return add_value(p, w, room, v);
    /* In a list a text that is no date is equal to nothing, as a word is to an id. */
    if (bad && !in_list(w)) return refuse_value(p, w);
    return OK; /* nothing is equal to it: no value */
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
        struct json_object *text = json_object_new_string_len(item.at, (int)item.len);
        if (!text) return fail(p->f, NO_MEMORY, "Out of memory.");
        char *copy = arena_copy(p->arena, item);
        struct value v;
        bool bad = !copy, some = copy && kind_row(w->field->kind)->operand(text, p->arena, &v, &bad);
        /* The text's own bytes go with the object; the arena's stay. */
        if (some && v.type == VALUE_TEXT && v.text.at == json_object_get_string(text)) v.text.at = copy;
        json_object_put(text);
        if (bad && !in_list(w)) return refuse_value(p, w);
        if (some) status = add_value(p, w, room, v);
    }
    return status;
}

/* "%" + value + "%", wildcards of the value escaped. */
static enum status add_pattern(struct parser *p, struct where *w, size_t room, struct view text)
{
    if (text.len > WHERE_MAX_LIKE)
        return fail(p->f, INVALID, "A text to search for may have %d bytes.", WHERE_MAX_LIKE);
    char *pattern = arena_alloc(p->arena, 2 * text.len + 3), *to = pattern;
    if (!pattern) return fail(p->f, NO_MEMORY, "Out of memory.");
    *to++ = '%';
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '%' || text.at[i] == '_' || text.at[i] == '\\') *to++ = '\\';
        *to++ = text.at[i];
    }
    *to++ = '%';
    return add_value(p, w, room, value_text((struct view){pattern, (size_t)(to - pattern)}));
}

static enum status read_pattern(struct parser *p, struct where *w, struct json_object *json)
{
    bool number = w->field->kind == KIND_ID || w->field->kind == KIND_NUMBER || w->field->kind == KIND_RELATIONSHIP;
    if (number && w->op == OP_LIKE) {
        w->op = OP_EQUALS;
        return read_value(p, w, json, 1);
    }
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
    enum status status = OK;
    for (struct view rest = v.text; rest.at && !status;) status = add_pattern(p, w, room, view_cut(&rest, ' '));
    return status;
}

static enum status read_compare(struct parser *p, struct where *w, struct json_object *json)
{
    switch (operators[w->op].operand) {
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

static int operator_find(const char *name)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (!strcmp(operators[i].name, name)) return (int)i;
    return -1;
}

static bool operator_known(const char *name)
{
    for (size_t i = 0; i < sizeof other_operators / sizeof *other_operators; i++)
        if (!strcmp(other_operators[i], name)) return true;
    return operator_find(name) >= 0;
}

/* A failure that ends the parse; flaws of paths are gathered to the end. */
static bool stops(const struct parser *p)
{
    return p->f->status && p->f->shape == FAILURE_PLAIN;
}

static void parse_field(struct parser *p, struct where ***tail, const char *path, struct json_object *tests)
{
    if (!json_object_is_type(tests, json_type_object)) {
        refuse_path(p, path);
        return;
    }
    json_object_object_foreach(tests, name, json)
    {
        if (!operator_known(name)) {
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
        **tail = w;
        *tail = &w->next;
        if (operators[op].last) return;
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
        if (!one) continue;
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

enum status where_parse(struct where **out, const struct collection *c, struct json_object *json, bool signed_in,
    struct arena *arena, struct failure *f)
{
    struct parser p = {.collection = c, .arena = arena, .f = f, .signed_in = signed_in};
    *f = (struct failure){0};
    if (json_object_is_type(json, json_type_string)) {
        struct view text = view_trim(json_text(json));
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
    if (w->via && w->field->kind != KIND_ID) return true;
    for (const struct where *one = w->first; one; one = one->next)
        if (where_joins(one)) return true;
    return false;
}

void binds_add(struct binds *b, struct value v)
{
    if (b->count == b->room) {
        size_t room = b->room ? 2 * b->room : 16;
        struct value *more = ARENA_ARRAY(b->arena, struct value, room);
        if (!more) {
            b->failed = true;
            return;
        }
        if (b->count) memcpy(more, b->values, b->count * sizeof *more);
        b->values = more;
        b->room = room;
    }
    b->values[b->count++] = v;
}

static void add_one(const struct where *w, struct str *sql, struct binds *binds)
{
    const char *column = w->field->column;
    const char *sign = operators[w->op].sql;
    bool equals = w->op == OP_EQUALS, differs = w->op == OP_NOT_EQUALS;
    if (!w->nvalues)
        str_addz(sql, differs ? "1" : "0");
    else if (w->values[0].type == VALUE_NULL)
        str_addf(sql, equals ? "%s IS NULL" : differs ? "%s IS NOT NULL" : "0 AND %s", column);
    else {
        str_addf(sql, differs ? "(%s IS NULL OR %s %s ?)" : "%s %s ?", column, differs ? column : sign, sign);
        binds_add(binds, w->values[0]);
    }
}

static void add_list(const struct where *w, struct str *sql, struct binds *binds)
{
    bool in = w->op == OP_IN, null = false, some = false;
    str_addf(sql, "(%s %s (", w->field->column, operators[w->op].sql);
    for (size_t i = 0; i < w->nvalues; i++) {
        if (w->values[i].type == VALUE_NULL) {
            null = true;
            continue;
        }
        str_addz(sql, some ? ",?" : "?");
        some = true;
        binds_add(binds, w->values[i]);
    }
    str_addz(sql, ")");
    if (null || !in)
        str_addf(sql, in ? " OR %s IS NULL" : null ? " AND %s IS NOT NULL" : " OR %s IS NULL", w->field->column);
    str_addc(sql, ')');
}

static void add_pattern_sql(const struct where *w, struct str *sql, struct binds *binds)
{
    const char *column = w->field->column;
    if (!w->nvalues) {
        str_addc(sql, '0');
        return;
    }
    str_addc(sql, '(');
    for (size_t i = 0; i < w->nvalues; i++) {
        if (i) str_addz(sql, " AND ");
        str_addf(sql, "%s %s ? ESCAPE '\\'", column, operators[w->op].sql);
        binds_add(binds, w->values[i]);
    }
    if (w->op == OP_NOT_LIKE) str_addf(sql, " OR %s IS NULL", column);
    str_addc(sql, ')');
}

static void add_compare(const struct where *w, struct str *sql, struct binds *binds)
{
    /* A relation's own id needs no look at the other table. */
    struct where direct = *w;
    struct field id;
    if (w->via && w->field->kind == KIND_ID) {
        id = *w->via;
        direct.field = &id;
        direct.via = NULL;
        w = &direct;
    }
    if (w->via) str_addf(sql, "%s IN (SELECT id FROM %s WHERE ", w->via->column, w->collection->slug);
    switch (operators[w->op].operand) {
    case OPERAND_ONE: add_one(w, sql, binds); break;
    case OPERAND_LIST: add_list(w, sql, binds); break;
    case OPERAND_PATTERN: add_pattern_sql(w, sql, binds); break;
    case OPERAND_BOOL: str_addf(sql, "%s IS %sNULL", w->field->column, w->values[0].integer ? "NOT " : ""); break;
    }
    if (w->via) str_addc(sql, ')');
}

void where_add_sql(const struct where *w, struct str *sql, struct binds *binds)
{
    switch (w->kind) {
    case WHERE_COMPARE: add_compare(w, sql, binds); return;
    case WHERE_AND:
    case WHERE_OR: break;
    }
    if (!w->first) {
        str_addc(sql, '1');
        return;
    }
    str_addc(sql, '(');
    for (const struct where *one = w->first; one; one = one->next) {
        where_add_sql(one, sql, binds);
        if (one->next) str_addz(sql, w->kind == WHERE_AND ? " AND " : " OR ");
    }
    str_addc(sql, ')');
}
