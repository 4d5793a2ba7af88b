/* What wrong and forgotten passwords do to an account. */
#include "store/account.h"
#include "schema/registry.h"
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
    const struct collection *users;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    arena_init(&w->arena, 1 << 20);
    w->users = collection_auth();
    assert_int_equal(db_open(&w->db, ":memory:", DB_WRITE, &w->f), OK);
    assert_int_equal(migrate(w->db, ":memory:", &w->f), OK);
    assert_int_equal(
        db_exec(w->db, "INSERT INTO users (id, email) VALUES (1, 'a@example.com'), (2, 'b@example.com')", &w->f), OK);
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

/* "10:20:30" on one day. */
static struct view at(struct world *w, const char *time)
{
    return view_of(arena_printf(&w->arena, "2026-05-06T%s.000Z", time));
}

static void refused(struct world *w, const char *time, int times)
{
    for (int i = 0; i < times; i++) assert_int_equal(account_refused(w->db, w->users, 1, at(w, time), &w->f), OK);
}

static bool locked(struct world *w, const char *email, const char *time)
{
    struct account account;
    assert_int_equal(account_find(w->db, w->users, view_of(email), at(w, time), &w->arena, &account, &w->f), OK);
    return account.locked;
}

static enum status sign_in(struct world *w, const char *time)
{
    struct dropped_session *dropped;
    struct session session = {
        view_of(arena_printf(&w->arena, "session at %s", time)), at(w, time), at(w, "23:59:59"), {0}};
    return account_signed_in(w->db, w->users, 1, &session, &w->arena, &dropped, &w->f);
}

static void account__the_fifth_in_a_row_locks_for_ten_minutes(void **state)
{
    struct world *w = *state;
    refused(w, "10:00:00", 4);
    assert_false(locked(w, "a@example.com", "10:00:00"));
    assert_int_equal(sign_in(w, "10:00:01"), OK);
    refused(w, "10:00:02", 4);
    assert_false(locked(w, "a@example.com", "10:00:02"));
    refused(w, "10:00:03", 1);
    assert_true(locked(w, "a@example.com", "10:00:03"));
    assert_true(locked(w, "a@example.com", "10:10:02"));
    assert_false(locked(w, "a@example.com", "10:10:03"));
    assert_false(locked(w, "b@example.com", "10:00:03"));
}

static void account__who_comes_while_it_is_locked_neither_prolongs_it_nor_gets_in(void **state)
{
    struct world *w = *state;
    refused(w, "10:00:00", 5);
    refused(w, "10:05:00", 20);
    assert_int_equal(sign_in(w, "10:05:00"), UNAUTHORIZED);
    assert_non_null(strstr(w->f.reason, "locked"));
    assert_true(locked(w, "a@example.com", "10:09:59"));
    assert_int_equal(sign_in(w, "10:10:00"), OK);
    refused(w, "10:10:01", 4);
    assert_false(locked(w, "a@example.com", "10:10:01"));
}

static void account__behind_a_lock_the_count_begins_anew(void **state)
{
    struct world *w = *state;
    refused(w, "10:00:00", 7);
    refused(w, "11:00:00", 4);
    assert_false(locked(w, "a@example.com", "11:00:00"));
    refused(w, "11:00:00", 1);
    assert_true(locked(w, "a@example.com", "11:00:00"));
    assert_int_equal(account_unlock(w->db, w->users, 1, &w->f), OK);
    assert_false(locked(w, "a@example.com", "11:00:00"));
    refused(w, "11:00:00", 4);
    assert_false(locked(w, "a@example.com", "11:00:00"));
}

static void account__a_lock_from_a_clock_that_was_put_back_is_over(void **state)
{
    struct world *w = *state;
    refused(w, "20:00:00", 5);
    assert_true(locked(w, "a@example.com", "20:00:00"));
    assert_true(locked(w, "a@example.com", "19:50:00")); /* a small step frees nobody */
    assert_false(locked(w, "a@example.com", "19:49:59"));
    assert_false(locked(w, "a@example.com", "10:00:00"));
    refused(w, "10:00:00", 4);
    assert_int_equal(sign_in(w, "10:00:01"), OK);
    refused(w, "10:00:02", 5);
    assert_true(locked(w, "a@example.com", "10:00:02"));
}

static void account__a_reset_is_asked_for_every_15_seconds_and_good_for_an_hour(void **state)
{
    static const struct {
        const char *time;
        enum status asked;
    } asks[] = {{"20:00:00", OK}, {"20:00:14", TOO_MANY}, {"19:59:46", TOO_MANY}, {"20:00:15", OK}, {"10:00:00", OK},
        {"10:00:01", TOO_MANY}};
    static const struct {
        const char *time;
        enum status found;
    } uses[] = {{"10:00:00", OK}, {"10:59:59", OK}, {"11:00:00", NOT_FOUND}, {"09:00:00", OK}, {"08:59:59", NOT_FOUND}};
    struct world *w = *state;
    struct account account;
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
        assert_int_equal(account_ask_reset(w->db, w->users, 1, VIEW("t"), at(w, asks[i].time), &w->f), asks[i].asked);
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        assert_int_equal(
            account_find_reset(w->db, w->users, VIEW("t"), at(w, uses[i].time), &w->arena, &account, &w->f),
            uses[i].found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(account__the_fifth_in_a_row_locks_for_ten_minutes, setup, teardown),
        cmocka_unit_test_setup_teardown(
            account__who_comes_while_it_is_locked_neither_prolongs_it_nor_gets_in, setup, teardown),
        cmocka_unit_test_setup_teardown(account__behind_a_lock_the_count_begins_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(account__a_lock_from_a_clock_that_was_put_back_is_over, setup, teardown),
        cmocka_unit_test_setup_teardown(
            account__a_reset_is_asked_for_every_15_seconds_and_good_for_an_hour, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
