/* Dates from text. What the texts mean was taken from V8 (node, TZ=UTC), not from the code under test. */
#include "schema/date.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define INVALID_DATE INT64_MIN
#define MS_PER_DAY   INT64_C(86400000)

static const struct {
    const char *text;
    int64_t ms;
} dates[] = {
    /* the format */
    {"2024-05-06T10:20:30.456Z", 1714990830456},
    {"2024-05-06T10:20:30.456+02:00", 1714983630456},
    {"2024-05-06T10:20:30-0530", 1715010630000},
    {"2024-05-06T10:20:30", 1714990830000},
    {"2024-05-06T10:20Z", 1714990800000},
    {"2024-05-06t10:20z", 1714990800000},
    {"2024-05-06", 1714953600000},
    {"2024-05", 1714521600000},
    {"2024", 1704067200000},
    {"2024T10:20", 1704104400000},
    {"2024-05T10:20Z", 1714558800000},
    {"+002024-05-06", 1714953600000},
    {"+002024-05-06T10:20:30Z", 1714990830000},
    {"0000-01-01", -62167219200000},
    {"9999-12-31T23:59:59.999Z", 253402300799999},
    {"0049-01-01", -60620832000000},
    {"1969-12-31T23:59:59.999Z", -1},
    {"2024-02-31", 1709337600000},
    {"2023-02-29", 1677628800000},
    {"2024-05-06T24:00", 1715040000000},
    {"2024-05-06T24:00:00.001Z", INVALID_DATE},
    {"2024-05-06T24:01Z", INVALID_DATE},
    {"2024-05-06T10:20:30.1Z", 1714990830100},
    {"2024-05-06T10:20:30.123456789Z", 1714990830123},
    {"2024-05-06T10:20:30.0000000000123456Z", 1714990830000},
    {"2024-05-06T10:20:30.Z", INVALID_DATE},
    {"2024-05-06T10:20:60Z", INVALID_DATE},
    {"2024-05-06T10:60Z", INVALID_DATE},
    {"2024-05-06T10Z", INVALID_DATE},
    {"2024-05-06T1:20Z", INVALID_DATE},
    {"2024-05-06T", INVALID_DATE},
    {"2024-05-06T10:20 ", INVALID_DATE},
    {"2024-05-06T10:20 +02:00", INVALID_DATE},
    {"2024-05-06T10:20+02", INVALID_DATE},
    {"2024-05-06T10:20+24:00", INVALID_DATE},
    {"2024-05-06T10:20+23:59", 1714904460000},
    {"2024-05-06T10:20Zulu", INVALID_DATE},
    {"2024-5-6T10:20Z", INVALID_DATE},
    {"2024-13-01", INVALID_DATE},
    {"2024-00-10", INVALID_DATE},
    {"2024-12-32", INVALID_DATE},
    {"-000000", INVALID_DATE},
    {"-000001-12-31T23:00:00-02:00", -62167215600000},
    {"+010000-01-01", INVALID_DATE},
    {"+010000-01-01T00:30+01:00", 253402299000000},
    {"-000001-12-31", INVALID_DATE},
    {"20240506", INVALID_DATE},
    {"2024-W19-1", INVALID_DATE},
    {"2024-127", INVALID_DATE},
    /* the format, left */
    {"2024-05-06 10:20", 1714990800000},
    {"2024-05-06 10:20:30.456Z", 1714990830456},
    {"2024-05-06 10:20:30 +0200", 1714983630000},
    {"2024-05-06 ", 1714953600000},
    {"2024-", 1704067200000},
    {"0049-", 2493072000000},
    {"0049-01-01 ", 2493072000000},
    {"0012-01-02 ", 1038700800000},
    {"2024-05 06", 1714953600000},
    {"2024--05", INVALID_DATE},
    {"2024-05-06-", INVALID_DATE},
    {"-000000-05-06", 989107200000},
    /* numbers */
    {"5/6/2024", 1714953600000},
    {"05/06/2024 10:20", 1714990800000},
    {"2024/05/06", 1714953600000},
    {"2024.05.06", 1714953600000},
    {"6.5.2024", 1717545600000},
    {"13/5/2024", INVALID_DATE},
    {"5-6-2024", 1714953600000},
    {"5/6/49", 2503872000000},
    {"5/6/50", -620352000000},
    {"5/6/99", 925948800000},
    {"5/6/100", -59000659200000},
    {"5/6", 989107200000},
    {"5", 988675200000},
    {"32", 1956528000000},
    {"0", 946684800000},
    {"-1", 978307200000},
    {"1/2/3/4", INVALID_DATE},
    {"1234567890", INVALID_DATE},
    /* months */
    {"May 6, 2024", 1714953600000},
    {"May 6, 2024 10:20", 1714990800000},
    {"6 May 2024", 1714953600000},
    {"6-May-2024", 1714953600000},
    {"6may24", 1714953600000},
    {"2024 May 6", 1714953600000},
    {"Mayhem 6 2024", 1714953600000},
    {"Ma 6 2024", INVALID_DATE},
    {"May", INVALID_DATE},
    {"May 6", 989107200000},
    {"Feb 30 2024", 1709251200000},
    {"Feb 32 2024", INVALID_DATE},
    {"Jan Feb 3 2024", 1706918400000},
    {"Sept. 5 2024", 1725494400000},
    /* as programs print them */
    {"Mon, 06 May 2024 10:20:30 GMT", 1714990830000},
    {"Mon May 06 2024 10:20:30 GMT+0200 (Central European Summer Time)", 1714983630000},
    {"Monday, May 6, 2024", 1714953600000},
    {"5/6/2024, 10:20:30 AM", 1714990830000},
    {"Mon, 06 May 2024 10:20:30 +0200", 1714983630000},
    {"Mon, 6 May 24 10:20 EST", 1715008800000},
    {"Mon May  6 10:20:30 2024", 1714990830000},
    {"Monday, 06-May-24 10:20:30 GMT", 1714990830000},
    {"06/May/2024:10:20:30 +0000", INVALID_DATE},
    {"1715000000", INVALID_DATE},
    {"1715000000000", INVALID_DATE},
    /* clock */
    {"5/6/2024 12:00 AM", 1714953600000},
    {"5/6/2024 12:00 PM", 1714996800000},
    {"5/6/2024 1:02:03 pm", 1715000523000},
    {"5/6/2024 13:00 PM", INVALID_DATE},
    {"5/6/2024 1pm", INVALID_DATE},
    {"5/6/2024 1:02pm", INVALID_DATE},
    {"5/6/2024 PM 1:02", INVALID_DATE},
    {"10:20", INVALID_DATE},
    {"10:20 5/6/2024", 1714990800000},
    {"5/6/2024 10::30", 1714989630000},
    {"5/6/2024 10:20:", 1714990800000},
    {"5/6/2024 10:20:30:456", 1714990830456},
    {"5/6/2024 10:20:30.4", 1714990830400},
    {"5/6/2024 10:20.5", INVALID_DATE},
    {"5/6/2024 10:20:30,5", INVALID_DATE},
    {"5/6/2024 24:00", 1715040000000},
    {"5/6/2024 24:01", INVALID_DATE},
    {"5/6/2024 10:61", INVALID_DATE},
    /* zones */
    {"5/6/2024 10:20 Z", 1714990800000},
    {"5/6/2024 10:20 UTC", 1714990800000},
    {"5/6/2024 10:20 UT", 1714990800000},
    {"5/6/2024 10:20 EDT", 1715005200000},
    {"5/6/2024 10:20 CST", 1715012400000},
    {"5/6/2024 10:20 CDT", 1715008800000},
    {"5/6/2024 10:20 MST", 1715016000000},
    {"5/6/2024 10:20 MDT", 1715012400000},
    {"5/6/2024 10:20 PST", 1715019600000},
    {"5/6/2024 10:20 PDT", 1715016000000},
    {"5/6/2024 10:20 CET", INVALID_DATE},
    {"5/6/2024 10:20 GMT-8", 1715019600000},
    {"5/6/2024 GMT+02:30", 1714944600000},
    {"5/6/2024 GMT+130", 1714948200000},
    {"5/6/2024 GMT+12345", INVALID_DATE},
    {"5/6/2024 GMT+ 2", INVALID_DATE},
    {"5/6/2024 +0200", INVALID_DATE},
    {"5/6/2024 10:20 +", INVALID_DATE},
    {"5/6/2024 10:20+25:00", 1714900800000},
    {"5/6/2024 10:20 GMT+999999999:00", 897588448000},
    {"5/6/2024 10:20 GMT-600000:00", INVALID_DATE},
    /* words and comments */
    {"on 5/6/2024", 1714953600000},
    {"on5/6/2024", INVALID_DATE},
    {"5/6/2024 or so", INVALID_DATE},
    {"(early (very) 1) 5/6/2024 (", 1714953600000},
    {"5/6/2024 )", INVALID_DATE},
    {") 5/6/2024", 1714953600000},
    {"5/6/2024 #*,!", 1714953600000},
    {"hello", INVALID_DATE},
    {"garbage", INVALID_DATE},
    {"1\u00e9", INVALID_DATE},
    {"\u00e9 1", 978307200000},
    {"[5/6/2024]", INVALID_DATE},
    /* spaces */
    {"", INVALID_DATE},
    {" ", INVALID_DATE},
    {"\t\n5/6/2024\r\f\v", 1714953600000},
    {"\u00a05/6/2024\u3000", 1714953600000},
    {"May\ufeff6", 989107200000},
    {"5/6/2024\u2028", INVALID_DATE},
};

static int64_t parsed(struct view text)
{
    int64_t ms;
    return date_parse(text, &ms) ? ms : INVALID_DATE;
}

static void date__table(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(dates); i++) {
        int64_t ms = parsed(view_of(dates[i].text));
        if (ms != dates[i].ms) {
            fail_msg("\"%s\" is %lld, not %lld", dates[i].text, (long long)ms, (long long)dates[i].ms);
        }
    }
}

static void date__every_day_follows_the_one_before(void **state)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t ms = INT64_C(-62167219200000);
    char text[32];
    (void)state;
    for (int year = 0; year <= 9999; year++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 1; month <= 12; month++) {
            int last = days[month - 1] + (leap && month == 2);
            snprintf(text, sizeof(text), "%04d-%02d-01", year, month);
            assert_int_equal(parsed(view_of(text)), ms);
            snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, last);
            assert_int_equal(parsed(view_of(text)), ms + (last - 1) * MS_PER_DAY);
            ms += last * MS_PER_DAY;
        }
    }
}

static void date__year_out_of_iso_text(void **state)
{
    (void)state;
    assert_int_equal(parsed(VIEW("9999-12-31T23:59:59.999Z")), INT64_C(253402300799999));
    assert_int_equal(parsed(VIEW("9999-12-31T23:59:59.999-00:01")), INVALID_DATE);
    assert_int_equal(parsed(VIEW("9999-12-31T24:00Z")), INVALID_DATE);
    assert_int_equal(parsed(VIEW("0000-01-01T00:00Z")), INT64_C(-62167219200000));
    assert_int_equal(parsed(VIEW("0000-01-01T00:00+00:01")), INVALID_DATE);
    assert_int_equal(parsed(VIEW("Jan 1 10000")), INVALID_DATE);
    assert_int_equal(parsed(VIEW("+275760-09-13")), INVALID_DATE);
    assert_int_equal(parsed(VIEW("-271821-04-20")), INVALID_DATE);
    assert_int_equal(parsed(VIEW("-999999-01-01")), INVALID_DATE);
    assert_int_equal(parsed(VIEW("Jan 1 999999999 10:00 GMT-596523:14")), INVALID_DATE);
}

static void date__ends_where_the_view_ends(void **state)
{
    (void)state;
    assert_int_equal(parsed((struct view){NULL, 0}), INVALID_DATE);
    assert_int_equal(parsed((struct view){"2024-05-06T10:20", 10}), INT64_C(1714953600000));
    assert_int_equal(parsed((struct view){"2024-05-06T10:20", 7}), INT64_C(1714521600000));
    assert_int_equal(parsed((struct view){"2024-05-06T10:20", 11}), INVALID_DATE);
}

static void date__ends_at_a_nul(void **state)
{
    (void)state;
    assert_int_equal(parsed(VIEW("\0")), INVALID_DATE);
    assert_int_equal(parsed(VIEW("\0"
                                 "2024")),
        INVALID_DATE);
    assert_int_equal(parsed(VIEW("2024-05-06\0garbage")), INT64_C(1714953600000));
    assert_int_equal(parsed(VIEW("2024-05-06T10:20\0garbage")), INT64_C(1714990800000));
    assert_int_equal(parsed(VIEW("5/6/2024 (\0)")), INT64_C(1714953600000));
}

static void date__broken_utf8_is_a_word(void **state)
{
    (void)state;
    assert_int_equal(parsed(VIEW("\xff\xe2 2024")), INT64_C(1704067200000));
    assert_int_equal(parsed(VIEW("2024 \xe2\x80")), INVALID_DATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(date__table),
        cmocka_unit_test(date__every_day_follows_the_one_before),
        cmocka_unit_test(date__year_out_of_iso_text),
        cmocka_unit_test(date__ends_where_the_view_ends),
        cmocka_unit_test(date__ends_at_a_nul),
        cmocka_unit_test(date__broken_utf8_is_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
