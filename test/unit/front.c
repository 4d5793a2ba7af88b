/* Connections that wait, through the server's door: a real one with few workers and little patience. */
#include "base/check.h"
#include "client.h"
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>

#define GET  "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define SOON 150    /* ms: a deadline that is to pass */
#define LONG 600000 /* ms: one that is not */

static int entered[2], released[2]; /* what the handler says to a test and waits for: one byte each */
static const char large[10000000];
static int *many;
static size_t nmany;

static void handle(void *ctx, struct request *rq, struct response *rs)
{
    struct failure f;
    struct view body;
    char byte;
    (void)ctx;
    bool pause = view_is(rq->path, "/pause");
    if (pause) request_pause(rq);
    if (pause || view_is(rq->path, "/wait")) {
        assert_int_equal(write(entered[1], "x", 1), 1);
        assert_int_equal(read(released[0], &byte, 1), 1);
    }
    if (pause) request_go_on(rq);
    if (view_is(rq->path, "/large"))
        rs->fixed = (struct view){large, sizeof large};
    else if (request_body(rq, 1000000, &body, &f))
        rs->status = 400;
    else
        str_addf(&rs->body, "%.*s %zu", VIEW_ARGS(rq->path), body.len);
}

static void refuse(void *ctx, int status, struct response *rs)
{
    (void)ctx;
    str_addf(&rs->body, "refused %d", status);
}

static void open_server(struct server_options o)
{
    struct failure f = {0};
    const char *const addresses[] = {"127.0.0.1:0"};
    o.listen = addresses;
    o.nlisten = 1;
    o.arena_cap = 2000000;
    o.handle = handle;
    o.refuse = refuse;
    if (!o.workers) o.workers = 1;
    if (!o.head_ms) o.head_ms = LONG;
    if (!o.body_ms) o.body_ms = LONG;
    if (!o.idle_ms) o.idle_ms = LONG;
    enum status status = server_open(&server, &o, &f);
    assert_string_equal(status ? f.reason : "", "");
}

/* As many as are worth it, and the limit of open files lets this process have with the server's ends. */
static void open_many(size_t wanted)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    size_t room = (size_t)(limit.rlim_cur - limit.rlim_cur / 4) / 2 - 100;
    nmany = wanted < room ? wanted : room;
    many = calloc(nmany, sizeof *many);
    for (size_t i = 0; i < nmany; i++) many[i] = client();
}

static void close_many(void)
{
    for (size_t i = 0; i < nmany; i++) close(many[i]);
    free(many);
}

static void expect_served(void)
{
    int s = client();
    say(s, GET);
    expect(s, 200, "/a 0", "keep-alive");
    close(s);
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

/* ---- who waits costs nobody ---- */

static void front__serves_more_connections_than_workers(void **state)
{
    (void)state;
    open_server((struct server_options){.workers = 2});
    open_many(2000);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < nmany; i++) say(many[i], GET);
        for (size_t i = 0; i < nmany; i++) expect(many[i], 200, "/a 0", "keep-alive");
    }
    close_many();
    server_close(server);
}

static void front__lets_nobody_wait_for_half_open_clients(void **state)
{
    (void)state;
    static const char *const halves[] = {
        "", "G", "GET /a HTTP/1.1\r\nHos", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhe"};
    static const char *const rests[] = {GET, "ET /a HTTP/1.1\r\n" HOST "\r\n", "t: x\r\n\r\n", "llo"};
    open_server((struct server_options){0});
    open_many(2000);
    for (size_t i = 0; i < nmany; i++) say(many[i], halves[i % COUNT(halves)]);
    for (int i = 0; i < 10; i++) expect_served();
    for (size_t i = 0; i < nmany; i++) say(many[i], rests[i % COUNT(rests)]);
    for (size_t i = 0; i < nmany; i++) expect(many[i], 200, i % COUNT(rests) == 3 ? "/a 5" : "/a 0", "keep-alive");
    close_many();
    server_close(server);
}

static void front__takes_heads_byte_by_byte(void **state)
{
    (void)state;
    open_server((struct server_options){0});
    int s = client();
    for (const char *at = "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"; *at; at++) {
        char byte[2] = {*at};
        say(s, byte);
        usleep(500);
    }
    expect(s, 200, "/a 3", "keep-alive");
    say(s, GET);
    expect(s, 200, "/a 0", "keep-alive");
    close(s);
    server_close(server);
}

/* What has been read of a further request holds no worker, and is not lost. */
static void front__keeps_the_beginning_of_a_further_request(void **state)
{
    (void)state;
    open_server((struct server_options){0});
    int s = client();
    say(s, GET "POST /b HTTP/1.1\r\n" HOST "Conte");
    expect(s, 200, "/a 0", "keep-alive");
    expect_served();
    say(s, "nt-Length: 40000\r\n\r\n");
    for (int i = 0; i < 40000; i += 1000) {
        char piece[1001] = "";
        memset(piece, 'x', 1000);
        say(s, piece);
    }
    expect(s, 200, "/b 40000", "keep-alive");
    say(s, GET "GET /c HTTP/1.1\r\n" HOST "\r\nG");
    expect(s, 200, "/a 0", "keep-alive");
    expect(s, 200, "/c 0", "keep-alive");
    say(s, "ET /d HTTP/1.1\r\n" HOST "\r\n" GET);
    expect(s, 200, "/d 0", "keep-alive");
    expect(s, 200, "/a 0", "keep-alive");
    close(s);
    server_close(server);
}

static void front__answers_who_has_closed_the_sending_side(void **state)
{
    (void)state;
    open_server((struct server_options){0});
    int s = client();
    say(s, GET GET);
    shutdown(s, SHUT_WR);
    expect(s, 200, "/a 0", "keep-alive");
    expect(s, 200, "/a 0", "keep-alive");
    expect_end(s);
    s = client();
    say(s, "GET /a HTTP/1.1\r\nHos");
    usleep(20000);
    shutdown(s, SHUT_WR);
    expect(s, 400, "refused 400", "close");
    expect_end(s);
    s = client();
    shutdown(s, SHUT_WR);
    expect_end(s);
    server_close(server);
}

/* ---- deadlines ---- */

static void front__ends_slow_heads(void **state)
{
    (void)state;
    open_server((struct server_options){.head_ms = SOON});
    int silent = client(), half = client(), again = client(), slow = client();
    say(half, "GET /a HTT");
    say(again, GET "GE");
    expect(again, 200, "/a 0", "keep-alive");
    expect(half, 408, "refused 408", "Connection: close");
    expect_end(half);
    expect(again, 408, "refused 408", "Connection: close");
    expect_end(again);
    expect_end(silent); /* it has asked nothing */
    /* Every byte is progress, but the whole is late. */
    while (send(slow, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) usleep(10000);
    close(slow);
    expect_served();
    server_close(server);
}

static void front__ends_slow_bodies(void **state)
{
    (void)state;
    open_server((struct server_options){.body_ms = SOON});
    static const char *const slow[] = {"Content-Length: 5\r\n\r\nhell", "Content-Length: 20000\r\n\r\nhell",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhell"};
    for (size_t i = 0; i < COUNT(slow); i++) {
        int s = client();
        say(s, "POST /a HTTP/1.1\r\n" HOST);
        say(s, slow[i]);
        expect(s, 408, "refused 408", "Connection: close");
        expect_end(s);
    }
    /* Always something, but never enough. */
    int s = client();
    say(s, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 900000\r\n\r\n");
    struct pollfd p = {.fd = s, .events = POLLIN};
    while (!poll(&p, 1, 20)) say(s, "x");
    expect(s, 408, "refused 408", "Connection: close");
    expect_end(s);
    server_close(server);
}

/* As many of them as there are threads for that. */
static void front__works_while_clients_are_waited_for(void **state)
{
    (void)state;
    int slow[3 * (SERVER_THREADS - SERVER_PAUSES - 1)];
    open_server((struct server_options){.workers = 3});
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(slow); i++) {
            slow[i] = client();
            say(slow[i], i % 2 ? "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5"
                               : "GET /large HTTP/1.1\r\n" HOST "\r\n");
            expect_served();
        }
        for (size_t i = 0; i < COUNT(slow); i++) {
            if (i % 2) {
                say(slow[i], "\r\nhello\r\n0\r\n\r\n");
                expect(slow[i], 200, "/a 5", "keep-alive");
            }
            close(slow[i]);
        }
        expect_served();
    }
    server_close(server);
}

static void front__works_while_handlers_pause(void **state)
{
    (void)state;
    int s[SERVER_PAUSES];
    open_server((struct server_options){0});
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(s); i++) {
            s[i] = client();
            say(s[i], "GET /pause HTTP/1.1\r\n" HOST "\r\n");
            wait_entered();
            expect_served();
        }
        for (size_t i = 0; i < COUNT(s); i++) release();
        for (size_t i = 0; i < COUNT(s); i++) {
            expect(s[i], 200, "/pause 0", "keep-alive");
            close(s[i]);
        }
    }
    server_close(server);
}

/* With all threads waiting for bodies, the patience is over. */
static void front__gives_slow_bodies_up_when_workers_are_scarce(void **state)
{
    (void)state;
    struct pollfd slow[4 * SERVER_THREADS];
    open_server((struct server_options){.workers = 4});
    for (size_t i = 0; i < COUNT(slow); i++) {
        slow[i] = (struct pollfd){.fd = client(), .events = POLLIN};
        say(slow[i].fd, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 900000\r\n\r\nh");
    }
    expect_served();
    assert_true(poll(slow, COUNT(slow), 10000) > 0);
    for (size_t i = 0; i < COUNT(slow); i++) {
        if (slow[i].revents) expect(slow[i].fd, 408, "refused 408", "Connection: close");
        close(slow[i].fd);
    }
    server_close(server);
}

static void front__ends_idle_connections(void **state)
{
    (void)state;
    open_server((struct server_options){.idle_ms = SOON});
    int s = client();
    say(s, GET);
    expect(s, 200, "/a 0", "keep-alive");
    expect_end(s);
    server_close(server);
}

/* ---- limits ---- */

static void front__refuses_connections_over_the_limit(void **state)
{
    (void)state;
    open_server((struct server_options){.connections = 2});
    int a = client(), b = client();
    say(a, GET);
    say(b, GET);
    expect(a, 200, "/a 0", "keep-alive");
    expect(b, 200, "/a 0", "keep-alive");
    for (int i = 0; i < 20; i++) {
        int c = client();
        say(c, GET);
        expect(c, 503, "refused 503", "Retry-After: 1\r\n");
        expect_end(c);
    }
    say(a, GET);
    expect(a, 200, "/a 0", "keep-alive");
    close(a);
    for (;;) { /* until the server has seen that */
        char status[16] = "";
        int c = client();
        say(c, GET);
        assert_int_equal(recv(c, status, 12, MSG_WAITALL), 12);
        close(c);
        if (!strcmp(status, "HTTP/1.1 200")) break;
        assert_string_equal(status, "HTTP/1.1 503");
    }
    close(b);
    server_close(server);
}

/* As a server with few descriptors sees it; the clients of this process have more. */
static void front__refuses_connections_beyond_its_descriptors(void **state)
{
    (void)state;
    struct rlimit all, few;
    int told[2] = {0};
    getrlimit(RLIMIT_NOFILE, &all);
    few = all;
    few.rlim_cur = 128;
    setrlimit(RLIMIT_NOFILE, &few);
    open_server((struct server_options){0});
    setrlimit(RLIMIT_NOFILE, &all);
    open_many(100);
    for (size_t i = 0; i < nmany; i++) say(many[i], GET);
    /* Those for whom there is no room to be heard out may not hear either; but nobody hangs. */
    for (size_t i = 0; i < nmany; i++) {
        char status[16] = "";
        ssize_t n = recv(many[i], status, 12, MSG_WAITALL);
        assert_true(n == 12 || (n < 0 && errno == ECONNRESET));
        if (n == 12) told[!strcmp(status, "HTTP/1.1 503")]++;
    }
    assert_true(told[false] > 0 && told[true] > 0);
    close_many();
    expect_served();
    server_close(server);
}

static void front__accepts_again_when_there_are_descriptors(void **state)
{
    (void)state;
    struct rlimit all, few;
    open_server((struct server_options){0});
    expect_served();
    getrlimit(RLIMIT_NOFILE, &all);
    few = all;
    int s = client();
    say(s, GET);
    expect(s, 200, "/a 0", "keep-alive");
    int waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    few.rlim_cur = (rlim_t)waiting + 1; /* all below are taken, or nearly */
    setrlimit(RLIMIT_NOFILE, &few);
    int filler[64], n = 0;
    while (n < 64 && (filler[n] = dup(0)) >= 0) n++;
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(server_port(server, 0)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(waiting, (struct sockaddr *)&a, sizeof a), 0);
    say(waiting, GET);
    say(s, GET);
    expect(s, 200, "/a 0", "keep-alive");
    setrlimit(RLIMIT_NOFILE, &all);
    while (n) close(filler[--n]);
    expect(waiting, 200, "/a 0", "keep-alive");
    close(waiting);
    close(s);
    server_close(server);
}

static void front__forgets_who_leaves(void **state)
{
    (void)state;
    struct linger at_once = {.l_onoff = 1};
    static const char *const words[] = {
        "", "GET", GET, GET GET "GE", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nh"};
    int before = count_descriptors();
    open_server((struct server_options){.workers = 2});
    for (size_t i = 0; i < 10000; i++) {
        int s = client();
        say(s, words[i % COUNT(words)]);
        if (i % 2) setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(s);
    }
    expect_served();
    server_close(server);
    assert_int_equal(count_descriptors(), before);
}

/* ---- the end ---- */

static void front__stops_with_many_connections(void **state)
{
    (void)state;
    static const char *const words[] = {"", "GET", GET, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nh"};
    int before = count_descriptors();
    open_server((struct server_options){0});
    open_many(2000);
    for (size_t i = 0; i < nmany; i++) say(many[i], words[i % COUNT(words)]);
    for (size_t i = 2; i < nmany; i += COUNT(words)) expect(many[i], 200, "/a 0", "keep-alive");
    alarm(20);
    server_close(server);
    alarm(0);
    for (size_t i = 0; i < nmany; i++) expect_end(many[i]);
    free(many);
    assert_int_equal(count_descriptors(), before);
}

static void *close_server(void *s)
{
    server_close(s);
    return NULL;
}

static void front__answers_what_has_come_before_it_stops(void **state)
{
    (void)state;
    pthread_t closer;
    int waiting[5];
    char byte;
    open_server((struct server_options){0});
    int s = client();
    say(s, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    wait_entered();
    for (size_t i = 0; i < COUNT(waiting); i++) {
        waiting[i] = client();
        say(waiting[i], i % 2 ? GET : GET GET);
    }
    int idle = client();
    usleep(50000); /* they are accepted */
    assert_int_equal(pthread_create(&closer, NULL, close_server, server), 0);
    assert_int_equal(recv(idle, &byte, 1, 0), 0); /* it is stopping */
    release();
    expect(s, 200, "/wait 0", "Connection: close");
    expect_end(s);
    for (size_t i = 0; i < COUNT(waiting); i++) {
        expect(waiting[i], 200, "/a 0", "Connection: close");
        expect_end(waiting[i]);
    }
    pthread_join(closer, NULL);
    close(idle);
}

static int setup(void **state)
{
    (void)state;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(pipe(entered), 0);
    return pipe(released);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(front__serves_more_connections_than_workers),
        cmocka_unit_test(front__lets_nobody_wait_for_half_open_clients),
        cmocka_unit_test(front__takes_heads_byte_by_byte),
        cmocka_unit_test(front__keeps_the_beginning_of_a_further_request),
        cmocka_unit_test(front__answers_who_has_closed_the_sending_side),
        cmocka_unit_test(front__ends_slow_heads),
        cmocka_unit_test(front__ends_slow_bodies),
        cmocka_unit_test(front__works_while_clients_are_waited_for),
        cmocka_unit_test(front__works_while_handlers_pause),
        cmocka_unit_test(front__gives_slow_bodies_up_when_workers_are_scarce),
        cmocka_unit_test(front__ends_idle_connections),
        cmocka_unit_test(front__refuses_connections_over_the_limit),
        cmocka_unit_test(front__refuses_connections_beyond_its_descriptors),
        cmocka_unit_test(front__accepts_again_when_there_are_descriptors),
        cmocka_unit_test(front__forgets_who_leaves),
        cmocka_unit_test(front__stops_with_many_connections),
        cmocka_unit_test(front__answers_what_has_come_before_it_stops),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
