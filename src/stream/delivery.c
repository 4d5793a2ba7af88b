/* Threads and what they share.
 *
 * A crew is one thread with its streams, its lock and its condition. Its streams are in lists, by what they wait for:
 * `live`, one list an audience, for that audience's log to grow; `behind` for their socket; `ready` for nothing, in
 * turn. So a wake-up costs only those whom it concerns. The watcher is one thread in epoll for all sockets; it knows a
 * stream by its address. (One epoll in each crew, with an eventfd to say that the log grew, costs a system call for
 * each commit and crew on the applier's path.)
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
 * tried (stream_heed). What it needs of a stream that is BEHIND is to be offered the same bytes again: they stand at
 * the beginning of its page.
 *
 * Why no growth is lost: a stream is counted among its group's members, under the crew's lock, before it first looks at
 * the log; the appender publishes and then looks for members. Either it finds the member and tells the crew, or the
 * member's look comes behind the publishing. That the appender reads the number without the crew's lock changes
 * nothing: a look that came before the publishing is ordered before it by the log's lock, and so is the counting. A
 * round takes `grown` away before it looks at a log: what it did not see comes with the next.
 *
 * Why a group is not freed under its crew: its audience lives as long as any source of its streams, and sources are
 * closed at the end of a round, when nothing that it found in the groups is needed any more (lay_out). */
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
#define DRAIN_MS    50 /* between two draws of those who are to go */
#define TURNS       32 /* of ready streams in a round: the live ones wait no longer than these take */
#define EVENTS      256
#define MAX_CREWS   64
#define UNSENT_MOST (16 << 10) /* bytes that the kernel holds for a reader that takes none; more come when it does */

/* The streams of one audience in one crew. */
struct group {
    struct list live;      /* streams by link; the thread's */
    struct list of_crew;   /* in `groups`, while it has members; the thread's */
    struct list of_round;  /* in one round's news; the thread's */
    struct list news;      /* in `grown`; under lock */
    atomic_size_t members; /* changed under lock */
};

struct audience {
    struct delivery *delivery;
    struct framelog *log;
    struct group groups[]; /* by crew */
};

/* Streams that are to end. */
struct ending {
    struct list link;
    uint64_t owner, session; /* 0: every one */
};

struct crew {
    struct delivery *delivery;
    pthread_t thread;
    uint8_t number;
    bool started;
    /* the thread's; streams by link */
    struct list ready, behind;
    struct list dead; /* of this round */
    struct list groups;
    unsigned dice;
    int64_t tick_at, draw_at; /* draw_at: 0 unless it drains */
    /* under lock */
    struct lock lock;
    struct condition bell;
    struct list inbox; /* streams by link */
    struct list told;  /* streams by told_link */
    struct list grown; /* groups by news */
    struct list endings;
    int64_t drained_at; /* when all streams are to have gone; 0: it does not drain */
    bool closing;
};

struct delivery {
    /* fixed */
    struct delivery_options options;
    int epoll, wake; /* wake: an eventfd */
    pthread_t watcher;
    bool watching;
    /* set before the threads are told */
    struct view last_words;
    /* atomic */
    atomic_size_t count;
    atomic_uint next_crew;
    atomic_bool stopping, draining;
    /* under lock */
    struct lock lock;
    struct condition empty;
    struct list graveyard; /* streams by link */
    int ncrews;
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

static void tell(struct delivery *d, struct stream *s, uint32_t events)
{
    struct crew *crew = &d->crews[s->crew];
    uint8_t told = 0;
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
                tell(d, events[i].data.ptr, events[i].events);
            else if (read(d->wake, &waste, sizeof waste) < 0)
                continue;
        }
        empty_graveyard(d);
    }
    return NULL;
}

/* From now on it may be told something. */
static void watch_stream(struct crew *crew, struct stream *s)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET, .data.ptr = s};
    int most = UNSENT_MOST;
    s->watched = true;
    setsockopt(s->peer.socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
    if (list_empty(&s->group->of_crew)) list_insert(&crew->groups, &s->group->of_crew);
    if (epoll_ctl(crew->delivery->epoll, EPOLL_CTL_ADD, s->peer.socket, &event)) stream_close(s, STREAM_END_ERROR);
}

static void bury(struct crew *crew, struct stream *s)
{
    epoll_ctl(crew->delivery->epoll, EPOLL_CTL_DEL, s->peer.socket, NULL);
    lock_take(&crew->lock);
    s->told |= TOLD_NO_MORE;
    list_remove(&s->told_link);
    lock_drop(&crew->lock);
    peer_close(&s->peer);
    list_insert(&crew->dead, &s->link);
}

/* Nothing of it is left but the stream itself, which the watcher frees. */
static void let_go(struct crew *crew, struct stream *s)
{
    struct group *group = s->group;
    lock_take(&crew->lock);
    bool last = atomic_fetch_sub(&group->members, 1) == 1;
    if (last) list_remove(&group->news);
    lock_drop(&crew->lock);
    if (last) list_remove(&group->of_crew);
    s->source->type->close(s->source, s->why);
}

/* The end of a round. */
static void lay_out(struct crew *crew)
{
    struct delivery *d = crew->delivery;
    size_t n = 0;
    if (list_empty(&crew->dead)) return;
    for (struct list *node = crew->dead.next; node != &crew->dead; node = node->next, n++)
        let_go(crew, CONTAINER(node, struct stream, link));
    lock_take(&d->lock);
    list_splice(&d->graveyard, &crew->dead);
    if (atomic_fetch_sub(&d->count, n) == n) condition_signal(&d->empty);
    lock_drop(&d->lock);
    wake_watcher(d);
}

/* Puts it where it belongs after something has been done to it. `more`: it could have gone on. */
static void settle(struct crew *crew, struct stream *s, bool more)
{
    list_remove(&s->link);
    switch ((enum stream_state)s->state) {
    case STREAM_JOINING:
    case STREAM_LIVE: list_insert(more ? &crew->ready : &s->group->live, &s->link); break;
    case STREAM_BEHIND: list_insert(&crew->behind, &s->link); break;
    case STREAM_CLOSING: bury(crew, s); break;
    }
}

/* What a round begins with. */
struct news {
    struct list grown, endings;
    int64_t drained_at;
    bool closing;
};

static bool has_news(const struct crew *crew)
{
    return !list_empty(&crew->ready) || !list_empty(&crew->inbox) || !list_empty(&crew->told) ||
           !list_empty(&crew->grown) || !list_empty(&crew->endings) || (crew->drained_at && !crew->draw_at) ||
           crew->closing;
}

/* Sleeps until there is something to do, at most until the next tick. New streams and those that were told something
 * become ready. */
static void take_news(struct crew *crew, struct news *news)
{
    int64_t deadline = crew->draw_at && crew->draw_at < crew->tick_at ? crew->draw_at : crew->tick_at;
    list_init(&news->grown);
    list_init(&news->endings);
    lock_take(&crew->lock);
    while (!has_news(crew))
        if (!condition_wait_until(&crew->bell, &crew->lock, deadline)) break;
    news->closing = crew->closing;
    news->drained_at = crew->drained_at;
    list_splice(&news->endings, &crew->endings);
    while (!list_empty(&crew->grown)) {
        struct group *group = CONTAINER(crew->grown.next, struct group, news);
        list_remove(&group->news);
        list_insert(&news->grown, &group->of_round);
    }
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
}

/* Calls act(crew, stream, ctx) for each of the list, which the act may take out of it. */
static void each_stream(
    struct crew *crew, struct list *streams, void (*act)(struct crew *, struct stream *, void *), void *ctx)
{
    for (struct list *node = streams->next, *next; node != streams; node = next) {
        next = node->next;
        act(crew, CONTAINER(node, struct stream, link), ctx);
    }
}

static void each_live(struct crew *crew, void (*act)(struct crew *, struct stream *, void *), void *ctx)
{
    for (struct list *node = crew->groups.next; node != &crew->groups; node = node->next)
        each_stream(crew, &CONTAINER(node, struct group, of_crew)->live, act, ctx);
}

static void each_of_all(struct crew *crew, void (*act)(struct crew *, struct stream *, void *), void *ctx)
{
    each_live(crew, act, ctx);
    each_stream(crew, &crew->behind, act, ctx);
    each_stream(crew, &crew->ready, act, ctx);
}

struct round {
    struct looks looks;
    int64_t now;
};

static void serve(struct crew *crew, struct stream *s, void *ctx)
{
    struct round *round = ctx;
    bool more = stream_advance(s, &round->looks, (stream_time)round->now);
    if (more || s->state != STREAM_LIVE) settle(crew, s, more);
}

static void serve_grown(struct crew *crew, struct list *grown, struct round *round)
{
    while (!list_empty(grown)) {
        struct group *group = CONTAINER(grown->next, struct group, of_round);
        list_remove(&group->of_round);
        each_stream(crew, &group->live, serve, round);
    }
}

static void serve_ready(struct crew *crew, struct round *round)
{
    for (int turns = TURNS; turns > 0 && !list_empty(&crew->ready); turns--) {
        struct stream *s = CONTAINER(crew->ready.next, struct stream, link);
        unsigned heard = s->heard;
        s->heard = 0;
        if (!s->watched) watch_stream(crew, s);
        if (s->state != STREAM_CLOSING) stream_heed(s, heard);
        settle(crew, s, stream_advance(s, &round->looks, (stream_time)round->now));
    }
}

/* It says its last words in its turn. */
static void end_one(struct crew *crew, struct stream *s, struct view words, enum stream_end why)
{
    if (s->watched)
        stream_end(s, words, why);
    else
        stream_close(s, why); /* not even the answer's head is there */
    if (s->state == STREAM_CLOSING)
        settle(crew, s, false);
    else if (s->state != STREAM_BEHIND)
        settle(crew, s, true);
}

static bool rights_end(const struct stream *s, int64_t now)
{
    return s->source->until && now >= s->source->until && !s->ending;
}

static void check_rights(struct crew *crew, struct stream *s, void *ctx)
{
    const struct round *round = ctx;
    if (rights_end(s, round->now)) end_one(crew, s, crew->delivery->options.over, STREAM_END_RIGHTS);
}

static void keep_alive(struct crew *crew, struct stream *s, void *ctx)
{
    const struct round *round = ctx;
    if (rights_end(s, round->now)) {
        end_one(crew, s, crew->delivery->options.over, STREAM_END_RIGHTS);
        return;
    }
    stream_keep_alive(s, (stream_time)round->now);
    if (s->state != STREAM_LIVE) settle(crew, s, false);
}

static void check_lag(struct crew *crew, struct stream *s, void *ctx)
{
    const struct round *round = ctx;
    if (rights_end(s, round->now)) stream_end(s, crew->delivery->options.over, STREAM_END_RIGHTS);
    stream_check_lag(s, &crew->delivery->options, (stream_time)round->now);
    if (s->state != STREAM_BEHIND) settle(crew, s, false);
}

static void tick(struct crew *crew, struct round *round)
{
    if (round->now < crew->tick_at) return;
    each_stream(crew, &crew->ready, check_rights, round);
    each_live(crew, keep_alive, round);
    each_stream(crew, &crew->behind, check_lag, round);
    crew->tick_at = round->now + TICK_MS;
}

static void end_chosen(struct crew *crew, struct stream *s, void *ctx)
{
    const struct ending *ending = ctx;
    if (s->ending) return;
    if (s->source->owner != ending->owner || (ending->session && s->source->session != ending->session)) return;
    end_one(crew, s, crew->delivery->options.over, STREAM_END_RIGHTS);
}

static void end_announced(struct crew *crew, struct list *endings)
{
    while (!list_empty(endings)) {
        struct ending *ending = CONTAINER(endings->next, struct ending, link);
        list_remove(&ending->link);
        each_of_all(crew, end_chosen, ending);
        free(ending);
    }
}

static void end_drawn(struct crew *crew, struct stream *s, void *ctx)
{
    const int64_t *left = ctx;
    if (s->ending || (*left > 0 && rand_r(&crew->dice) % (*left + DRAIN_MS) >= DRAIN_MS)) return;
    end_one(crew, s, crew->delivery->last_words, STREAM_END_STOPPING);
}

/* Each stream goes in one of the steps that are left, all with the same chance. */
static void drain(struct crew *crew, int64_t drained_at, const struct round *round)
{
    if (!drained_at || (crew->draw_at && round->now < crew->draw_at)) return;
    int64_t left = drained_at - round->now;
    each_of_all(crew, end_drawn, &left);
    crew->draw_at = round->now + DRAIN_MS;
}

static void end_at_once(struct crew *crew, struct stream *s, void *ctx)
{
    struct round *round = ctx;
    bool more = false;
    if (s->watched) {
        stream_end(s, crew->delivery->last_words, STREAM_END_STOPPING);
        more = stream_advance(s, &round->looks, (stream_time)round->now);
    } else {
        stream_close(s, STREAM_END_STOPPING);
    }
    (void)more; /* what does not go at once does not go */
    list_remove(&s->link);
    bury(crew, s);
}

static void *deliver(void *ctx)
{
    struct crew *crew = ctx;
    crew->tick_at = clock_monotonic() + TICK_MS;
    for (;;) {
        struct news news;
        take_news(crew, &news);
        struct round round = {.now = clock_monotonic()};
        end_announced(crew, &news.endings);
        drain(crew, news.drained_at, &round);
        serve_grown(crew, &news.grown, &round);
        serve_ready(crew, &round);
        tick(crew, &round);
        if (news.closing) each_of_all(crew, end_at_once, &round);
        looks_release(&round.looks);
        lay_out(crew);
        if (news.closing) return NULL;
    }
}

static bool start_crew(struct delivery *d)
{
    struct crew *crew = &d->crews[d->ncrews];
    struct list *lists[] = {&crew->ready, &crew->behind, &crew->dead, &crew->groups, &crew->inbox, &crew->told,
        &crew->grown, &crew->endings};
    crew->delivery = d;
    crew->number = (uint8_t)d->ncrews++;
    crew->dice = (unsigned)clock_monotonic() + crew->number;
    for (size_t i = 0; i < COUNT(lists); i++) list_init(lists[i]);
    lock_init(&crew->lock);
    condition_init(&crew->bell);
    crew->started = !pthread_create(&crew->thread, NULL, deliver, crew);
    return crew->started;
}

struct delivery *delivery_new(const struct delivery_options *options)
{
    ASSERT(options->threads > 0 && options->threads <= MAX_CREWS);
    struct delivery *d = calloc(1, sizeof *d + (size_t)options->threads * sizeof *d->crews);
    if (!d) return NULL;
    d->options = *options;
    lock_init(&d->lock);
    condition_init(&d->empty);
    list_init(&d->graveyard);
    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    d->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    bool ok = d->epoll >= 0 && d->wake >= 0 && !epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->wake, &event);
    if (ok) ok = d->watching = !pthread_create(&d->watcher, NULL, watch, d);
    while (ok && d->ncrews < options->threads) ok = start_crew(d);
    if (ok) return d;
    delivery_free(d, (struct view){0});
    return NULL;
}

size_t delivery_count(struct delivery *d)
{
    return atomic_load(&d->count);
}

struct audience *audience_new(struct delivery *d, struct framelog *log)
{
    struct audience *a = calloc(1, sizeof *a + (size_t)d->ncrews * sizeof *a->groups);
    if (!a) return NULL;
    a->delivery = d;
    a->log = log;
    for (int i = 0; i < d->ncrews; i++) {
        list_init(&a->groups[i].live);
        list_init(&a->groups[i].of_crew);
        list_init(&a->groups[i].of_round);
        list_init(&a->groups[i].news);
    }
    return a;
}

void audience_free(struct audience *a)
{
    free(a);
}

void audience_notify(struct audience *a)
{
    for (int i = 0; i < a->delivery->ncrews; i++) {
        struct crew *crew = &a->delivery->crews[i];
        struct group *group = &a->groups[i];
        if (!atomic_load(&group->members)) continue;
        lock_take(&crew->lock);
        if (atomic_load(&group->members) && list_empty(&group->news)) {
            list_insert(&crew->grown, &group->news);
            condition_signal(&crew->bell);
        }
        lock_drop(&crew->lock);
    }
}

bool audience_add(struct audience *a, struct peer peer, struct source *source)
{
    struct delivery *d = a->delivery;
    struct stream *s =
        atomic_load(&d->draining) ? NULL : stream_new(peer, a->log, source, (stream_time)clock_monotonic());
    if (!s) {
        peer_close(&peer);
        source->type->close(source, STREAM_END_STOPPING);
        return false;
    }
    atomic_fetch_add(&d->count, 1);
    s->crew = (uint8_t)(atomic_fetch_add(&d->next_crew, 1) % (unsigned)d->ncrews);
    s->group = &a->groups[s->crew];
    struct crew *crew = &d->crews[s->crew];
    lock_take(&crew->lock);
    atomic_fetch_add(&s->group->members, 1);
    list_insert(&crew->inbox, &s->link);
    condition_signal(&crew->bell);
    lock_drop(&crew->lock);
    return true;
}

void delivery_end(struct delivery *d, uint64_t owner, uint64_t session)
{
    for (int i = 0; i < d->ncrews; i++) {
        struct crew *crew = &d->crews[i];
        struct ending *ending = malloc(sizeof *ending);
        ASSERT(ending); /* a reader without rights must not read on */
        *ending = (struct ending){.owner = owner, .session = session};
        lock_take(&crew->lock);
        list_insert(&crew->endings, &ending->link);
        condition_signal(&crew->bell);
        lock_drop(&crew->lock);
    }
}

void delivery_drain(struct delivery *d, int64_t ms, struct view words)
{
    d->last_words = words;
    atomic_store(&d->draining, true);
    for (int i = 0; i < d->ncrews; i++) {
        struct crew *crew = &d->crews[i];
        lock_take(&crew->lock);
        crew->drained_at = clock_monotonic() + ms;
        condition_signal(&crew->bell);
        lock_drop(&crew->lock);
    }
}

bool delivery_wait_empty(struct delivery *d, int64_t ms)
{
    int64_t deadline = clock_monotonic() + ms;
    lock_take(&d->lock);
    while (atomic_load(&d->count))
        if (!condition_wait_until(&d->empty, &d->lock, deadline)) break;
    lock_drop(&d->lock);
    return !atomic_load(&d->count);
}

void delivery_free(struct delivery *d, struct view words)
{
    if (!d) return;
    d->last_words = words;
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
    condition_destroy(&d->empty);
    lock_destroy(&d->lock);
    free(d);
}
