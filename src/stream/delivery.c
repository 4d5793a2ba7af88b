/* Threads and what they share.
 *
 * A crew is one thread with its streams, its lock and its condition. The watcher is one thread in epoll for all
 * sockets; it knows a stream by its address.
 *
 * Why the watcher never touches a freed stream: a crew that is done with a stream takes its socket out of epoll and
 * puts the stream on the graveyard; only the watcher frees, and it empties the graveyard between two epoll_waits.
 * Events fetched before the removal are worked off before the graveyard is looked at; events fetched afterwards cannot
 * name the stream.
 *
 * Why no edge is lost: the watcher sets `told` under the crew's lock, always, whatever the stream's state; the crew
 * takes it under the lock and turns BEHIND into LIVE. An edge between a short send and the state's change is thus seen
 * in the next round. */
#include "stream/delivery.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/lock.h"
#include "stream/stream.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS 1000
#define EVENTS  256

struct crew {
    struct delivery *delivery;
    pthread_t thread;
    bool started;
    /* the thread's */
    struct list streams;
    /* under lock */
    struct lock lock;
    struct condition bell;
    struct list inbox; /* streams by link */
    struct list told;  /* streams by told_link */
    bool grown, closing;
};

struct delivery {
    /* fixed */
    int epoll, wake; /* wake: an eventfd */
    pthread_t watcher;
    bool watching;
    size_t max_streams;
    struct view last_words;
    int ncrews;
    /* atomic */
    atomic_size_t count;
    atomic_uint next_crew;
    atomic_bool stopping;
    /* under lock */
    struct lock lock;
    struct list graveyard; /* streams by link */
    struct crew crews[];
};

static void wake_watcher(struct delivery *d)
{
    uint64_t one = 1;
    ssize_t n = write(d->wake, &one, sizeof one);
    (void)n; /* full means that it will wake anyway */
}

static void stream_free(struct stream *s)
{
    str_release(&s->page);
    free(s);
}

static void empty_graveyard(struct delivery *d)
{
    struct list dead;
    list_init(&dead);
    lock_take(&d->lock);
    list_splice(&dead, &d->graveyard);
    lock_drop(&d->lock);
    while (!list_empty(&dead)) {
        struct stream *s = CONTAINER(dead.next, struct stream, link);
        list_remove(&s->link);
        stream_free(s);
    }
}

static void tell(struct stream *s, uint32_t events)
{
    struct crew *crew = s->crew;
    unsigned told = 0;
    if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) told |= TOLD_GONE;
    if (events & EPOLLOUT) told |= TOLD_WRITABLE;
    if (events & EPOLLIN) told |= TOLD_READABLE;
    lock_take(&crew->lock);
    if (!s->told) list_insert(&crew->told, &s->told_link);
    s->told |= told;
    condition_signal(&crew->bell);
    lock_drop(&crew->lock);
}

static void *watch(void *ctx)
{
    struct delivery *d = ctx;
    struct epoll_event events[EVENTS];
    while (!atomic_load(&d->stopping)) {
        int n = epoll_wait(d->epoll, events, EVENTS, -1);
        ASSERT(n >= 0 || errno == EINTR);
        for (int i = 0; i < n; i++) {
            uint64_t waste;
            if (events[i].data.ptr)
                tell(events[i].data.ptr, events[i].events);
            else if (read(d->wake, &waste, sizeof waste) < 0)
                continue;
        }
        empty_graveyard(d);
    }
    return NULL;
}

/* A new stream's first round: the watcher knows it from now on. */
static void take_in(struct crew *crew, struct stream *s)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET, .data.ptr = s};
    list_insert(&crew->streams, &s->link);
    if (epoll_ctl(crew->delivery->epoll, EPOLL_CTL_ADD, s->socket, &event)) stream_set(s, STREAM_CLOSING);
}

static void bury(struct crew *crew, struct stream *s)
{
    struct delivery *d = crew->delivery;
    epoll_ctl(d->epoll, EPOLL_CTL_DEL, s->socket, NULL);
    lock_take(&crew->lock);
    list_remove(&s->told_link);
    lock_drop(&crew->lock);
    shutdown(s->socket, SHUT_WR);
    close(s->socket);
    s->source->close(s->source);
    list_remove(&s->link);
    atomic_fetch_sub(&d->count, 1);
    lock_take(&d->lock);
    list_insert(&d->graveyard, &s->link);
    lock_drop(&d->lock);
    wake_watcher(d);
}

static void heed(struct stream *s, unsigned told)
{
    if (s->state == STREAM_CLOSING) return;
    if (told & TOLD_GONE) {
        stream_set(s, STREAM_CLOSING);
        return;
    }
    if (told & TOLD_READABLE) stream_drain(s);
    if (told & TOLD_WRITABLE && s->state == STREAM_BEHIND) stream_set(s, s->joining ? STREAM_JOINING : STREAM_LIVE);
}

/* What the round begins with. */
struct news {
    struct list inbox;
    bool closing;
};

/* Sleeps until there is something to do, at most until `deadline`. */
static void sleep_crew(struct crew *crew, struct news *news, int64_t deadline)
{
    list_init(&news->inbox);
    lock_take(&crew->lock);
    while (!crew->grown && !crew->closing && list_empty(&crew->inbox) && list_empty(&crew->told))
        if (!condition_wait_until(&crew->bell, &crew->lock, deadline)) break;
    crew->grown = false;
    news->closing = crew->closing;
    list_splice(&news->inbox, &crew->inbox);
    /* heed() makes system calls at most on the stream's own socket, but not under the lock. */
    while (!list_empty(&crew->told)) {
        struct stream *s = CONTAINER(crew->told.next, struct stream, told_link);
        unsigned told = s->told;
        list_remove(&s->told_link);
        s->told = 0;
        lock_drop(&crew->lock);
        heed(s, told);
        lock_take(&crew->lock);
    }
    lock_drop(&crew->lock);
}

static void serve(struct crew *crew, int64_t now, bool tick)
{
    struct shared_run shared = {0};
    for (struct list *node = crew->streams.next, *next; node != &crew->streams; node = next) {
        struct stream *s = CONTAINER(node, struct stream, link);
        next = node->next;
        stream_advance(s, &shared, now);
        if (tick) stream_keep_alive(s, now);
        if (s->state == STREAM_CLOSING) bury(crew, s);
    }
    shared_run_release(&shared);
}

static void end_all(struct crew *crew)
{
    while (!list_empty(&crew->streams)) {
        struct stream *s = CONTAINER(crew->streams.next, struct stream, link);
        stream_last_words(s, crew->delivery->last_words);
        bury(crew, s);
    }
}

static void *deliver(void *ctx)
{
    struct crew *crew = ctx;
    int64_t tick_at = clock_monotonic() + TICK_MS;
    for (;;) {
        struct news news;
        sleep_crew(crew, &news, tick_at);
        while (!list_empty(&news.inbox)) {
            struct stream *s = CONTAINER(news.inbox.next, struct stream, link);
            list_remove(&s->link);
            take_in(crew, s);
        }
        int64_t now = clock_monotonic();
        bool tick = now >= tick_at;
        if (tick) tick_at = now + TICK_MS;
        serve(crew, now, tick);
        if (!news.closing) continue;
        end_all(crew);
        return NULL;
    }
}

struct delivery *delivery_new(const struct delivery_options *options)
{
    struct delivery *d = calloc(1, sizeof *d + (size_t)options->threads * sizeof *d->crews);
    if (!d) return NULL;
    d->max_streams = options->max_streams;
    lock_init(&d->lock);
    list_init(&d->graveyard);
    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    d->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    bool ok = d->epoll >= 0 && d->wake >= 0 && !epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->wake, &event);
    if (ok) ok = d->watching = !pthread_create(&d->watcher, NULL, watch, d);
    while (ok && d->ncrews < options->threads) {
        struct crew *crew = &d->crews[d->ncrews++];
        crew->delivery = d;
        list_init(&crew->streams);
        list_init(&crew->inbox);
        list_init(&crew->told);
        lock_init(&crew->lock);
        condition_init(&crew->bell);
        ok = crew->started = !pthread_create(&crew->thread, NULL, deliver, crew);
    }
    if (ok) return d;
    delivery_free(d, (struct view){0});
    return NULL;
}

void delivery_notify(struct delivery *d)
{
    for (int i = 0; i < d->ncrews; i++) {
        struct crew *crew = &d->crews[i];
        lock_take(&crew->lock);
        crew->grown = true;
        condition_signal(&crew->bell);
        lock_drop(&crew->lock);
    }
}

bool delivery_add(struct delivery *d, int socket, struct framelog *log, struct source *source)
{
    struct stream *s = calloc(1, sizeof *s);
    int64_t now = clock_monotonic();
    if (!s || atomic_fetch_add(&d->count, 1) >= d->max_streams) {
        if (s) atomic_fetch_sub(&d->count, 1);
        free(s);
        close(socket);
        source->close(source);
        return false;
    }
    struct crew *crew = &d->crews[atomic_fetch_add(&d->next_crew, 1) % (unsigned)d->ncrews];
    *s = (struct stream){.socket = socket,
        .log = log,
        .source = source,
        .crew = crew,
        .state = STREAM_JOINING,
        .joining = true,
        .seq = -1,
        .sent_at = now,
        .ping_at = now + 30000};
    list_init(&s->link);
    list_init(&s->told_link);
    lock_take(&crew->lock);
    list_insert(&crew->inbox, &s->link);
    condition_signal(&crew->bell);
    lock_drop(&crew->lock);
    return true;
}

size_t delivery_count(struct delivery *d)
{
    return atomic_load(&d->count);
}

void delivery_free(struct delivery *d, struct view last_words)
{
    if (!d) return;
    d->last_words = last_words;
    for (int i = 0; i < d->ncrews; i++) {
        struct crew *crew = &d->crews[i];
        if (crew->started) {
            lock_take(&crew->lock);
            crew->closing = true;
            condition_signal(&crew->bell);
            lock_drop(&crew->lock);
            pthread_join(crew->thread, NULL);
        }
        condition_destroy(&crew->bell);
        lock_destroy(&crew->lock);
    }
    if (d->watching) {
        atomic_store(&d->stopping, true);
        wake_watcher(d);
        pthread_join(d->watcher, NULL);
    }
    empty_graveyard(d);
    if (d->epoll >= 0) close(d->epoll);
    if (d->wake >= 0) close(d->wake);
    lock_destroy(&d->lock);
    free(d);
}
