/* What tests of requests and answers share: a server that echoes, files and all, and plain clients of it. */
#ifndef TEST_ECHO_H
#define TEST_ECHO_H

#include "base/check.h"
#include "http/server.h"
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

static inline int status_of(enum status status)
{
    return status == INVALID ? 400 : status == TOO_LARGE ? 413 : status == NO_MEMORY ? 507 : 503;
}

static inline void echo(struct request *rq, struct response *rs)
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
static inline void echo_pieces(struct request *rq, struct response *rs)
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
static inline void send_file(struct request *rq, struct response *rs)
{
    int64_t status = 0, from = 0, len = 0;
    struct view rest = rq->query;
    assert_true(view_integer(view_cut(&rest, ','), &status));
    assert_true(view_integer(view_cut(&rest, ','), &from));
    assert_true(view_integer(rest, &len));
    rs->status = (int)status;
    response_file(rs, fcntl(stored, F_DUPFD_CLOEXEC, 0), from, len);
}

static inline void handle(void *ctx, struct request *rq, struct response *rs)
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

static inline void refuse(void *ctx, int status, struct response *rs)
{
    assert_ptr_equal(ctx, &server);
    response_header(rs, "X-Refused", VIEW("yes"));
    str_addf(&rs->body, "refused %d", status);
}

/* ---- a client ---- */

static inline struct server *open_server(const char *listen, int workers)
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

static inline int connect_to(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 10};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(s, (struct sockaddr *)&a, sizeof a), 0);
    return s;
}

static inline int client(void)
{
    return connect_to(server_port(server, 0));
}

static inline void say_view(int s, struct view text)
{
    while (text.len) {
        ssize_t n = send(s, text.at, text.len, MSG_NOSIGNAL);
        assert_true(n > 0);
        text = (struct view){text.at + n, text.len - (size_t)n};
    }
}

static inline void say(int s, const char *text)
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

static inline struct view header(const struct answer *a, const char *name)
{
    struct view lines = a->head;
    while (lines.at) {
        struct view line = view_trim(view_cut(&lines, '\n'));
        struct view got = view_cut(&line, ':');
        if (view_is_nocase(got, name)) return view_trim(line);
    }
    return (struct view){0};
}

static inline bool more(int s, struct str *text)
{
    assert_true(str_reserve(text, 65536));
    ssize_t n = recv(s, text->at + text->len, 65536, 0);
    assert_true(n >= 0 || errno == ECONNRESET);
    if (n <= 0) return false;
    text->len += (size_t)n;
    text->at[text->len] = '\0';
    return true;
}

static inline struct answer hear(int s, bool head_only)
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
static inline void expect(int s, int status, const char *body, const char *connection)
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

static inline void expect_end(int s)
{
    char byte;
    assert_int_equal(rest.len, 0);
    assert_int_equal(recv(s, &byte, 1, 0), 0);
    close(s);
    str_release(&rest);
}

static inline void done(int s)
{
    assert_int_equal(rest.len, 0);
    close(s);
    str_release(&rest);
}

/* Sends `text`, wants `status` and the end. */
static inline void expect_refused(const char *text, int status)
{
    char body[32];
    int s = client();
    snprintf(body, sizeof body, "refused %d", status);
    say(s, text);
    expect(s, status, body, "close");
    expect_end(s);
}

static inline void wait_entered(void)
{
    char byte;
    assert_int_equal(read(entered[0], &byte, 1), 1);
}

static inline void release(void)
{
    assert_int_equal(write(released[1], "x", 1), 1);
}

#define HOST "Host: x\r\n"

static inline int count_descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir)) n++;
    closedir(dir);
    return n;
}

/* The server of all tests of a program. One that counts descriptors closes it before, as it may still be parting from
 * an earlier test's client. */
static inline void open_shared(void)
{
    server = open_server("127.0.0.1:0", 4);
}

static inline int setup(void **state)
{
    (void)state;
    assert_int_equal(pipe2(entered, O_CLOEXEC), 0);
    assert_int_equal(pipe2(released, O_CLOEXEC), 0);
    for (size_t i = 0; i < LARGE; i++) str_addc(&large, (char)(i * 7 + i / 251));
    stored = memfd_create("stored", MFD_CLOEXEC);
    assert_int_equal(write(stored, large.at, large.len), LARGE);
    assert_int_equal(ftruncate(stored, STORED_END), 0);
    open_shared();
    return 0;
}

static inline int teardown(void **state)
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

#endif
