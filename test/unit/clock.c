/* The time and its two texts. */
#define _GNU_SOURCE 1
#include "base/clock.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct {
    int64_t ms;
    const char *iso, *http;
} moments[] = {
    {0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
    {1, "1970-01-01T00:00:00.001Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
    {-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
    {-1000, "1969-12-31T23:59:59.000Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
    {-1001, "1969-12-31T23:59:58.999Z", "Wed, 31 Dec 1969 23:59:58 GMT"},
    {784111777000, "1994-11-06T08:49:37.000Z", "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110, 5.6.7 */
    {951868799999, "2000-02-29T23:59:59.999Z", "Tue, 29 Feb 2000 23:59:59 GMT"},
    {1767323045678, "2026-01-02T03:04:05.678Z", "Fri, 02 Jan 2026 03:04:05 GMT"},
    {1795585324000, "2026-11-25T05:42:04.000Z", "Wed, 25 Nov 2026 05:42:04 GMT"},
    {-2203977600000, "1900-02-28T00:00:00.000Z", "Wed, 28 Feb 1900 00:00:00 GMT"},
    {-62135596800000, "0001-01-01T00:00:00.000Z", "Mon, 01 Jan 0001 00:00:00 GMT"},
    {-62167219200000, "0000-01-01T00:00:00.000Z", "Sat, 01 Jan 0000 00:00:00 GMT"},
    {-62167219200001, "0000-01-01T00:00:00.000Z", "Sat, 01 Jan 0000 00:00:00 GMT"},
    {INT64_MIN, "0000-01-01T00:00:00.000Z", "Sat, 01 Jan 0000 00:00:00 GMT"},
    {253402300799999, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
    {253402300800000, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
    {INT64_MAX, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
};

static void clock__iso(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(moments); i++) {
        char out[ISO_LENGTH + 1];
        clock_iso(moments[i].ms, out);
        assert_string_equal(out, moments[i].iso);
    }
}

static void clock__http_date(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(moments); i++) {
        char out[HTTP_DATE_LENGTH + 1];
        clock_http_date(moments[i].ms, out);
        assert_string_equal(out, moments[i].http);
    }
}

/* All names of days and months appear where they should. */
static void clock__http_date_of_every_month(void **state)
{
    (void)state;
    static const char *const expected[] = {"Fri, 30 Jan", "Sun, 01 Mar", "Tue, 31 Mar", "Thu, 30 Apr", "Sat, 30 May",
        "Mon, 29 Jun", "Wed, 29 Jul", "Fri, 28 Aug", "Sun, 27 Sep", "Tue, 27 Oct", "Thu, 26 Nov", "Sat, 26 Dec"};
    for (size_t i = 0; i < COUNT(expected); i++) {
        char out[HTTP_DATE_LENGTH + 1];
        clock_http_date(1769731200000 + (int64_t)i * 30 * 86400000, out);
        assert_memory_equal(out, expected[i], strlen(expected[i]));
        assert_string_equal(out + 11, " 2026 00:00:00 GMT");
    }
}

static int64_t fixed(void)
{
    return 42;
}

static int64_t system_ms(clockid_t clock)
{
    struct timespec t;
    assert_int_equal(clock_gettime(clock, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void clock__wall_can_be_replaced(void **state)
{
    (void)state;
    clock_replace(fixed);
    assert_int_equal(clock_wall(), 42);
    int64_t before = system_ms(CLOCK_MONOTONIC);
    assert_true(clock_monotonic() >= before);
    clock_replace(NULL);
    before = system_ms(CLOCK_REALTIME);
    int64_t now = clock_wall();
    int64_t after = system_ms(CLOCK_REALTIME);
    assert_true(after < before || (before <= now && now <= after)); /* unless it was set back just now */
}

static void clock__monotonic_goes_forward(void **state)
{
    (void)state;
    int64_t last = system_ms(CLOCK_MONOTONIC);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_monotonic();
        assert_true(now >= last);
        last = now;
    }
    assert_true(last <= system_ms(CLOCK_MONOTONIC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock__iso),
        cmocka_unit_test(clock__http_date),
        cmocka_unit_test(clock__http_date_of_every_month),
        cmocka_unit_test(clock__wall_can_be_replaced),
        cmocka_unit_test(clock__monotonic_goes_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
