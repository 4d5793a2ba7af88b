#include "schema/condition.h"

static void add_one(const struct where *w, struct str *sql, struct binds *binds)
{
    const char *column = w->field->column;
    const char *sign = operator_row(w->op)->sql;
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
    str_addf(sql, "(%s %s (", w->field->column, operator_row(w->op)->sql);
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
        str_addf(sql, "%s %s ? ESCAPE '\\'", column, operator_row(w->op)->sql);
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
    switch (operator_row(w->op)->operand) {
    case OPERAND_ONE: add_one(w, sql, binds); break;
    case OPERAND_LIST: add_list(w, sql, binds); break;
    case OPERAND_PATTERN: add_pattern_sql(w, sql, binds); break;
    case OPERAND_BOOL: str_addf(sql, "%s IS %sNULL", w->field->column, w->values[0].integer ? "NOT " : ""); break;
    }
    if (w->via) str_addc(sql, ')');
}

void condition_add(struct str *sql, const struct where *w, struct binds *binds)
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
        condition_add(sql, one, binds);
        if (one->next) str_addz(sql, w->kind == WHERE_AND ? " AND " : " OR ");
    }
    str_addc(sql, ')');
}
