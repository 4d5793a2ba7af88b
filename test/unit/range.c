#include "http/range.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* "from+len", "416", or "whole". */
static const char *read_as_text(struct view header, int64_t size)
{
    static char text[64];
    int64_t from = -1, len = -1;
    switch (range_read(header, size, &from, &len)) {
    case RANGE_WHOLE: snprintf(text, sizeof text, "whole"); break;
    case RANGE_PART: snprintf(text, sizeof text, "%lld+%lld", (long long)from, (long long)len); break;
    case RANGE_UNSATISFIABLE: snprintf(text, sizeof text, "416"); break;
    }
    return text;
}

struct row {
    const char *header, *wanted;
};

static void expect_all(const struct row *rows, size_t n, int64_t size)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = read_as_text(view_of(rows[i].header), size);
        if (strcmp(got, rows[i].wanted) != 0) print_error("%s of %lld\n", rows[i].header, (long long)size);
        assert_string_equal(got, rows[i].wanted);
    }
}

static void range__no_header_is_the_whole_file(void **state)
{
    (void)state;
    int64_t from = -1, len = -1;
    assert_int_equal(range_read((struct view){0}, 16, &from, &len), RANGE_WHOLE);
    assert_int_equal(from, 0);
    assert_int_equal(len, 16);
    assert_int_equal(range_read((struct view){0}, 0, &from, &len), RANGE_WHOLE);
    assert_int_equal(len, 0);
}

static void range__first_last_and_suffix(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"bytes=0-4", "0+5"},
        {"bytes=0-0", "0+1"},
        {"bytes=15-15", "15+1"},
        {"bytes=6-", "6+10"},
        {"bytes=0-", "0+16"},
        {"bytes=-5", "11+5"},
        {"bytes=-16", "0+16"},
        {"bytes=-17", "0+16"},
        {"bytes=0-15", "0+16"},
        {"bytes=0-16", "0+16"},
        {"bytes=10-999", "10+6"},
        {"bytes=007-0008", "7+2"},
        {"BYTES=0-4", "0+5"},
        {"bytes=15-", "15+1"},
        {"bytes=16-", "416"},
        {"bytes=16-20", "416"},
        {"bytes=-0", "416"},
        {"bytes=5-4", "416"},
        {"bytes=20-18", "416"},
    };
    expect_all(rows, COUNT(rows), 16);
}

static void range__a_position_beyond_any_number_is_beyond_the_end(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"bytes=0-9223372036854775807", "0+16"},
        {"bytes=0-9223372036854775808", "0+16"},
        {"bytes=3-18446744073709551616", "3+13"},
        {"bytes=0-99999999999999999999999999999999", "0+16"},
        {"bytes=-9223372036854775808", "0+16"},
        {"bytes=-99999999999999999999999999999999", "0+16"},
        {"bytes=9223372036854775807-", "416"},
        {"bytes=9223372036854775808-", "416"},
        {"bytes=18446744073709551616-18446744073709551617", "416"},
        {"bytes=99999999999999999999-1", "416"},
        {"bytes=99999999999999999999-,2-3", "2+2"},
    };
    expect_all(rows, COUNT(rows), 16);
    static const struct row largest[] = {
        {"bytes=9223372036854775806-", "9223372036854775806+1"},
        {"bytes=-9223372036854775807", "0+9223372036854775807"},
        {"bytes=0-9223372036854775807", "0+9223372036854775807"},
        {"bytes=9223372036854775807-", "416"},
    };
    expect_all(largest, COUNT(largest), INT64_MAX);
}

static void range__the_first_that_can_be_satisfied(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"bytes=0-0,5-6", "0+1"},
        {"bytes=99-,0-1", "0+2"},
        {"bytes=-0,-1", "15+1"},
        {"bytes=a,b,3-4,0-1", "3+2"},
        {"bytes=,,0-4", "0+5"},
        {"bytes= 0-4 , 6-7", "0+5"},
        {"bytes=99- \t,\t 6-7 ", "6+2"},
        {"bytes=16-,17-,-0", "416"},
    };
    expect_all(rows, COUNT(rows), 16);
}

static void range__what_is_no_byte_range(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", "416"},
        {"bytes", "416"},
        {"bytes=", "416"},
        {"bytes=-", "416"},
        {"bytes=,", "416"},
        {"bytes=5", "416"},
        {"bytes=--5", "416"},
        {"bytes=1--5", "416"},
        {"bytes=-1-5", "416"},
        {"bytes=1-4-9", "416"},
        {"bytes=+1-4", "416"},
        {"bytes=1-+4", "416"},
        {"bytes=0x1-4", "416"},
        {"bytes=1.5-4", "416"},
        {"bytes=1e1-", "416"},
        {"bytes=0 - 4", "416"},
        {"bytes=0-4;5-6", "416"},
        {"bytes=0-4 5-6", "416"},
        {"bytes 0-4", "416"},
        {"bytes:0-4", "416"},
        {"byte=0-4", "416"},
        {"bytess=0-4", "416"},
        {"lines=1-2", "416"},
        {"=0-4", "416"},
        {"0-4", "416"},
        {"bytes==0-4", "416"},
        {"bytes=\xd9\xa1-\xd9\xa4", "416"},
    };
    expect_all(rows, COUNT(rows), 16);
    assert_string_equal(read_as_text(VIEW("bytes=0-4\0"), 16), "416");
    assert_string_equal(read_as_text(VIEW("bytes=\0000-4"), 16), "416");
}

static void range__nothing_of_an_empty_file(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"bytes=0-", "416"}, {"bytes=0-0", "416"}, {"bytes=-1", "416"}, {"bytes=-0", "416"}, {"bytes=1-", "416"}};
    expect_all(rows, COUNT(rows), 0);
}

/* Whatever is sent, a part lies within the file. */
static void range__a_part_is_never_wider_than_the_file(void **state)
{
    (void)state;
    static const char letters[] = "0123456789-----,, =x";
    uint64_t random = 1;
    int parts = 0;
    for (int round = 0; round < 200000; round++) {
        char text[40] = "bytes=";
        size_t len = 6;
        random = random * 6364136223846793005u + 1442695040888963407u;
        for (size_t n = (random >> 33) % 30; n; n--) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            text[len++] = letters[(random >> 33) % (sizeof letters - 1)];
        }
        int64_t size = (int64_t)((random >> 40) % 300), from = -1, n = -1;
        enum range_answer answer = range_read((struct view){text, len}, size, &from, &n);
        assert_int_not_equal(answer, RANGE_WHOLE);
        if (answer != RANGE_PART) continue;
        parts++;
        assert_true(from >= 0 && n > 0 && from < size && n <= size - from);
    }
    assert_true(parts > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range__no_header_is_the_whole_file),
        cmocka_unit_test(range__first_last_and_suffix),
        cmocka_unit_test(range__a_position_beyond_any_number_is_beyond_the_end),
        cmocka_unit_test(range__the_first_that_can_be_satisfied),
        cmocka_unit_test(range__what_is_no_byte_range),
        cmocka_unit_test(range__nothing_of_an_empty_file),
        cmocka_unit_test(range__a_part_is_never_wider_than_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
