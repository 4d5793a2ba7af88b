/* A load of requests: connections, shared among a few threads, each with one request under way at a time.
 *
 * Without a rate it is a closed loop: each connection makes its next request when the last was answered, and who waits
 * asks less. With a rate it is an open loop: request i is due at i/rate, whatever became of those before it; where no
 * connection is free it is sent late, and its latency counts from when it was due. So a server that stands still for a
 * second shows in every request that was due meanwhile, and not in one for each connection alone. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "bench/histogram.h"
#include "bench/readers.h"
#include "bench/target.h"
#include "bench/template.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_options {
    const struct target *target;
    const struct template *request;
    size_t connections;
    size_t busy;             /* of them, those that go on behind their first answer; 0: all */
    bool fresh;              /* each request has a connection of its own */
    int threads;             /* fewer, where there are fewer connections */
    uint64_t timeout;        /* until an answer is given up; also until a late request is not sent any more */
    uint32_t run;            /* of the marks */
    size_t messages;         /* with marks: the most in all, over all calls of load_begin */
    struct readers *readers; /* with a window: whose progress counts */
    size_t window;           /* messages that may be on the way to the readers; 0: no limit */
};

enum load_error {
    LOAD_CONNECT,  /* refused, or no TLS */
    LOAD_CLOSED,   /* the connection ended before the answer did */
    LOAD_TIMEOUT,  /* no answer, or not the whole, in time */
    LOAD_NONSENSE, /* the answer is no HTTP */
    LOAD_UNSENT,   /* due, but no connection was free in time */
    LOAD_ERRORS,
};

#define LOAD_STATUSES 600

struct load;

/* Connects, where connections are kept. Dies when the machine gives too little. */
struct load *load_new(const struct load_options *options);
/* Lets the threads make `count` requests, `rate` a second (0: closed loop), or what fits into `duration` (0: no end).
 * With marks they go on with the numbers where the last call ended. */
void load_begin(struct load *l, size_t count, double rate, uint64_t duration);
/* Not all is done yet. */
bool load_under_way(const struct load *l);
/* Nothing more is sent, and what is under way is waited for a second at most. Any thread. */
void load_stop(struct load *l);
/* Waits for the end of what load_begin began. */
void load_wait(struct load *l);

struct load_progress {
    uint64_t sent, answered, failed;
};

/* Up to now; any thread. */
struct load_progress load_progress(const struct load *l);

struct load_result {
    uint64_t sent;
    uint64_t answered;                /* with a status below 400 */
    uint64_t failed;                  /* everything else, but for `cut` */
    uint64_t errors[LOAD_ERRORS];     /* of `failed` */
    uint64_t statuses[LOAD_STATUSES]; /* of all whole answers */
    uint64_t cut;                     /* under way when it was stopped */
    uint64_t dials;                   /* connections that were begun */
    size_t starved;                   /* connections that asked and never got an answer */
    uint64_t bytes;                   /* received */
    double seconds; /* of all calls, each to its end or, where it is later or there is no end, its last answer */
    double cpu;     /* of the threads, in them */
    struct histogram latency;       /* of whole answers: from due, in a closed loop from sent, to answered */
    _Atomic uint64_t *acknowledged; /* with marks: a bit for each message that was; the load's */
};

/* Of all calls of load_begin; after load_wait. */
const struct load_result *load_result(struct load *l);
/* The name of an error, for people and JSON. */
const char *load_error_name(enum load_error error);
/* Takes NULL. */
void load_free(struct load *l);

#endif
