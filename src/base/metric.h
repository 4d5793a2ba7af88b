/* What a server counts. One struct that all layers may add to; who shows it (api/metrics.h) reads it. A counter only
 * goes up, and begins at 0 with its server. Any thread; counters are read one by one, not all in one look. */
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

#define METRIC_CODES   6 /* by a status's first digit */
#define METRIC_REASONS 8

/* {0} to begin with. */
struct metrics {
    struct counter requests[METRIC_CODES];
    struct counter streams_opened;
    struct counter streams_refused[METRIC_REASONS]; /* by enum quota_result */
    struct counter streams_closed[METRIC_REASONS];  /* by enum stream_end */
};

#endif
