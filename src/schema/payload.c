#include "schema/payload.h"
#include "schema/registry.h"

#define TIMES ",\n\t`updated_at` text DEFAULT " ISO_NOW " NOT NULL,\n\t`created_at` text DEFAULT " ISO_NOW " NOT NULL"

static const struct {
    const char *name, *columns;
    bool times;          /* has updated_at and created_at, behind the columns */
    const char *indexed; /* a column; NULL: none */
    bool unique;
    /* The table <name>_rels that leads from its rows to documents. */
    enum { RELS_NONE, RELS_AUTH, RELS_ALL } rels;
} tables[] = {
    {"payload_kv", ",\n\t`key` text NOT NULL,\n\t`data` text NOT NULL", false, "key", true, RELS_NONE},
    {"payload_locked_documents", ",\n\t`global_slug` text", true, "global_slug", false, RELS_ALL},
    {"payload_preferences", ",\n\t`key` text,\n\t`value` text", true, "key", false, RELS_AUTH},
    {"payload_migrations", ",\n\t`name` text,\n\t`batch` numeric", true, NULL, false, RELS_NONE},
};

static void add_index(struct str *out, const char *table, const char *suffix, const char *ending, const char *column)
{
    str_addf(out, "CREATE INDEX IF NOT EXISTS `%s%s_%s_idx` ON `%s%s` (`%s`);\n", table, suffix, ending, table, suffix,
        column);
}

static void add_rels(struct str *out, const char *table, bool all)
{
    str_addf(out,
        "CREATE TABLE IF NOT EXISTS `%s_rels` (\n\t`id` integer PRIMARY KEY NOT NULL,\n\t`order` integer,\n"
        "\t`parent_id` integer NOT NULL,\n\t`path` text NOT NULL",
        table);
    for (size_t i = 0; i < ncollections; i++)
        if (all || collection_at(i)->auth) str_addf(out, ",\n\t`%s_id` integer", collection_at(i)->slug);
    str_addf(out, ",\n\tFOREIGN KEY (`parent_id`) REFERENCES `%s`(`id`) ON UPDATE no action ON DELETE cascade", table);
    for (size_t i = 0; i < ncollections; i++) {
        const char *slug = collection_at(i)->slug;
        if (all || collection_at(i)->auth)
            str_addf(out, ",\n\tFOREIGN KEY (`%s_id`) REFERENCES `%s`(`id`) ON UPDATE no action ON DELETE cascade",
                slug, slug);
    }
    str_addz(out, "\n);\n");
    add_index(out, table, "_rels", "order", "order");
    add_index(out, table, "_rels", "parent", "parent_id");
    add_index(out, table, "_rels", "path", "path");
    for (size_t i = 0; i < ncollections; i++) {
        if (!all && !collection_at(i)->auth) continue;
        const char *slug = collection_at(i)->slug;
        str_addf(
            out, "CREATE INDEX IF NOT EXISTS `%s_rels_%s_id_idx` ON `%s_rels` (`%s_id`);\n", table, slug, table, slug);
    }
}

void payload_add_tables(struct str *out)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const char *name = tables[i].name, *indexed = tables[i].indexed;
        str_addf(out, "CREATE TABLE IF NOT EXISTS `%s` (\n\t`id` integer PRIMARY KEY NOT NULL%s%s\n);\n", name,
            tables[i].columns, tables[i].times ? TIMES : "");
        if (indexed)
            str_addf(out, "CREATE %sINDEX IF NOT EXISTS `%s_%s_idx` ON `%s` (`%s`);\n",
                tables[i].unique ? "UNIQUE " : "", name, indexed, name, indexed);
        if (tables[i].times) {
            add_index(out, name, "", "updated_at", "updated_at");
            add_index(out, name, "", "created_at", "created_at");
        }
        if (tables[i].rels != RELS_NONE) add_rels(out, name, tables[i].rels == RELS_ALL);
    }
}
