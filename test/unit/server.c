/* The HTTP server, through its own door: a real one on a port of its own, spoken to over plain sockets. */
#include "echo.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server__answers_and_keeps_the_connection),
        cmocka_unit_test(server__obeys_connection_close),
        cmocka_unit_test(server__answers_pipelined_requests_in_order),
        cmocka_unit_test(server__sends_the_head_alone),
        cmocka_unit_test(server__sends_large_answers_to_slow_readers),
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
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
