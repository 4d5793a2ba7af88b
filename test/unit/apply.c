/* A write's conditions, and what it tells of the document before it. */
#include "store/apply.h"
#include "schema/json.h"
#include "schema/query.h"
#include "schema/registry.h"
#include "store/migrate.h"
#include "store/read.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW VIEW("2026-01-02T03:04:05.678Z")

struct world {
    struct db *db;
    struct tables tables;
    struct arena arena;
    struct failure f;
    const struct collection *messages;
};

static void run(struct world *w, const char *sql)
{
    if (db_exec(w->db, sql, &w->f)) fail_msg("%s: %s", sql, w->f.reason);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    arena_init(&w->arena, 16 << 20);
    w->messages = collection_find(VIEW("messages"));
    assert_int_equal(db_open(&w->db, ":memory:", DB_WRITE, &w->f), OK);
    assert_int_equal(migrate(w->db, ":memory:", &w->f), OK);
    run(w, "INSERT INTO users (id, email) VALUES (1, 'a@example.com'), (2, 'b@example.com'), (3, 'c@example.com')");
    assert_int_equal(tables_load(&w->tables, w->db, &w->f), OK);
    run(w, "BEGIN");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    arena_release(&w->arena);
    db_close(w->db);
    free(w);
    return 0;
}

static struct draft *draft(struct world *w, const char *slug, enum draft_for purpose, const char *json)
{
    struct json_object *body;
    struct draft *d = ARENA_NEW(&w->arena, struct draft);
    assert_int_equal(json_read(&w->arena, view_of(json), &body, &w->f), OK);
    if (draft_read(d, collection_find(view_of(slug)), purpose, body, NOW, 0, &w->arena, &w->f))
        fail_msg("%s: %s", json, w->f.reason);
    return d;
}

/* "where[sender][equals]=1" */
static const struct where *where(struct world *w, const char *query)
{
    struct json_object *json;
    const struct readable readable = {{false}};
    struct find find;
    assert_int_equal(query_parse(&w->arena, view_of(query), &json, &w->f), OK);
    assert_int_equal(find_parse(&find, w->messages, json, &readable, &w->arena, &w->f), OK);
    return find.where;
}

static int64_t say(struct world *w, int sender, int receiver)
{
    struct write write = {.op = WRITE_CREATE, .collection = w->messages};
    write.draft = draft(w, "messages", DRAFT_CREATE,
        arena_printf(&w->arena, "{\"sender\":%d,\"receiver\":%d,\"content\":\"x\"}", sender, receiver));
    assert_int_equal(apply(&w->tables, &write, &w->arena), OK);
    assert_null(write.before);
    return write.id;
}

static void expect(struct world *w, struct write *write, const char *must_match, enum status status)
{
    int64_t seq = w->tables.seq, docs = w->tables.ledgers[collection_index(write->collection)].docs;
    write->must_match = must_match ? where(w, must_match) : NULL;
    assert_int_equal(apply(&w->tables, write, &w->arena), status);
    if (!status) return;
    assert_int_equal(w->tables.seq, seq);
    assert_int_equal(w->tables.ledgers[collection_index(write->collection)].docs, docs);
}

static void expect_last_parties(struct world *w, const char *parties)
{
    int64_t same = 0;
    struct value value = value_text(view_of(parties));
    assert_int_equal(db_integer(w->db, "SELECT coalesce(parties, 'none') = ? FROM parley_log ORDER BY seq DESC LIMIT 1",
                         &value, 1, 0, &same, &w->f),
        OK);
    assert_true(same);
}

static int64_t sender_of(struct world *w, int64_t id)
{
    struct doc doc;
    if (read_one(w->db, w->messages, id, &w->arena, &doc, &w->f)) return 0;
    return doc.values[field_find(w->messages, VIEW("sender"))].integer;
}

static void apply__the_log_names_whose_a_document_was(void **state)
{
    struct world *w = *state;
    int64_t id = say(w, 1, 2);
    expect_last_parties(w, "none");
    struct write moved = {.op = WRITE_UPDATE,
        .collection = w->messages,
        .id = id,
        .draft = draft(w, "messages", DRAFT_UPDATE, "{\"receiver\":3}")};
    expect(w, &moved, NULL, OK);
    expect_last_parties(w, "{\"sender\":1,\"receiver\":2}");
    assert_int_equal(doc_value(moved.before, &w->messages->fields[2])->integer, 2);
    struct write gone = {.op = WRITE_DELETE, .collection = w->messages, .id = id};
    expect(w, &gone, NULL, OK);
    expect_last_parties(w, "{\"sender\":1,\"receiver\":3}");
    assert_ptr_equal(gone.before, &gone.doc);
}

static void apply__a_collection_without_parties_is_read_before_when_that_is_wanted(void **state)
{
    struct world *w = *state;
    const struct collection *users = collection_find(VIEW("users"));
    struct write renamed = {.op = WRITE_UPDATE,
        .collection = users,
        .id = 3,
        .draft = draft(w, "users", DRAFT_UPDATE, "{\"email\":\"d@example.com\"}")};
    expect(w, &renamed, NULL, OK);
    expect_last_parties(w, "none");
    assert_null(renamed.before);
    w->tables.want_before[collection_index(users)] = true;
    assert_int_equal(tables_load(&w->tables, w->db, &w->f), OK);
    expect(w, &renamed, NULL, OK);
    assert_non_null(renamed.before);
    expect_last_parties(w, "none");
    struct write none = renamed;
    none.id = 99;
    expect(w, &none, NULL, NOT_FOUND);
}

static void apply__a_new_document_must_match(void **state)
{
    struct world *w = *state;
    struct write forged = {.op = WRITE_CREATE,
        .collection = w->messages,
        .draft = draft(w, "messages", DRAFT_CREATE, "{\"sender\":2,\"receiver\":1,\"content\":\"x\"}")};
    expect(w, &forged, "where[sender][equals]=1", FORBIDDEN);
    assert_int_equal(sender_of(w, forged.id), 0);
    expect(w, &forged, "where[sender][equals]=2", OK);
    assert_int_equal(sender_of(w, forged.id), 2);
}

static void apply__a_change_must_match_before_and_after(void **state)
{
    struct world *w = *state;
    int64_t id = say(w, 1, 2);
    struct write write = {.op = WRITE_UPDATE,
        .collection = w->messages,
        .id = id,
        .draft = draft(w, "messages", DRAFT_UPDATE, "{\"sender\":3}")};
    expect(w, &write, "where[sender][equals]=1", FORBIDDEN); /* not afterwards */
    expect(w, &write, "where[sender][equals]=3", FORBIDDEN); /* not before */
    assert_int_equal(sender_of(w, id), 1);
    expect(w, &write, "where[sender][in]=1,3", OK);
    assert_int_equal(sender_of(w, id), 3);
    write.id = 99;
    expect(w, &write, "where[sender][in]=1,3", FORBIDDEN);
    expect(w, &write, NULL, NOT_FOUND);
}

static void apply__what_is_deleted_must_match(void **state)
{
    struct world *w = *state;
    struct write write = {.op = WRITE_DELETE, .collection = w->messages, .id = say(w, 1, 2)};
    expect(w, &write, "where[sender][equals]=2", FORBIDDEN);
    assert_int_equal(sender_of(w, write.id), 1);
    expect(w, &write, "where[sender][equals]=1", OK);
    expect(w, &write, "where[sender][equals]=1", FORBIDDEN);
    expect(w, &write, NULL, NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(apply__the_log_names_whose_a_document_was, setup, teardown),
        cmocka_unit_test_setup_teardown(
            apply__a_collection_without_parties_is_read_before_when_that_is_wanted, setup, teardown),
        cmocka_unit_test_setup_teardown(apply__a_new_document_must_match, setup, teardown),
        cmocka_unit_test_setup_teardown(apply__a_change_must_match_before_and_after, setup, teardown),
        cmocka_unit_test_setup_teardown(apply__what_is_deleted_must_match, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
