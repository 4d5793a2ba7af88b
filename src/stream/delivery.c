/* Threads and what they share.
 *
 * A crew is one thread with its streams, its lock and its condition. Its streams are in three lists, by what they wait
 * for: `live` for the log to grow, `behind` for their socket, `ready` for nothing, in turn. So a wake-up costs only
 * those whom it concerns. The watcher is one thread in epoll for all sockets; it knows a stream by its address. (One
 * epoll in each crew, with an eventfd to say that the log grew, costs a system call for each commit and crew on the
 * applier's path.)
 *
 * Why the watcher never touches a freed stream: a crew that is done with a stream takes its socket out of epoll and
 * puts the stream on the graveyard; only the watcher frees, and it empties the graveyard between two epoll_waits.
 * Events fetched before the removal are worked off before the graveyard is looked at; events fetched afterwards cannot
 * name the stream. They may still be told to it meanwhile: TOLD_NO_MORE keeps such a stream off its crew's list.
 *
 * Why no edge is lost: the watcher sets `told` under the crew's lock, always, whatever the stream's state; the crew
 * takes it under the lock and turns BEHIND into LIVE. After a send that took nothing the kernel owes an edge; if it
 * comes before the state is BEHIND, it waits in `told` until the next round. TLS changes nothing in this: it says
 * "until writable" only when the socket took nothing, and "until readable" only when the socket is empty (base/peer.c).
 * What a call of it leaves undone for want of the other direction is done at the next edge of either kind, for both are
 * tried (stream_heed). What it needs of a stream that is BEHIND is to be offered the same bytes again: they stand in
 * the page or at `position`; and a stream whose position has fallen off meanwhile counts as inside a run.
 *
 * Why no growth is lost: a round takes `grown` away before it looks at a log, and the appender sets it after its
 * append. What the round did not see comes with the next. */
#include "stream/delivery.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/lock.h"
#include "stream/stream.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS     1000
#define TURNS       32 /* of ready streams in a round: the live ones wait no longer than these take */
#define EVENTS      256
#define UNSENT_MOST (16 << 10) /* bytes that the kernel holds for a reader that takes none; more come when it does */

struct crew {
    struct delivery *delivery;
    pthread_t thread;
    bool started;
    /* the thread's; streams by link */
    struct list ready, live, behind;
    struct list dead; /* of this round */
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

/* From now on it may be told something. */
static void watch_stream(struct stream *s)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET, .data.ptr = s};
    int most = UNSENT_MOST;
    s->watched = true;
    setsockopt(s->peer.socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
    if (epoll_ctl(s->crew->delivery->epoll, EPOLL_CTL_ADD, s->peer.socket, &event)) stream_set(s, STREAM_CLOSING);
}

static void bury(struct stream *s)
{
    struct crew *crew = s->crew;
    epoll_ctl(crew->delivery->epoll, EPOLL_CTL_DEL, s->peer.socket, NULL);
    lock_take(&crew->lock);
    s->told |= TOLD_NO_MORE;
    list_remove(&s->told_link);
    lock_drop(&crew->lock);
    peer_close(&s->peer);
    s->source->close(s->source);
    atomic_fetch_sub(&crew->delivery->count, 1);
    list_insert(&crew->dead, &s->link);
}

static void hand_over_dead(struct crew *crew)
{
    struct delivery *d = crew->delivery;
    if (list_empty(&crew->dead)) return;
    lock_take(&d->lock);
    list_splice(&d->graveyard, &crew->dead);
    lock_drop(&d->lock);
    wake_watcher(d);
}

/* Puts it where it belongs after something has been done to it. `more`: it could have gone on. */
static void settle(struct stream *s, bool more)
{
    struct crew *crew = s->crew;
    list_remove(&s->link);
    switch (s->state) {
    case STREAM_JOINING:
    case STREAM_LIVE: list_insert(more ? &crew->ready : &crew->live, &s->link); break;
    case STREAM_BEHIND: list_insert(&crew->behind, &s->link); break;
    case STREAM_CLOSING: bury(s); break;
    }
}

/* What a round begins with. */
struct news {
    bool grown, closing;
};

/* Sleeps until there is something to do, at most until `deadline`. New streams and those that were told something
 * become ready. */
static struct news take_news(struct crew *crew, int64_t deadline)
{
    lock_take(&crew->lock);
    while (list_empty(&crew->ready) && list_empty(&crew->inbox) && list_empty(&crew->told) && !crew->grown &&
           !crew->closing)
        if (!condition_wait_until(&crew->bell, &crew->lock, deadline)) break;
    struct news news = {.grown = crew->grown, .closing = crew->closing};
    crew->grown = false;
    list_splice(&crew->ready, &crew->inbox);
    while (!list_empty(&crew->told)) {
        struct stream *s = CONTAINER(crew->told.next, struct stream, told_link);
        list_remove(&s->told_link);
        s->heard |= s->told;
        s->told = 0;
        list_remove(&s->link);
        list_insert(&crew->ready, &s->link);
    }
    lock_drop(&crew->lock);
    return news;
}

static void serve_live(struct crew *crew, struct looks *looks, int64_t now)
{
    for (struct list *node = crew->live.next, *next; node != &crew->live; node = next) {
        struct stream *s = CONTAINER(node, struct stream, link);
        next = node->next;
        bool more = stream_advance(s, looks, now);
        if (more || s->state != STREAM_LIVE) settle(s, more);
    }
}

static void serve_ready(struct crew *crew, struct looks *looks, int64_t now)
{
    for (int turns = TURNS; turns > 0 && !list_empty(&crew->ready); turns--) {
        struct stream *s = CONTAINER(crew->ready.next, struct stream, link);
        unsigned heard = s->heard;
        s->heard = 0;
        if (!s->watched) watch_stream(s);
        stream_heed(s, heard);
        settle(s, stream_advance(s, looks, now));
    }
}

static void tick(struct crew *crew, struct looks *looks, int64_t now)
{
    for (struct list *node = crew->live.next, *next; node != &crew->live; node = next) {
        struct stream *s = CONTAINER(node, struct stream, link);
        next = node->next;
        stream_keep_alive(s, now);
        if (s->state != STREAM_LIVE) settle(s, false);
    }
    for (struct list *node = crew->behind.next, *next; node != &crew->behind; node = next) {
        struct stream *s = CONTAINER(node, struct stream, link);
        next = node->next;
        stream_check_behind(s, looks);
        if (s->state != STREAM_BEHIND) settle(s, false);
    }
}

static void end_list(struct crew *crew, struct list *streams)
{
    while (!list_empty(streams)) {
        struct stream *s = CONTAINER(streams->next, struct stream, link);
        stream_last_words(s, crew->delivery->last_words);
        list_remove(&s->link);
        bury(s);
    }
}

static void *deliver(void *ctx)
{
    struct crew *crew = ctx;
    int64_t tick_at = clock_monotonic() + TICK_MS;
    for (;;) {
        struct news news = take_news(crew, tick_at);
        struct looks looks = {0};
        int64_t now = clock_monotonic();
        if (news.grown || news.closing) serve_live(crew, &looks, now);
        serve_ready(crew, &looks, now);
        if (now >= tick_at) {
            tick(crew, &looks, now);
            tick_at = now + TICK_MS;
        }
        looks_release(&looks);
        if (news.closing) {
            end_list(crew, &crew->live);
            end_list(crew, &crew->ready);
            end_list(crew, &crew->behind);
        }
        hand_over_dead(crew);
        if (news.closing) return NULL;
    }
}

struct delivery *delivery_new(const struct delivery_options *options)
{
    ASSERT(options->threads > 0);
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
        struct list *lists[] = {&crew->ready, &crew->live, &crew->behind, &crew->dead, &crew->inbox, &crew->told};
        for (size_t i = 0; i < COUNT(lists); i++) list_init(lists[i]);
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

bool delivery_add(struct delivery *d, struct peer peer, struct framelog *log, struct source *source)
{
    bool room = atomic_fetch_add(&d->count, 1) < d->max_streams;
    struct stream *s = room ? stream_new(peer, log, source, clock_monotonic()) : NULL;
    if (!s) {
        atomic_fetch_sub(&d->count, 1);
        peer_close(&peer);
        source->close(source);
        return false;
    }
    struct crew *crew = &d->crews[atomic_fetch_add(&d->next_crew, 1) % (unsigned)d->ncrews];
    s->crew = crew;
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
        lock_take(&crew->lock);
        crew->closing = true;
        condition_signal(&crew->bell);
        lock_drop(&crew->lock);
    }
    for (int i = 0; i < d->ncrews; i++)
        if (d->crews[i].started) pthread_join(d->crews[i].thread, NULL);
    if (d->watching) {
        atomic_store(&d->stopping, true);
        wake_watcher(d);
        pthread_join(d->watcher, NULL);
    }
    /* Not earlier: the watcher may have had something to tell a crew that was gone already. */
    for (int i = 0; i < d->ncrews; i++) {
        condition_destroy(&d->crews[i].bell);
        lock_destroy(&d->crews[i].lock);
    }
    empty_graveyard(d);
    if (d->epoll >= 0) close(d->epoll);
    if (d->wake >= 0) close(d->wake);
    lock_destroy(&d->lock);
    free(d);
}
