/* The delivery, from the clients' side of real sockets. A frame here is "<n>:<x...>\n": a reader can tell which it is
 * and whether it is whole. */
#include "stream/delivery.h"
#include "base/check.h"
#include "base/clock.h"
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
#include <stdio.h>
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
    atomic_int *why; /* enum stream_end */
    struct listener listener;
};

static enum source_result pages_next(struct source *source, struct str *page, uint64_t *position)
{
    struct pages *p = CONTAINER(source, struct pages, source);
    if (p->asked) atomic_fetch_add(p->asked, 1);
    if (p->endless) return SOURCE_MORE;
    if (p->sent < p->pages) str_addf(page, "page %d\n", ++p->sent);
    if (p->sent < p->pages) return SOURCE_MORE;
    if (p->ends) return SOURCE_END;
    *position = framelog_end(p->log);
    return SOURCE_LIVE;
}

static void pages_fallen(struct source *source, int64_t seq)
{
    struct pages *p = CONTAINER(source, struct pages, source);
    if (p->fallen) atomic_store(p->fallen, seq);
    p->sent = 0;
}

static void pages_ping(struct source *source, struct str *page, uint64_t position)
{
    (void)source;
    (void)position;
    str_addz(page, "ping\n");
}

static void pages_close(struct source *source, enum stream_end why)
{
    struct pages *p = CONTAINER(source, struct pages, source);
    if (p->why) atomic_store(p->why, (int)why);
    free(p);
    atomic_fetch_sub(&open_sources, 1);
}

static struct listener *pages_listener(struct source *source)
{
    struct listener *listener = &CONTAINER(source, struct pages, source)->listener;
    return listener->kinds ? listener : NULL;
}

static struct pages *pages_new(struct framelog *log, int pages)
{
    static const struct source_type type = {pages_next, pages_fallen, pages_ping, pages_close, pages_listener};
    struct pages *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->source.type = &type;
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
    struct audience *audience;
    int64_t seq;
};

static void open_with(struct fixture *fx, const struct delivery_options *options, uint64_t cap)
{
    *fx = (struct fixture){.log = framelog_new(cap, NULL, 0)};
    assert_non_null(fx->log);
    fx->delivery = delivery_new(options);
    assert_non_null(fx->delivery);
    fx->audience = audience_new(fx->delivery, fx->log);
    assert_non_null(fx->audience);
}

static void open_fixture(struct fixture *fx, int threads, uint64_t cap)
{
    open_with(fx, &(struct delivery_options){.threads = threads, .over = VIEW("over\n")}, cap);
}

/* What the delivery leaves behind. */
static void release_logs(struct fixture *fx)
{
    assert_int_equal(atomic_load(&open_sources), 0);
    audience_free(fx->audience);
    framelog_free(fx->log);
}

static void close_fixture(struct fixture *fx)
{
    delivery_free(fx->delivery, (struct view){0});
    release_logs(fx);
}

/* The delivery's own descriptor, to look at while the stream lives. */
static int join(struct fixture *fx, struct client *client, struct pages *source)
{
    int ends[2];
    connect_tcp(ends);
    *client = (struct client){.socket = ends[1]};
    assert_true(audience_add(fx->audience, peer_plain(ends[0]), &source->source));
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
    framelog_add(fx->log, str_view(&frame), fx->seq);
    ASSERT(!frame.failed && framelog_publish(fx->log));
    str_release(&frame);
    audience_notify(fx->audience);
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
    open_fixture(&fx, 3, 0);
    audience_notify(fx.audience);
    assert_int_equal(delivery_count(fx.delivery), 0);
    close_fixture(&fx);
    delivery_free(NULL, VIEW("bye"));
}

static void delivery__pages_then_the_log(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 1, 0);
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
    open_fixture(&fx, 1, 0);
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
    open_fixture(&fx, 2, 4096 * KIB);
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
    open_fixture(&fx, 1, 4096 * KIB);
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

/* The frame that it is in goes on to its end; then come pages again. */
static void delivery__a_stalled_reader_that_falls_off_is_sent_pages_again(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    _Atomic int64_t fallen = -1;
    open_fixture(&fx, 1, 1024 * KIB);
    struct pages *source = pages_new(fx.log, 1);
    source->fallen = &fallen;
    int socket = join(&fx, &client, source);
    expect(&client, "page 1\n");
    append(&fx, 900 * KIB);
    int unsent = 0;
    WAIT_UNTIL(!ioctl(socket, SIOCOUTQNSD, &unsent) && unsent);
    assert_in_range(unsent, 1, 64 * KIB);
    for (int i = 0; i < 300; i++) append(&fx, 8000);
    assert_int_equal(delivery_count(fx.delivery), 1);
    size_t len = 900 * KIB + 3;
    while (client.got.len < len) receive(&client);
    assert_memory_equal(client.got.at, "1:xxx", 5);
    assert_int_equal(client.got.at[len - 1], '\n');
    struct str rest = {0};
    str_add(&rest, (struct view){client.got.at + len, client.got.len - len});
    str_release(&client.got);
    client.got = rest;
    expect(&client, "page 1\n");
    assert_int_equal(atomic_load(&fallen), 1);
    append(&fx, 1);
    expect(&client, "302:x\n");
    leave(&client);
    close_fixture(&fx);
}

static void delivery__one_that_fell_off_is_sent_pages_again(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    _Atomic int64_t fallen = -1;
    open_fixture(&fx, 1, 0);
    struct pages *source = pages_new(fx.log, 1);
    source->fallen = &fallen;
    join(&fx, &client, source);
    expect(&client, "page 1\n");
    append(&fx, 3);
    append(&fx, 3);
    expect(&client, "1:xxx\n2:xxx\n");
    framelog_lose(fx.log, ++fx.seq);
    assert_false(framelog_publish(fx.log));
    audience_notify(fx.audience);
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
    open_fixture(&fx, 2, 0);
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
    open_fixture(&fx, 1, 4096 * KIB);
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
    open_fixture(&fx, 1, 0);
    int ends[2];
    connect_tcp(ends);
    close(ends[1]);
    assert_true(audience_add(fx.audience, peer_plain(ends[0]), &pages_new(fx.log, 1)->source));
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    close_fixture(&fx);
}

static void delivery__throws_away_what_clients_send(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    char zeros[1000] = {0};
    open_fixture(&fx, 1, 0);
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
    open_fixture(&fx, 1, 0);
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

/* A second log, and those who read it. */
static void open_other(struct fixture *other, const struct fixture *fx)
{
    *other = (struct fixture){.delivery = fx->delivery, .log = framelog_new(0, NULL, 0)};
    assert_non_null(other->log);
    other->audience = audience_new(fx->delivery, other->log);
    assert_non_null(other->audience);
}

static void close_other(struct fixture *other)
{
    audience_free(other->audience);
    framelog_free(other->log);
}

/* A stream of one log hears nothing of another. */
static void delivery__several_audiences(void **state)
{
    (void)state;
    struct fixture fx, audiences[2];
    struct client clients[8];
    open_fixture(&fx, 2, 0);
    for (int i = 0; i < 2; i++) open_other(&audiences[i], &fx);
    for (int i = 0; i < 8; i++) {
        join(&audiences[i % 2], &clients[i], pages_new(audiences[i % 2].log, 1));
        expect(&clients[i], "page 1\n");
    }
    append(&audiences[0], 1);
    for (int i = 0; i < 8; i += 2) expect(&clients[i], "1:x\n");
    append(&audiences[1], 2);
    for (int i = 1; i < 8; i += 2) expect(&clients[i], "1:xx\n");
    append(&audiences[0], 0);
    for (int i = 0; i < 8; i += 2) expect(&clients[i], "2:\n");
    for (int i = 0; i < 8; i++) leave(&clients[i]);
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    for (int i = 0; i < 2; i++) close_other(&audiences[i]);
    close_fixture(&fx);
}

/* Both logs have grown, and one audience alone is told: the other's streams are not looked at, whatever stands in their
 * log, until it is their turn. */
static void delivery__only_those_whose_log_grew_are_looked_at(void **state)
{
    (void)state;
    struct fixture fx, quiet;
    struct client reader, waiting;
    open_fixture(&fx, 1, 0);
    open_other(&quiet, &fx);
    int socket = join(&quiet, &waiting, pages_new(quiet.log, 1)), unread = 1;
    join(&fx, &reader, pages_new(fx.log, 1));
    expect(&waiting, "page 1\n");
    expect(&reader, "page 1\n");
    /* The watcher's first word of its socket comes before what it is sent, and the round of that before the next. */
    assert_int_equal(send(waiting.socket, "?", 1, 0), 1);
    WAIT_UNTIL(!ioctl(socket, SIOCINQ, &unread) && !unread);
    append(&fx, 1);
    expect(&reader, "1:x\n");
    framelog_add(quiet.log, VIEW("1:untold\n"), 1);
    assert_true(framelog_publish(quiet.log));
    for (int i = 2; i <= 100; i++) {
        append(&fx, 1);
        expect_frames(&reader, i, i);
    }
    char byte;
    assert_int_equal(recv(waiting.socket, &byte, 1, MSG_DONTWAIT), -1);
    audience_notify(quiet.audience);
    expect(&waiting, "1:untold\n");
    leave(&waiting);
    leave(&reader);
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    close_other(&quiet);
    close_fixture(&fx);
}

/* As channels do whose last reader has left. */
static void delivery__audiences_go_while_streams_of_others_go_on(void **state)
{
    (void)state;
    enum { ROUNDS = 60 };
    struct fixture fx;
    struct client reader;
    struct appender appender = {&fx, 3000};
    pthread_t thread;
    int64_t next = 1;
    open_fixture(&fx, 2, 4096 * KIB);
    join(&fx, &reader, pages_new(fx.log, 1));
    expect(&reader, "page 1\n");
    assert_int_equal(pthread_create(&thread, NULL, run_appender, &appender), 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct fixture short_lived;
        struct client clients[3];
        open_other(&short_lived, &fx);
        for (int i = 0; i < 3; i++) join(&short_lived, &clients[i], pages_new(short_lived.log, i));
        append(&short_lived, 10);
        for (int i = 0; i < 3; i++) {
            if (i != round % 3) shutdown(clients[i].socket, SHUT_WR);
            if (i == round % 3) leave(&clients[i]);
        }
        WAIT_UNTIL(atomic_load(&open_sources) == 1);
        close_other(&short_lived);
        for (int i = 0; i < 3; i++) leave(&clients[i]);
        struct pollfd p = {.fd = reader.socket, .events = POLLIN};
        if (poll(&p, 1, 0) == 1) receive(&reader);
        take_frames(&reader.got, &next);
    }
    while (next <= 3000) {
        receive(&reader);
        assert_false(reader.ended);
        take_frames(&reader.got, &next);
    }
    pthread_join(thread, NULL);
    leave(&reader);
    close_fixture(&fx);
}

/* ---- ending ---- */

static struct pages *pages_of(struct framelog *log, uint64_t owner, uint64_t session, atomic_int *why)
{
    struct pages *p = pages_new(log, 1);
    p->source.owner = owner;
    p->source.session = session;
    p->why = why;
    return p;
}

static void delivery__ends_the_streams_of_an_owner_or_of_a_session(void **state)
{
    (void)state;
    static const struct {
        uint64_t owner, session;
    } whose[] = {{1, 10}, {1, 11}, {1, 10}, {2, 10}, {0, 0}, {2, 20}};
    enum { STREAMS = sizeof whose / sizeof *whose };
    struct fixture fx;
    struct client clients[STREAMS];
    atomic_int why[STREAMS];
    open_fixture(&fx, 2, 0);
    for (int i = 0; i < STREAMS; i++) {
        atomic_store(&why[i], -1);
        join(&fx, &clients[i], pages_of(fx.log, whose[i].owner, whose[i].session, &why[i]));
        expect(&clients[i], "page 1\n");
    }
    delivery_end(fx.delivery, 3, 0);
    delivery_end(fx.delivery, 1, 20);
    delivery_end(fx.delivery, 1, 10);
    expect(&clients[0], "over\n");
    expect_end(&clients[0]);
    expect(&clients[2], "over\n");
    expect_end(&clients[2]);
    append(&fx, 1);
    static const int others[] = {1, 3, 4, 5};
    for (int i = 0; i < 4; i++) expect(&clients[others[i]], "1:x\n");
    delivery_end(fx.delivery, 2, 0);
    expect(&clients[3], "over\n");
    expect_end(&clients[3]);
    expect(&clients[5], "over\n");
    expect_end(&clients[5]);
    append(&fx, 1);
    expect(&clients[1], "2:x\n");
    expect(&clients[4], "2:x\n");
    WAIT_UNTIL(delivery_count(fx.delivery) == 2);
    static const int wanted[] = {STREAM_END_RIGHTS, -1, STREAM_END_RIGHTS, STREAM_END_RIGHTS, -1, STREAM_END_RIGHTS};
    for (int i = 0; i < STREAMS; i++) assert_int_equal(atomic_load(&why[i]), wanted[i]);
    for (int i = 0; i < STREAMS; i++) leave(&clients[i]);
    close_fixture(&fx);
}

/* Also one that has just been handed over, one whose source never comes to an end, and one that takes nothing. */
static void delivery__ends_whatever_a_stream_does(void **state)
{
    (void)state;
    struct fixture fx;
    struct client stalled, endless, fresh;
    atomic_int why[3] = {-1, -1, -1}, asked = 0;
    open_fixture(&fx, 1, 4096 * KIB);
    int socket = join(&fx, &stalled, pages_of(fx.log, 1, 1, &why[0]));
    expect(&stalled, "page 1\n");
    append(&fx, 900 * KIB);
    int unsent = 0;
    WAIT_UNTIL(!ioctl(socket, SIOCOUTQNSD, &unsent) && unsent);
    struct pages *source = pages_of(fx.log, 1, 1, &why[1]);
    source->endless = true;
    source->asked = &asked;
    join(&fx, &endless, source);
    WAIT_UNTIL(atomic_load(&asked) > 1);
    join(&fx, &fresh, pages_of(fx.log, 1, 1, &why[2]));
    delivery_end(fx.delivery, 1, 1);
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    for (int i = 0; i < 3; i++) assert_int_equal(atomic_load(&why[i]), STREAM_END_RIGHTS);
    leave(&stalled);
    leave(&endless);
    leave(&fresh);
    close_fixture(&fx);
}

/* ---- notices ---- */

enum { TEA = 1, COFFEE = 2 };

static struct pages *listening(struct fixture *fx, uint64_t owner, unsigned kinds)
{
    struct pages *p = pages_of(fx->log, owner, 1, NULL);
    p->listener.kinds = kinds;
    return p;
}

static void delivery__notices_go_to_an_owners_streams_that_take_the_kind(void **state)
{
    (void)state;
    static const struct {
        uint64_t owner;
        unsigned kinds;
        const char *heard;
    } whose[] = {
        {1, TEA, "tea for 1\ntea for all\nthe end\n"},
        {1, TEA | COFFEE, "tea for 1\ncoffee for 1\ntea for all\nthe end\n"},
        {65, COFFEE, "the end\n"}, /* in the same chain as 1 */
        {2, TEA, "tea for all\nthe end\n"},
        {1, 0, ""},
        {0, TEA, "tea for all\nthe end\n"},
    };
    enum { STREAMS = sizeof whose / sizeof *whose };
    struct fixture fx;
    struct client clients[STREAMS];
    open_fixture(&fx, 2, 0);
    for (int i = 0; i < STREAMS; i++) {
        join(&fx, &clients[i], listening(&fx, whose[i].owner, whose[i].kinds));
        expect(&clients[i], "page 1\n");
    }
    delivery_tell(fx.delivery, 1, TEA, VIEW("tea for 1\n"));
    delivery_tell(fx.delivery, 1, COFFEE, VIEW("coffee for 1\n"));
    delivery_tell(fx.delivery, 3, TEA, VIEW("tea for nobody\n"));
    delivery_tell(fx.delivery, 0, TEA, VIEW("tea for all\n"));
    delivery_tell(fx.delivery, 0, TEA | COFFEE, VIEW("the end\n"));
    for (int i = 0; i < STREAMS; i++) expect(&clients[i], whose[i].heard);
    append(&fx, 1);
    for (int i = 0; i < STREAMS; i++) expect(&clients[i], "1:x\n");
    for (int i = 0; i < STREAMS; i++) leave(&clients[i]);
    close_fixture(&fx);
}

/* Told while they come and go: whoever stays hears all, in order. */
static void delivery__notices_while_streams_come_and_go(void **state)
{
    (void)state;
    enum { NOTICES = 400 };
    struct fixture fx;
    struct client stays, other;
    open_fixture(&fx, 2, 0);
    join(&fx, &stays, listening(&fx, 7, TEA));
    expect(&stays, "page 1\n");
    for (int i = 0; i < NOTICES; i++) {
        char text[32];
        snprintf(text, sizeof text, "%d\n", i);
        join(&fx, &other, listening(&fx, (uint64_t)(i % 200), TEA));
        delivery_tell(fx.delivery, 7, TEA, view_of(text));
        leave(&other);
        expect(&stays, text);
    }
    leave(&stays);
    close_fixture(&fx);
}

static atomic_int ticks;

static void count_tick(void *ctx, struct delivery *d)
{
    assert_ptr_equal(ctx, &ticks);
    delivery_tell(d, 0, TEA, VIEW("tick\n"));
    atomic_fetch_add(&ticks, 1);
}

static void delivery__ticks(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_with(&fx, &(struct delivery_options){.threads = 2, .tick = count_tick, .ctx = &ticks}, 0);
    join(&fx, &client, listening(&fx, 1, TEA));
    expect(&client, "page 1\ntick\n");
    assert_true(atomic_load(&ticks) > 0);
    leave(&client);
    close_fixture(&fx);
}

/* Rights that end by themselves, as a token's do. */
static void delivery__ends_at_the_time_that_a_source_says(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client, other, endless;
    atomic_int why[3] = {-1, -1, -1}, asked = 0;
    open_fixture(&fx, 1, 0);
    int64_t now = clock_monotonic();
    struct pages *soon = pages_of(fx.log, 1, 1, &why[0]), *late = pages_of(fx.log, 1, 1, &why[1]),
                 *past = pages_of(fx.log, 1, 1, &why[2]);
    soon->source.until = now + 1;
    late->source.until = now + 1000000;
    past->source.until = now + 1;
    past->endless = true;
    past->asked = &asked;
    join(&fx, &endless, past);
    WAIT_UNTIL(atomic_load(&asked) > 1);
    join(&fx, &other, late);
    join(&fx, &client, soon);
    expect(&client, "page 1\n");
    expect(&client, "over\n");
    expect_end(&client);
    /* Never in the log, and never behind. */
    expect(&endless, "over\n");
    expect_end(&endless);
    WAIT_UNTIL(delivery_count(fx.delivery) == 1);
    assert_int_equal(atomic_load(&why[0]), STREAM_END_RIGHTS);
    assert_int_equal(atomic_load(&why[2]), STREAM_END_RIGHTS);
    expect(&other, "page 1\n");
    append(&fx, 1);
    expect(&other, "1:x\n");
    leave(&client);
    leave(&other);
    leave(&endless);
    close_fixture(&fx);
}

/* It can be told nothing: it takes nothing. */
static void delivery__ends_one_that_is_behind_at_that_time(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    atomic_int why = -1;
    open_fixture(&fx, 1, 4096 * KIB);
    struct pages *source = pages_of(fx.log, 1, 1, &why);
    source->source.until = clock_monotonic() + 1500;
    join(&fx, &client, source);
    append(&fx, 900 * KIB);
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    assert_int_equal(atomic_load(&why), STREAM_END_RIGHTS);
    leave(&client);
    close_fixture(&fx);
}

static void delivery__closes_one_that_is_too_far_behind(void **state)
{
    (void)state;
    const struct delivery_options limits[] = {{.threads = 1, .lag_bytes = 100000}, {.threads = 1, .lag_ms = 1}};
    static const int wanted[] = {STREAM_END_LAG_BYTES, STREAM_END_LAG_SECONDS};
    for (int i = 0; i < 2; i++) {
        struct fixture fx;
        struct client client;
        atomic_int why = -1;
        open_with(&fx, &limits[i], 4096 * KIB);
        join(&fx, &client, pages_of(fx.log, 0, 0, &why));
        expect(&client, "page 1\n");
        for (int k = 0; k < 10; k++) append(&fx, 200 * KIB);
        assert_true(delivery_wait_empty(fx.delivery, PATIENT));
        assert_int_equal(atomic_load(&why), wanted[i]);
        leave(&client);
        close_fixture(&fx);
    }
}

/* ---- draining ---- */

static void delivery__waits_until_it_is_empty(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 2, 0);
    assert_true(delivery_wait_empty(fx.delivery, 0));
    join(&fx, &client, pages_new(fx.log, 1));
    assert_false(delivery_wait_empty(fx.delivery, 0));
    assert_false(delivery_wait_empty(fx.delivery, 10));
    leave(&client);
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    assert_int_equal(atomic_load(&open_sources), 0);
    close_fixture(&fx);
}

static void delivery__a_drain_takes_nobody_in(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client, late;
    atomic_int why = -1;
    int ends[2];
    open_fixture(&fx, 2, 0);
    join(&fx, &client, pages_of(fx.log, 0, 0, &why));
    expect(&client, "page 1\n");
    delivery_drain(fx.delivery, 0, VIEW("bye\n"));
    connect_tcp(ends);
    assert_false(audience_add(fx.audience, peer_plain(ends[0]), &pages_new(fx.log, 1)->source));
    late = (struct client){.socket = ends[1]};
    expect_end(&late);
    expect(&client, "bye\n");
    expect_end(&client);
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    assert_int_equal(atomic_load(&open_sources), 0);
    assert_int_equal(atomic_load(&why), STREAM_END_STOPPING);
    leave(&client);
    leave(&late);
    close_fixture(&fx);
}

/* Not all at once: some are still there when the first have gone, and get what is written. */
static void delivery__a_drain_spreads(void **state)
{
    (void)state;
    enum { STREAMS = 200 };
    struct fixture fx;
    struct client clients[STREAMS];
    open_fixture(&fx, 2, 0);
    for (int i = 0; i < STREAMS; i++) {
        join(&fx, &clients[i], pages_new(fx.log, 1));
        expect(&clients[i], "page 1\n");
    }
    delivery_drain(fx.delivery, 1000, VIEW("bye\n"));
    WAIT_UNTIL(delivery_count(fx.delivery) < STREAMS);
    append(&fx, 1);
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    int told = 0;
    for (int i = 0; i < STREAMS; i++) {
        while (!clients[i].ended) receive(&clients[i]);
        struct view got = str_view(&clients[i].got);
        bool both = view_is(got, "1:x\nbye\n");
        assert_true(both || view_is(got, "bye\n"));
        told += both;
        leave(&clients[i]);
    }
    assert_in_range(told, 1, STREAMS - 1);
    close_fixture(&fx);
}

/* One that takes nothing and one that is never done go as well. */
static void delivery__a_drain_waits_for_nobody(void **state)
{
    (void)state;
    struct fixture fx;
    struct client stalled, endless;
    open_fixture(&fx, 1, 4096 * KIB);
    int socket = join(&fx, &stalled, pages_new(fx.log, 1));
    expect(&stalled, "page 1\n");
    append(&fx, 900 * KIB);
    int unsent = 0;
    WAIT_UNTIL(!ioctl(socket, SIOCOUTQNSD, &unsent) && unsent);
    struct pages *source = pages_new(fx.log, 0);
    source->endless = true;
    join(&fx, &endless, source);
    delivery_drain(fx.delivery, 100, VIEW("bye\n"));
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    leave(&stalled);
    leave(&endless);
    close_fixture(&fx);
}

static void delivery__last_words_at_its_end(void **state)
{
    (void)state;
    struct fixture fx;
    struct client idle, stalled, endless;
    open_fixture(&fx, 2, 4096 * KIB);
    join(&fx, &idle, pages_new(fx.log, 1));
    join(&fx, &stalled, pages_new(fx.log, 1));
    expect(&idle, "page 1\n");
    expect(&stalled, "page 1\n");
    for (int i = 1; i <= 200; i++) {
        append(&fx, 8000);
        expect_frames(&idle, i, i);
    }
    struct pages *source = pages_new(fx.log, 0);
    atomic_int asked = 0;
    source->endless = true;
    source->asked = &asked;
    join(&fx, &endless, source);
    WAIT_UNTIL(atomic_load(&asked) > 1);
    delivery_free(fx.delivery, VIEW("bye\n"));
    assert_int_equal(atomic_load(&open_sources), 0);
    expect(&idle, "bye\n");
    expect_end(&idle);
    expect(&endless, "bye\n");
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
    release_logs(&fx);
}

/* What was appended before the end is sent before the end. */
static void delivery__the_last_frames_come_before_the_last_words(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 1, 0);
    join(&fx, &client, pages_new(fx.log, 1));
    expect(&client, "page 1\n");
    append(&fx, 1);
    append(&fx, 2);
    delivery_free(fx.delivery, VIEW("bye\n"));
    expect(&client, "1:x\n2:xx\nbye\n");
    expect_end(&client);
    leave(&client);
    release_logs(&fx);
}

/* Clients come and go, most without a word, while frames are sent: nothing is touched after its end. */
static void delivery__comings_and_goings(void **state)
{
    (void)state;
    enum { STREAMS = 40, ROUNDS = 8 };
    struct fixture fx;
    struct client clients[STREAMS];
    open_fixture(&fx, 2, 64 * KIB);
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
    open_fixture(&fx, 2, 0);
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
        cmocka_unit_test(delivery__a_stalled_reader_that_falls_off_is_sent_pages_again),
        cmocka_unit_test(delivery__one_that_fell_off_is_sent_pages_again),
        cmocka_unit_test(delivery__notices_a_hang_up),
        cmocka_unit_test(delivery__notices_that_a_stalled_reader_hung_up),
        cmocka_unit_test(delivery__one_that_has_gone_before_it_joined),
        cmocka_unit_test(delivery__throws_away_what_clients_send),
        cmocka_unit_test(delivery__nobody_waits_for_anothers_past),
        cmocka_unit_test(delivery__several_audiences),
        cmocka_unit_test(delivery__only_those_whose_log_grew_are_looked_at),
        cmocka_unit_test(delivery__audiences_go_while_streams_of_others_go_on),
        cmocka_unit_test(delivery__ends_the_streams_of_an_owner_or_of_a_session),
        cmocka_unit_test(delivery__ends_whatever_a_stream_does),
        cmocka_unit_test(delivery__ends_at_the_time_that_a_source_says),
        cmocka_unit_test(delivery__ends_one_that_is_behind_at_that_time),
        cmocka_unit_test(delivery__closes_one_that_is_too_far_behind),
        cmocka_unit_test(delivery__waits_until_it_is_empty),
        cmocka_unit_test(delivery__a_drain_takes_nobody_in),
        cmocka_unit_test(delivery__a_drain_spreads),
        cmocka_unit_test(delivery__a_drain_waits_for_nobody),
        cmocka_unit_test(delivery__last_words_at_its_end),
        cmocka_unit_test(delivery__the_last_frames_come_before_the_last_words),
        cmocka_unit_test(delivery__comings_and_goings),
        cmocka_unit_test(delivery__many_that_end_at_once),
        cmocka_unit_test(delivery__notices_go_to_an_owners_streams_that_take_the_kind),
        cmocka_unit_test(delivery__notices_while_streams_come_and_go),
        cmocka_unit_test(delivery__ticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
