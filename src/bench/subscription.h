/* One event stream at its reader: from the bytes that come to the messages in them. */
#ifndef BENCH_SUBSCRIPTION_H
#define BENCH_SUBSCRIPTION_H

#include "bench/histogram.h"
#include "bench/link.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SUBSCRIPTION_ID_MOST 64

enum subscription_state {
    SUBSCRIPTION_NEW,
    SUBSCRIPTION_CONNECTING,
    SUBSCRIPTION_HEAD, /* the request is sent */
    SUBSCRIPTION_OPEN, /* the answer was 200 */
    SUBSCRIPTION_ENDED,
};

struct subscription {
    struct link link;
    enum subscription_state state;
    bool counted; /* as ready */
    uint64_t opened_at;
    uint64_t order; /* of the newest id */
    uint64_t last;  /* the order of the newest message */
    uint32_t received;
    char *rest; /* a line that has not ended yet */
    size_t rest_len;
    uint64_t *seen;                /* a bit for each message */
    char id[SUBSCRIPTION_ID_MOST]; /* the newest */
};

/* What a thread's streams count together. */
struct tally {
    struct histogram latency;
    uint64_t duplicates, disorder, foreign, bytes;
    uint32_t run;    /* messages of others are passed over */
    size_t messages; /* numbers from here on are foreign */
    /* For each message its place in the order, as the first stream saw it; shared by all threads. */
    _Atomic uint64_t *places;
};

/* Takes bytes that came at `at`, whole lines of them, and returns how many it took. The stream ends with an answer
 * other than 200. */
size_t subscription_take(struct subscription *s, struct tally *t, const char *bytes, size_t len, uint64_t at);

#endif
