/* Kept answers: how long, and how the table shrinks. */
#include "store/answers.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY   (INT64_C(1000) * 60 * 60 * 24)
#define NOW   (DAY * 20000)
#define OLDER (NOW - ANSWER_DAYS * DAY - 1)

struct world {
    struct db *db;
    struct arena arena;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct failure f;
    arena_init(&w->arena, 1 << 20);
    if (db_open(&w->db, ":memory:", DB_WRITE, &f) || answers_prepare(w->db, &f) || answers_prepare(w->db, &f))
        return -1;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    db_close(w->db);
    arena_release(&w->arena);
    free(w);
    return 0;
}

static enum status add(struct world *w, int64_t scope, const char *key, int64_t written, struct view sealed)
{
    struct failure f;
    return answers_add(
        w->db, &(struct answer){.scope = scope, .key = view_of(key), .written = written, .sealed = sealed}, &f);
}

static enum status find(struct world *w, int64_t scope, const char *key, int64_t now, struct view *sealed)
{
    struct answer answer = {.scope = scope, .key = view_of(key)};
    struct failure f;
    enum status status = answers_find(w->db, now, &w->arena, &answer, &f);
    *sealed = answer.sealed;
    return status;
}

static int64_t count(struct world *w)
{
    struct failure f;
    int64_t n = -1;
    assert_int_equal(db_integer(w->db, "SELECT count(*) FROM parley_answers", NULL, 0, 0, &n, &f), OK);
    return n;
}

static void answers__are_found_by_scope_and_key(void **state)
{
    struct world *w = *state;
    struct view sealed, bytes = {"\0\xff\0a", 4}; /* no text */
    assert_int_equal(find(w, 1, "k", NOW, &sealed), NOT_FOUND);
    assert_int_equal(add(w, 1, "k", NOW, bytes), OK);
    assert_int_equal(add(w, 0, "k", NOW, VIEW("zero's")), OK);
    assert_int_equal(find(w, 1, "k", NOW, &sealed), OK);
    assert_true(view_equal(sealed, bytes));
    assert_int_equal(find(w, 0, "k", NOW, &sealed), OK);
    assert_true(view_is(sealed, "zero's"));
    assert_int_equal(find(w, 2, "k", NOW, &sealed), NOT_FOUND);
    assert_int_equal(find(w, 1, "K", NOW, &sealed), NOT_FOUND);
}

static void answers__the_first_stays(void **state)
{
    struct world *w = *state;
    struct view sealed;
    assert_int_equal(add(w, 1, "k", NOW, VIEW("first")), OK);
    assert_int_equal(add(w, 1, "k", NOW + ANSWER_DAYS * DAY, VIEW("second")), CONFLICT);
    assert_int_equal(find(w, 1, "k", NOW, &sealed), OK);
    assert_true(view_is(sealed, "first"));
}

static void answers__are_over_after_their_days(void **state)
{
    struct world *w = *state;
    struct view sealed;
    assert_int_equal(add(w, 1, "k", NOW, VIEW("first")), OK);
    assert_int_equal(find(w, 1, "k", NOW + ANSWER_DAYS * DAY, &sealed), OK);
    assert_int_equal(find(w, 1, "k", NOW + ANSWER_DAYS * DAY + 1, &sealed), NOT_FOUND);
    /* A clock that was put back a little, and one that had been far ahead. */
    assert_int_equal(find(w, 1, "k", NOW - DAY, &sealed), OK);
    assert_int_equal(find(w, 1, "k", NOW - ANSWER_DAYS * DAY - 1, &sealed), NOT_FOUND);
}

static void answers__one_that_is_over_gives_its_place(void **state)
{
    struct world *w = *state;
    struct view sealed;
    /* More than trimming removes by itself. */
    for (int i = 0; i < 5; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(add(w, 1, key, OLDER, VIEW("old")), OK);
    }
    assert_int_equal(add(w, 1, "k4", NOW, VIEW("new")), OK);
    assert_int_equal(find(w, 1, "k4", NOW, &sealed), OK);
    assert_true(view_is(sealed, "new"));
    assert_int_equal(count(w), 3);
    /* What took the place is the newest: those between are trimmed before it. */
    assert_int_equal(add(w, 1, "x", NOW, VIEW("x")), OK);
    assert_int_equal(count(w), 2);
}

static void answers__each_removes_two_that_are_over(void **state)
{
    struct world *w = *state;
    char key[16];
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "old%d", i);
        assert_int_equal(add(w, 1, key, OLDER, VIEW("old")), OK);
    }
    for (int i = 0; i < 60; i++) {
        snprintf(key, sizeof key, "new%d", i);
        assert_int_equal(add(w, 1, key, NOW, VIEW("new")), OK);
        int left = 100 - 2 * (i + 1);
        assert_int_equal(count(w), (left > 0 ? left : 0) + i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers__are_found_by_scope_and_key, setup, teardown),
        cmocka_unit_test_setup_teardown(answers__the_first_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(answers__are_over_after_their_days, setup, teardown),
        cmocka_unit_test_setup_teardown(answers__one_that_is_over_gives_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(answers__each_removes_two_that_are_over, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
