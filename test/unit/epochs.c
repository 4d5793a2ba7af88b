/* How far the words go that cursors carry. */
#include "store/epochs.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NONE (-1)

struct world {
    struct db *db;
    struct failure f;
};

static void run(struct world *w, const char *sql)
{
    if (db_exec(w->db, sql, &w->f)) fail_msg("%s: %s", sql, w->f.reason);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    if (db_open(&w->db, ":memory:", DB_WRITE, &w->f)) return -1;
    run(w, "CREATE TABLE parley_meta (name text, value text); CREATE TABLE parley_log (seq integer PRIMARY KEY)");
    return epochs_prepare(w->db, &w->f);
}

static int teardown(void **state)
{
    struct world *w = *state;
    db_close(w->db);
    free(w);
    return 0;
}

static void append_up_to(struct world *w, int64_t seq)
{
    struct value value = value_integer(seq);
    assert_int_equal(db_run(w->db, "INSERT INTO parley_log VALUES (?)", &value, 1, &w->f), OK);
}

static void begin(struct world *w)
{
    assert_int_equal(epochs_begin(w->db, &w->f), OK);
}

/* The newest epoch is told by this word from here on. */
static void begin_as(struct world *w, const char *word)
{
    struct value value = value_text(view_of(word));
    begin(w);
    assert_int_equal(
        db_run(w->db, "UPDATE parley_epochs SET epoch = ? WHERE number = (SELECT max(number) FROM parley_epochs)",
            &value, 1, &w->f),
        OK);
}

static int64_t end_of(struct world *w, const char *word, int64_t head)
{
    struct epochs *epochs;
    int64_t end;
    assert_int_equal(epochs_load(&epochs, w->db, &w->f), OK);
    if (!epochs_end(epochs, view_of(word), head, &end)) end = NONE;
    epochs_free(epochs);
    return end;
}

static enum status take_word(void *ctx, const struct row *row)
{
    snprintf(ctx, EPOCH_LENGTH + 1, "%.*s", EPOCH_LENGTH, row_value(row, 0).text.at);
    return OK;
}

static void epochs__one_ends_where_the_next_begins(void **state)
{
    struct world *w = *state;
    begin_as(w, "aaaaaaaa");
    append_up_to(w, 5);
    assert_int_equal(end_of(w, "aaaaaaaa", 5), 5);
    begin_as(w, "bbbbbbbb");
    begin_as(w, "cccccccc");
    append_up_to(w, 9);
    begin_as(w, "dddddddd");
    append_up_to(w, 12);
    assert_int_equal(end_of(w, "aaaaaaaa", 12), 5);
    assert_int_equal(end_of(w, "bbbbbbbb", 12), 5); /* nothing was written under it */
    assert_int_equal(end_of(w, "cccccccc", 12), 9);
    assert_int_equal(end_of(w, "dddddddd", 12), 12);
    assert_int_equal(end_of(w, "dddddddd", 13), 13);
    static const char *const none[] = {"", "eeeeeeee", "aaaaaaa", "aaaaaaaaa", "AAAAAAAA"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_int_equal(end_of(w, none[i], 12), NONE);
}

static void epochs__none_begins_under_an_old_word(void **state)
{
    struct world *w = *state;
    char first[EPOCH_LENGTH + 1], second[EPOCH_LENGTH + 1];
    static const char newest[] = "SELECT epoch FROM parley_epochs ORDER BY number DESC LIMIT 1";
    begin(w);
    assert_int_equal(db_each(w->db, newest, NULL, 0, take_word, first, &w->f), OK);
    begin(w);
    assert_int_equal(db_each(w->db, newest, NULL, 0, take_word, second, &w->f), OK);
    assert_string_not_equal(first, second);
    assert_int_equal(strspn(second, "0123456789abcdef"), EPOCH_LENGTH);
}

static void epochs__the_oldest_go(void **state)
{
    struct world *w = *state;
    int64_t count;
    begin_as(w, "aaaaaaaa");
    append_up_to(w, 5);
    begin_as(w, "bbbbbbbb");
    append_up_to(w, 9);
    for (int i = 2; i < EPOCHS_KEPT; i++) begin(w);
    assert_int_equal(end_of(w, "aaaaaaaa", 9), 5);
    begin(w);
    assert_int_equal(end_of(w, "aaaaaaaa", 9), NONE);
    assert_int_equal(end_of(w, "bbbbbbbb", 9), 9);
    assert_int_equal(db_integer(w->db, "SELECT count(*) FROM parley_epochs", NULL, 0, 0, &count, &w->f), OK);
    assert_int_equal(count, EPOCHS_KEPT);
}

static void epochs__all_but_the_newest_are_forgotten(void **state)
{
    struct world *w = *state;
    begin_as(w, "aaaaaaaa");
    append_up_to(w, 5);
    begin_as(w, "bbbbbbbb");
    assert_int_equal(epochs_forget(w->db, &w->f), OK);
    assert_int_equal(end_of(w, "aaaaaaaa", 5), NONE);
    assert_int_equal(end_of(w, "bbbbbbbb", 5), 5);
    begin(w);
    assert_int_equal(end_of(w, "bbbbbbbb", 7), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(epochs__one_ends_where_the_next_begins, setup, teardown),
        cmocka_unit_test_setup_teardown(epochs__none_begins_under_an_old_word, setup, teardown),
        cmocka_unit_test_setup_teardown(epochs__the_oldest_go, setup, teardown),
        cmocka_unit_test_setup_teardown(epochs__all_but_the_newest_are_forgotten, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
