/* Conversations against a plain look at all messages, after each of many random writes; and files of before. */
#include "store/conversation.h"
#include "base/check.h"
#include "schema/json.h"
#include "schema/registry.h"
#include "store/apply.h"
#include "store/migrate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW   VIEW("2026-01-02T03:04:05.678Z")
#define USERS 4
#define STEPS 3000

struct world {
    char path[64]; /* of the file in use; empty: none */
    struct db *db;
    struct tables tables;
    struct arena arena;
    struct failure f;
    const struct collection *messages;
    uint64_t random;
    int64_t last_id;
    int64_t marks[USERS + 1][USERS + 1]; /* the model's: up to where the first has read the second's messages */
};

static void run(struct world *w, const char *sql)
{
    if (db_exec(w->db, sql, &w->f)) fail_msg("%s: %s", sql, w->f.reason);
}

static int64_t ask(struct world *w, const char *sql)
{
    int64_t n = 0;
    if (db_integer(w->db, sql, NULL, 0, 0, &n, &w->f)) fail_msg("%s: %s", sql, w->f.reason);
    return n;
}

static void open_file(struct world *w, const char *path)
{
    if (db_open(&w->db, path, DB_WRITE, &w->f) || migrate(w->db, path, &w->f)) fail_msg("%s", w->f.reason);
    assert_int_equal(tables_load(&w->tables, w->db, &w->f), OK);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    arena_init(&w->arena, 16 << 20);
    w->random = 1;
    w->messages = collection_find(VIEW("messages"));
    open_file(w, ":memory:");
    run(w, "INSERT INTO users (id, email) VALUES (1, 'd@example.com'), (2, 'c@example.com'), (3, 'b@example.com'),"
           " (4, 'a@example.com')");
    *state = w;
    return 0;
}

static void remove_file(const struct world *w)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < COUNT(suffixes) && *w->path; i++) {
        char path[80];
        snprintf(path, sizeof path, "%s%s", w->path, suffixes[i]);
        unlink(path);
    }
}

static int teardown(void **state)
{
    struct world *w = *state;
    arena_release(&w->arena);
    db_close(w->db);
    remove_file(w);
    free(w);
    return 0;
}

static int64_t some(struct world *w, int64_t below)
{
    w->random = w->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (int64_t)((w->random >> 33) % (uint64_t)below);
}

static enum status do_write(struct world *w, struct write *one)
{
    one->collection = w->messages;
    return apply(&w->tables, one, &w->arena);
}

static struct draft *draft(struct world *w, enum draft_for purpose, int64_t sender, int64_t receiver)
{
    struct json_object *body;
    struct draft *d = ARENA_NEW(&w->arena, struct draft);
    const char *json = arena_printf(
        &w->arena, "{\"sender\":%lld,\"receiver\":%lld,\"content\":\"x\"}", (long long)sender, (long long)receiver);
    assert_int_equal(json_read(&w->arena, view_of(json), &body, &w->f), OK);
    assert_int_equal(draft_read(d, w->messages, purpose, body, NOW, 0, &w->arena, &w->f), OK);
    return d;
}

static int64_t say(struct world *w, int64_t sender, int64_t receiver)
{
    struct write one = {.op = WRITE_CREATE, .draft = draft(w, DRAFT_CREATE, sender, receiver)};
    assert_int_equal(do_write(w, &one), OK);
    return w->last_id = one.id;
}

static void edit(struct world *w, int64_t id, int64_t sender, int64_t receiver)
{
    struct write one = {.op = WRITE_UPDATE, .id = id, .draft = draft(w, DRAFT_UPDATE, sender, receiver)};
    assert_int_equal(do_write(w, &one), OK);
}

static void drop(struct world *w, int64_t id)
{
    struct write one = {.op = WRITE_DELETE, .id = id};
    assert_int_equal(do_write(w, &one), OK);
}

static struct conversation mark(struct world *w, int64_t user, int64_t peer, int64_t message, bool *moved)
{
    struct write one = {.op = WRITE_MARK, .id = user, .conversation = {.peer = peer, .read = message}};
    assert_int_equal(do_write(w, &one), OK);
    *moved = one.moved;
    return one.conversation;
}

static int64_t newest_between(struct world *w, int64_t a, int64_t b)
{
    return ask(w, arena_printf(&w->arena,
                      "SELECT max(id) FROM messages WHERE (sender_id = %lld AND receiver_id = %lld)"
                      " OR (sender_id = %lld AND receiver_id = %lld)",
                      (long long)a, (long long)b, (long long)b, (long long)a));
}

static int64_t unread_of(struct world *w, int64_t user, int64_t peer)
{
    return ask(w, arena_printf(&w->arena,
                      "SELECT count(*) FROM messages WHERE sender_id = %lld AND receiver_id = %lld AND id > %lld",
                      (long long)peer, (long long)user, (long long)w->marks[user][peer]));
}

/* A conversation that has no message any more has no marks. */
static void forget_empty(struct world *w)
{
    for (int64_t a = 1; a <= USERS; a++)
        for (int64_t b = 1; b <= USERS; b++)
            if (!newest_between(w, a, b)) w->marks[a][b] = 0;
}

static void check_one(struct world *w, int64_t user, int64_t peer, const struct conversation *c)
{
    assert_int_equal(c->peer, peer);
    assert_int_equal(c->last, newest_between(w, user, peer));
    assert_int_equal(c->read, w->marks[user][peer]);
    assert_int_equal(c->peer_read, w->marks[peer][user]);
    assert_int_equal(c->unread, unread_of(w, user, peer));
}

struct listed {
    struct conversation at[USERS];
    size_t n;
};

static enum status take(void *ctx, const struct conversation *c)
{
    struct listed *l = ctx;
    assert_true(l->n < USERS);
    l->at[l->n++] = *c;
    return OK;
}

/* Newest first; the rest by e-mail, which are in the reverse order of the ids. */
static void check_order(const struct listed *l)
{
    for (size_t i = 1; i < l->n; i++) {
        const struct conversation *a = &l->at[i - 1], *b = &l->at[i];
        assert_true(a->last > b->last || (!a->last && !b->last && a->peer > b->peer));
    }
}

static void check_user(struct world *w, int64_t user)
{
    struct listed all = {0};
    assert_int_equal(conversation_list(w->db, user, USERS, 0, take, &all, &w->f), OK);
    assert_int_equal(all.n, USERS);
    check_order(&all);
    for (size_t i = 0; i < USERS; i++) {
        struct listed page = {0};
        struct conversation one;
        check_one(w, user, all.at[i].peer, &all.at[i]);
        assert_int_equal(conversation_list(w->db, user, 1, (int64_t)i, take, &page, &w->f), OK);
        assert_int_equal(page.n, 1);
        assert_int_equal(page.at[0].peer, all.at[i].peer);
        assert_int_equal(conversation_find(w->db, user, all.at[i].peer, &w->arena, &one, &w->f), OK);
        check_one(w, user, all.at[i].peer, &one);
    }
}

static void check(struct world *w)
{
    forget_empty(w);
    for (int64_t user = 1; user <= USERS; user++) check_user(w, user);
    /* No row for two who have nothing in common, and none that counts what is not there. */
    assert_int_equal(ask(w, "SELECT count(*) FROM parley_conversations"),
        ask(w, "SELECT count(*) FROM (SELECT DISTINCT min(sender_id, receiver_id), max(sender_id, receiver_id)"
               " FROM messages)"));
    assert_int_equal(ask(w, "SELECT count(*) FROM parley_conversations WHERE low = high AND unread_low <> 0"), 0);
}

/* Some message, or 0. */
static int64_t any_message(struct world *w)
{
    int64_t from = some(w, w->last_id + 1);
    return ask(w, arena_printf(&w->arena, "SELECT min(id) FROM messages WHERE id >= %lld", (long long)from));
}

static void move_mark(struct world *w)
{
    int64_t user = 1 + some(w, USERS), peer = 1 + some(w, USERS), to = 1 + some(w, w->last_id + 3);
    int64_t newest = newest_between(w, user, peer);
    if (to > newest) to = newest;
    bool moves = to > w->marks[user][peer], moved;
    if (moves) w->marks[user][peer] = to;
    struct conversation c = mark(w, user, peer, to ? to : 1, &moved);
    assert_int_equal(moved, moves);
    assert_int_equal(c.read, w->marks[user][peer]);
    assert_int_equal(c.unread, unread_of(w, user, peer));
}

static void step(struct world *w)
{
    int64_t what = some(w, 10), id = any_message(w);
    arena_reset(&w->arena);
    if (what < 4 || !id)
        say(w, 1 + some(w, USERS), 1 + some(w, USERS));
    else if (what < 5)
        edit(w, id, 1 + some(w, USERS), 1 + some(w, USERS));
    else if (what < 8)
        drop(w, id);
    else
        move_mark(w);
    forget_empty(w);
}

static void conversation__as_a_look_at_all_messages_has_it(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < STEPS; i++) {
        step(w);
        if (i % 20 == 0) check(w);
    }
    check(w);
    assert_true(w->last_id > STEPS / 4);
}

static void conversation__counted_anew_it_is_the_same(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < STEPS; i++) {
        step(w);
        if (i % 100 == 0) {
            assert_int_equal(conversation_recount(w->db, &w->f), OK);
            check(w);
        }
    }
}

static enum status refuse(struct write *one, struct db *db, struct failure *f)
{
    (void)one;
    (void)db;
    return (fail)(f, UNAVAILABLE, "no");
}

static void conversation__a_write_that_is_undone_changes_nothing(void **state)
{
    struct world *w = *state;
    run(w, "BEGIN");
    int64_t id = say(w, 1, 2);
    struct write writes[] = {
        {.op = WRITE_CREATE, .draft = draft(w, DRAFT_CREATE, 1, 2)},
        {.op = WRITE_UPDATE, .id = id, .draft = draft(w, DRAFT_UPDATE, 3, 2)},
        {.op = WRITE_DELETE, .id = id},
        {.op = WRITE_MARK, .id = 2, .conversation = {.peer = 1, .read = id}},
    };
    for (size_t i = 0; i < COUNT(writes); i++) {
        writes[i].make = refuse;
        assert_int_equal(do_write(w, &writes[i]), UNAVAILABLE);
        check(w);
    }
    run(w, "COMMIT");
}

/* So many that counting what stays is given up for counting what goes. */
static void conversation__a_mark_among_thousands(void **state)
{
    struct world *w = *state;
    bool moved;
    run(w, "BEGIN");
    for (int i = 0; i < 5000; i++) {
        say(w, i % 2 ? 1 : 3, 2);
        arena_reset(&w->arena);
    }
    run(w, "COMMIT");
    const int64_t marks[] = {100, 101, 3000, 4990, 4990, 7, 9999};
    for (size_t i = 0; i < COUNT(marks); i++) {
        int64_t before = w->marks[2][1], to = marks[i] < 5000 ? marks[i] : 5000;
        if (to > before) w->marks[2][1] = to;
        struct conversation c = mark(w, 2, 1, marks[i], &moved);
        assert_int_equal(moved, to > before);
        check_one(w, 2, 1, &c);
    }
}

static void conversation__nothing_said_is_nothing_read(void **state)
{
    struct world *w = *state;
    bool moved;
    struct conversation c = mark(w, 1, 2, 5, &moved);
    assert_false(moved);
    assert_int_equal(c.read, 0);
    assert_int_equal(conversation_find(w->db, 1, 99, &w->arena, &c, &w->f), NOT_FOUND);
    check(w);
}

/* ---- files ---- */

static void reopen(struct world *w)
{
    db_close(w->db);
    open_file(w, w->path);
}

static void begin_in_file(struct world *w)
{
    snprintf(w->path, sizeof w->path, "/tmp/parley-conversation-%d.db", (int)getpid());
    remove_file(w);
    reopen(w);
    run(w, "INSERT INTO users (id, email) VALUES (1, 'd@example.com'), (2, 'c@example.com'), (3, 'b@example.com'),"
           " (4, 'a@example.com')");
    for (int i = 0; i < 200; i++) say(w, 1 + some(w, USERS), 1 + some(w, USERS));
    assert_int_equal(tables_flush(&w->tables, NOW, &w->f), OK);
}

static void read_all(struct world *w)
{
    for (int64_t a = 1; a <= USERS; a++)
        for (int64_t b = 1; b <= USERS; b++) w->marks[a][b] = newest_between(w, a, b);
}

/* A file of version 3 is one of this version without the table. */
static void conversation__an_older_file_is_upgraded_and_all_is_read(void **state)
{
    struct world *w = *state;
    begin_in_file(w);
    run(w, "DROP TABLE parley_conversations; UPDATE parley_meta SET value = '3' WHERE name = 'version'");
    reopen(w);
    assert_int_equal(ask(w, "SELECT CAST(value AS integer) FROM parley_meta WHERE name = 'version'"), 5);
    read_all(w);
    check(w);
    for (int i = 0; i < 100; i++) step(w);
    check(w);
}

static void conversation__what_another_program_wrote_is_counted_and_marks_stay(void **state)
{
    struct world *w = *state;
    bool moved;
    begin_in_file(w);
    for (int i = 0; i < 20; i++) move_mark(w);
    (void)mark(w, 1, 2, INT64_MAX, &moved);
    w->marks[1][2] = newest_between(w, 1, 2);
    assert_int_equal(tables_flush(&w->tables, NOW, &w->f), OK);
    check(w);
    run(w, "INSERT INTO messages (sender_id, receiver_id, content, timestamp) VALUES (2, 1, 'x', ''), (4, 1, 'x', ''),"
           " (2, 2, 'x', '')");
    run(w, "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE id % 7 = 3)");
    run(w, "DELETE FROM messages WHERE (sender_id = 3 AND receiver_id = 4) OR (sender_id = 4 AND receiver_id = 3)");
    run(w, "UPDATE messages SET receiver_id = 3, updated_at = '2099-01-01T00:00:00.000Z' WHERE id = 100");
    reopen(w);
    check(w);
    reopen(w); /* a second time there is nothing to count */
    check(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(conversation__as_a_look_at_all_messages_has_it, setup, teardown),
        cmocka_unit_test_setup_teardown(conversation__counted_anew_it_is_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(conversation__a_write_that_is_undone_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(conversation__a_mark_among_thousands, setup, teardown),
        cmocka_unit_test_setup_teardown(conversation__nothing_said_is_nothing_read, setup, teardown),
        cmocka_unit_test_setup_teardown(conversation__an_older_file_is_upgraded_and_all_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(
            conversation__what_another_program_wrote_is_counted_and_marks_stay, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
