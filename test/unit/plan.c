/* How SQLite goes about the queries that the API can make: of each collection, each operator on each field and each
 * sort, as the page and as the total; and about all else that is asked of the tables for lists, streams and the text
 * index, which is overheard while it is done. Whatever reads a whole table without an index is named below. */
#include "base/check.h"
#include "schema/find.h"
#include "schema/operator.h"
#include "schema/query.h"
#include "schema/registry.h"
#include "schema/sql.h"
#include "store/apply.h"
#include "store/backlog.h"
#include "store/listing.h"
#include "store/migrate.h"
#include "store/read.h"
#include "store/textfill.h"
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct db *db;
    struct db *heard; /* its table holds the statements that were overheard on `db` */
    struct arena arena;
    struct failure f;
    struct str name;  /* of the query that is looked at */
    struct str scans; /* of all queries that read a table as a whole */
    bool scanned, sorted;
    struct view passed; /* the first table that is read as a whole, along an index or not */
    bool listening;     /* all else is done with each query */
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

static struct db *listener;

static int overhear(unsigned event, void *ctx, void *statement, void *text)
{
    struct failure f;
    struct value sql = value_text(view_of(sqlite3_sql(statement)));
    (void)event;
    (void)ctx;
    (void)text;
    if (!listener || view_starts(sql.text, "EXPLAIN")) return 0;
    return db_run(listener, "INSERT OR IGNORE INTO heard VALUES (?)", &sql, 1, &f);
}

static int listen_in(sqlite3 *handle, const char **error, const void *api)
{
    (void)error;
    (void)api;
    return sqlite3_trace_v2(handle, SQLITE_TRACE_STMT, overhear, NULL);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    arena_init(&w->arena, 64 << 20);
    *state = w;
    if (db_open(&w->heard, ":memory:", DB_WRITE, &w->f) ||
        db_exec(w->heard, "CREATE TABLE heard (sql text PRIMARY KEY)", &w->f) ||
        sqlite3_auto_extension((void (*)(void))listen_in))
        return -1;
    enum status status = db_open(&w->db, ":memory:", DB_WRITE, &w->f);
    sqlite3_cancel_auto_extension((void (*)(void))listen_in); /* to no other */
    return status || migrate(w->db, ":memory:", &w->f);
}

static int teardown(void **state)
{
    struct world *w = *state;
    db_close(w->db);
    db_close(w->heard);
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
    if (view_starts(step, "SCAN ") && !w->passed.at) {
        view_cut(&step, ' ');
        struct view name = view_cut(&step, ' ');
        w->passed = (struct view){arena_copy(&w->arena, name), name.len};
        step = VIEW("");
    }
    if (view_starts(step, "USE TEMP B-TREE") && !view_starts(step, "USE TEMP B-TREE FOR RIGHT PART")) w->sorted = true;
    return OK;
}

static void explain(struct world *w, const struct str *query, const struct binds *binds)
{
    struct str sql = {0};
    str_addz(&sql, "EXPLAIN QUERY PLAN ");
    str_add(&sql, str_view(query));
    w->scanned = w->sorted = false;
    w->passed = (struct view){0};
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

static enum status pass_over(void *ctx, const struct doc *doc)
{
    (void)ctx;
    (void)doc;
    return OK;
}

/* A list in the orders that are kept: its pages, wherever they are, and what has changed in it. */
static void keep_lists(struct world *w, const struct find *find)
{
    static const char *const orders[] = {"createdAt", "updatedAt", "id"};
    for (size_t i = 0; i < 2 * COUNT(orders); i++) {
        const struct field *field = &find->collection->fields[field_find(find->collection, view_of(orders[i / 2]))];
        struct listing l = {.view = {.db = w->db, .order = {field, i % 2}, .span = {.head = 1, .oldest = 1}},
            .find = *find,
            .arena = &w->arena};
        struct place place = {.id = 7};
        struct window window;
        struct ladder *ladder;
        struct list_changes *changes;
        int64_t total;
        l.view.find = &l.find;
        assert_int_equal(listing_read_head(&l, &window, &total, &w->f), OK);
        assert_int_equal(listing_read_ladder(&l, 0, &ladder, &w->f), OK);
        assert_int_equal(listing_read_far(&l, &place, 0, 0, 10, &window, &w->f), OK);
        assert_int_equal(changes_read(&l.view, 0, &w->arena, &changes, &w->f), OK);
        ladder_free(ladder);
    }
}

static void stream(struct world *w, const struct find *find)
{
    struct backlog backlog = {.collection = find->collection, .filter = find->where, .among = find->among};
    struct backlog_place from = {.id = 0};
    assert_int_equal(backlog_start(w->db, &backlog, 10, &w->arena, &from, &w->f), OK);
    assert_int_equal(backlog_read(w->db, &backlog, &from, 10, &w->arena, pass_over, NULL, &w->f), OK);
}

/* All that is done with a where besides the page and the total; also where the text index has named documents. */
static void do_all(struct world *w, struct find *find)
{
    int64_t total;
    listener = w->heard;
    if (!where_joins(find->where)) keep_lists(w, find);
    stream(w, find);
    find->among = VIEW("[1,2]");
    if (!where_joins(find->where)) keep_lists(w, find);
    stream(w, find);
    if (!where_is_everything(find->where))
        assert_int_equal(read_many(w->db, find, 10, 10, &w->arena, pass_over, NULL, &w->f), OK);
    assert_int_equal(read_count(w->db, find, &w->arena, &total, &w->f), OK);
    find->among = (struct view){0};
    listener = NULL;
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
    if (w->listening) do_all(w, &find);
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

/* A statement that goes through all of the table that it is about, and does not end with the page: it sorts what it
 * finds, or counts it, or the table is Parley's own. A ladder goes through all of a list, once. */
static enum status take_heard(void *ctx, const struct row *row)
{
    struct world *w = ctx;
    struct str sql = {0};
    struct binds none = {.values = NULL};
    arena_reset(&w->arena);
    str_add(&sql, row_value(row, 0).text);
    explain(w, &sql, &none);
    const char *from = strstr(sql.at, " FROM `");
    bool own = from && w->passed.at && !strncmp(from + strlen(" FROM `"), w->passed.at, w->passed.len);
    bool counts = !strncmp(sql.at, "SELECT count", strlen("SELECT count"));
    if ((own && (w->sorted || (counts && w->scanned))) || view_starts(w->passed, "parley_"))
        str_addf(&w->scans, "%s\n", sql.at);
    str_release(&sql);
    return OK;
}

static enum status pass_change(void *ctx, const struct change *change)
{
    (void)ctx;
    (void)change;
    return OK;
}

/* What is asked of the log, and for the text index. */
static void follow_log(struct world *w)
{
    const struct collection *of[] = {collection_at(0), collection_at(1)};
    struct changelog_span span;
    struct epochs *epochs;
    char folder[] = "/tmp/parley-plan-XXXXXX", path[64];
    struct textpart parts[TEXTFILE_PARTS];
    struct textfill fill = {.database = w->db, .parts = parts, .nparts = textfile_parts(parts)};
    int64_t last;
    bool more;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/x-text", folder);
    arena_init(&fill.arena, 1 << 20);
    assert_int_equal(changelog_span(w->db, &span, &w->f), OK);
    assert_int_equal(epochs_load(&epochs, w->db, &w->f), OK);
    assert_int_equal(textfile_open(&fill.file, path, folder, epochs, &span, parts, fill.nparts, &w->f), OK);
    const struct change change = {.seq = span.head + 1, .doc = 1, .op = CHANGE_CREATE};
    listener = w->heard;
    assert_int_equal(changelog_append(w->db, parts[0].collection, &change, &w->f), OK);
    for (more = true; more;) assert_int_equal(textfill_step(&fill, &more, &w->f), OK);
    for (size_t n = 1; n <= COUNT(of); n++)
        for (int by_parties = 0; by_parties < 2; by_parties++)
            assert_int_equal(
                changelog_read(w->db, of, n, by_parties, 0, 10, pass_change, NULL, &last, &more, &w->f), OK);
    assert_int_equal(changelog_span(w->db, &span, &w->f), OK);
    assert_int_equal(changelog_trim(w->db, 2, 1, &w->f), OK);
    listener = NULL;
    db_close(fill.file);
    epochs_free(epochs);
    arena_release(&fill.arena);
    assert_int_equal(textfile_remove(path, &w->f), OK);
    assert_int_equal(rmdir(folder), 0);
}

static void plan__nothing_else_goes_through_a_table_to_sort_or_count(void **state)
{
    struct world *w = *state;
    int64_t heard = 0;
    w->listening = true;
    for (size_t i = 0; i < ncollections; i++) look_at_collection(w, collection_at(i));
    follow_log(w);
    str_reset(&w->scans);
    if (db_each(w->heard, "SELECT sql FROM heard", NULL, 0, take_heard, w, &w->f)) fail_msg("%s", w->f.reason);
    assert_int_equal(db_integer(w->heard, "SELECT count(*) FROM heard", NULL, 0, 0, &heard, &w->f), OK);
    assert_true(heard > 2000);
    if (w->scans.len) fail_msg("%s", w->scans.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plan__no_query_reads_a_table_without_an_index_but_these, setup, teardown),
        cmocka_unit_test_setup_teardown(plan__nothing_else_goes_through_a_table_to_sort_or_count, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
