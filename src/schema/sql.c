#include "schema/sql.h"
#include "schema/condition.h"
#include "schema/kind.h"
#include "schema/registry.h"

void sql_add_column(struct str *out, const struct field *field)
{
    str_addf(out, "`%s` %s", field->column, kind_row(field->kind)->sql);
    if (field->kind == KIND_ID) str_addz(out, " PRIMARY KEY NOT NULL");
    if (field->fallback) str_addf(out, " DEFAULT %s", field->fallback);
    if (field->required) str_addz(out, " NOT NULL");
}

void sql_add_create_table(struct str *out, const struct collection *c)
{
    str_addf(out, "CREATE TABLE `%s` (\n", c->slug);
    for (size_t i = 0; i < c->nfields; i++) {
        str_addz(out, i ? ",\n\t" : "\t");
        sql_add_column(out, &c->fields[i]);
    }
    for (size_t i = 0; i < c->nfields; i++)
        if (c->fields[i].kind == KIND_RELATIONSHIP)
            str_addf(out, ",\n\tFOREIGN KEY (`%s`) REFERENCES `%s`(`id`) ON UPDATE no action ON DELETE set null",
                c->fields[i].column, c->fields[i].relation_to);
    str_addz(out, "\n)");
}

void sql_add_indexes(struct str *out, const struct collection *c)
{
    for (size_t i = 0; i < c->nfields; i++) {
        const struct field *field = &c->fields[i];
        if (!field->indexed && !field->unique) continue;
        str_addf(out, "CREATE %sINDEX IF NOT EXISTS `%s_%s_idx` ON `%s` (`%s`);\n", field->unique ? "UNIQUE " : "",
            c->slug, field->kind == KIND_RELATIONSHIP ? field->name : field->column, c->slug, field->column);
    }
}

void sql_add_columns(struct str *out, const struct collection *c)
{
    for (size_t i = 0; i < c->nfields; i++) {
        if (i) str_addz(out, ", ");
        if (c->fields[i].use == USE_HIDDEN)
            str_addz(out, "NULL");
        else
            str_addf(out, "`%s`", c->fields[i].column);
    }
}

void sql_add_select_one(struct str *out, const struct collection *c)
{
    str_addz(out, "SELECT ");
    sql_add_columns(out, c);
    str_addf(out, " FROM `%s` WHERE `id` = ?", c->slug);
}

void sql_add_where(struct str *out, const struct find *find, struct binds *binds)
{
    if (where_is_everything(find->where)) return;
    str_addz(out, " WHERE ");
    if (find->among.at) {
        str_addz(out, "`id` IN (SELECT value FROM json_each(?)) AND ");
        binds_add(binds, value_text(find->among));
    }
    condition_add(out, find->where, binds);
}

static void add_order(struct str *out, const struct find *find)
{
    bool by_id = false;
    for (size_t i = 0; i < find->nsort; i++) {
        const struct sort_term *term = &find->sort[i];
        str_addz(out, i ? ", " : " ORDER BY ");
        if (term->via)
            str_addf(out, "(SELECT r.`%s` FROM `%s` r WHERE r.`id` = `%s`.`%s`)", term->field->column,
                term->collection->slug, find->collection->slug, term->via->column);
        else
            str_addf(out, "`%s`", term->field->column);
        if (term->descending) str_addz(out, " DESC");
        by_id = by_id || (!term->via && term->field->kind == KIND_ID);
    }
    if (!by_id) str_addz(out, ", `id` DESC");
}

void sql_add_select(struct str *out, const struct find *find, int64_t limit, int64_t offset, struct binds *binds)
{
    str_addz(out, "SELECT ");
    sql_add_columns(out, find->collection);
    str_addf(out, " FROM `%s`", find->collection->slug);
    sql_add_where(out, find, binds);
    add_order(out, find);
    if (!limit) return;
    str_addz(out, " LIMIT ? OFFSET ?");
    binds_add(binds, value_integer(limit));
    binds_add(binds, value_integer(offset));
}

void sql_add_count(struct str *out, const struct find *find, struct binds *binds)
{
    str_addf(out, "SELECT count(*) FROM `%s`", find->collection->slug);
    sql_add_where(out, find, binds);
}

void sql_add_insert(struct str *out, const struct draft *draft, int64_t id, struct binds *binds)
{
    const struct collection *c = draft->collection;
    size_t given = 1;
    str_addf(out, "INSERT INTO `%s` (`id`", c->slug);
    binds_add(binds, value_integer(id));
    for (size_t i = 1; i < c->nfields; i++) {
        if (!draft->given[i]) continue;
        str_addf(out, ", `%s`", c->fields[i].column);
        binds_add(binds, draft->values[i]);
        given++;
    }
    str_addz(out, ") VALUES (?");
    while (--given) str_addz(out, ", ?");
    str_addc(out, ')');
}

void sql_add_update(struct str *out, const struct draft *draft, int64_t id, struct binds *binds)
{
    const struct collection *c = draft->collection;
    bool first = true;
    str_addf(out, "UPDATE `%s` SET ", c->slug);
    for (size_t i = 1; i < c->nfields; i++) {
        if (!draft->given[i]) continue;
        str_addf(out, "%s`%s` = ?", first ? "" : ", ", c->fields[i].column);
        binds_add(binds, draft->values[i]);
        first = false;
    }
    str_addz(out, " WHERE `id` = ?");
    binds_add(binds, value_integer(id));
}
