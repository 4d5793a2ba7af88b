/* What tests of the delivery share: its clients, on real sockets, and a source that sends pages. A frame here is
 * "<n>:<x...>\n": a reader can tell which it is and whether it is whole. */
#ifndef TEST_READERS_H
#define TEST_READERS_H

#include "base/check.h"
#include "base/clock.h"
#include "stream/delivery.h"
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

static inline enum source_result pages_next(struct source *source, struct str *page, uint64_t *position)
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

static inline void pages_fallen(struct source *source, int64_t seq)
{
    struct pages *p = CONTAINER(source, struct pages, source);
    if (p->fallen) atomic_store(p->fallen, seq);
    p->sent = 0;
}

static inline void pages_ping(struct source *source, struct str *page, uint64_t position)
{
    (void)source;
    (void)position;
    str_addz(page, "ping\n");
}

static inline void pages_close(struct source *source, enum stream_end why)
{
    struct pages *p = CONTAINER(source, struct pages, source);
    if (p->why) atomic_store(p->why, (int)why);
    free(p);
    atomic_fetch_sub(&open_sources, 1);
}

static inline struct listener *pages_listener(struct source *source)
{
    struct listener *listener = &CONTAINER(source, struct pages, source)->listener;
    return listener->kinds ? listener : NULL;
}

static inline struct pages *pages_new(struct framelog *log, int pages)
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
static inline void connect_tcp(int ends[2])
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

static inline void open_with(struct fixture *fx, const struct delivery_options *options, uint64_t cap)
{
    *fx = (struct fixture){.log = framelog_new(cap, NULL, 0)};
    assert_non_null(fx->log);
    fx->delivery = delivery_new(options);
    assert_non_null(fx->delivery);
    fx->audience = audience_new(fx->delivery, fx->log);
    assert_non_null(fx->audience);
}

static inline void open_fixture(struct fixture *fx, int threads, uint64_t cap)
{
    open_with(fx, &(struct delivery_options){.threads = threads, .over = VIEW("over\n")}, cap);
}

/* What the delivery leaves behind. */
static inline void release_logs(struct fixture *fx)
{
    assert_int_equal(atomic_load(&open_sources), 0);
    audience_free(fx->audience);
    framelog_free(fx->log);
}

static inline void close_fixture(struct fixture *fx)
{
    delivery_free(fx->delivery, (struct view){0});
    release_logs(fx);
}

/* The delivery's own descriptor, to look at while the stream lives. */
static inline int join(struct fixture *fx, struct client *client, struct pages *source)
{
    int ends[2];
    connect_tcp(ends);
    *client = (struct client){.socket = ends[1]};
    assert_true(audience_add(fx->audience, peer_plain(ends[0]), &source->source));
    return ends[0];
}

static inline void leave(struct client *client)
{
    if (client->socket >= 0) close(client->socket);
    str_release(&client->got);
    *client = (struct client){.socket = -1};
}

static inline void append(struct fixture *fx, size_t filler)
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

static inline void pause_briefly(void)
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
static inline void receive(struct client *client)
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

static inline void expect(struct client *client, const char *text)
{
    size_t len = strlen(text);
    while (client->got.len < len && !client->ended) receive(client);
    assert_int_equal(client->got.len, len);
    assert_memory_equal(client->got.at, text, len);
    str_reset(&client->got);
}

static inline void expect_end(struct client *client)
{
    while (!client->ended) receive(client);
    assert_int_equal(client->got.len, 0);
}

/* Checks the whole frames at the text's beginning, which must be the numbers from `*next` on, and cuts them off. */
static inline void take_frames(struct str *text, int64_t *next)
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

static inline void expect_frames(struct client *client, int64_t first, int64_t last)
{
    while (first <= last) {
        receive(client);
        assert_false(client->ended);
        take_frames(&client->got, &first);
    }
    assert_int_equal(first, last + 1);
    assert_int_equal(client->got.len, 0);
}

static inline struct pages *pages_of(struct framelog *log, uint64_t owner, uint64_t session, atomic_int *why)
{
    struct pages *p = pages_new(log, 1);
    p->source.owner = owner;
    p->source.session = session;
    p->why = why;
    return p;
}

struct appender {
    struct fixture *fx;
    int frames;
};

static inline void *run_appender(void *ctx)
{
    struct appender *a = ctx;
    for (int i = 0; i < a->frames; i++) append(a->fx, (size_t)(i * 7919) % 700);
    return NULL;
}

#endif
