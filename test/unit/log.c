/* The log's lines, read from a pipe that stands in for standard error. */
#define _GNU_SOURCE 1
#include "base/log.h"
#include "base/check.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TIME "2026-01-02T03:04:05.678Z"

/* Standard error is the test program's own while a line is looked at. */
static int ends[2], own;
static char line[8192];

static int64_t fixed(void)
{
    return 1767323045678;
}

static int set_up(void **state)
{
    (void)state;
    clock_replace(fixed);
    return pipe2(ends, O_NONBLOCK) || (own = dup(STDERR_FILENO)) < 0;
}

static int tear_down(void **state)
{
    (void)state;
    clock_replace(NULL);
    log_setup(LOG_INFO, false);
    return close(ends[0]) || close(ends[1]) || close(own);
}

static void begin(void)
{
    dup2(ends[1], STDERR_FILENO);
}

/* What was written since begin(); one read() returns it all. */
static size_t end(void)
{
    dup2(own, STDERR_FILENO);
    ssize_t n = read(ends[0], line, sizeof line - 1);
    if (n < 0) n = 0;
    line[n] = 0;
    return (size_t)n;
}

#define assert_line(expected, ...)                                                                                     \
    do {                                                                                                               \
        begin();                                                                                                       \
        __VA_ARGS__;                                                                                                   \
        end();                                                                                                         \
        assert_string_equal(line, expected);                                                                           \
    } while (0)

static void log__text(void **state)
{
    (void)state;
    log_setup(LOG_DEBUG, false);
    assert_line(TIME " info port 3000\n", log_info("port %d", 3000));
    assert_line(TIME " debug a\n", log_debug("a"));
    assert_line(TIME " warning a\n", log_warning("a"));
    assert_line(TIME " error a \"b\" \\\n", log_error("a \"b\" \\"));
    assert_line(TIME " info \n", log_info("%s", ""));
    assert_line(TIME " info gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\n", log_info("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"));
}

static void log__json(void **state)
{
    (void)state;
    log_setup(LOG_DEBUG, true);
    assert_line("{\"time\":\"" TIME "\",\"level\":\"info\",\"message\":\"port 3000\"}\n", log_info("port %d", 3000));
    assert_line(
        "{\"time\":\"" TIME "\",\"level\":\"error\",\"message\":\"a \\\"b\\\" \\\\\"}\n", log_error("a \"b\" \\"));
    assert_line("{\"time\":\"" TIME "\",\"level\":\"debug\",\"message\":\"\"}\n", log_debug("%s", ""));
    assert_line("{\"time\":\"" TIME "\",\"level\":\"info\",\"message\":\"\xc3\xbc\"}\n", log_info("\xc3\xbc"));
}

static void log__one_event_is_one_line(void **state)
{
    (void)state;
    log_setup(LOG_INFO, false);
    assert_line(TIME " info a\\x0ab\\x0d\\x1b[31m\\x7f\\u0085\n", log_info("a\nb\r\x1b[31m\x7f\xc2\x85"));
    log_setup(LOG_INFO, true);
    assert_line("{\"time\":\"" TIME "\",\"level\":\"info\",\"message\":\"a\\u000ab\\u001b\\u007f\\u0085\"}\n",
        log_info("a\nb\x1b\x7f\xc2\x85"));
}

static void log__bytes_that_are_no_utf8(void **state)
{
    (void)state;
    log_setup(LOG_INFO, false);
    assert_line(TIME " info a\xef\xbf\xbd"
                     "b\xef\xbf\xbd\n",
        log_info("a\xff"
                 "b\xe2\x82"));
    log_setup(LOG_INFO, true);
    assert_line("{\"time\":\"" TIME "\",\"level\":\"info\",\"message\":\"\xef\xbf\xbd\"}\n", log_info("\xc3"));
}

static void log__levels(void **state)
{
    (void)state;
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR};
    for (size_t i = 0; i < COUNT(levels); i++) {
        log_setup(levels[i], false);
        for (size_t j = 0; j < COUNT(levels); j++) {
            assert_int_equal(log_wants(levels[j]), j >= i);
            begin();
            log_write(levels[j], "a");
            assert_int_equal(end() > 0, j >= i);
        }
    }
}

static int evaluated(int *times)
{
    return ++*times;
}

static void log__unwanted_debug_costs_nothing(void **state)
{
    (void)state;
    int times = 0;
    log_setup(LOG_INFO, false);
    assert_line("", log_debug("%d", evaluated(&times)));
    assert_int_equal(times, 0);
    log_setup(LOG_DEBUG, false);
    assert_line(TIME " debug 1\n", log_debug("%d", evaluated(&times)));
}

/* Whatever a line is filled with, it is cut at 2 KiB, between characters, and is well formed. */
static void log__long_lines_are_cut(void **state)
{
    (void)state;
    static const char *const fillings[] = {"a", "\n", "\"", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff"};
    static char message[8000];
    for (size_t f = 0; f < COUNT(fillings); f++) {
        for (size_t shift = 0; shift < 8; shift++) {
            for (int json = 0; json < 2; json++) {
                size_t piece = strlen(fillings[f]), len = shift;
                memset(message, 'x', shift);
                for (; len + piece < sizeof message; len += piece) memcpy(message + len, fillings[f], piece);
                message[len] = 0;
                log_setup(LOG_INFO, json);
                begin();
                log_info("%s", message);
                size_t n = end();
                assert_in_range(n, 2048 - 6, 2048);
                assert_ptr_equal(strchr(line, '\n'), line + n - 1);
                if (json) assert_string_equal(line + n - 3, "\"}\n");
                /* The cut is no piece of a character, which would have been written as U+FFFD. */
                if (fillings[f][0] != '\xff') assert_null(strstr(line, "\xef\xbf\xbd"));
                const char *last = line + n - (json ? 4 : 2);
                if (f == 2 && json) assert_true(last[0] == '"' && last[-1] == '\\');
                if (f == 3) assert_memory_equal(last - 1, fillings[f], 2);
                if (f == 4) assert_memory_equal(last - 2, fillings[f], 3);
                if (f == 5) assert_memory_equal(last - 3, fillings[f], 4);
            }
        }
    }
}

static void log__keeps_errno(void **state)
{
    (void)state;
    log_setup(LOG_INFO, false);
    errno = ENOSPC;
    begin();
    log_error("%s", "a");
    int after = errno;
    end();
    assert_int_equal(after, ENOSPC);

    /* The same when nothing can be written. */
    errno = EAGAIN;
    close(STDERR_FILENO);
    log_error("%s", "a");
    after = errno;
    dup2(own, STDERR_FILENO);
    assert_int_equal(after, EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log__text),
        cmocka_unit_test(log__json),
        cmocka_unit_test(log__one_event_is_one_line),
        cmocka_unit_test(log__bytes_that_are_no_utf8),
        cmocka_unit_test(log__levels),
        cmocka_unit_test(log__unwanted_debug_costs_nothing),
        cmocka_unit_test(log__long_lines_are_cut),
        cmocka_unit_test(log__keeps_errno),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
