#include "schema/condition.h"
#include "schema/match.h"

/* Does it match what is null? SQL alone would never say so. */
static bool takes_null(const struct where *w)
{
    const struct value null = value_null();
    return match_value(w, &null);
}

static void add_one(const struct where *w, struct str *sql, struct binds *binds)
{
    const char *column = w->field->column, *sign = operator_row(w->op)->sql;
    bool null = takes_null(w);
    if (!w->nvalues) {
        str_addz(sql, null ? "1" : "0");
    } else if (w->values[0].type == VALUE_NULL) {
        if (w->op == OP_EQUALS || w->op == OP_NOT_EQUALS)
            str_addf(sql, "%s IS %sNULL", column, null ? "" : "NOT ");
        else
            str_addc(sql, '0');
    } else {
        str_addf(sql, null ? "(%s IS NULL OR %s %s ?)" : "%s %s ?", column, null ? column : sign, sign);
        binds_add(binds, w->values[0]);
    }
}

static void add_list(const struct where *w, struct str *sql, struct binds *binds)
{
    bool some = false;
    str_addf(sql, "(%s %s (", w->field->column, operator_row(w->op)->sql);
    for (size_t i = 0; i < w->nvalues; i++) {
        if (w->values[i].type == VALUE_NULL) continue;
        str_addz(sql, some ? ",?" : "?");
        some = true;
        binds_add(binds, w->values[i]);
    }
    str_addc(sql, ')');
    /* "NOT IN ()" is true of null as well. */
    if (takes_null(w))
        str_addf(sql, " OR %s IS NULL", w->field->column);
    else if (!some && w->op == OP_NOT_IN)
        str_addf(sql, " AND %s IS NOT NULL", w->field->column);
    str_addc(sql, ')');
}

/* "%" + text + "%", wildcards of the text escaped. */
static void bind_pattern(struct binds *binds, struct view text)
{
    char *pattern = arena_alloc(binds->arena, 2 * text.len + 3), *to = pattern;
    if (!pattern) {
        binds->failed = true;
        return;
    }
    *to++ = '%';
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '%' || text.at[i] == '_' || text.at[i] == '\\') *to++ = '\\';
        *to++ = text.at[i];
    }
    *to++ = '%';
    binds_add(binds, value_text((struct view){pattern, (size_t)(to - pattern)}));
}

static void add_pattern(const struct where *w, struct str *sql, struct binds *binds)
{
    if (!w->nvalues) {
        str_addc(sql, '0');
        return;
    }
    str_addc(sql, '(');
    for (size_t i = 0; i < w->nvalues; i++) {
        if (i) str_addz(sql, " AND ");
        str_addf(sql, "%s %s ? ESCAPE '\\'", w->field->column, operator_row(w->op)->sql);
        bind_pattern(binds, w->values[i].text);
    }
    str_addc(sql, ')');
}

static void add_compare(const struct where *w, struct str *sql, struct binds *binds)
{
    const char *relation = w->via ? w->via->column : NULL, *slug = w->collection->slug;
    /* The fields of a document that is not there are null. */
    bool missing = relation && takes_null(w);
    if (missing) str_addf(sql, "(%s IS NULL OR %s NOT IN (SELECT id FROM %s) OR ", relation, relation, slug);
    if (relation) str_addf(sql, "%s IN (SELECT id FROM %s WHERE ", relation, slug);
    switch (operator_row(w->op)->operand) {
    case OPERAND_ONE: add_one(w, sql, binds); break;
    case OPERAND_LIST: add_list(w, sql, binds); break;
    case OPERAND_PATTERN: add_pattern(w, sql, binds); break;
    case OPERAND_BOOL: str_addf(sql, "%s IS %sNULL", w->field->column, w->values[0].integer ? "NOT " : ""); break;
    }
    if (relation) str_addc(sql, ')');
    if (missing) str_addc(sql, ')');
}

void condition_add(struct str *sql, const struct where *w, struct binds *binds)
{
    if (w->kind == WHERE_COMPARE) {
        add_compare(w, sql, binds);
        return;
    }
    if (!w->first) {
        str_addc(sql, '1');
        return;
    }
    str_addc(sql, '(');
    for (const struct where *one = w->first; one; one = one->next) {
        condition_add(sql, one, binds);
        if (one->next) str_addz(sql, w->kind == WHERE_AND ? " AND " : " OR ");
    }
    str_addc(sql, ')');
}
