/* Answers that come later, through the server's door. The handler defers "/later…"; a test sees how many wait, and
 * resumes them when it will. There is one worker, unless a test says otherwise. */
#include "http/exchange.h"
#include "base/check.h"
#include "client.h"
#include <poll.h>
#include <pthread.h>

#define LATER "POST /later HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi"
#define GET   "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define MANY  500
#define LARGE 3000000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct list deferred; /* of exchanges */
static size_t ndeferred;

struct later {
    struct view body; /* of the request, in its arena */
    bool large, broken, close;
};

static void finish(void *ctx, struct response *rs)
{
    const struct later *l = ctx;
    str_addf(&rs->body, "later %.*s", VIEW_ARGS(l->body));
    while (l->large && rs->body.len < LARGE) str_addz(&rs->body, "0123456789");
    rs->body.failed = l->broken;
    rs->close = l->close;
}

/* What the handler has put into the response before counts too. */
static bool defer(struct request *rq, struct response *rs)
{
    struct failure f;
    struct later *l = ARENA_NEW(rq->arena, struct later);
    l->large = view_is(rq->query, "large");
    l->broken = view_is(rq->query, "broken");
    l->close = view_is(rq->query, "close");
    if (!view_is(rq->query, "unread") && request_body(rq, 1000000, &l->body, &f)) return false;
    rs->status = 201;
    response_header(rs, "X-Before", VIEW("deferring"));
    struct exchange *e = request_defer(rq, finish, l);
    if (!e) return false;
    assert_int_equal(e->response.status, 201);
    pthread_mutex_lock(&lock);
    list_insert(&deferred, &e->link);
    ndeferred++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return true;
}

static void handle(void *ctx, struct request *rq, struct response *rs)
{
    (void)ctx;
    if (view_is(rq->path, "/later")) {
        if (!defer(rq, rs)) str_addz(&rs->body, "at once");
        return;
    }
    str_add(&rs->body, rq->path);
}

static void refuse(void *ctx, int status, struct response *rs)
{
    (void)ctx;
    str_addf(&rs->body, "refused %d", status);
}

static void open_server(int workers, size_t bytes)
{
    struct failure f = {0};
    const char *const addresses[] = {"127.0.0.1:0"};
    const struct server_options o = {.listen = addresses,
        .nlisten = 1,
        .workers = workers,
        .arena_cap = 2000000,
        .deferred = bytes,
        .handle = handle,
        .refuse = refuse};
    list_init(&deferred);
    ndeferred = 0;
    enum status status = server_open(&server, &o, &f);
    assert_string_equal(status ? f.reason : "", "");
}

static void wait_deferred(size_t n)
{
    pthread_mutex_lock(&lock);
    while (ndeferred < n) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

/* All that wait, in one call. */
static void resume(void)
{
    struct list all;
    list_init(&all);
    pthread_mutex_lock(&lock);
    list_splice(&all, &deferred);
    ndeferred = 0;
    pthread_mutex_unlock(&lock);
    exchange_resume(&all);
    assert_true(list_empty(&all));
}

static void *close_server(void *s)
{
    server_close(s);
    return NULL;
}

static void exchange__holds_no_worker(void **state)
{
    (void)state;
    int s[MANY];
    open_server(1, SIZE_MAX);
    for (size_t i = 0; i < MANY; i++) {
        s[i] = client();
        say(s[i], LATER);
    }
    wait_deferred(MANY);
    int other = client();
    say(other, GET);
    expect(other, 200, "/a", "keep-alive");
    resume();
    for (size_t i = 0; i < MANY; i++) {
        expect(s[i], 201, "later hi", "X-Before: deferring\r\n");
        say(s[i], GET); /* the connection goes on */
        expect(s[i], 200, "/a", "keep-alive");
        close(s[i]);
    }
    close(other);
    server_close(server);
}

static void exchange__keeps_the_order_of_pipelined_requests(void **state)
{
    (void)state;
    struct pollfd p = {.events = POLLIN};
    open_server(4, SIZE_MAX);
    p.fd = client();
    say(p.fd, GET LATER GET LATER GET "GET /b HTT");
    expect(p.fd, 200, "/a", "keep-alive");
    for (int i = 0; i < 2; i++) {
        wait_deferred(1);
        assert_int_equal(poll(&p, 1, 20), 0);
        resume();
        expect(p.fd, 201, "later hi", "keep-alive");
        expect(p.fd, 200, "/a", "keep-alive");
    }
    say(p.fd, "P/1.1\r\n" HOST "\r\n");
    expect(p.fd, 200, "/b", "keep-alive");
    close(p.fd);
    server_close(server);
}

/* A body that nobody reads is not taken for a request; one that has not come yet is waited for by a worker. */
static void exchange__ends_the_request_first(void **state)
{
    (void)state;
    open_server(1, SIZE_MAX);
    int s = client();
    say(s, "DELETE /later?unread HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nGET /" GET);
    wait_deferred(1);
    resume();
    expect(s, 201, "later ", "keep-alive");
    expect(s, 200, "/a", "keep-alive");
    say(s, "POST /later HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" GET);
    wait_deferred(1);
    resume();
    expect(s, 201, "later hi", "keep-alive");
    expect(s, 200, "/a", "keep-alive");
    say(s, "DELETE /later?unread HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    expect(s, 201, "at once", "Connection: close");
    expect_end(s);
    s = client();
    say(s, "DELETE /later?unread HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    expect(s, 201, "at once", "Connection: close");
    expect_end(s);
    s = client();
    say(s, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    expect(s, 100, "", "Continue");
    say(s, "hi");
    wait_deferred(1);
    resume();
    expect(s, 201, "later hi", "keep-alive");
    close(s);
    server_close(server);
}

static void exchange__tells_what_becomes_of_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int status;
        const char *body, *line;
    } rows[] = {
        {"GET /later HTTP/1.0\r\n\r\n", 201, "later ", "Connection: close"},
        {"GET /later HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 201, "later ", "Connection: close"},
        {"GET /later?close HTTP/1.1\r\n" HOST "\r\n", 201, "later ", "Connection: close"},
        {"GET /later?broken HTTP/1.1\r\n" HOST "\r\n", 503, "refused 503", "Connection: close"},
        {"HEAD /later?close HTTP/1.1\r\n" HOST "\r\n", 201, "", "Content-Length: 6"},
    };
    open_server(1, SIZE_MAX);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int s = client();
        say(s, rows[i].request);
        wait_deferred(1);
        resume();
        expect(s, rows[i].status, rows[i].body, rows[i].line);
        expect_end(s);
    }
    server_close(server);
}

static void exchange__forgets_who_leaves(void **state)
{
    (void)state;
    struct linger at_once = {.l_onoff = 1};
    int before = count_descriptors();
    open_server(2, SIZE_MAX);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 50; i++) {
            int s = client();
            say(s, i % 3 ? LATER : LATER GET);
            if (i % 2) setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
            close(s);
            wait_deferred((size_t)i + 1);
        }
        resume();
    }
    server_close(server);
    assert_int_equal(count_descriptors(), before);
}

/* A slow client of a large answer gets it whole. */
static void exchange__sends_large_answers_to_slow_readers(void **state)
{
    (void)state;
    static char text[LARGE + 1000];
    size_t len = 0;
    ssize_t n;
    open_server(2, SIZE_MAX);
    int s = client();
    say(s, "POST /later?large HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Length: 0\r\n\r\n");
    wait_deferred(1);
    resume();
    while ((n = recv(s, text + len, len < 20000 ? 100 : 20000, 0)) > 0) {
        len += (size_t)n;
        if (len < 20000) usleep(500);
    }
    assert_int_equal(n, 0);
    const char *body = strstr(text, "\r\n\r\nlater 0123");
    assert_non_null(body);
    body += strlen("\r\n\r\nlater ");
    for (const char *at = body; at < text + len; at++) assert_int_equal(*at, '0' + (at - body) % 10);
    assert_true(text + len - body >= LARGE - 10);
    close(s);
    server_close(server);
}

/* Two of these bodies have room, a third has not; and again when they have been answered. */
static void exchange__has_a_limit_of_memory(void **state)
{
    (void)state;
    char request[20100] = "POST /later HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Length: 20000\r\n\r\n";
    memset(request + strlen(request), 'x', 20000);
    open_server(1, 50000);
    for (int round = 0; round < 3; round++) {
        int s[3];
        char text[300] = "";
        for (size_t i = 0; i < COUNT(s); i++) {
            s[i] = client();
            say(s[i], request);
            if (i < 2) wait_deferred(i + 1);
        }
        expect(s[2], 201, "at once", "Connection: close");
        expect_end(s[2]);
        resume();
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(recv(s[i], text, 250, MSG_WAITALL), 250);
            assert_non_null(strstr(text, "\r\n\r\nlater xxx"));
            while (recv(s[i], text, sizeof text, 0) > 0) continue;
            close(s[i]);
        }
    }
    server_close(server);
}

static void exchange__is_waited_for_when_the_server_closes(void **state)
{
    (void)state;
    int s[MANY], before = count_descriptors();
    pthread_t closer;
    char byte;
    open_server(2, SIZE_MAX);
    for (size_t i = 0; i < MANY; i++) {
        s[i] = client();
        say(s[i], i % 2 ? LATER : LATER GET);
    }
    wait_deferred(MANY);
    int idle = client();
    usleep(20000); /* it is accepted */
    assert_int_equal(pthread_create(&closer, NULL, close_server, server), 0);
    assert_int_equal(recv(idle, &byte, 1, 0), 0); /* it is stopping */
    resume();
    for (size_t i = 0; i < MANY; i++) {
        expect(s[i], 201, "later hi", "Connection: close");
        expect_end(s[i]);
    }
    pthread_join(closer, NULL);
    close(idle);
    assert_int_equal(count_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchange__holds_no_worker),
        cmocka_unit_test(exchange__keeps_the_order_of_pipelined_requests),
        cmocka_unit_test(exchange__ends_the_request_first),
        cmocka_unit_test(exchange__tells_what_becomes_of_the_connection),
        cmocka_unit_test(exchange__forgets_who_leaves),
        cmocka_unit_test(exchange__sends_large_answers_to_slow_readers),
        cmocka_unit_test(exchange__has_a_limit_of_memory),
        cmocka_unit_test(exchange__is_waited_for_when_the_server_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
