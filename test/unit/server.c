/* The HTTP server, through its own door: a real one on a port of its own, spoken to over plain sockets. */
#include "http/server.h"
#include "base/check.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define BODY_LIMIT 100000
#define LARGE      3000000
#define STORED_END ((int64_t)1 << 40)

static struct server *server;
static struct str large;

/* What the handler says to a test and waits for: one byte each. */
static int entered[2], released[2];
static struct peer detached = {.socket = -1};
static int stored = -1; /* the file of /file: as `large`, and a hole up to STORED_END */

/* ---- the handler ---- */

static int status_of(enum status status)
{
    return status == INVALID ? 400 : status == TOO_LARGE ? 413 : status == NO_MEMORY ? 507 : 503;
}

static void echo(struct request *rq, struct response *rs)
{
    struct failure f = {0};
    struct view body;
    enum status status = request_body(rq, BODY_LIMIT, &body, &f);
    if (status) rs->status = status_of(status);
    str_add(&rs->body, status ? view_of(f.reason) : body);
    if (!status && body.at) assert_int_equal(body.at[body.len], 0);
    if (!status && !body.at) str_addz(&rs->body, "no body");
}

/* Reads the body in pieces of the length that the query says, and answers with it; twice at its end, since that stays.
 */
static void echo_pieces(struct request *rq, struct response *rs)
{
    struct failure f = {0}, again;
    int64_t room = 0;
    size_t got;
    enum status status;
    assert_true(view_integer(rq->query, &room));
    char *piece = malloc((size_t)room);
    do {
        status = request_read(rq, piece, (size_t)room, &got, &f);
        assert_true(got <= (size_t)room);
        if (!status) str_add(&rs->body, (struct view){piece, got});
    } while (!status && got);
    assert_int_equal(request_read(rq, piece, (size_t)room, &got, &again), status);
    assert_int_equal(got, 0);
    free(piece);
    if (!status) return;
    rs->status = status_of(status);
    str_reset(&rs->body);
    str_addz(&rs->body, f.reason);
}

/* "STATUS,FROM,LENGTH": answers with that part of `stored`. */
static void send_file(struct request *rq, struct response *rs)
{
    int64_t status = 0, from = 0, len = 0;
    struct view rest = rq->query;
    assert_true(view_integer(view_cut(&rest, ','), &status));
    assert_true(view_integer(view_cut(&rest, ','), &from));
    assert_true(view_integer(rest, &len));
    rs->status = (int)status;
    response_file(rs, fcntl(stored, F_DUPFD_CLOEXEC, 0), from, len);
}

static void handle(void *ctx, struct request *rq, struct response *rs)
{
    char byte;
    assert_ptr_equal(ctx, &server);
    response_header(rs, "X-Method", rq->method_name);
    if (view_is(rq->path, "/echo")) {
        echo(rq, rs);
    } else if (view_is(rq->path, "/pieces")) {
        echo_pieces(rq, rs);
    } else if (view_is(rq->path, "/first")) {
        struct failure f;
        size_t got;
        assert_int_equal(request_read(rq, &byte, 1, &got, &f), OK);
        str_add(&rs->body, (struct view){&byte, got});
    } else if (view_is(rq->path, "/file")) {
        send_file(rq, rs);
    } else if (view_is(rq->path, "/file-and-text")) {
        send_file(rq, rs);
        str_addz(&rs->body, "never sent");
        rs->fixed = VIEW("never sent");
    } else if (view_is(rq->path, "/two-files")) {
        send_file(rq, rs);
        send_file(rq, rs);
    } else if (view_is(rq->path, "/file-broken")) {
        send_file(rq, rs);
        rs->body.failed = true;
    } else if (view_is(rq->path, "/file-close")) {
        send_file(rq, rs);
        rs->close = true;
    } else if (view_is(rq->path, "/large")) {
        rs->fixed = str_view(&large);
    } else if (view_is(rq->path, "/close")) {
        rs->close = true;
    } else if (view_is(rq->path, "/none")) {
        rs->status = 204;
        str_addz(&rs->body, "never sent");
    } else if (view_is(rq->path, "/broken")) {
        rs->body.failed = true;
    } else if (view_is(rq->path, "/wait")) {
        assert_int_equal(write(entered[1], "x", 1), 1);
        assert_int_equal(read(released[0], &byte, 1), 1);
        str_addz(&rs->body, "waited");
    } else if (view_is(rq->path, "/detach")) {
        struct view body;
        struct failure f;
        assert_int_equal(request_body(rq, BODY_LIMIT, &body, &f), OK);
        if (!request_detach(rq, &detached)) detached = peer_plain(-1);
        str_addz(&rs->body, "not detached");
        assert_int_equal(write(entered[1], "x", 1), 1);
    } else {
        str_addf(&rs->body, "%d %.*s?%.*s from %.*s", (int)rq->method, VIEW_ARGS(rq->path), VIEW_ARGS(rq->query),
            VIEW_ARGS(rq->remote));
        str_addz(&rs->body, rq->query.at ? "" : " no query");
        struct view probe = request_header(rq, "x-PROBE");
        if (probe.at) str_addf(&rs->body, " [%.*s]", VIEW_ARGS(probe));
    }
}

static void refuse(void *ctx, int status, struct response *rs)
{
    assert_ptr_equal(ctx, &server);
    response_header(rs, "X-Refused", VIEW("yes"));
    str_addf(&rs->body, "refused %d", status);
}

/* ---- a client ---- */

static struct server *open_server(const char *listen, int workers)
{
    struct server *s;
    struct failure f = {0};
    const char *const addresses[] = {listen};
    struct server_options o = {.listen = addresses,
        .nlisten = 1,
        .workers = workers,
        .arena_cap = 1 << 20,
        .handle = handle,
        .refuse = refuse,
        .ctx = &server};
    enum status status = server_open(&s, &o, &f);
    assert_string_equal(status ? f.reason : "", "");
    return s;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 10};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(s, (struct sockaddr *)&a, sizeof a), 0);
    return s;
}

static int client(void)
{
    return connect_to(server_port(server, 0));
}

static void say_view(int s, struct view text)
{
    while (text.len) {
        ssize_t n = send(s, text.at, text.len, MSG_NOSIGNAL);
        assert_true(n > 0);
        text = (struct view){text.at + n, text.len - (size_t)n};
    }
}

static void say(int s, const char *text)
{
    say_view(s, view_of(text));
}

/* One answer from the socket, cut at its Content-Length; what came behind it stays in `rest`. */
struct answer {
    struct str text;
    struct view head, body;
    int status;
    bool ended; /* the connection, before the answer was whole */
};

static struct str rest;

static struct view header(const struct answer *a, const char *name)
{
    struct view lines = a->head;
    while (lines.at) {
        struct view line = view_trim(view_cut(&lines, '\n'));
        struct view got = view_cut(&line, ':');
        if (view_is_nocase(got, name)) return view_trim(line);
    }
    return (struct view){0};
}

static bool more(int s, struct str *text)
{
    assert_true(str_reserve(text, 65536));
    ssize_t n = recv(s, text->at + text->len, 65536, 0);
    assert_true(n >= 0 || errno == ECONNRESET);
    if (n <= 0) return false;
    text->len += (size_t)n;
    text->at[text->len] = '\0';
    return true;
}

static struct answer hear(int s, bool head_only)
{
    struct answer a = {.text = rest};
    const char *blank;
    int64_t length = 0;
    rest = (struct str){0};
    while (!a.text.len || !(blank = strstr(a.text.at, "\r\n\r\n")))
        if (!more(s, &a.text)) {
            a.ended = true;
            return a;
        }
    size_t head = (size_t)(blank - a.text.at) + 4;
    a.head = (struct view){a.text.at, head};
    if (!view_integer(header(&a, "Content-Length"), &length) || head_only) length = 0;
    while (a.text.len < head + (size_t)length && !a.ended) a.ended = !more(s, &a.text);
    if (a.ended) return a;
    str_add(&rest, (struct view){a.text.at + head + length, a.text.len - head - (size_t)length});
    a.head.at = a.text.at;
    a.body = (struct view){a.text.at + head, (size_t)length};
    a.status = atoi(a.text.at + strlen("HTTP/1.1 "));
    return a;
}

/* Hears one answer and checks it; nothing is left of it. */
static void expect(int s, int status, const char *body, const char *connection)
{
    struct answer a = hear(s, false);
    assert_false(a.ended);
    assert_int_equal(a.status, status);
    if (body && !view_is(a.body, body)) print_error("wanted \"%s\", got \"%.*s\"\n", body, VIEW_ARGS(a.body));
    if (body) assert_true(view_is(a.body, body));
    if (connection) assert_true(view_is(header(&a, "Connection"), connection));
    assert_int_equal(header(&a, "Date").len, 29);
    str_release(&a.text);
}

static void expect_end(int s)
{
    char byte;
    assert_int_equal(rest.len, 0);
    assert_int_equal(recv(s, &byte, 1, 0), 0);
    close(s);
    str_release(&rest);
}

static void done(int s)
{
    assert_int_equal(rest.len, 0);
    close(s);
    str_release(&rest);
}

/* Sends `text`, wants `status` and the end. */
static void expect_refused(const char *text, int status)
{
    char body[32];
    int s = client();
    snprintf(body, sizeof body, "refused %d", status);
    say(s, text);
    expect(s, status, body, "close");
    expect_end(s);
}

static void wait_entered(void)
{
    char byte;
    assert_int_equal(read(entered[0], &byte, 1), 1);
}

static void release(void)
{
    assert_int_equal(write(released[1], "x", 1), 1);
}

#define HOST "Host: x\r\n"

/* ---- the tests ---- */

static void server__answers_and_keeps_the_connection(void **state)
{
    (void)state;
    int s = client();
    say(s, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "0 /a? from 127.0.0.1 no query", "keep-alive");
    say(s, "GET /b? HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "0 /b? from 127.0.0.1", "keep-alive");
    say(s, "GET /c HTTP/1.1\r\n" HOST "X-Probe: \t1\t2 \t\r\n\r\n");
    expect(s, 200, "0 /c? from 127.0.0.1 no query [1\t2]", "keep-alive");
    say(s, "DELETE /c%2F/../d?e=%20f?g HTTP/1.1\r\n" HOST "X-Probe:   1  \r\nX-Probe: 2\r\n\r\n");
    expect(s, 200, "5 /c%2F/../d?e=%20f?g from 127.0.0.1 [1]", "keep-alive");
    done(s);
}

static void server__obeys_connection_close(void **state)
{
    (void)state;
    int s = client();
    say(s, "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    expect(s, 200, NULL, "close");
    expect_end(s);
    s = client();
    say(s, "GET /close HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "", "close");
    expect_end(s);
    s = client();
    say(s, "GET /a HTTP/1.0\r\n\r\n");
    expect(s, 200, NULL, "close");
    expect_end(s);
    s = client();
    say(s, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect(s, 200, NULL, "keep-alive");
    say(s, "GET /a HTTP/1.0\r\n\r\n");
    expect(s, 200, NULL, "close");
    expect_end(s);
    s = client();
    say(s, "GET /a HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\n\r\n");
    expect(s, 200, NULL, "keep-alive");
    say(s, "GET /a HTTP/1.1\r\n" HOST "Connection: keep-alive\r\nConnection: x ,\tClose\r\n\r\n");
    expect(s, 200, NULL, "close");
    expect_end(s);
}

static void server__answers_pipelined_requests_in_order(void **state)
{
    (void)state;
    int s = client();
    say(s, "GET /1 HTTP/1.1\r\n" HOST "\r\nPOST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhelloPOST /echo "
           "HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "0 /1? from 127.0.0.1 no query", "keep-alive");
    expect(s, 200, "hello", "keep-alive");
    expect(s, 200, "ab", "keep-alive");
    expect(s, 200, "0 /2? from 127.0.0.1 no query", "keep-alive");
    done(s);
}

static void server__sends_the_head_alone(void **state)
{
    (void)state;
    int s = client();
    say(s, "HEAD /large HTTP/1.1\r\n" HOST "\r\nGET /none HTTP/1.1\r\n" HOST "\r\nGET /a HTTP/1.1\r\n" HOST "\r\n");
    struct answer a = hear(s, true);
    assert_int_equal(a.status, 200);
    assert_true(view_is(header(&a, "Content-Length"), "3000000"));
    assert_true(view_is(header(&a, "X-Method"), "HEAD"));
    str_release(&a.text);
    a = hear(s, false);
    assert_int_equal(a.status, 204);
    assert_null(header(&a, "Content-Length").at);
    str_release(&a.text);
    expect(s, 200, NULL, "keep-alive");
    done(s);
}

static void server__sends_large_answers_to_slow_readers(void **state)
{
    (void)state;
    int s = client();
    say(s, "GET /large HTTP/1.1\r\n" HOST "\r\n");
    usleep(50000);
    struct answer a = hear(s, false);
    assert_int_equal(a.body.len, LARGE);
    assert_memory_equal(a.body.at, large.at, LARGE);
    str_release(&a.text);
    say(s, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, NULL, "keep-alive");
    done(s);
}

static void server__reads_bodies(void **state)
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

static void server__reads_chunked_bodies(void **state)
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

static void server__limits_bodies(void **state)
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

static void server__says_when_a_body_is_cut_off(void **state)
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

static void server__promises_to_read_on_before_a_body(void **state)
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

static void server__reads_over_a_body_nobody_wanted(void **state)
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

static void server__refuses_ambiguous_lengths(void **state)
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

static void server__refuses_malformed_heads(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / \r\n\r\n",
        "GET  / HTTP/1.1\r\n" HOST "\r\n",
        "GET /  HTTP/1.1\r\n" HOST "\r\n",
        "GET \r\n/ HTTP/1.1\r\n" HOST "\r\n",
        "GET / FTP/1.1\r\n" HOST "\r\n",
        "G\x01T / HTTP/1.1\r\n" HOST "\r\n",
        "B(EW / HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/\r\n" HOST "\r\n",
        "GET / HTTP/1.11\r\n" HOST "\r\n",
        "GET / HTTP/1.1\r\n" HOST "X@: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n",
        "GET a HTTP/1.1\r\n" HOST "\r\n",
        "GET /\xff HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST HOST "\r\n",
        "GET / HTTP/1.1\r\n\r\n" HOST "\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
    };
    for (size_t i = 0; i < COUNT(bad); i++) expect_refused(bad[i], 400);
    expect_refused("GET / HTTP/2.0\r\n" HOST "\r\n", 505);
    expect_refused("BREW / HTTP/2.0\r\n" HOST "\r\n", 505);
    expect_refused("BREW / HTTP/1.1\r\n" HOST "\r\n", 501);
    int s = client();
    say(s, "HEAD / HTTP/1.1\r\n\r\n");
    struct answer a = hear(s, true);
    assert_int_equal(a.status, 400);
    assert_true(view_is(header(&a, "X-Refused"), "yes"));
    str_release(&a.text);
    expect_end(s);
}

static void server__allows_an_empty_line_first(void **state)
{
    (void)state;
    int s = client();
    say(s, "\r\nGET /a HTTP/1.1\r\n" HOST "\r\n\r\nGET /b HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "0 /a? from 127.0.0.1 no query", "keep-alive");
    expect(s, 200, "0 /b? from 127.0.0.1 no query", "keep-alive");
    done(s);
}

/* What an earlier connection pipelined must not be taken for the request of a later one that sends only blanks. */
static void server__forgets_what_earlier_connections_sent(void **state)
{
    (void)state;
    struct server *all = server;
    server = open_server("127.0.0.1:0", 1);
    char blanks[256];
    static const char first[] =
        "GET /first-and-longer-than-the-second-which-stays-whole-behind-it HTTP/1.1\r\n" HOST "\r\n";
    int s = client();
    struct str both = {0};
    str_addz(&both, first);
    str_addz(&both, "GET /secret HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    say_view(s, str_view(&both));
    str_release(&both);
    expect(s, 200, NULL, "keep-alive");
    expect(s, 200, NULL, "close");
    expect_end(s);
    for (size_t n = 4; n < sizeof first + 4; n++) {
        memset(blanks, ' ', sizeof blanks);
        memcpy(blanks + n - 4, "\r\n\r\n", 5);
        s = client();
        say(s, blanks);
        shutdown(s, SHUT_WR);
        struct answer a = hear(s, false);
        assert_int_equal(a.status, 400);
        assert_null(strstr(a.text.at, "secret"));
        str_release(&a.text);
        expect_end(s);
    }
    server_close(server);
    server = all;
}

static void server__limits_heads(void **state)
{
    (void)state;
    struct str text = {0};
    for (size_t fill = 15000; fill <= 40000; fill += 12500) {
        str_reset(&text);
        str_addz(&text, "GET /a HTTP/1.1\r\n" HOST "X: ");
        for (size_t i = 0; i < fill; i++) str_addc(&text, 'x');
        str_addz(&text, "\r\n\r\n");
        if (fill > 16384) {
            expect_refused(text.at, 431);
            continue;
        }
        int s = client();
        say(s, text.at);
        expect(s, 200, NULL, "keep-alive");
        done(s);
    }
    for (int headers = 63; headers <= 65; headers++) {
        str_reset(&text);
        str_addz(&text, "GET /a HTTP/1.1\r\n" HOST);
        for (int i = 2; i < headers; i++) str_addf(&text, "X-%d: y\r\n", i);
        str_addz(&text, "X-Probe: last\r\n\r\n");
        if (headers == 65) {
            expect_refused(text.at, 431);
            continue;
        }
        int s = client();
        say(s, text.at);
        expect(s, 200, "0 /a? from 127.0.0.1 no query [last]", "keep-alive");
        done(s);
    }
    str_release(&text);
}

static void server__understands_every_form_of_target(void **state)
{
    (void)state;
    char text[200];
    int s = client();
    say(s, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "6 *? from 127.0.0.1 no query", "keep-alive");
    say(s, "GET http://chat.example/a?b HTTP/1.1\r\nHost: chat.example\r\n\r\n");
    expect(s, 200, "0 /a?b from 127.0.0.1", "keep-alive");
    say(s, "GET HTTPS://chat.example:80/?a://b/c HTTP/1.1\r\nHost: chat.example\r\n\r\n");
    expect(s, 200, "0 /?a://b/c from 127.0.0.1", "keep-alive");
    say(s, "GET /a?b://c/d HTTP/1.1\r\nHost: chat.example\r\n\r\n");
    expect(s, 200, "0 /a?b://c/d from 127.0.0.1", "keep-alive");
    say(s, "GET http://[::1]:80/a:b?c=d:e HTTP/1.1\r\nHost: [::1]:80\r\n\r\n");
    expect(s, 200, "0 /a:b?c=d:e from 127.0.0.1", "keep-alive");
    say(s, "GET http://x?a HTTP/1.1\r\n" HOST "\r\nOPTIONS http://x HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, "0 /?a from 127.0.0.1", "keep-alive");
    expect(s, 200, "6 *? from 127.0.0.1 no query", "keep-alive");
    snprintf(text, sizeof text, "POST http://x:%d/echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab",
        server_port(server, 0));
    say(s, text);
    expect(s, 200, "ab", "keep-alive");
    say(s, "POST http://other/echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab");
    expect(s, 200, "ab", "keep-alive");
    done(s);
    expect_refused("GET http://x/a HTTP/1.1\r\n\r\n", 400);
    expect_refused("GET * HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_refused("GET http:///a HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_refused("GET http://x:0/a HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_refused("GET http:/x/a HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_refused("GET ** HTTP/1.1\r\n" HOST "\r\n", 400);
}

static void server__refuses_for_want_of_memory(void **state)
{
    (void)state;
    int s = client();
    say(s, "GET /broken HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 503, "refused 503", "close");
    expect_end(s);
}

static void server__gives_sockets_away(void **state)
{
    (void)state;
    int s = client(), unsent = 0;
    socklen_t len = sizeof unsent;
    char byte, text[16];
    say(s, "POST /detach HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
    wait_entered();
    assert_true(detached.socket >= 0);
    assert_true(fcntl(detached.socket, F_GETFL) & O_NONBLOCK);
    /* The system must not hold megabytes for a client that takes nothing. */
    assert_int_equal(getsockopt(detached.socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, &len), 0);
    assert_in_range(unsent, 1, 262144);
    assert_int_equal(recv(detached.socket, &byte, 1, 0), -1);
    assert_int_equal(send(detached.socket, "mine", 4, 0), 4);
    assert_int_equal(recv(s, text, sizeof text, 0), 4);
    assert_memory_equal(text, "mine", 4);
    say(s, "more");
    struct pollfd p = {.fd = detached.socket, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_int_equal(recv(detached.socket, text, sizeof text, 0), 4);
    peer_close(&detached);
    expect_end(s);
    /* A request behind it has been read: it would be lost. */
    s = client();
    say(s, "GET /detach HTTP/1.1\r\n" HOST "\r\nGET /a HTTP/1.1\r\n" HOST "\r\n");
    wait_entered();
    assert_int_equal(detached.socket, -1);
    expect(s, 200, NULL, "keep-alive");
    expect(s, 200, NULL, "keep-alive");
    done(s);
}

static void server__closes_with_connections_in_every_state(void **state)
{
    (void)state;
    struct server *all = server;
    int idle[3], half, body, silent, waiting, gone;
    server = open_server("127.0.0.1:0", 7);
    for (size_t i = 0; i < COUNT(idle); i++) {
        idle[i] = client();
        say(idle[i], "GET /a HTTP/1.1\r\n" HOST "\r\n");
        expect(idle[i], 200, NULL, "keep-alive");
    }
    half = client();
    say(half, "GET /a HTTP/1.1\r\nHo");
    body = client();
    say(body, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhe");
    silent = client();
    waiting = client();
    say(waiting, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    wait_entered();
    /* All seven workers are taken: this one is in the queue, if it is accepted at all. */
    gone = client();
    say(gone, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    release();
    server_close(server);
    server = all;
    for (size_t i = 0; i < COUNT(idle); i++) expect_end(idle[i]);
    expect(waiting, 200, "waited", NULL);
    done(waiting);
    done(half);
    done(body);
    done(silent);
    /* Whatever became of it, it is not left hanging. */
    struct answer a = hear(gone, false);
    str_release(&a.text);
    done(gone);
}

static void *close_server(void *s)
{
    server_close(s);
    return NULL;
}

static void server__waits_for_handlers_and_sends_their_answers(void **state)
{
    (void)state;
    struct server *all = server;
    pthread_t closer;
    server = open_server("127.0.0.1:0", 2);
    uint16_t port = server_port(server, 0);
    int s = client();
    say(s, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    wait_entered();
    assert_int_equal(pthread_create(&closer, NULL, close_server, server), 0);
    /* Until the listener has gone. */
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int refused = 0; !refused;) {
        int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        refused = connect(other, (struct sockaddr *)&a, sizeof a);
        close(other);
        usleep(1000);
    }
    release();
    expect(s, 200, "waited", "close");
    pthread_join(closer, NULL);
    expect_end(s);
    server = all;
    server_close(NULL);
}

static void server__listens_on_both_families_of_localhost(void **state)
{
    (void)state;
    struct server *all = server;
    server = open_server("localhost:0", 1);
    uint16_t port = server_port(server, 0);
    assert_true(port);
    assert_int_equal(server_port(server, 1), 0);
    int s = client();
    say(s, "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    expect(s, 200, NULL, "close");
    expect_end(s);
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    s = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s >= 0 && !bind(s, (struct sockaddr *)&any, sizeof any)) {
        assert_int_equal(connect(s, (struct sockaddr *)&a, sizeof a), 0);
        say(s, "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
        expect(s, 200, "0 /a? from ::1 no query", "close");
        expect_end(s);
    } else if (s >= 0) {
        close(s);
    }
    server_close(server);
    server = all;
}

static enum status try_listen(const char *address, const char *and_address, int workers, struct failure *f)
{
    struct server *s = NULL;
    const char *const addresses[] = {address, and_address};
    struct server_options o = {.listen = addresses,
        .nlisten = and_address ? 2 : 1,
        .workers = workers,
        .arena_cap = 65536,
        .handle = handle,
        .refuse = refuse,
        .ctx = &server};
    *f = (struct failure){0};
    enum status status = server_open(&s, &o, f);
    assert_int_equal(status == OK, s != NULL);
    if (status) assert_true(f->reason[0]);
    server_close(s);
    return status;
}

static void server__says_why_it_cannot_listen(void **state)
{
    (void)state;
    struct failure f;
    char taken[32];
    static const char *const bad[] = {"", ":", "3000", "localhost", "localhost:", "localhost:x", "localhost:-1",
        "localhost:65536", "127.0.0.1", "::1:3000", "[::1]", "[::1:3000", "[]:3000", "nowhere.example:3000",
        "127.0.0:3000", "127.0.0.1:3000s", "127.0.0.1:3000,127.0.0.1:3001"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(try_listen(bad[i], NULL, 1, &f), INVALID);
        assert_non_null(strstr(f.reason, "Cannot understand"));
    }
    snprintf(taken, sizeof taken, "127.0.0.1:%d", server_port(server, 0));
    assert_int_equal(try_listen(taken, NULL, 1, &f), UNAVAILABLE);
    assert_non_null(strstr(f.reason, taken));
    assert_non_null(strstr(f.reason, "taken"));
    assert_int_equal(try_listen("192.0.2.1:0", NULL, 1, &f), UNAVAILABLE);
    assert_non_null(strstr(f.reason, "192.0.2.1:0"));
    assert_int_equal(try_listen("127.0.0.1:0", NULL, 0, &f), INVALID);
    assert_int_equal(try_listen("127.0.0.1:0", "127.0.0.1:0", 1, &f), OK);
    assert_int_equal(try_listen("127.0.0.1:0", taken, 1, &f), UNAVAILABLE);
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

static void server__reads_bodies_in_pieces(void **state)
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

static void server__reads_no_further_than_a_body_in_pieces(void **state)
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

static void server__reads_pieces_as_they_come(void **state)
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

static void server__says_when_pieces_are_cut_off(void **state)
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

static void server__promises_once_to_read_pieces(void **state)
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
static void server__reads_over_the_pieces_nobody_wanted(void **state)
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

/* ---- files as answers ---- */

static void expect_file(int s, int status, int64_t from, size_t len)
{
    struct answer a = hear(s, false);
    assert_false(a.ended);
    assert_int_equal(a.status, status);
    assert_int_equal(a.body.len, len);
    assert_memory_equal(a.body.at, large.at + from, len);
    str_release(&a.text);
}

static void server__sends_files(void **state)
{
    (void)state;
    int s = client();
    say(s, "GET /file?200,0,3000000 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 200, 0, LARGE);
    say(s, "GET /file?206,5,1 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 206, 5, 1);
    say(s, "GET /file?206,1048570,1000000 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 206, 1048570, 1000000);
    say(s, "GET /file?200,0,100 HTTP/1.1\r\n" HOST "\r\nGET /a HTTP/1.1\r\n" HOST
           "\r\nGET /file?200,1,1000000 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 200, 0, 100);
    expect(s, 200, "0 /a? from 127.0.0.1 no query", "keep-alive");
    expect_file(s, 200, 1, 1000000);
    say(s, "POST /file?200,7,8 HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    expect_file(s, 200, 7, 8);
    say(s, "GET /two-files?200,7,8 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 200, 7, 8);
    say(s, "GET /file-close?200,0,1000000 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 200, 0, 1000000);
    expect_end(s);
    s = client();
    say(s, "GET /file?200,0,1000 HTTP/1.0\r\n\r\n");
    expect_file(s, 200, 0, 1000);
    expect_end(s);
}

static void server__sends_nothing_of_an_empty_file(void **state)
{
    (void)state;
    int s = client();
    say(s, "GET /file?200,0,0 HTTP/1.1\r\n" HOST "\r\nHEAD /file?200,0,0 HTTP/1.1\r\n" HOST
           "\r\nGET /a HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 2; i++) {
        struct answer a = hear(s, i == 1);
        assert_int_equal(a.status, 200);
        assert_true(view_is(header(&a, "Content-Length"), "0"));
        str_release(&a.text);
    }
    expect(s, 200, NULL, "keep-alive");
    done(s);
}

static void server__sends_the_head_of_a_file_alone(void **state)
{
    (void)state;
    int s = client();
    say(s, "HEAD /file?200,0,3000000 HTTP/1.1\r\n" HOST "\r\nGET /file?304,0,3000000 HTTP/1.1\r\n" HOST
           "\r\nGET /file?204,0,3000000 HTTP/1.1\r\n" HOST "\r\nHEAD /file?206,0,1099511627776 HTTP/1.1\r\n" HOST
           "\r\nGET /a HTTP/1.1\r\n" HOST "\r\n");
    static const struct {
        int status;
        const char *length;
    } wanted[] = {{200, "3000000"}, {304, NULL}, {204, NULL}, {206, "1099511627776"}};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct answer a = hear(s, true);
        assert_int_equal(a.status, wanted[i].status);
        assert_true(wanted[i].length ? view_is(header(&a, "Content-Length"), wanted[i].length)
                                     : !header(&a, "Content-Length").at);
        str_release(&a.text);
    }
    expect(s, 200, NULL, "keep-alive");
    done(s);
}

/* Beyond what 32 bits count. */
static void server__sends_the_end_of_a_very_large_file(void **state)
{
    (void)state;
    static const char zeros[1000];
    int s = client();
    say(s, "GET /file?206,1099511626776,1000 HTTP/1.1\r\n" HOST "\r\n");
    struct answer a = hear(s, false);
    assert_int_equal(a.body.len, sizeof zeros);
    assert_memory_equal(a.body.at, zeros, sizeof zeros);
    str_release(&a.text);
    done(s);
}

static void server__sends_a_file_instead_of_a_text(void **state)
{
    (void)state;
    int s = client();
    say(s, "GET /file-and-text?200,0,20 HTTP/1.1\r\n" HOST "\r\nGET /a HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 200, 0, 20);
    expect(s, 200, "0 /a? from 127.0.0.1 no query", "keep-alive");
    done(s);
}

/* As much as there is, and then the end: its length was promised. */
static void server__ends_where_a_file_is_too_short(void **state)
{
    (void)state;
    int s = client();
    char text[100];
    snprintf(text, sizeof text, "GET /file?200,%lld,1000 HTTP/1.1\r\n" HOST "\r\n", (long long)STORED_END - 10);
    say(s, text);
    struct answer a = hear(s, false);
    assert_true(a.ended);
    const char *body = strstr(a.text.at, "\r\n\r\n");
    assert_non_null(strstr(a.text.at, "Content-Length: 1000\r\n"));
    assert_int_equal(a.text.len - (size_t)(body + 4 - a.text.at), 10);
    str_release(&a.text);
    done(s);
}

/* One that takes little at a time. */
static int slow_client(int room)
{
    int s = client();
    setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return s;
}

static void server__sends_large_files_to_slow_readers(void **state)
{
    (void)state;
    int s = slow_client(131072); /* less than a loopback packet would be waited for by timers */
    char piece[20000];
    struct str all = {0};
    say(s, "GET /file?200,0,3000000 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    usleep(50000);
    for (ssize_t n; (n = recv(s, piece, sizeof piece, 0)) != 0;) {
        assert_true(n > 0);
        str_add(&all, (struct view){piece, (size_t)n});
        usleep(1000);
    }
    const char *body = strstr(all.at, "\r\n\r\n") + 4;
    assert_int_equal(all.len - (size_t)(body - all.at), LARGE);
    assert_memory_equal(body, large.at, LARGE);
    str_release(&all);
    done(s);
}

static int count_descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir)) n++;
    closedir(dir);
    return n;
}

/* Goes without a word, or in the middle of one. */
static void leave(int s, bool reset)
{
    struct linger at_once = {.l_onoff = 1};
    if (reset) setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(s);
}

static void server__leaks_no_file(void **state)
{
    (void)state;
    static const char *const targets[] = {"GET /file?200,0,0", "GET /file?200,0,10", "HEAD /file?200,0,3000000",
        "GET /file?204,0,10", "GET /file?304,0,10", "GET /file-and-text?200,0,10", "GET /two-files?200,0,10",
        "GET /file-close?200,0,10", "GET /file-broken?200,0,10", "GET /file?200,1099511627766,1000"};
    struct server *all = server;
    char byte;
    int before = count_descriptors();
    server = open_server("127.0.0.1:0", 1);
    int open = count_descriptors();
    for (size_t i = 0; i < COUNT(targets); i++) {
        struct str text = {0};
        str_addf(&text, "%s HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", targets[i]);
        int s = client();
        say_view(s, str_view(&text));
        while (recv(s, &byte, 1, 0) > 0) {
        }
        close(s);
        str_release(&text);
    }
    for (int i = 0; i < 20; i++) {
        int s = i % 2 ? client() : slow_client(4096);
        say(s, "GET /file?200,0,1099511627776 HTTP/1.1\r\n" HOST "\r\n");
        if (i % 3) assert_int_equal(recv(s, &byte, 1, 0), 1);
        leave(s, i % 4 < 2);
    }
    int s = client();
    say(s, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, NULL, "keep-alive");
    alarm(60);
    while (count_descriptors() > open + 2) usleep(1000); /* this connection's ends */
    alarm(0);
    done(s);
    server_close(server);
    server = all;
    assert_int_equal(count_descriptors(), before);
}

/* A reader that stands still in the middle of a file holds up nobody for long. */
static void server__closes_in_the_middle_of_files(void **state)
{
    (void)state;
    struct server *all = server;
    char byte;
    int stalled[3], before = count_descriptors();
    server = open_server("127.0.0.1:0", COUNT(stalled));
    for (size_t i = 0; i < COUNT(stalled); i++) {
        stalled[i] = slow_client(4096);
        say(stalled[i], "GET /file?200,0,1099511627776 HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(recv(stalled[i], &byte, 1, 0), 1);
    }
    alarm(60);
    server_close(server);
    alarm(0);
    server = all;
    for (size_t i = 0; i < COUNT(stalled); i++) done(stalled[i]);
    assert_int_equal(count_descriptors(), before);
}

static void server__closes_in_the_middle_of_pieces(void **state)
{
    (void)state;
    struct server *all = server;
    int before = count_descriptors();
    server = open_server("127.0.0.1:0", 1);
    int s = client();
    say(s, "POST /pieces?2 HTTP/1.1\r\n" HOST "Content-Length: 10\r\nExpect: 100-continue\r\n\r\n");
    struct answer a = hear(s, false); /* the handler is reading */
    assert_int_equal(a.status, 100);
    str_release(&a.text);
    say(s, "hello");
    server_close(server);
    server = all;
    expect(s, 503, "The server is stopping.", "close");
    expect_end(s);
    assert_int_equal(count_descriptors(), before);
}

static int setup(void **state)
{
    (void)state;
    assert_int_equal(pipe2(entered, O_CLOEXEC), 0);
    assert_int_equal(pipe2(released, O_CLOEXEC), 0);
    for (size_t i = 0; i < LARGE; i++) str_addc(&large, (char)(i * 7 + i / 251));
    stored = memfd_create("stored", MFD_CLOEXEC);
    assert_int_equal(write(stored, large.at, large.len), LARGE);
    assert_int_equal(ftruncate(stored, STORED_END), 0);
    server = open_server("127.0.0.1:0", 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    server_close(server);
    close(stored);
    str_release(&large);
    for (int i = 0; i < 2; i++) {
        close(entered[i]);
        close(released[i]);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server__answers_and_keeps_the_connection),
        cmocka_unit_test(server__obeys_connection_close),
        cmocka_unit_test(server__answers_pipelined_requests_in_order),
        cmocka_unit_test(server__sends_the_head_alone),
        cmocka_unit_test(server__sends_large_answers_to_slow_readers),
        cmocka_unit_test(server__reads_bodies),
        cmocka_unit_test(server__reads_chunked_bodies),
        cmocka_unit_test(server__limits_bodies),
        cmocka_unit_test(server__says_when_a_body_is_cut_off),
        cmocka_unit_test(server__promises_to_read_on_before_a_body),
        cmocka_unit_test(server__reads_over_a_body_nobody_wanted),
        cmocka_unit_test(server__refuses_ambiguous_lengths),
        cmocka_unit_test(server__refuses_malformed_heads),
        cmocka_unit_test(server__allows_an_empty_line_first),
        cmocka_unit_test(server__forgets_what_earlier_connections_sent),
        cmocka_unit_test(server__limits_heads),
        cmocka_unit_test(server__understands_every_form_of_target),
        cmocka_unit_test(server__refuses_for_want_of_memory),
        cmocka_unit_test(server__gives_sockets_away),
        cmocka_unit_test(server__closes_with_connections_in_every_state),
        cmocka_unit_test(server__waits_for_handlers_and_sends_their_answers),
        cmocka_unit_test(server__listens_on_both_families_of_localhost),
        cmocka_unit_test(server__says_why_it_cannot_listen),
        cmocka_unit_test(server__reads_bodies_in_pieces),
        cmocka_unit_test(server__reads_no_further_than_a_body_in_pieces),
        cmocka_unit_test(server__reads_pieces_as_they_come),
        cmocka_unit_test(server__says_when_pieces_are_cut_off),
        cmocka_unit_test(server__promises_once_to_read_pieces),
        cmocka_unit_test(server__reads_over_the_pieces_nobody_wanted),
        cmocka_unit_test(server__sends_files),
        cmocka_unit_test(server__sends_nothing_of_an_empty_file),
        cmocka_unit_test(server__sends_the_head_of_a_file_alone),
        cmocka_unit_test(server__sends_the_end_of_a_very_large_file),
        cmocka_unit_test(server__sends_a_file_instead_of_a_text),
        cmocka_unit_test(server__ends_where_a_file_is_too_short),
        cmocka_unit_test(server__sends_large_files_to_slow_readers),
        cmocka_unit_test(server__leaks_no_file),
        cmocka_unit_test(server__closes_in_the_middle_of_files),
        cmocka_unit_test(server__closes_in_the_middle_of_pieces),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
