/* What the crews share: the watcher, which tells them of their sockets, and the audiences, each with a group in each
 * crew. */
#include "stream/delivery.h"
#include "base/check.h"
#include "base/clock.h"
#include "stream/crew.h"
#include <stdlib.h>

#define MAX_CREWS 64

struct audience {
    struct delivery *delivery;
    struct framelog *log;
    struct group groups[]; /* by crew */
};

struct delivery {
    /* fixed */
    struct delivery_options options;
    /* their own rules */
    struct watcher watcher;
    struct census census;
    /* atomic */
    atomic_uint next_crew;
    atomic_bool draining;
    int ncrews; /* fixed */
    struct crew crews[];
};

/* The watcher's tell */
static void tell(void *ctx, struct stream *s, unsigned told)
{
    struct delivery *d = ctx;
    crew_tell(&d->crews[s->crew], s, told);
}

/* The first crew's every_second */
static void tick(void *ctx)
{
    struct delivery *d = ctx;
    d->options.tick(d->options.ctx, d);
}

struct delivery *delivery_new(const struct delivery_options *options)
{
    ASSERT(options->threads > 0 && options->threads <= MAX_CREWS);
    struct delivery *d = calloc(1, sizeof *d + (size_t)options->threads * sizeof *d->crews);
    if (!d) return NULL;
    d->options = *options;
    lock_init(&d->census.lock);
    condition_init(&d->census.empty);
    bool ok = watcher_start(&d->watcher, tell, d);
    if (options->tick) {
        d->crews[0].every_second = tick;
        d->crews[0].ctx = d;
    }
    while (ok && d->ncrews < options->threads)
        ok = crew_start(&d->crews[d->ncrews++], &d->watcher, &d->census, &d->options);
    if (ok) return d;
    delivery_free(d, (struct view){0});
    return NULL;
}

size_t delivery_count(struct delivery *d)
{
    return atomic_load(&d->census.count);
}

struct audience *audience_new(struct delivery *d, struct framelog *log)
{
    struct audience *a = calloc(1, sizeof *a + (size_t)d->ncrews * sizeof *a->groups);
    if (!a) return NULL;
    a->delivery = d;
    a->log = log;
    for (int i = 0; i < d->ncrews; i++) group_init(&a->groups[i]);
    return a;
}

void audience_free(struct audience *a)
{
    free(a);
}

void audience_notify(struct audience *a)
{
    for (int i = 0; i < a->delivery->ncrews; i++) crew_notify(&a->delivery->crews[i], &a->groups[i]);
}

bool audience_add(struct audience *a, struct peer peer, struct source *source)
{
    struct delivery *d = a->delivery;
    bool open = !delivery_draining(d);
    struct stream *s = open ? stream_new(peer, a->log, source, (stream_time)clock_monotonic()) : NULL;
    if (!s) {
        peer_close(&peer);
        source->type->close(source, open ? STREAM_END_ERROR : STREAM_END_STOPPING);
        return false;
    }
    atomic_fetch_add(&d->census.count, 1);
    s->crew = (uint8_t)(atomic_fetch_add(&d->next_crew, 1) % (unsigned)d->ncrews);
    crew_take(&d->crews[s->crew], s, &a->groups[s->crew]);
    return true;
}

void delivery_end(struct delivery *d, uint64_t owner, uint64_t session)
{
    for (int i = 0; i < d->ncrews; i++) {
        struct ending *ending = malloc(sizeof *ending);
        ASSERT(ending); /* a reader without rights must not read on */
        *ending = (struct ending){.owner = owner, .session = session};
        crew_end(&d->crews[i], ending);
    }
}

void delivery_tell(struct delivery *d, uint64_t owner, unsigned kinds, struct view frames)
{
    for (int i = 0; i < d->ncrews; i++) crew_send(&d->crews[i], owner, kinds, frames);
}

void delivery_drain(struct delivery *d, int64_t ms, struct view words)
{
    int64_t end = clock_monotonic() + ms;
    atomic_store(&d->draining, true);
    for (int i = 0; i < d->ncrews; i++) crew_drain(&d->crews[i], end, words);
}

bool delivery_draining(const struct delivery *d)
{
    return atomic_load(&d->draining);
}

bool delivery_wait_empty(struct delivery *d, int64_t ms)
{
    int64_t deadline = clock_monotonic() + ms;
    lock_take(&d->census.lock);
    while (atomic_load(&d->census.count))
        if (!condition_wait_until(&d->census.empty, &d->census.lock, deadline)) break;
    lock_drop(&d->census.lock);
    return !delivery_count(d);
}

void delivery_free(struct delivery *d, struct view words)
{
    if (!d) return;
    for (int i = 0; i < d->ncrews; i++) crew_close(&d->crews[i], words);
    for (int i = 0; i < d->ncrews; i++) crew_stop(&d->crews[i]);
    watcher_stop(&d->watcher);
    /* Not earlier: the watcher may have had something to tell a crew that was gone already. */
    for (int i = 0; i < d->ncrews; i++) crew_release(&d->crews[i]);
    condition_destroy(&d->census.empty);
    lock_destroy(&d->census.lock);
    free(d);
}
