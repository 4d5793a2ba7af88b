/* What a client may send as its place, and what is none. */
#include "api/cursor.h"
#include "schema/registry.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TIME "2026-01-02T03:04:05.678Z"

static void cursor__a_change(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seq;
    } cases[] = {{"abcd1234-0", 0}, {"abcd1234-1", 1}, {"abcd1234-9223372036854775807", INT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cursor c;
        assert_true(cursor_read(&c, view_of(cases[i].text)));
        assert_string_equal(c.epoch, "abcd1234");
        assert_int_equal(c.seq, cases[i].seq);
        assert_int_equal(c.head, cases[i].seq);
        assert_false(c.inside);
    }
}

static void cursor__a_change_behind_which_something_was_read(void **state)
{
    (void)state;
    struct cursor c;
    assert_true(cursor_read(&c, VIEW("abcd1234-17-18")));
    assert_int_equal(c.seq, 17);
    assert_int_equal(c.head, 18);
    assert_false(c.inside);
    assert_false(cursor_read(&c, VIEW("abcd1234-17-17")));
    assert_false(cursor_read(&c, VIEW("abcd1234-17-16")));
}

static void cursor__inside_a_first_look(void **state)
{
    (void)state;
    struct cursor c;
    assert_true(cursor_read(&c, VIEW("abcd1234-17-19-2-5-" TIME)));
    assert_string_equal(c.epoch, "abcd1234");
    assert_int_equal(c.seq, 17);
    assert_int_equal(c.head, 19);
    assert_true(c.inside);
    assert_int_equal(c.part, 2);
    assert_int_equal(c.place.id, 5);
    assert_string_equal(c.place.time, TIME);
}

static void cursor__reads_what_it_wrote(void **state)
{
    (void)state;
    const struct backlog_place places[] = {{TIME, 0}, {TIME, 1}, {TIME, INT64_MAX}, {"2026", 7},
        {"0123456789012345678901234567890", 7}, {"not a time", 3}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct str text = {0};
        struct cursor c;
        str_addz(&text, "abcd1234-17-");
        cursor_add_place(&text, 17 + (int64_t)i, i % MAX_COLLECTIONS, &places[i]);
        assert_true(cursor_read(&c, str_view(&text)));
        assert_int_equal(c.head, 17 + i);
        assert_true(c.inside);
        assert_int_equal(c.part, i % MAX_COLLECTIONS);
        assert_int_equal(c.place.id, places[i].id);
        assert_string_equal(c.place.time, places[i].time);
        str_release(&text);
    }
}

static void cursor__what_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "-", "abcd1234", "abcd1234-", "abcd123-5", "abcd12345-5", "-5", "5",
        "abcd1234-x", "abcd1234--5", "abcd1234-+5", "abcd1234-05", "abcd1234-00", "abcd1234-5 ", " abcd1234-5",
        "abcd1234-5.0", "abcd1234-9223372036854775808", "abcd1234-5-", "abcd1234-5-x", "abcd1234-5-06",
        "abcd1234-5-9223372036854775808", "abcd1234-5-6-", "abcd1234-5-6-0", "abcd1234-5-6-0-1", "abcd1234-5-6-0-1-",
        "abcd1234-5-4-0-1-" TIME, "abcd1234-5--0-1-" TIME, "abcd1234-5-x-0-1-" TIME, "abcd1234-5-6-x-1-" TIME,
        "abcd1234-5-6-0-x-" TIME, "abcd1234-5-6--1-" TIME, "abcd1234-5-6-00-1-" TIME, "abcd1234-5-6-0-01-" TIME,
        "abcd1234-5-6-0--1-" TIME, "abcd1234-5-6-1000000-1-" TIME, "abcd1234-5-6-9223372036854775808-1-" TIME,
        "abcd1234-5-6-0-9223372036854775808-" TIME, "abcd1234-5-6-0-1-01234567890123456789012345678901"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct cursor c;
        if (cursor_read(&c, view_of(texts[i]))) fail_msg("\"%s\" was understood", texts[i]);
    }
}

static void cursor__bytes_that_no_text_has(void **state)
{
    (void)state;
    struct cursor c;
    assert_false(cursor_read(&c, VIEW("abcd1234-5\0")));
    assert_false(cursor_read(&c, VIEW("abcd1234-5-6-0-1-2026\0Z")));
    assert_false(cursor_read(&c, (struct view){0}));
    /* Its epoch is compared, not looked into. */
    assert_true(cursor_read(&c, VIEW("\0bcd1234-5")));
    assert_string_equal(c.epoch, "");
}

static void cursor__a_part_beyond_all_collections(void **state)
{
    (void)state;
    for (int part = 0; part < MAX_COLLECTIONS + 3; part++) {
        struct str text = {0};
        struct cursor c;
        str_addf(&text, "abcd1234-5-5-%d-1-" TIME, part);
        assert_int_equal(cursor_read(&c, str_view(&text)), part < MAX_COLLECTIONS);
        str_release(&text);
    }
}

static void cursor__a_long_text(void **state)
{
    (void)state;
    static char text[100000];
    struct cursor c;
    memset(text, '1', sizeof text);
    memcpy(text, "abcd1234-", 9);
    assert_false(cursor_read(&c, (struct view){text, sizeof text}));
    memset(text, '-', sizeof text);
    assert_false(cursor_read(&c, (struct view){text, sizeof text}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor__a_change),
        cmocka_unit_test(cursor__a_change_behind_which_something_was_read),
        cmocka_unit_test(cursor__inside_a_first_look),
        cmocka_unit_test(cursor__reads_what_it_wrote),
        cmocka_unit_test(cursor__what_is_none),
        cmocka_unit_test(cursor__bytes_that_no_text_has),
        cmocka_unit_test(cursor__a_part_beyond_all_collections),
        cmocka_unit_test(cursor__a_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
