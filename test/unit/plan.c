/* How SQLite goes about the queries that the API can make: of each collection, each operator on each field and each
 * sort, as the page and as the total. Whatever reads a whole table without an index is named below. */
#include "base/check.h"
#include "schema/find.h"
#include "schema/operator.h"
#include "schema/query.h"
#include "schema/registry.h"
#include "schema/sql.h"
#include "store/db.h"
#include "store/migrate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct db *db;
    struct arena arena;
    struct failure f;
    struct str name;  /* of the query that is looked at */
    struct str scans; /* of all queries that read a table as a whole */
    bool scanned, sorted;
    size_t queries;
};

/* A total of what no index holds needs every document (of a where that was asked for before, store/standing.h knows it
 * without); a page of it is found along an index of the order. An order of what no index holds is made anew. */
static const char unavoidable[] = "total of media by alt\n"
                                  "page of media in the order of alt\n"
                                  "total of media by url\n"
                                  "page of media in the order of url\n"
                                  "total of media by thumbnailURL\n"
                                  "page of media in the order of thumbnailURL\n"
                                  "total of media by mimeType\n"
                                  "page of media in the order of mimeType\n"
                                  "total of media by filesize\n"
                                  "page of media in the order of filesize\n"
                                  "total of media by width\n"
                                  "page of media in the order of width\n"
                                  "total of media by height\n"
                                  "page of media in the order of height\n"
                                  "total of media by focalX\n"
                                  "page of media in the order of focalX\n"
                                  "total of media by focalY\n"
                                  "page of media in the order of focalY\n"
                                  "page of messages in the order of sender.id\n"
                                  "page of messages in the order of sender.updatedAt\n"
                                  "page of messages in the order of sender.createdAt\n"
                                  "page of messages in the order of sender.email\n"
                                  "page of messages in the order of receiver.id\n"
                                  "page of messages in the order of receiver.updatedAt\n"
                                  "page of messages in the order of receiver.createdAt\n"
                                  "page of messages in the order of receiver.email\n"
                                  "total of messages by content\n"
                                  "page of messages in the order of content\n"
                                  "total of messages by timestamp\n"
                                  "page of messages in the order of timestamp\n";

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    arena_init(&w->arena, 16 << 20);
    *state = w;
    return db_open(&w->db, ":memory:", DB_WRITE, &w->f) || migrate(w->db, ":memory:", &w->f);
}

static int teardown(void **state)
{
    struct world *w = *state;
    db_close(w->db);
    arena_release(&w->arena);
    str_release(&w->name);
    str_release(&w->scans);
    free(w);
    return 0;
}

/* "SCAN messages", and not "SCAN messages USING INDEX …". Without a sort behind it, it ends with the page. */
static enum status take_step(void *ctx, const struct row *row)
{
    struct world *w = ctx;
    struct view step = row_value(row, 3).text, rest = step;
    view_cut(&rest, ' ');
    view_cut(&rest, ' ');
    if (view_starts(step, "SCAN ") && !view_starts(step, "SCAN CONSTANT") && !rest.at) w->scanned = true;
    if (view_starts(step, "USE TEMP B-TREE")) w->sorted = true;
    return OK;
}

static void explain(struct world *w, const struct str *query, const struct binds *binds)
{
    struct str sql = {0};
    str_addz(&sql, "EXPLAIN QUERY PLAN ");
    str_add(&sql, str_view(query));
    w->scanned = w->sorted = false;
    w->queries++;
    if (db_each(w->db, sql.at, binds->values, binds->count, take_step, w, &w->f))
        fail_msg("%s: %s", sql.at, w->f.reason);
    str_release(&sql);
}

/* Once, whatever the operator. */
static void note(struct world *w, const char *what)
{
    struct str line = {0};
    str_addf(&line, "%s of %.*s\n", what, VIEW_ARGS(str_view(&w->name)));
    if (!w->scans.at || !strstr(w->scans.at, line.at)) str_add(&w->scans, str_view(&line));
    str_release(&line);
}

/* The page's query and the total's. */
static void look(struct world *w, const struct collection *c, const char *text)
{
    struct readable readable;
    struct json_object *query;
    struct find find;
    struct str sql = {0};
    for (size_t i = 0; i < MAX_COLLECTIONS; i++) readable.all[i] = true;
    if (query_parse(&w->arena, view_of(text), &query, &w->f) ||
        find_parse(&find, c, query, &readable, &w->arena, &w->f)) {
        if (w->f.status != INVALID) fail_msg("%s: %s", text, w->f.reason);
        return; /* the operator is not for the field */
    }
    struct binds page = {.arena = &w->arena}, total = {.arena = &w->arena};
    sql_add_select(&sql, &find, 10, 10, &page);
    explain(w, &sql, &page);
    if (w->scanned && w->sorted) note(w, "page");
    str_reset(&sql);
    if (!where_is_everything(find.where)) {
        sql_add_count(&sql, &find, &total);
        explain(w, &sql, &total);
        if (w->scanned) note(w, "total");
    }
    str_release(&sql);
}

static const char *operand_of(const struct field *field, const struct operator_row *op)
{
    if (op->operand == OPERAND_BOOL) return "true";
    if (field->kind == KIND_DATE) return "2026-01-02T03:04:05.678Z";
    return field->kind == KIND_TEXT || field->kind == KIND_EMAIL ? "text" : "7";
}

/* Of a field, or of one that a relation leads to. */
static void look_at_field(
    struct world *w, const struct collection *c, const struct field *via, const struct field *field)
{
    const char *before = via ? via->name : "", *dot = via ? "." : "";
    for (size_t i = 0; i < NOPERATORS; i++) {
        const struct operator_row *op = operator_row((enum where_operator)i);
        arena_reset(&w->arena);
        str_reset(&w->name);
        str_addf(&w->name, "%s by %s%s%s", c->slug, before, dot, field->name);
        look(w, c,
            arena_printf(&w->arena, "where[%s%s%s][%s]=%s", before, dot, field->name, op->name, operand_of(field, op)));
    }
    for (int descending = 0; descending < 2; descending++) {
        str_reset(&w->name);
        str_addf(&w->name, "%s in the order of %s%s%s", c->slug, before, dot, field->name);
        look(w, c, arena_printf(&w->arena, "sort=%s%s%s%s", descending ? "-" : "", before, dot, field->name));
    }
}

static void look_at_collection(struct world *w, const struct collection *c)
{
    for (size_t i = 0; i < c->nfields; i++) {
        const struct field *field = &c->fields[i];
        if (field->use == USE_HIDDEN) continue;
        look_at_field(w, c, NULL, field);
        if (field->kind != KIND_RELATIONSHIP) continue;
        const struct collection *other = collection_find(view_of(field->relation_to));
        for (size_t k = 0; k < other->nfields; k++)
            if (other->fields[k].use != USE_HIDDEN) look_at_field(w, c, field, &other->fields[k]);
    }
}

static void plan__no_query_reads_a_table_without_an_index_but_these(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < ncollections; i++) look_at_collection(w, collection_at(i));
    assert_true(w->queries > 500);
    assert_string_equal(w->scans.at, unavoidable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plan__no_query_reads_a_table_without_an_index_but_these, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
