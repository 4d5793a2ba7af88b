/* A first look: the documents of one moment, page by page, while others write. */
#include "store/backlog.h"
#include "schema/find.h"
#include "schema/json.h"
#include "schema/query.h"
#include "schema/registry.h"
#include "store/changelog.h"
#include "store/migrate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct db *db;
    struct arena arena;
    struct failure f;
    struct backlog backlog;
    struct backlog_place place;
    struct str seen;
    int64_t seq;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    arena_init(&w->arena, 16 << 20);
    w->backlog.collection = collection_find(VIEW("messages"));
    return db_open(&w->db, ":memory:", DB_WRITE, &w->f) || migrate(w->db, ":memory:", &w->f) ||
           db_exec(w->db, "INSERT INTO users (id, email) VALUES (1, 'a@example.com'), (2, 'b@example.com')", &w->f);
}

static int teardown(void **state)
{
    struct world *w = *state;
    db_close(w->db);
    arena_release(&w->arena);
    str_release(&w->seen);
    free(w);
    return 0;
}

static void run(struct world *w, const char *sql)
{
    if (db_exec(w->db, sql, &w->f)) fail_msg("%s: %s", sql, w->f.reason);
}

/* The change is in the log, as the applier puts it there. */
static void log_change(struct world *w, int64_t id, enum change_op op)
{
    const struct change change = {.seq = ++w->seq, .doc = id, .op = op};
    assert_int_equal(changelog_append(w->db, w->backlog.collection, &change, &w->f), OK);
}

/* `second`: of its updatedAt. */
static void say(struct world *w, int id, int sender, int second)
{
    char sql[300];
    snprintf(sql, sizeof sql,
        "INSERT INTO messages (id, sender_id, receiver_id, content, timestamp, updated_at, created_at) VALUES"
        " (%d, %d, 2, 'x', '2026', '2026-01-01T00:00:%02d.000Z', '2026')",
        id, sender, second);
    run(w, sql);
    log_change(w, id, CHANGE_CREATE);
}

static void touch(struct world *w, int id, int second)
{
    char sql[128];
    snprintf(
        sql, sizeof sql, "UPDATE messages SET updated_at = '2026-01-01T00:00:%02d.000Z' WHERE id = %d", second, id);
    run(w, sql);
    log_change(w, id, CHANGE_UPDATE);
}

static void drop(struct world *w, int id)
{
    char sql[64];
    snprintf(sql, sizeof sql, "DELETE FROM messages WHERE id = %d", id);
    run(w, sql);
    log_change(w, id, CHANGE_DELETE);
}

static void filter_by(struct world *w, const char *query)
{
    struct json_object *json;
    const struct readable all = {{true}};
    struct find find;
    assert_int_equal(query_parse(&w->arena, view_of(query), &json, &w->f), OK);
    assert_int_equal(find_parse(&find, w->backlog.collection, json, &all, &w->arena, &w->f), OK);
    w->backlog.filter = find.where;
}

/* The moment is now; `newest` 0: from the start. */
static void start(struct world *w, int64_t newest)
{
    w->backlog.seq = w->seq;
    w->place = (struct backlog_place){0};
    if (!newest) return;
    assert_int_equal(backlog_start(w->db, &w->backlog, newest, &w->arena, &w->place, &w->f), OK);
}

static enum status take(void *ctx, const struct doc *doc)
{
    struct world *w = ctx;
    str_addf(&w->seen, "%s%lld", w->seen.len ? " " : "", (long long)doc_id(doc));
    return OK;
}

static void expect_page(struct world *w, int64_t limit, const char *ids)
{
    str_reset(&w->seen);
    assert_int_equal(backlog_read(w->db, &w->backlog, &w->place, limit, &w->arena, take, w, &w->f), OK);
    assert_string_equal(w->seen.len ? w->seen.at : "", ids);
}

static void backlog__nothing(void **state)
{
    struct world *w = *state;
    start(w, 0);
    expect_page(w, 10, "");
    start(w, 10);
    expect_page(w, 10, "");
    assert_string_equal(w->place.time, "");
}

/* The pages go forward in time; in one the newest is first, as in a list. */
static void backlog__pages_from_the_start(void **state)
{
    struct world *w = *state;
    static const int seconds[] = {30, 10, 20, 50, 40};
    for (int i = 0; i < 5; i++) say(w, i + 1, 1, seconds[i]);
    start(w, 0);
    expect_page(w, 2, "2 3");
    assert_string_equal(w->place.time, "2026-01-01T00:00:20.000Z");
    assert_int_equal(w->place.id, 3);
    expect_page(w, 2, "1 5");
    expect_page(w, 2, "4");
    expect_page(w, 2, "");
    assert_int_equal(w->place.id, 4);
    start(w, 0);
    expect_page(w, 100, "2 3 1 5 4");
}

static void backlog__the_newest(void **state)
{
    struct world *w = *state;
    for (int i = 1; i <= 6; i++) say(w, i, 1, i);
    static const char *const wanted[] = {"6", "5 6", "4 5 6", "3 4 5 6", "2 3 4 5 6", "1 2 3 4 5 6", "1 2 3 4 5 6"};
    for (int64_t newest = 1; newest <= 7; newest++) {
        start(w, newest);
        expect_page(w, 100, wanted[newest - 1]);
        expect_page(w, 100, "");
    }
    start(w, 5);
    expect_page(w, 2, "2 3");
    expect_page(w, 2, "4 5");
    expect_page(w, 2, "6");
    start(w, INT32_MAX);
    expect_page(w, 100, "1 2 3 4 5 6");
}

/* Many at one time, as an import makes them: by their ids, and no page skips or repeats one. */
static void backlog__equal_times(void **state)
{
    struct world *w = *state;
    for (int i = 1; i <= 7; i++) say(w, i, 1, 5);
    start(w, 0);
    expect_page(w, 3, "1 2 3");
    expect_page(w, 3, "4 5 6");
    expect_page(w, 3, "7");
    expect_page(w, 3, "");
    start(w, 4);
    expect_page(w, 3, "4 5 6");
    expect_page(w, 3, "7");
}

/* Its change comes behind: it is not shown twice, nor a state that the moment had not. */
static void backlog__what_changed_since_is_left_out(void **state)
{
    struct world *w = *state;
    for (int i = 1; i <= 6; i++) say(w, i, 1, i);
    start(w, 0);
    expect_page(w, 2, "1 2");
    touch(w, 1, 50); /* that had been shown */
    touch(w, 3, 51);
    touch(w, 4, 4); /* where it was */
    say(w, 7, 1, 3);
    drop(w, 5);
    expect_page(w, 10, "6");
    expect_page(w, 10, "");
    start(w, 0);
    expect_page(w, 10, "2 7 4 6 1 3");
}

/* The newest of those that are left: as many as were asked for. */
static void backlog__the_newest_of_a_moment_gone_by(void **state)
{
    struct world *w = *state;
    for (int i = 1; i <= 6; i++) say(w, i, 1, i);
    w->backlog.seq = w->seq;
    touch(w, 6, 50);
    touch(w, 2, 51);
    drop(w, 5);
    assert_int_equal(backlog_start(w->db, &w->backlog, 2, &w->arena, &w->place, &w->f), OK);
    expect_page(w, 10, "3 4");
}

static void backlog__a_filter(void **state)
{
    struct world *w = *state;
    for (int i = 1; i <= 8; i++) say(w, i, 1 + i % 2, i);
    filter_by(w, "where[sender][equals]=1");
    start(w, 0);
    expect_page(w, 3, "2 4 6");
    expect_page(w, 3, "8");
    start(w, 2);
    expect_page(w, 10, "6 8");
    /* It is no way around the moment. */
    filter_by(w, "where[or][0][sender][equals]=1&where[or][1][id][equals]=3");
    start(w, 4);
    touch(w, 3, 50);
    expect_page(w, 10, "4 6 8");
    filter_by(w, "where[sender.email][equals]=b@example.com");
    start(w, 0);
    expect_page(w, 10, "1 5 7 3");
    filter_by(w, "where[sender][equals]=9");
    start(w, 3);
    expect_page(w, 10, "");
}

static void backlog__another_collections_changes_do_not_count(void **state)
{
    struct world *w = *state;
    const struct change change = {.seq = 5, .doc = 1, .op = CHANGE_UPDATE};
    say(w, 1, 1, 1);
    start(w, 0);
    assert_int_equal(changelog_append(w->db, collection_find(VIEW("users")), &change, &w->f), OK);
    expect_page(w, 10, "1");
}

static enum status refuse(void *ctx, const struct doc *doc)
{
    (void)ctx;
    (void)doc;
    return NO_MEMORY;
}

static void backlog__a_failure_of_the_reader_is_one(void **state)
{
    struct world *w = *state;
    say(w, 1, 1, 1);
    start(w, 0);
    assert_int_equal(backlog_read(w->db, &w->backlog, &w->place, 10, &w->arena, refuse, NULL, &w->f), NO_MEMORY);
}

/* Whatever others do between two pages: each document of the moment that has not changed comes once, in order. */
static void backlog__random_writes_between_the_pages(void **state)
{
    enum { DOCS = 40, TRIALS = 60 };
    struct world *w = *state;
    unsigned dice = 1;
    run(w, "BEGIN");
    for (int trial = 0; trial < TRIALS; trial++) {
        bool changed[DOCS + 1] = {false}, seen[DOCS + 1] = {false};
        int next = DOCS + 1, limit = 1 + rand_r(&dice) % 7;
        run(w, "DELETE FROM messages");
        for (int i = 1; i <= DOCS; i++) say(w, i, 1, rand_r(&dice) % 20);
        start(w, 0);
        for (;;) {
            str_reset(&w->seen);
            struct backlog_place before = w->place;
            assert_int_equal(backlog_read(w->db, &w->backlog, &w->place, limit, &w->arena, take, w, &w->f), OK);
            if (!w->seen.len) break;
            assert_true(strcmp(before.time, w->place.time) <= 0);
            struct view rest = str_view(&w->seen);
            while (rest.len) {
                int64_t id;
                assert_true(view_integer(view_cut(&rest, ' '), &id));
                assert_in_range(id, 1, DOCS);
                assert_false(seen[id] || changed[id]);
                seen[id] = true;
            }
            for (int i = 0; i < 3; i++) {
                int id = 1 + rand_r(&dice) % DOCS;
                if (rand_r(&dice) % 3 == 0) say(w, next++, 1, rand_r(&dice) % 20);
                touch(w, id, rand_r(&dice) % 20);
                changed[id] = true;
            }
        }
        for (int i = 1; i <= DOCS; i++) assert_true(seen[i] || changed[i]);
    }
    run(w, "COMMIT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(backlog__nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(backlog__pages_from_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(backlog__the_newest, setup, teardown),
        cmocka_unit_test_setup_teardown(backlog__equal_times, setup, teardown),
        cmocka_unit_test_setup_teardown(backlog__what_changed_since_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(backlog__the_newest_of_a_moment_gone_by, setup, teardown),
        cmocka_unit_test_setup_teardown(backlog__a_filter, setup, teardown),
        cmocka_unit_test_setup_teardown(backlog__another_collections_changes_do_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(backlog__a_failure_of_the_reader_is_one, setup, teardown),
        cmocka_unit_test_setup_teardown(backlog__random_writes_between_the_pages, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
