/* What a server counts. One struct that all layers may add to; who shows it (api/metrics.h) reads it. A counter only
 * goes up, and begins at 0 with its server; a gauge tells how many there are. Any thread; they are read one by one, not
 * all in one look. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct counter {
    atomic_uint_least64_t n;
};

static inline void counter_add(struct counter *c, uint64_t n)
{
    atomic_fetch_add_explicit(&c->n, n, memory_order_relaxed);
}

static inline uint64_t counter_read(struct counter *c)
{
    return atomic_load_explicit(&c->n, memory_order_relaxed);
}

struct gauge {
    atomic_int_least64_t n;
};

static inline void gauge_add(struct gauge *g, int64_t n)
{
    atomic_fetch_add_explicit(&g->n, n, memory_order_relaxed);
}

static inline int64_t gauge_read(struct gauge *g)
{
    return atomic_load_explicit(&g->n, memory_order_relaxed);
}

#define METRIC_CODES   6 /* by a status's first digit */
#define METRIC_REASONS 8
#define METRIC_WAITS   8

/* {0} to begin with. */
struct metrics {
    struct counter requests[METRIC_CODES];
    struct gauge connections;                       /* without those that became streams */
    struct gauge connections_waiting[METRIC_WAITS]; /* of them; by http/connection.h */
    struct counter connections_accepted, connections_refused;
    struct counter streams_opened;
    struct counter streams_refused[METRIC_REASONS]; /* by enum quota_result */
    struct counter streams_closed[METRIC_REASONS];  /* by enum stream_end */
};

#endif
