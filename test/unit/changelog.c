/* The log's file: its version, and what is told of the changes in it. */
#include "store/changelog.h"
#include "schema/registry.h"
#include "store/migrate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct world {
    struct db *db;
    const struct collection *messages;
    struct failure f;
    struct str seen;
};

/* As version 1 made them. */
static const char version_1[] =
    "CREATE TABLE parley_meta (name text PRIMARY KEY NOT NULL, value text NOT NULL);"
    "CREATE TABLE parley_log (seq integer PRIMARY KEY NOT NULL,"
    " collection text NOT NULL, doc integer NOT NULL, op text NOT NULL);"
    "CREATE INDEX parley_log_doc_idx ON parley_log (collection, doc, seq);"
    "CREATE TABLE parley_ids (collection text PRIMARY KEY NOT NULL,"
    " last integer NOT NULL, docs integer NOT NULL, written text NOT NULL);"
    "INSERT INTO parley_meta VALUES ('version', '1'), ('epoch', 'abcd1234');"
    "INSERT INTO parley_log VALUES (1, 'messages', 5, 'c'), (2, 'messages', 6, 'c'), (3, 'messages', 5, 'd');";

/* As version 4 left them. */
static const char version_4[] =
    "CREATE TABLE parley_meta (name text PRIMARY KEY NOT NULL, value text NOT NULL);"
    "CREATE TABLE parley_log (seq integer PRIMARY KEY NOT NULL,"
    " collection text NOT NULL, doc integer NOT NULL, op text NOT NULL, parties text, made text);"
    "INSERT INTO parley_meta VALUES ('version', '4'), ('epoch', 'abcd1234');"
    "INSERT INTO parley_log VALUES (7, 'messages', 5, 'c', NULL, NULL), (8, 'messages', 5, 'u', '{}', NULL);";

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->messages = collection_find(VIEW("messages"));
    *state = w;
    return db_open(&w->db, ":memory:", DB_WRITE, &w->f);
}

static int teardown(void **state)
{
    struct world *w = *state;
    db_close(w->db);
    str_release(&w->seen);
    free(w);
    return 0;
}

static void run(struct world *w, const char *sql)
{
    if (db_exec(w->db, sql, &w->f)) fail_msg("%s: %s", sql, w->f.reason);
}

static void migrated(struct world *w)
{
    if (migrate(w->db, ":memory:", &w->f)) fail_msg("%s", w->f.reason);
}

static int64_t ask(struct world *w, const char *sql)
{
    int64_t answer;
    if (db_integer(w->db, sql, NULL, 0, 0, &answer, &w->f)) fail_msg("%s: %s", sql, w->f.reason);
    return answer;
}

#define NONE (-1)

/* Where the epoch ends in a log up to `head`. */
static int64_t end_of(struct world *w, const char *epoch, int64_t head)
{
    struct epochs *epochs;
    int64_t end;
    assert_int_equal(epochs_load(&epochs, w->db, &w->f), OK);
    if (!epochs_end(epochs, view_of(epoch), head, &end)) end = NONE;
    epochs_free(epochs);
    return end;
}

static void append_to(
    struct world *w, const char *slug, int64_t seq, int64_t doc, enum change_op op, const char *parties)
{
    struct change change = {.seq = seq, .doc = doc, .op = op, .parties = view_of(parties)};
    if (changelog_append(w->db, collection_find(view_of(slug)), &change, &w->f)) fail_msg("%s", w->f.reason);
}

static void append(struct world *w, int64_t seq, int64_t doc, enum change_op op, const char *parties)
{
    append_to(w, "messages", seq, doc, op, parties);
}

static enum status take(void *ctx, const struct change *c)
{
    struct world *w = ctx;
    str_addf(&w->seen, "%s%lld%c%lld", w->seen.len ? " " : "", (long long)c->seq, c->op, (long long)c->doc);
    str_add(&w->seen, c->parties);
    return OK;
}

/* What is read after `after`, as "3d5{…} 4u6". */
static void expect_changes(struct world *w, int64_t after, const char *wanted)
{
    int64_t last;
    bool more;
    str_reset(&w->seen);
    assert_int_equal(changelog_read(w->db, &w->messages, 1, true, after, 100, take, w, &last, &more, &w->f), OK);
    assert_string_equal(w->seen.len ? w->seen.at : "", wanted);
}

static void changelog__a_file_of_version_1_is_upgraded(void **state)
{
    struct world *w = *state;
    struct changelog_span span;
    int64_t version;
    run(w, version_1);
    for (int opened = 0; opened < 2; opened++) {
        migrated(w);
        assert_int_equal(db_integer(w->db, "SELECT CAST(value AS integer) FROM parley_meta WHERE name = 'version'",
                             NULL, 0, 0, &version, &w->f),
            OK);
        assert_int_equal(version, 5);
        assert_int_equal(changelog_span(w->db, &span, &w->f), OK);
        assert_int_equal(span.head, 3);
        assert_int_equal(end_of(w, "abcd1234", 3), 3); /* cursors go on */
        expect_changes(w, 0, "2c6 3d5");
    }
    append(w, 4, 6, CHANGE_DELETE, "{\"sender\":1}");
    expect_changes(w, 0, "3d5 4d6{\"sender\":1}");
}

static void changelog__the_epoch_of_version_4_is_the_first(void **state)
{
    struct world *w = *state;
    struct changelog_span span;
    run(w, version_4);
    migrated(w);
    assert_int_equal(changelog_span(w->db, &span, &w->f), OK);
    assert_string_not_equal(span.epoch, "abcd1234");
    append(w, 9, 6, CHANGE_CREATE, NULL);
    assert_int_equal(end_of(w, "abcd1234", 9), 8);
    assert_int_equal(end_of(w, span.epoch, 9), 9);
    assert_int_equal(ask(w, "SELECT count(*) FROM parley_meta WHERE name = 'epoch'"), 0);
    migrated(w);
    assert_int_equal(ask(w, "SELECT count(*) FROM parley_epochs"), 3);
    assert_int_equal(end_of(w, "abcd1234", 9), 8);
    assert_int_equal(end_of(w, span.epoch, 9), 9);
}

/* Messages that the ledger knew of are gone, and the log never named them. */
static void changelog__what_left_no_trace_ends_all_epochs(void **state)
{
    struct world *w = *state;
    struct changelog_span span;
    run(w, version_4);
    migrated(w);
    run(w, "UPDATE parley_ids SET docs = 5 WHERE collection = 'messages'");
    migrated(w);
    assert_int_equal(changelog_span(w->db, &span, &w->f), OK);
    assert_int_equal(end_of(w, "abcd1234", span.head), NONE);
    assert_int_equal(ask(w, "SELECT count(*) FROM parley_epochs"), 1);
}

/* What another program wrote is of the epoch that begins: the one before ends where its server did. */
static void changelog__what_is_adopted_is_behind_the_old_epoch(void **state)
{
    struct world *w = *state;
    struct changelog_span old, span;
    migrated(w);
    append(w, 1, 1, CHANGE_CREATE, NULL);
    assert_int_equal(changelog_span(w->db, &old, &w->f), OK);
    run(w, "UPDATE parley_ids SET docs = 1, last = 1 WHERE collection = 'messages';"
           "INSERT INTO users (id, email) VALUES (1, 'a@example.com');"
           "INSERT INTO messages (id, sender_id, receiver_id, content, timestamp) VALUES (1, 1, 1, 'a', '2026'),"
           " (2, 1, 1, 'b', '2026')");
    migrated(w);
    assert_int_equal(changelog_span(w->db, &span, &w->f), OK);
    assert_true(span.head > 1);
    assert_int_equal(end_of(w, old.epoch, span.head), 1);
    assert_int_equal(end_of(w, span.epoch, span.head), span.head);
}

static void changelog__a_log_that_begins_again_has_no_old_epoch(void **state)
{
    struct world *w = *state;
    run(w, version_4);
    migrated(w);
    run(w, "DROP TABLE parley_log");
    migrated(w);
    assert_int_equal(end_of(w, "abcd1234", 0), NONE);
    assert_int_equal(ask(w, "SELECT count(*) FROM parley_epochs"), 1);
}

static void changelog__a_newer_file_is_refused(void **state)
{
    struct world *w = *state;
    run(w, version_1);
    run(w, "UPDATE parley_meta SET value = '6' WHERE name = 'version'");
    assert_int_equal(migrate(w->db, ":memory:", &w->f), CONFLICT);
    assert_int_equal(db_exec(w->db, "SELECT parties FROM parley_log", &w->f), IO_ERROR); /* untouched */
}

static void changelog__a_new_file_has_this_version(void **state)
{
    struct world *w = *state;
    int64_t version;
    migrated(w);
    assert_int_equal(db_integer(w->db, "SELECT CAST(value AS integer) FROM parley_meta WHERE name = 'version'", NULL, 0,
                         0, &version, &w->f),
        OK);
    assert_int_equal(version, 5);
}

static void changelog__a_change_is_passed_over_unless_it_took_the_document_from_somebody(void **state)
{
    struct world *w = *state;
    migrated(w);
    append(w, 1, 1, CHANGE_CREATE, NULL);
    append(w, 2, 1, CHANGE_UPDATE, "{1}");
    append(w, 3, 1, CHANGE_UPDATE, "{1}"); /* to 2 */
    append(w, 4, 2, CHANGE_CREATE, NULL);
    append(w, 5, 1, CHANGE_UPDATE, "{2}");
    append(w, 6, 1, CHANGE_DELETE, "{2}");
    expect_changes(w, 0, "3u1{1} 4c2 6d1{2}");
    expect_changes(w, 3, "4c2 6d1{2}");
    append(w, 7, 2, CHANGE_UPDATE, NULL); /* another program's */
    expect_changes(w, 3, "6d1{2} 7u2");
}

static enum status take_named(void *ctx, const struct change *c)
{
    struct world *w = ctx;
    str_addf(&w->seen, "%s%s", w->seen.len ? " " : "", c->collection->slug);
    return take(ctx, c);
}

static void changelog__several_collections_in_one_order(void **state)
{
    struct world *w = *state;
    const struct collection *of[] = {collection_find(VIEW("users")), w->messages};
    int64_t last;
    bool more;
    migrated(w);
    append_to(w, "users", 1, 1, CHANGE_CREATE, NULL);
    append(w, 2, 1, CHANGE_CREATE, NULL);
    append_to(w, "media", 3, 1, CHANGE_CREATE, NULL);
    append_to(w, "users", 4, 2, CHANGE_CREATE, NULL);
    append(w, 5, 1, CHANGE_UPDATE, NULL);
    append_to(w, "media", 6, 2, CHANGE_CREATE, NULL);
    assert_int_equal(changelog_read(w->db, of, 2, true, 0, 4, take_named, w, &last, &more, &w->f), OK);
    assert_string_equal(w->seen.at, "users 1c1 users 4c2 messages 5u1");
    assert_int_equal(last, 5);
    assert_true(more);
    str_reset(&w->seen);
    assert_int_equal(changelog_read(w->db, of, 2, true, last, 4, take_named, w, &last, &more, &w->f), OK);
    assert_int_equal(w->seen.len, 0);
    assert_int_equal(last, 5);
    assert_false(more);
    assert_int_equal(changelog_read(w->db, of, 1, true, 1, 4, take_named, w, &last, &more, &w->f), OK);
    assert_string_equal(w->seen.at, "users 4c2");
    expect_changes(w, 0, "5u1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changelog__a_file_of_version_1_is_upgraded, setup, teardown),
        cmocka_unit_test_setup_teardown(changelog__the_epoch_of_version_4_is_the_first, setup, teardown),
        cmocka_unit_test_setup_teardown(changelog__what_left_no_trace_ends_all_epochs, setup, teardown),
        cmocka_unit_test_setup_teardown(changelog__what_is_adopted_is_behind_the_old_epoch, setup, teardown),
        cmocka_unit_test_setup_teardown(changelog__a_log_that_begins_again_has_no_old_epoch, setup, teardown),
        cmocka_unit_test_setup_teardown(changelog__a_newer_file_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(changelog__a_new_file_has_this_version, setup, teardown),
        cmocka_unit_test_setup_teardown(
            changelog__a_change_is_passed_over_unless_it_took_the_document_from_somebody, setup, teardown),
        cmocka_unit_test_setup_teardown(changelog__several_collections_in_one_order, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
