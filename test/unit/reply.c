/* Answers as the load generator reads them: cut at every place, they are the same. */
#include "bench/reply.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Feeds the text in pieces of so many bytes; returns how many were taken. */
static size_t feed(struct reply *r, struct view text, size_t piece)
{
    size_t taken = 0;
    while (taken < text.len) {
        size_t len = text.len - taken < piece ? text.len - taken : piece, n = reply_take(r, text.at + taken, len);
        taken += n;
        if (n < len) break;
    }
    return taken;
}

static const struct {
    const char *text, *rest; /* rest: of the next answer */
    int status;
    const char *body;
    bool closes;
} whole[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "", 200, "hello", false},
    {"HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello", "HTTP/1.1", 200, "hello", false},
    {"HTTP/1.1 404 Not Found\nContent-Length: 0\nConnection: Close\n\n", "x", 404, "", true},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", "HTTP", 304, "", false},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", "", 201, "{}", false},
    {"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n 0123456\r\n\r\n0\r\nTrailer: "
     "x\r\n\r\n",
        "HTTP", 200, "hello 0123456\r\n", false},
    {"HTTP/1.1 200 OK\r\nX: "
     "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
     "0123456789012345678901234567890123456789012345678901234567890123456789\r\nContent-Length: 1\r\n\r\n!",
        "", 200, "!", false},
};

static void reply__is_the_same_in_all_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        size_t len = strlen(whole[i].text);
        for (size_t piece = 1; piece <= len + 8; piece++) {
            struct str body = {0}, text = {0};
            struct reply r = {.body = &body};
            str_addz(&text, whole[i].text);
            str_addz(&text, whole[i].rest);
            assert_int_equal(feed(&r, str_view(&text), piece), len);
            assert_int_equal(r.state, REPLY_WHOLE);
            assert_int_equal(r.status, whole[i].status);
            assert_int_equal(r.closes, whole[i].closes);
            assert_true(view_is(str_view(&body), whole[i].body));
            str_release(&body);
            str_release(&text);
        }
    }
}

static void reply__without_a_length_ends_with_the_connection(void **state)
{
    (void)state;
    struct reply r = {0};
    struct view text = VIEW("HTTP/1.0 200 OK\r\n\r\nsome");
    assert_int_equal(feed(&r, text, 7), text.len);
    assert_int_equal(r.state, REPLY_TO_END);
    assert_true(r.closes);
    assert_true(reply_end(&r));
    r = (struct reply){0};
    text = VIEW("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell");
    assert_int_equal(feed(&r, text, 7), text.len);
    assert_false(reply_end(&r));
}

static void reply__knows_what_is_no_http(void **state)
{
    static const char *const texts[] = {"SSH-2.0-OpenSSH\r\n", "HTTP/1.1 99 x\r\n", "HTTP/1.1 2000\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFFF\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t piece = 1; piece < 60; piece++) {
            struct reply r = {0};
            feed(&r, view_of(texts[i]), piece);
            assert_int_equal(r.state, REPLY_BAD);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply__is_the_same_in_all_pieces),
        cmocka_unit_test(reply__without_a_length_ends_with_the_connection),
        cmocka_unit_test(reply__knows_what_is_no_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
