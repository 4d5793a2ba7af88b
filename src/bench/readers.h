/* Readers of event streams: a few threads, each in epoll with its share of the streams. They check what comes (each
 * message once, in one order for all) and measure how long it took from the moment when it was due.
 *
 * A message is known by the mark in an event's data, its place in the order by the event's id: "<any>-N", "N" or
 * "N:M" (seconds and a count within them). */
#ifndef BENCH_READERS_H
#define BENCH_READERS_H

#include "bench/histogram.h"
#include "bench/subscription.h"
#include "bench/target.h"
#include "bench/template.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct readers;

struct readers_options {
    const struct target *target;
    const struct template *request; /* with a cursor in it, or without */
    int threads;                    /* fewer, where there are fewer streams */
    uint32_t run;                   /* messages with the marks of others are passed over */
    size_t streams;
    size_t messages;  /* numbers below it are counted, others are foreign */
    uint32_t missed;  /* messages that a stream comes back for; 0: it is ready with the answer's head */
    size_t at_once;   /* streams that may be on the way to being ready at a time */
    bool close_ready; /* those that are ready make room for others */
};

/* Progress; grows only. Any thread may look. */
struct readers_progress {
    size_t ready;
    size_t lost;       /* refused, or closed by the server */
    uint64_t received; /* messages, in all streams */
    uint64_t last_at;  /* when the newest was received */
};

/* What is known at the end. */
struct readers_result {
    struct histogram latency; /* of each message at each stream: from due to received */
    struct histogram opening; /* from a stream's connect to ready */
    struct histogram arrival; /* from readers_open to ready */
    uint64_t missing, duplicates, disorder;
    uint64_t foreign;              /* marks that no message of this run has */
    uint64_t unacknowledged;       /* messages that came although their POST was not answered */
    double frame_bytes;            /* received, for each message */
    char id[SUBSCRIPTION_ID_MOST]; /* the newest of the first stream */
};

/* Starts the threads; no stream is open yet. Dies when it cannot. */
struct readers *readers_new(const struct readers_options *options);
/* From now on streams are opened until there are `streams` of them. */
void readers_open(struct readers *r, size_t streams);
struct readers_progress readers_progress(struct readers *r);
/* CPU seconds of the threads up to now. */
double readers_cpu(struct readers *r);
/* Ends the threads and closes the streams. `sent`: a bit for each message that every stream that was ready must have
 * received; NULL: it is not known. The result is the caller's to free(). */
struct readers_result *readers_free(struct readers *r, const _Atomic uint64_t *sent);

#endif
