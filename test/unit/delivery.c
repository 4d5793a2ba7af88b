/* The delivery, from the clients' side of real sockets. A frame here is "<n>:<x...>\n": a reader can tell which it is
 * and whether it is whole. */
#include "stream/delivery.h"
#include "base/check.h"
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define KIB     ((size_t)1024)
#define PATIENT 30000 /* ms until a test gives up */

static atomic_int open_sources;

/* A source that sends `pages` pages "page 1\n", "page 2\n", ... and goes on at the log's end. */
struct pages {
    struct source source;
    struct framelog *log;
    int pages, sent;
    bool ends;    /* with the last page, instead of going on in the log */
    bool endless; /* never comes to an end */
    atomic_int *asked;
    _Atomic int64_t *fallen;
};

static enum source_result pages_next(struct source *source, struct str *page, uint64_t *position)
{
    struct pages *p = CONTAINER(source, struct pages, source);
    if (p->asked) atomic_fetch_add(p->asked, 1);
    if (p->endless) return SOURCE_MORE;
    if (p->sent < p->pages) str_addf(page, "page %d\n", ++p->sent);
    if (p->sent < p->pages) return SOURCE_MORE;
    if (p->ends) return SOURCE_END;
    *position = framelog_end(p->log).position;
    return SOURCE_LIVE;
}

static void pages_fallen(struct source *source, int64_t seq)
{
    struct pages *p = CONTAINER(source, struct pages, source);
    if (p->fallen) atomic_store(p->fallen, seq);
    p->sent = 0;
}

static void pages_close(struct source *source)
{
    free(CONTAINER(source, struct pages, source));
    atomic_fetch_sub(&open_sources, 1);
}

static struct pages *pages_new(struct framelog *log, int pages)
{
    struct pages *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->source = (struct source){pages_next, pages_fallen, pages_close};
    p->log = log;
    p->pages = pages;
    atomic_fetch_add(&open_sources, 1);
    return p;
}

/* ends[0] is the server's and does not block, ends[1] is the client's. */
static void connect_tcp(int ends[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
    ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* A sleeping client's own kernel must not hold all that a test sends. */
    int most = 32 << 10;
    assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_RCVBUF, &most, sizeof most), 0);
    assert_int_equal(connect(ends[1], (struct sockaddr *)&a, sizeof a), 0);
    ends[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(ends[0] >= 0);
    close(listener);
}

struct client {
    int socket;
    struct str got;
    bool ended;
};

struct fixture {
    struct delivery *delivery;
    struct framelog *log;
    int64_t seq;
};

static void open_fixture(struct fixture *fx, int threads, size_t max_streams, uint64_t cap)
{
    *fx = (struct fixture){.log = framelog_new(cap, 0)};
    assert_non_null(fx->log);
    fx->delivery = delivery_new(&(struct delivery_options){.threads = threads, .max_streams = max_streams});
    assert_non_null(fx->delivery);
}

static void close_fixture(struct fixture *fx)
{
    delivery_free(fx->delivery, (struct view){0});
    assert_int_equal(atomic_load(&open_sources), 0);
    framelog_free(fx->log);
}

/* The delivery's own descriptor, to look at while the stream lives. */
static int join(struct fixture *fx, struct client *client, struct pages *source)
{
    int ends[2];
    connect_tcp(ends);
    *client = (struct client){.socket = ends[1]};
    assert_true(delivery_add(fx->delivery, peer_plain(ends[0]), fx->log, &source->source));
    return ends[0];
}

static void leave(struct client *client)
{
    if (client->socket >= 0) close(client->socket);
    str_release(&client->got);
    *client = (struct client){.socket = -1};
}

static void append(struct fixture *fx, size_t filler)
{
    struct str frame = {0};
    str_addf(&frame, "%lld:", (long long)++fx->seq);
    for (size_t i = 0; i < filler; i++) str_addc(&frame, 'x');
    str_addc(&frame, '\n');
    ASSERT(!frame.failed && framelog_append(fx->log, str_view(&frame), fx->seq));
    str_release(&frame);
    delivery_notify(fx->delivery);
}

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Waits for what will happen sooner or later. */
#define WAIT_UNTIL(condition)                                                                                          \
    do {                                                                                                               \
        int left = PATIENT;                                                                                            \
        while (!(condition) && left-- > 0) pause_briefly();                                                            \
        assert_true(condition);                                                                                        \
    } while (0)

/* Takes what comes next. */
static void receive(struct client *client)
{
    char bytes[16384];
    struct pollfd p = {.fd = client->socket, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENT), 1);
    ssize_t n = recv(client->socket, bytes, sizeof bytes, 0);
    if (n > 0)
        str_add(&client->got, (struct view){bytes, (size_t)n});
    else
        client->ended = true;
}

static void expect(struct client *client, const char *text)
{
    size_t len = strlen(text);
    while (client->got.len < len && !client->ended) receive(client);
    assert_int_equal(client->got.len, len);
    assert_memory_equal(client->got.at, text, len);
    str_reset(&client->got);
}

static void expect_end(struct client *client)
{
    while (!client->ended) receive(client);
    assert_int_equal(client->got.len, 0);
}

/* Checks the whole frames at the text's beginning, which must be the numbers from `*next` on, and cuts them off. */
static void take_frames(struct str *text, int64_t *next)
{
    struct view rest = str_view(text);
    while (rest.len && memchr(rest.at, '\n', rest.len)) {
        struct view frame = view_cut(&rest, '\n');
        struct view number = view_cut(&frame, ':');
        int64_t n;
        assert_true(view_integer(number, &n));
        assert_int_equal(n, *next);
        for (size_t i = 0; i < frame.len; i++) assert_int_equal(frame.at[i], 'x');
        ++*next;
    }
    struct str left = {0};
    str_add(&left, rest);
    str_release(text);
    *text = left;
}

static void expect_frames(struct client *client, int64_t first, int64_t last)
{
    while (first <= last) {
        receive(client);
        assert_false(client->ended);
        take_frames(&client->got, &first);
    }
    assert_int_equal(first, last + 1);
    assert_int_equal(client->got.len, 0);
}

static void delivery__nothing_to_do(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 3, 10, 0);
    delivery_notify(fx.delivery);
    assert_int_equal(delivery_count(fx.delivery), 0);
    close_fixture(&fx);
    delivery_free(NULL, VIEW("bye"));
}

static void delivery__pages_then_the_log(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 1, 10, 0);
    append(&fx, 5);
    join(&fx, &client, pages_new(fx.log, 3));
    expect(&client, "page 1\npage 2\npage 3\n");
    append(&fx, 5);
    expect(&client, "2:xxxxx\n");
    append(&fx, 0);
    append(&fx, 1);
    expect(&client, "3:\n4:x\n");
    assert_int_equal(delivery_count(fx.delivery), 1);
    leave(&client);
    close_fixture(&fx);
}

static void delivery__a_source_may_end_the_stream(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 1, 10, 0);
    struct pages *source = pages_new(fx.log, 2);
    source->ends = true;
    join(&fx, &client, source);
    expect(&client, "page 1\npage 2\n");
    expect_end(&client);
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    assert_int_equal(atomic_load(&open_sources), 0);
    leave(&client);
    close_fixture(&fx);
}

struct appender {
    struct fixture *fx;
    int frames;
};

static void *run_appender(void *ctx)
{
    struct appender *a = ctx;
    for (int i = 0; i < a->frames; i++) append(a->fx, (size_t)(i * 7919) % 700);
    return NULL;
}

/* All of the log, once, in order, to everybody, while it grows. */
static void delivery__fifty_streams_get_everything_once(void **state)
{
    (void)state;
    enum { STREAMS = 50, FRAMES = 1500 };
    struct fixture fx;
    struct client clients[STREAMS];
    int64_t next[STREAMS];
    struct pollfd polls[STREAMS];
    pthread_t thread;
    open_fixture(&fx, 2, STREAMS, 4096 * KIB);
    for (int i = 0; i < STREAMS; i++) {
        join(&fx, &clients[i], pages_new(fx.log, 1));
        expect(&clients[i], "page 1\n");
        next[i] = 1;
        polls[i] = (struct pollfd){.fd = clients[i].socket, .events = POLLIN};
    }
    struct appender appender = {&fx, FRAMES};
    assert_int_equal(pthread_create(&thread, NULL, run_appender, &appender), 0);
    for (int waiting = STREAMS; waiting;) {
        assert_true(poll(polls, STREAMS, PATIENT) > 0);
        for (int i = 0; i < STREAMS; i++) {
            if (!polls[i].revents) continue;
            receive(&clients[i]);
            assert_false(clients[i].ended);
            take_frames(&clients[i].got, &next[i]);
            if (next[i] <= FRAMES) continue;
            polls[i].fd = -1;
            waiting--;
        }
    }
    pthread_join(thread, NULL);
    for (int i = 0; i < STREAMS; i++) {
        assert_int_equal(next[i], FRAMES + 1);
        assert_int_equal(clients[i].got.len, 0);
        leave(&clients[i]);
    }
    close_fixture(&fx);
}

static void delivery__a_stalled_reader_gets_all_in_the_end(void **state)
{
    (void)state;
    struct fixture fx;
    struct client stalled, reader;
    open_fixture(&fx, 1, 10, 4096 * KIB);
    int socket = join(&fx, &stalled, pages_new(fx.log, 1));
    join(&fx, &reader, pages_new(fx.log, 1));
    expect(&stalled, "page 1\n");
    expect(&reader, "page 1\n");
    for (int i = 1; i <= 1000; i++) {
        append(&fx, 3000);
        if (i % 10 == 0) expect_frames(&reader, i - 9, i);
    }
    /* The log holds it for the stalled one, not the kernel. */
    int unsent = 0;
    assert_int_equal(ioctl(socket, SIOCOUTQNSD, &unsent), 0);
    assert_in_range(unsent, 1, 64 * KIB);
    assert_int_equal(delivery_count(fx.delivery), 2);
    expect_frames(&stalled, 1, 1000);
    append(&fx, 1);
    expect_frames(&stalled, 1001, 1001);
    leave(&stalled);
    leave(&reader);
    close_fixture(&fx);
}

/* It stands inside a frame that it can never end. */
static void delivery__a_stalled_reader_that_falls_off_is_closed(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 1, 10, 1024 * KIB);
    int socket = join(&fx, &client, pages_new(fx.log, 1));
    expect(&client, "page 1\n");
    append(&fx, 900 * KIB);
    int unsent = 0;
    WAIT_UNTIL(!ioctl(socket, SIOCOUTQNSD, &unsent) && unsent);
    assert_in_range(unsent, 1, 64 * KIB);
    for (int i = 0; i < 300; i++) append(&fx, 8000);
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    assert_int_equal(atomic_load(&open_sources), 0);
    int64_t next = 1;
    while (!client.ended) receive(&client);
    assert_in_range(client.got.len, 1, 800 * KIB);
    take_frames(&client.got, &next);
    assert_int_equal(next, 1);
    leave(&client);
    close_fixture(&fx);
}

static void delivery__one_that_fell_off_is_sent_pages_again(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    _Atomic int64_t fallen = -1;
    open_fixture(&fx, 1, 10, 0);
    struct pages *source = pages_new(fx.log, 1);
    source->fallen = &fallen;
    join(&fx, &client, source);
    expect(&client, "page 1\n");
    append(&fx, 3);
    append(&fx, 3);
    expect(&client, "1:xxx\n2:xxx\n");
    framelog_skip(fx.log, ++fx.seq);
    delivery_notify(fx.delivery);
    expect(&client, "page 1\n");
    assert_int_equal(atomic_load(&fallen), 2);
    append(&fx, 0);
    expect(&client, "4:\n");
    leave(&client);
    close_fixture(&fx);
}

/* Nobody appends: only the watcher can notice. */
static void delivery__notices_a_hang_up(void **state)
{
    (void)state;
    struct fixture fx;
    struct client closes, shuts, resets;
    open_fixture(&fx, 2, 10, 0);
    join(&fx, &closes, pages_new(fx.log, 1));
    join(&fx, &shuts, pages_new(fx.log, 1));
    join(&fx, &resets, pages_new(fx.log, 1));
    expect(&closes, "page 1\n");
    expect(&shuts, "page 1\n");
    expect(&resets, "page 1\n");
    assert_int_equal(delivery_count(fx.delivery), 3);
    leave(&closes);
    WAIT_UNTIL(delivery_count(fx.delivery) == 2);
    assert_int_equal(shutdown(shuts.socket, SHUT_WR), 0);
    expect_end(&shuts);
    WAIT_UNTIL(delivery_count(fx.delivery) == 1);
    struct linger now = {.l_onoff = 1};
    assert_int_equal(setsockopt(resets.socket, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    leave(&resets);
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    WAIT_UNTIL(atomic_load(&open_sources) == 0);
    leave(&shuts);
    close_fixture(&fx);
}

static void delivery__notices_that_a_stalled_reader_hung_up(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 1, 10, 4096 * KIB);
    join(&fx, &client, pages_new(fx.log, 1));
    for (int i = 0; i < 200; i++) append(&fx, 8000);
    leave(&client);
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    close_fixture(&fx);
}

static void delivery__one_that_has_gone_before_it_joined(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 1, 10, 0);
    int ends[2];
    connect_tcp(ends);
    close(ends[1]);
    assert_true(delivery_add(fx.delivery, peer_plain(ends[0]), fx.log, &pages_new(fx.log, 1)->source));
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    close_fixture(&fx);
}

static void delivery__throws_away_what_clients_send(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    char zeros[1000] = {0};
    open_fixture(&fx, 1, 10, 0);
    int socket = join(&fx, &client, pages_new(fx.log, 1));
    expect(&client, "page 1\n");
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(send(client.socket, zeros, sizeof zeros, 0), sizeof zeros);
        int unread = 1;
        WAIT_UNTIL(!ioctl(socket, SIOCINQ, &unread) && !unread);
        append(&fx, 1);
        expect_frames(&client, i, i);
    }
    leave(&client);
    close_fixture(&fx);
}

/* A source that never comes to its end gets its turns, and no more than those. */
static void delivery__nobody_waits_for_anothers_past(void **state)
{
    (void)state;
    struct fixture fx;
    struct client endless, live, late;
    atomic_int asked = 0;
    open_fixture(&fx, 1, 10, 0);
    struct pages *source = pages_new(fx.log, 0);
    source->endless = true;
    source->asked = &asked;
    join(&fx, &live, pages_new(fx.log, 1));
    expect(&live, "page 1\n");
    join(&fx, &endless, source);
    WAIT_UNTIL(atomic_load(&asked) > 1);
    append(&fx, 1);
    expect(&live, "1:x\n");
    join(&fx, &late, pages_new(fx.log, 2));
    expect(&late, "page 1\npage 2\n");
    leave(&endless);
    WAIT_UNTIL(delivery_count(fx.delivery) == 2);
    leave(&live);
    leave(&late);
    close_fixture(&fx);
}

/* A stream of one log hears nothing of another. */
static void delivery__several_logs(void **state)
{
    (void)state;
    struct fixture fx;
    struct client clients[8];
    struct framelog *logs[2] = {framelog_new(0, 0), framelog_new(0, 0)};
    open_fixture(&fx, 1, 10, 0);
    struct framelog *own = fx.log;
    for (int i = 0; i < 8; i++) {
        fx.log = logs[i % 2];
        join(&fx, &clients[i], pages_new(fx.log, 1));
        expect(&clients[i], "page 1\n");
    }
    assert_true(framelog_append(logs[0], VIEW("even\n"), 1));
    delivery_notify(fx.delivery);
    for (int i = 0; i < 8; i += 2) expect(&clients[i], "even\n");
    assert_true(framelog_append(logs[1], VIEW("odd\n"), 1));
    delivery_notify(fx.delivery);
    for (int i = 1; i < 8; i += 2) expect(&clients[i], "odd\n");
    assert_true(framelog_append(logs[0], VIEW("even again\n"), 2));
    delivery_notify(fx.delivery);
    for (int i = 0; i < 8; i += 2) expect(&clients[i], "even again\n");
    for (int i = 0; i < 8; i++) leave(&clients[i]);
    fx.log = own;
    close_fixture(&fx);
    framelog_free(logs[0]);
    framelog_free(logs[1]);
}

static void delivery__no_more_than_max_streams(void **state)
{
    (void)state;
    struct fixture fx;
    struct client first, second, third;
    open_fixture(&fx, 2, 2, 0);
    join(&fx, &first, pages_new(fx.log, 1));
    join(&fx, &second, pages_new(fx.log, 1));
    int ends[2];
    connect_tcp(ends);
    assert_false(delivery_add(fx.delivery, peer_plain(ends[0]), fx.log, &pages_new(fx.log, 1)->source));
    third = (struct client){.socket = ends[1]};
    expect_end(&third);
    assert_int_equal(delivery_count(fx.delivery), 2);
    assert_int_equal(atomic_load(&open_sources), 2);
    leave(&first);
    WAIT_UNTIL(delivery_count(fx.delivery) == 1);
    leave(&third);
    join(&fx, &third, pages_new(fx.log, 1));
    expect(&third, "page 1\n");
    expect(&second, "page 1\n");
    leave(&second);
    leave(&third);
    close_fixture(&fx);
}

static void delivery__last_words_at_its_end(void **state)
{
    (void)state;
    struct fixture fx;
    struct client idle, stalled, endless;
    open_fixture(&fx, 2, 10, 4096 * KIB);
    join(&fx, &idle, pages_new(fx.log, 1));
    join(&fx, &stalled, pages_new(fx.log, 1));
    expect(&idle, "page 1\n");
    expect(&stalled, "page 1\n");
    for (int i = 1; i <= 200; i++) {
        append(&fx, 8000);
        expect_frames(&idle, i, i);
    }
    struct pages *source = pages_new(fx.log, 0);
    source->endless = true;
    join(&fx, &endless, source);
    delivery_free(fx.delivery, VIEW("bye\n"));
    assert_int_equal(atomic_load(&open_sources), 0);
    expect(&idle, "bye\n");
    expect_end(&idle);
    expect_end(&endless);
    int64_t next = 1;
    while (!stalled.ended) {
        receive(&stalled);
        take_frames(&stalled.got, &next);
    }
    assert_in_range(next, 2, 200);
    leave(&idle);
    leave(&stalled);
    leave(&endless);
    framelog_free(fx.log);
}

/* What was appended before the end is sent before the end. */
static void delivery__the_last_frames_come_before_the_last_words(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 1, 10, 0);
    join(&fx, &client, pages_new(fx.log, 1));
    expect(&client, "page 1\n");
    append(&fx, 1);
    append(&fx, 2);
    delivery_free(fx.delivery, VIEW("bye\n"));
    expect(&client, "1:x\n2:xx\nbye\n");
    expect_end(&client);
    leave(&client);
    framelog_free(fx.log);
}

/* Clients come and go, most without a word, while frames are sent: nothing is touched after its end. */
static void delivery__comings_and_goings(void **state)
{
    (void)state;
    enum { STREAMS = 40, ROUNDS = 8 };
    struct fixture fx;
    struct client clients[STREAMS];
    open_fixture(&fx, 2, 2 * STREAMS, 64 * KIB);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < STREAMS; i++) {
            join(&fx, &clients[i], pages_new(fx.log, i % 3));
            if (i % 4 == 0) append(&fx, 3000);
            if (i % 3 == 1) shutdown(clients[i].socket, SHUT_WR);
            if (i % 5 == 2) {
                struct linger now = {.l_onoff = 1};
                setsockopt(clients[i].socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
                leave(&clients[i]);
            }
        }
        for (int i = 0; i < 20; i++) append(&fx, 5000);
        if (round + 1 == ROUNDS) break;
        for (int i = 0; i < STREAMS; i++) leave(&clients[i]);
        WAIT_UNTIL(delivery_count(fx.delivery) < STREAMS);
    }
    close_fixture(&fx);
    for (int i = 0; i < STREAMS; i++) leave(&clients[i]);
}

/* The watcher has just fetched a stream's first event when the stream is over. */
static void delivery__many_that_end_at_once(void **state)
{
    (void)state;
    enum { STREAMS = 300 };
    struct fixture fx;
    struct client clients[STREAMS];
    open_fixture(&fx, 2, STREAMS, 0);
    for (int i = 0; i < STREAMS; i++) {
        struct pages *source = pages_new(fx.log, 1);
        source->ends = true;
        join(&fx, &clients[i], source);
    }
    for (int i = 0; i < STREAMS; i++) {
        expect(&clients[i], "page 1\n");
        expect_end(&clients[i]);
        leave(&clients[i]);
    }
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    close_fixture(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivery__nothing_to_do),
        cmocka_unit_test(delivery__pages_then_the_log),
        cmocka_unit_test(delivery__a_source_may_end_the_stream),
        cmocka_unit_test(delivery__fifty_streams_get_everything_once),
        cmocka_unit_test(delivery__a_stalled_reader_gets_all_in_the_end),
        cmocka_unit_test(delivery__a_stalled_reader_that_falls_off_is_closed),
        cmocka_unit_test(delivery__one_that_fell_off_is_sent_pages_again),
        cmocka_unit_test(delivery__notices_a_hang_up),
        cmocka_unit_test(delivery__notices_that_a_stalled_reader_hung_up),
        cmocka_unit_test(delivery__one_that_has_gone_before_it_joined),
        cmocka_unit_test(delivery__throws_away_what_clients_send),
        cmocka_unit_test(delivery__nobody_waits_for_anothers_past),
        cmocka_unit_test(delivery__several_logs),
        cmocka_unit_test(delivery__no_more_than_max_streams),
        cmocka_unit_test(delivery__last_words_at_its_end),
        cmocka_unit_test(delivery__the_last_frames_come_before_the_last_words),
        cmocka_unit_test(delivery__comings_and_goings),
        cmocka_unit_test(delivery__many_that_end_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
