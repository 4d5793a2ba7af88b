/* Standing queries against plain ones: whatever has been written, a page and its total are those that SQLite finds. */
#include "store/standing.h"
#include "schema/json.h"
#include "schema/query.h"
#include "schema/registry.h"
#include "store/apply.h"
#include "store/former.h"
#include "store/migrate.h"
#include "store/read.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define MOST_IDS 1000

struct world {
    char folder[40], path[48];
    struct db *db;
    struct tables tables;
    struct arena arena;
    struct formers *formers;
    struct standings *standings;
    const struct collection *messages;
    uint64_t random;
    bool forgetful; /* of some documents it is not known what they were */
    struct failure f;
};

static void run(struct world *w, const char *sql)
{
    if (db_exec(w->db, sql, &w->f)) fail_msg("%s: %s", sql, w->f.reason);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    arena_init(&w->arena, 16 << 20);
    w->random = 1;
    w->messages = collection_find(VIEW("messages"));
    w->formers = formers_new(1 << 20);
    w->standings = standings_new(1 << 20, w->formers, NULL);
    assert_non_null(w->standings);
    snprintf(w->folder, sizeof w->folder, "/tmp/parley-standing-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof w->path, "%s/x.db", w->folder);
    assert_int_equal(db_open(&w->db, w->path, DB_WRITE, &w->f), OK);
    assert_int_equal(migrate(w->db, w->path, &w->f), OK);
    run(w, "PRAGMA synchronous=OFF");
    run(w, "INSERT INTO users (id, email) VALUES (1, 'a@example.com'), (2, 'b@example.com'), (3, 'c@example.com')");
    assert_int_equal(tables_load(&w->tables, w->db, &w->f), OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    standings_free(w->standings);
    formers_free(w->formers);
    arena_release(&w->arena);
    db_close(w->db);
    assert_int_equal(unlink(w->path), 0);
    assert_int_equal(rmdir(w->folder), 0);
    free(w);
    return 0;
}

static unsigned some(struct world *w, unsigned below)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(w->random >> 33) % below;
}

/* `made`: the day; 0: the field is not given. */
static void write_one(struct world *w, enum write_op op, int64_t id, unsigned made)
{
    static const char *const words[] = {"tea", "coffee", "TEA and coffee", "water"};
    struct json_object *body;
    struct draft draft;
    struct write write = {.op = op, .collection = w->messages, .id = id, .draft = &draft};
    const char *time = made ? arena_printf(&w->arena, ",\"createdAt\":\"2026-01-%02uT00:00:00.000Z\"", made) : "";
    char *json = arena_printf(&w->arena, "{\"sender\":%u,\"receiver\":%u,\"content\":\"%s\"%s}", some(w, 3) + 1,
        some(w, 3) + 1, words[some(w, 4)], time);
    assert_int_equal(json_read(&w->arena, view_of(json), &body, &w->f), OK);
    enum draft_for purpose = op == WRITE_CREATE ? DRAFT_CREATE : DRAFT_UPDATE;
    assert_int_equal(
        draft_read(&draft, w->messages, purpose, body, VIEW("2026-01-15T00:00:00.000Z"), id, &w->arena, &w->f), OK);
    assert_int_equal(apply(&w->tables, &write, &w->arena), OK);
    if (write.before && op != WRITE_CREATE && (!w->forgetful || some(w, 50)))
        formers_keep(w->formers, write.seq, write.before);
}

/* One of those that there are, or a new one. */
static void write_something(struct world *w)
{
    int64_t id = 0, any = 0;
    unsigned what = some(w, 10);
    if (what >= 5) {
        struct value from = value_integer(some(w, (unsigned)w->tables.ledgers[collection_index(w->messages)].last + 1));
        assert_int_equal(
            db_integer(w->db, "SELECT id FROM messages WHERE id >= ? LIMIT 1", &from, 1, 0, &any, &w->f), OK);
        id = any;
    }
    unsigned made = some(w, 4) ? 0 : some(w, 28) + 1;
    if (!id)
        write_one(w, WRITE_CREATE, 0, made);
    else
        write_one(w, what < 8 ? WRITE_UPDATE : WRITE_DELETE, id, made);
}

/* As the applier does it. */
static void write_batch(struct world *w, unsigned n)
{
    run(w, "BEGIN");
    while (n--) write_something(w);
    assert_int_equal(tables_flush(&w->tables, VIEW("2026-01-15T00:00:00.000Z"), &w->f), OK);
    run(w, "COMMIT");
}

struct ids {
    int64_t at[MOST_IDS];
    size_t n;
};

static enum status take_id(void *ctx, const struct doc *doc)
{
    struct ids *ids = ctx;
    assert_true(ids->n < MOST_IDS);
    ids->at[ids->n++] = doc_id(doc);
    return OK;
}

static void ask(struct world *w, const char *query, struct arena *arena, struct find *out)
{
    struct json_object *json;
    struct failure f;
    const struct readable readable = {{true}};
    arena_reset(arena);
    assert_int_equal(query_parse(arena, view_of(query), &json, &f), OK);
    assert_int_equal(find_parse(out, w->messages, json, &readable, arena, &f), OK);
}

/* Whether the page was known. */
static bool check_on(
    struct world *w, struct db *db, struct arena *arena, const char *query, int64_t limit, int64_t offset)
{
    struct find find;
    struct failure f;
    struct standing_page page;
    struct ids ids = {.n = 0};
    int64_t total = 0;
    ask(w, query, arena, &find);
    assert_int_equal(db_exec(db, "BEGIN", &f), OK);
    if (standings_look(w->standings, db, &find, limit, offset, arena, &page, &f)) fail_msg("%s", f.reason);
    assert_int_equal(read_count(db, &find, arena, &total, &f), OK);
    assert_int_equal(read_many(db, &find, limit, offset, arena, take_id, &ids, &f), OK);
    assert_int_equal(db_exec(db, "COMMIT", &f), OK);
    assert_int_equal(page.total, total);
    if (!page.listed) return false;
    assert_int_equal(page.nids, ids.n);
    if (ids.n) assert_memory_equal(page.ids, ids.at, ids.n * sizeof *ids.at);
    return true;
}

static bool check(struct world *w, const char *query, int64_t limit, int64_t offset)
{
    return check_on(w, w->db, &w->arena, query, limit, offset);
}

static const char *const queries[] = {
    "",
    "where[sender][equals]=1",
    "where[content][like]=tea",
    "where[content][contains]=water&where[receiver][equals]=2",
    "where[or][0][sender][equals]=1&where[or][1][receiver][equals]=1",
    "where[content][not_like]=tea",
    "where[sender.email][equals]=a@example.com",
    "where[sender][equals]=3&sort=content",
    "where[id][greater_than]=100",
    "sort=createdAt",
    "sort=id",
    "sort=-id",
    "sort=-updatedAt",
    "where[sender][not_equals]=2&sort=createdAt",
    "where[content][not_like]=water&sort=id",
    "where[receiver][not_equals]=2&sort=updatedAt",
};
#define NQUERIES (sizeof queries / sizeof *queries)

static void standing__random_writes(void **state)
{
    struct world *w = *state;
    size_t known = 0;
    w->forgetful = true;
    for (size_t step = 0; step < 400; step++) {
        write_batch(w, step < 40 ? 40 : some(w, 8));
        const char *query = queries[some(w, NQUERIES)];
        known += check(w, query, 10, 10 * (int64_t)some(w, 4));
        known += check(w, query, 10, 10 * (int64_t)some(w, 30));
        known += check(w, query, 1 + some(w, 80), some(w, 900));
        check(w, "", 10, 10 * (int64_t)some(w, 90));
    }
    assert_true(known > 500);
}

struct reader {
    struct world *world;
    pthread_t thread;
    uint64_t random;
    size_t known, looked;
};

static _Atomic bool writing;

static void *read_on(void *ctx)
{
    struct reader *r = ctx;
    struct world own = {.random = r->random};
    struct db *db;
    struct arena arena;
    arena_init(&arena, 16 << 20);
    assert_int_equal(db_open(&db, r->world->path, DB_READ, &own.f), OK);
    for (; atomic_load(&writing); r->looked++)
        r->known += check_on(
            r->world, db, &arena, queries[some(&own, NQUERIES)], 10, 10 * (int64_t)some(&own, some(&own, 2) ? 4 : 80));
    db_close(db);
    arena_release(&arena);
    return NULL;
}

/* Each in a snapshot of its own, older or newer than what the others have left. */
static void standing__readers_beside_a_writer(void **state)
{
    struct world *w = *state;
    struct reader readers[3];
    size_t known = 0;
    for (int i = 0; i < 40; i++) write_batch(w, 30);
    atomic_store(&writing, true);
    for (size_t i = 0; i < 3; i++) {
        readers[i] = (struct reader){.world = w, .random = 100 + i};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    for (int i = 0; i < 300; i++) {
        write_batch(w, some(w, 8));
        arena_reset(&w->arena);
    }
    atomic_store(&writing, false);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(readers[i].thread, NULL);
        known += readers[i].known;
    }
    assert_true(known > 0);
}

/* Ten documents behind the first six hundred. */
static struct standing_page look_far(struct world *w, const char *query)
{
    struct standing_page page;
    struct find find;
    ask(w, query, &w->arena, &find);
    run(w, "BEGIN");
    assert_int_equal(standings_look(w->standings, w->db, &find, 10, 600, &w->arena, &page, &w->f), OK);
    run(w, "COMMIT");
    return page;
}

/* Others go on while it is made: it is kept, and brought up to them afterwards. What is found out anew would differ,
 * since the table is changed behind its back. */
static void standing__a_far_page_of_an_older_snapshot(void **state)
{
    struct world *w = *state;
    struct db *old;
    const char *query = "where[id][greater_than]=0";
    for (int i = 0; i < 700; i++) write_one(w, WRITE_CREATE, 0, 0);
    assert_int_equal(db_open(&old, w->path, DB_READ, &w->f), OK);
    assert_true(check_on(w, old, &w->arena, query, 10, 0));
    assert_true(check_on(w, old, &w->arena, query, 10, 600));
    write_one(w, WRITE_CREATE, 0, 0);
    assert_true(check(w, query, 10, 0)); /* the first ones are newer than the rest */
    run(w, "DELETE FROM messages WHERE id = 700");
    struct standing_page page = look_far(w, query);
    assert_true(page.listed);
    assert_int_equal(page.total, 701);
    assert_int_equal(page.ids[0], 101);
    db_close(old);
}

/* What it does not find out again stays as it was when the table is changed behind its back. */
static void standing__an_old_document_that_changes_is_not_counted_anew(void **state)
{
    struct world *w = *state;
    const char *query = "where[id][greater_than]=0";
    for (int i = 0; i < 700; i++) write_one(w, WRITE_CREATE, 0, 0);
    assert_true(check(w, query, 10, 0));
    assert_true(check(w, query, 10, 600));
    write_one(w, WRITE_UPDATE, 5, 0);
    write_one(w, WRITE_DELETE, 6, 0);
    write_one(w, WRITE_DELETE, 300, 0);
    run(w, "DELETE FROM messages WHERE id = 700");
    struct standing_page page = look_far(w, query);
    assert_int_equal(page.total, 698);
    assert_true(page.listed);
    assert_int_equal(page.nids, 10);
    assert_int_equal(page.ids[0], 99);
}

static void standing__knows_a_page_again(void **state)
{
    struct world *w = *state;
    write_batch(w, 20);
    assert_true(check(w, "where[sender][equals]=2", 10, 0));
    write_one(w, WRITE_CREATE, 0, 3);
    assert_true(check(w, "where[sender][equals]=2", 10, 0));
    assert_false(check(w, "where[sender][equals]=2&sort=content", 10, 0)); /* the total alone */
    assert_false(check(w, "", 10, 0));                                     /* SQLite is as quick */
}

/* A bulk import gives thousands the same time, and the newest ids need not have the newest times. */
static void standing__far_pages_of_one_moment(void **state)
{
    struct world *w = *state;
    run(w, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3000)"
           " INSERT INTO messages (id, sender_id, receiver_id, content, timestamp, updated_at, created_at) SELECT i, 1,"
           " 2, 'x', '2026-01-15T00:00:00.000Z', '2026-01-15T00:00:00.000Z', '2026-01-15T00:00:00.000Z' FROM c;"
           " UPDATE parley_ids SET last = 3000, docs = 3000 WHERE collection = 'messages'");
    assert_int_equal(tables_load(&w->tables, w->db, &w->f), OK);
    for (size_t step = 0; step < 60; step++) {
        assert_true(check(w, "", 10, 600 + (int64_t)some(w, 2600)));
        write_batch(w, some(w, 30));
    }
    assert_true(check(w, "", 10, 1000000)); /* behind the end */
}

/* More wheres than there is memory for. */
static void standing__forgets_what_is_used_least(void **state)
{
    struct world *w = *state;
    write_batch(w, 30);
    for (unsigned i = 0; i < 300; i++) {
        char query[64];
        snprintf(query, sizeof query, "where[id][greater_than]=%u", i % 200);
        assert_true(check(w, query, 10, 0));
    }
}

/* A place that another program left is none: SQLite finds the page. */
static void standing__times_of_other_forms(void **state)
{
    struct world *w = *state;
    write_batch(w, 30);
    run(w, "INSERT INTO messages VALUES (1001, 1, 2, 'tea', 'x', 'x', '2026-01-03 00:00:00')");
    run(w, "UPDATE parley_ids SET last = 1001, docs = docs + 1 WHERE collection = 'messages'");
    assert_int_equal(tables_load(&w->tables, w->db, &w->f), OK);
    check(w, "where[content][like]=tea", 10, 0);
    assert_false(check(w, "", 10, 1000));
    write_batch(w, 20);
    check(w, "where[content][like]=tea", 10, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(standing__random_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(standing__readers_beside_a_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(standing__a_far_page_of_an_older_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(standing__an_old_document_that_changes_is_not_counted_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(standing__knows_a_page_again, setup, teardown),
        cmocka_unit_test_setup_teardown(standing__far_pages_of_one_moment, setup, teardown),
        cmocka_unit_test_setup_teardown(standing__forgets_what_is_used_least, setup, teardown),
        cmocka_unit_test_setup_teardown(standing__times_of_other_forms, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
