/* How much of a request is there: every cut of every request. */
#include "http/arrival.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NEVER ((size_t)-1)

/* `head` and `whole`: lengths at which the head is there, and at which a worker can go on. */
static void each_cut(const char *text, size_t head, size_t whole)
{
    for (size_t n = 0; n <= strlen(text); n++) {
        char *cut = malloc(n + 1); /* a read beyond is seen by the sanitizer */
        memcpy(cut, text, n);
        struct arrival a = arrival_of((struct view){cut, n});
        assert_int_equal(a.head, n >= head);
        assert_int_equal(a.wanted <= n, n >= whole);
        if (n < head && n < whole) assert_int_equal(a.wanted, n + 1);
        if (n >= head && n < whole) assert_int_equal(a.wanted, whole);
        free(cut);
    }
}

static void arrival__waits_for_heads_and_short_bodies(void **state)
{
    (void)state;
    each_cut("GET / HTTP/1.1\r\n\r\n", 18, 18);
    each_cut("GET / HTTP/1.1\n\n", 16, 16);
    each_cut("GET / HTTP/1.1\r\nX:\ty\r\n\r\n", 24, 24);
    each_cut("GET / HTTP/1.1\r\n\n", 17, 17); /* CR LF LF: two line ends, one of them bare */
    each_cut("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nGET", 29, 29);
    each_cut("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 38, 43);
    each_cut("POST / HTTP/1.1\r\ncontent-LENGTH:5 \r\nX: y\r\n\r\nhelloGET", 44, 49);
    each_cut("POST / HTTP/1.1\r\nContent-Length: 16342\r\n\r\nhello", 42, ARRIVAL_MOST);
}

static void arrival__tells_for_which_bodies_a_worker_may_wait(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        bool wanted;
    } cases[] = {
        {"", false},
        {"Content-Length: 5\r\n", false},
        {"Content-Length: 20000\r\n", true},
        {"Transfer-Encoding: chunked\r\n", true},
        {"Content-Length: 5\r\nExpect: 100-continue\r\n", true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str text = {0};
        str_addf(&text, "POST / HTTP/1.1\r\n%s\r\n", cases[i].lines);
        assert_int_equal(arrival_of(str_view(&text)).long_body, cases[i].wanted);
        assert_false(arrival_of((struct view){text.at, text.len - 1}).long_body);
        str_release(&text);
    }
}

static void arrival__leaves_the_rest_to_a_worker(void **state)
{
    (void)state;
    each_cut("POST / HTTP/1.1\r\nContent-Length: 16343\r\n\r\nhello", 42, 42); /* one byte too long to wait for */
    each_cut("POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\nh", 45, 45);
    each_cut("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nh", 57, 57);
    each_cut("POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\nhello", 39, 39);
    each_cut("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 57, 57);
    each_cut("POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 60, 60);
    each_cut("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5", 47, 47);
    each_cut("\x16\x03\x01", NEVER, 1);
    each_cut("GET /\x0b", NEVER, 6);
    char *full = malloc(ARRIVAL_MOST);
    memset(full, 'x', ARRIVAL_MOST);
    assert_true(arrival_of((struct view){full, ARRIVAL_MOST - 1}).wanted == ARRIVAL_MOST);
    assert_true(arrival_of((struct view){full, ARRIVAL_MOST}).wanted == ARRIVAL_MOST);
    free(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrival__waits_for_heads_and_short_bodies),
        cmocka_unit_test(arrival__tells_for_which_bodies_a_worker_may_wait),
        cmocka_unit_test(arrival__leaves_the_rest_to_a_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
