/* What was measured, for people or, with --json, for machines. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench/kind.h"
#include "bench/load.h"
#include "bench/readers.h"

/* `before`: of the server's processes; NULL: it is not known. */
void report_requests(
    const struct bench *b, const struct load_result *r, const struct usage *before, const struct usage *after);

/* What the server's processes spent, and over which time. */
struct spent {
    double user, kernel, seconds;
};

struct streams_result {
    size_t streams;               /* that were wanted */
    struct readers_progress last; /* how far the readers came */
    struct readers_result *readers;
    const struct load_result *posts; /* NULL: none were sent */
    uint64_t received_while_posting;
    double seconds;        /* with --missed: until all had caught up; without: to the newest message */
    double reading_cpu;    /* of the threads that read */
    bool gone;             /* the server's processes are, and what they spent is not known */
    struct spent posting;  /* until the last POST was answered */
    struct spent all;      /* until all had come */
    double resident_bytes; /* with all streams */
    double user_bytes, slab_bytes, buffer_bytes; /* of a stream; slab_bytes below 0: only root may know */
    size_t stalled_open;
    double stalled_bytes; /* of a stalled stream, in the kernel */
};

void report_streams(const struct bench *b, const struct streams_result *r);
/* Messages that did not come to each stream once and in order, streams that were refused, cut off or never ready, POSTs
 * that failed. */
uint64_t streams_wrong(const struct streams_result *r);

#endif
