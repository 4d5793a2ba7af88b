/* Bodies as handlers read them, whole and in pieces, through the server's own door. */
#include "echo.h"

static void body__reads_bodies(void **state)
{
    (void)state;
    int s = client();
    say(s, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel");
    usleep(20000);
    say(s, "lo");
    expect(s, 200, "hello", "keep-alive");
    say(s, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
    expect(s, 200, "", "keep-alive");
    say(s, "POST /echo HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "no body", "keep-alive");
    say(s, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5  \r\ncontent-length: 5\r\n\r\nhello");
    expect(s, 200, "hello", "keep-alive");
    done(s);
}

static void body__reads_chunked_bodies(void **state)
{
    (void)state;
    int s = client();
    say(s, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhel");
    usleep(20000);
    say(s, "lo\r\n1;x=y\r\n!\r");
    usleep(20000);
    say(s, "\n0\r\nTrailer: z\r\n\r\n");
    expect(s, 200, "hello!", "keep-alive");
    say(s, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n");
    expect(s, 200, "", "keep-alive");
    say(s, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r5\r\nhello\r\n0\r\n\r\n");
    expect(s, 400, NULL, "close");
    expect_end(s);
}

static void post_large(int s, size_t len, bool chunked)
{
    struct str body = {0};
    if (!chunked) str_addf(&body, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", len);
    if (chunked) str_addz(&body, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t left = len, n; left; left -= n) {
        n = left < 30000 ? left : 30000;
        if (chunked) str_addf(&body, "%zx\r\n", n);
        for (size_t i = 0; i < n; i++) str_addc(&body, (char)('a' + (len - left + i) % 26));
        if (chunked) str_addz(&body, "\r\n");
    }
    if (chunked) str_addz(&body, "0\r\n\r\n");
    say_view(s, str_view(&body));
    str_release(&body);
}

static void body__limits_bodies(void **state)
{
    (void)state;
    for (int chunked = 0; chunked < 2; chunked++) {
        int s = client();
        post_large(s, BODY_LIMIT, chunked);
        struct answer a = hear(s, false);
        assert_int_equal(a.body.len, BODY_LIMIT);
        for (size_t i = 0; i < BODY_LIMIT; i++) assert_int_equal(a.body.at[i], 'a' + i % 26);
        str_release(&a.text);
        /* Far beyond it: the answer still arrives, though nobody reads the rest. */
        post_large(s, 20 * BODY_LIMIT, chunked);
        expect(s, 413, "The request's body is too large.", "close");
        expect_end(s);
    }
    int s = client();
    say(s, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100001\r\n\r\n");
    expect(s, 413, NULL, "close");
    expect_end(s);
    s = client();
    say(s, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 999999999999999999\r\n\r\n");
    expect(s, 413, NULL, "close");
    expect_end(s);
}

static void body__says_when_a_body_is_cut_off(void **state)
{
    (void)state;
    static const char *const cut[] = {"Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"};
    for (size_t i = 0; i < COUNT(cut); i++) {
        int s = client();
        say(s, "POST /echo HTTP/1.1\r\n" HOST);
        say(s, cut[i]);
        shutdown(s, SHUT_WR);
        expect(s, 400, NULL, "close");
        expect_end(s);
    }
}

static void body__promises_to_read_on_before_a_body(void **state)
{
    (void)state;
    int s = client();
    struct answer a;
    say(s, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n");
    a = hear(s, false);
    assert_int_equal(a.status, 100);
    str_release(&a.text);
    say(s, "hello");
    expect(s, 200, "hello", "keep-alive");
    /* Not when it is not wanted: the body is not read, or too large. */
    say(s, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    expect(s, 200, NULL, "close");
    expect_end(s);
    s = client();
    say(s, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100001\r\nExpect: 100-continue\r\n\r\n");
    expect(s, 413, NULL, "close");
    expect_end(s);
}

static void body__reads_over_a_body_nobody_wanted(void **state)
{
    (void)state;
    int s = client();
    say(s, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhelloPOST /b HTTP/1.1\r\n" HOST
           "Content-Length: 6\r\n\r\nhel");
    expect(s, 200, "2 /a? from 127.0.0.1 no query", "keep-alive");
    say(s, "lo!");
    expect(s, 200, "2 /b? from 127.0.0.1 no query", "keep-alive");
    say(s, "GET /c HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "0 /c? from 127.0.0.1 no query", "keep-alive");
    say(s, "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    expect(s, 200, NULL, "close");
    expect_end(s);
}

static void body__refuses_ambiguous_lengths(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 05\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5a\r\n",
        "Content-Length: \r\n",
        "Content-Length: 9999999999999999999\r\n",
        "Content-Length : 5\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
        "X: y\r\n Content-Length: 5\r\n",
        " X: y\r\nContent-Length: 5\r\n",
        ": y\r\nContent-Length: 5\r\n",
        "X\r\nContent-Length: 5\r\n",
        "\xc3\xbc: y\r\nContent-Length: 5\r\n",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct str text = {0};
        str_addf(&text, "POST /echo HTTP/1.1\r\n" HOST "%s\r\nhello", bad[i]);
        expect_refused(text.at, 400);
        str_release(&text);
    }
    expect_refused("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
}

/* ---- bodies in pieces ---- */

static struct str letters(size_t len)
{
    struct str s = {0};
    for (size_t i = 0; i < len; i++) str_addc(&s, (char)('a' + i % 26));
    return s;
}

/* Sends a body of letters, in chunks of `chunk` bytes, or by its length where that is 0. */
static void post_pieces(int s, const char *room, size_t len, size_t chunk)
{
    struct str text = {0}, body = letters(len);
    str_addf(&text, "POST /pieces?%s HTTP/1.1\r\n" HOST, room);
    if (!chunk) str_addf(&text, "Content-Length: %zu\r\n\r\n%s", len, body.at ? body.at : "");
    if (chunk) str_addz(&text, "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0, n; chunk && at < len; at += n) {
        n = len - at < chunk ? len - at : chunk;
        str_addf(&text, "%zX;x=y\r\n%.*s\r\n", n, (int)n, body.at + at);
    }
    if (chunk) str_addz(&text, "0\r\nTrailer: x\r\n\r\n");
    say_view(s, str_view(&text));
    str_release(&text);
    str_release(&body);
}

static void expect_letters(int s, size_t len)
{
    struct str wanted = letters(len);
    expect(s, 200, wanted.at ? wanted.at : "", "keep-alive");
    str_release(&wanted);
}

static void body__reads_bodies_in_pieces(void **state)
{
    (void)state;
    static const char *const rooms[] = {"1", "7", "16384", "16385", "1000000"};
    static const size_t lengths[] = {0, 1, 6, 7, 8, 1000, 16384, 40000}, chunks[] = {0, 1, 7, 16384, 100000};
    int s = client();
    for (size_t r = 0; r < COUNT(rooms); r++)
        for (size_t l = 0; l < COUNT(lengths); l++)
            for (size_t c = 0; c < COUNT(chunks); c++) {
                if (lengths[l] > 1000 && (r == 0 || c == 1)) continue; /* byte by byte: slow, and nothing new */
                post_pieces(s, rooms[r], lengths[l], chunks[c]);
                expect_letters(s, lengths[l]);
            }
    say(s, "GET /pieces?7 HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "", "keep-alive");
    done(s);
}

static void body__reads_no_further_than_a_body_in_pieces(void **state)
{
    (void)state;
    int s = client();
    say(s, "POST /pieces?100 HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhelloPOST /pieces?100 HTTP/1.1\r\n" HOST
           "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "hello", "keep-alive");
    expect(s, 200, "ab", "keep-alive");
    expect(s, 200, "0 /2? from 127.0.0.1 no query", "keep-alive");
    done(s);
}

static void body__reads_pieces_as_they_come(void **state)
{
    (void)state;
    int s = client();
    say(s, "POST /pieces?3 HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0");
    for (char c[2] = "1"; *c <= '9'; ++*c) {
        usleep(2000);
        say(s, c);
    }
    expect(s, 200, "0123456789", "keep-alive");
    say(s, "POST /pieces?3 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (const char *text = "5\r\nhello\r\n0\r\n\r\n"; *text; text++) {
        usleep(2000);
        say_view(s, (struct view){text, 1});
    }
    expect(s, 200, "hello", "keep-alive");
    done(s);
}

static void body__says_when_pieces_are_cut_off(void **state)
{
    (void)state;
    static const char *const cut[] = {"Content-Length: 10\r\n\r\n", "Content-Length: 10\r\n\r\nhello",
        "Content-Length: 10\r\n\r\n012345678", "Content-Length: 999999999999999999\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nhello", "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello"};
    for (size_t room = 0; room < 2; room++)
        for (size_t i = 0; i < COUNT(cut); i++) {
            int s = client();
            say(s, room ? "POST /pieces?100000 HTTP/1.1\r\n" HOST : "POST /pieces?2 HTTP/1.1\r\n" HOST);
            say(s, cut[i]);
            shutdown(s, SHUT_WR);
            expect(s, 400, "The request's body is cut off or malformed.", "close");
            expect_end(s);
        }
}

static void body__promises_once_to_read_pieces(void **state)
{
    (void)state;
    int s = client();
    say(s, "POST /pieces?2 HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    struct answer a = hear(s, false);
    assert_int_equal(a.status, 100);
    str_release(&a.text);
    say(s, "hello");
    expect(s, 200, "hello", "keep-alive");
    say(s, "POST /pieces?2 HTTP/1.1\r\n" HOST "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n");
    expect(s, 200, "", NULL);
    done(s);
}

/* A handler that has had enough. */
static void body__reads_over_the_pieces_nobody_wanted(void **state)
{
    (void)state;
    int s = client();
    say(s, "POST /first HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhelloGET /a HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "h", "keep-alive");
    expect(s, 200, "0 /a? from 127.0.0.1 no query", "keep-alive");
    say(s, "POST /first HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    expect(s, 200, "h", "close");
    expect_end(s);
    s = client();
    struct str text = {0}, body = letters(20 * BODY_LIMIT);
    str_addf(&text, "POST /first HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n%s", body.len, body.at);
    say_view(s, str_view(&text));
    expect(s, 200, "a", "close");
    expect_end(s);
    str_release(&text);
    str_release(&body);
}

static void body__closes_in_the_middle_of_pieces(void **state)
{
    (void)state;
    server_close(server);
    int before = count_descriptors();
    server = open_server("127.0.0.1:0", 1);
    int s = client();
    say(s, "POST /pieces?2 HTTP/1.1\r\n" HOST "Content-Length: 10\r\nExpect: 100-continue\r\n\r\n");
    struct answer a = hear(s, false); /* the handler is reading */
    assert_int_equal(a.status, 100);
    str_release(&a.text);
    say(s, "hello");
    server_close(server);
    expect(s, 503, "The server is stopping.", "close");
    expect_end(s);
    assert_int_equal(count_descriptors(), before);
    open_shared();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body__reads_bodies),
        cmocka_unit_test(body__reads_chunked_bodies),
        cmocka_unit_test(body__limits_bodies),
        cmocka_unit_test(body__says_when_a_body_is_cut_off),
        cmocka_unit_test(body__promises_to_read_on_before_a_body),
        cmocka_unit_test(body__reads_over_a_body_nobody_wanted),
        cmocka_unit_test(body__refuses_ambiguous_lengths),
        cmocka_unit_test(body__reads_bodies_in_pieces),
        cmocka_unit_test(body__reads_no_further_than_a_body_in_pieces),
        cmocka_unit_test(body__reads_pieces_as_they_come),
        cmocka_unit_test(body__says_when_pieces_are_cut_off),
        cmocka_unit_test(body__promises_once_to_read_pieces),
        cmocka_unit_test(body__reads_over_the_pieces_nobody_wanted),
        cmocka_unit_test(body__closes_in_the_middle_of_pieces),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
