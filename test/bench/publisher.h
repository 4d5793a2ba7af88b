/* A publisher: posts messages over keep-alive connections, in the calling thread, and notes which were acknowledged.
 *
 * With a rate it is an open loop: message i is due at i/rate, whatever became of those before it; where no connection
 * is free it is sent late, and its token says when it was due. Without one it keeps every connection busy as long as
 * fewer than `window` messages are still on the way to the readers. */
#ifndef BENCH_PUBLISHER_H
#define BENCH_PUBLISHER_H

#include "histogram.h"
#include "readers.h"
#include <stddef.h>
#include <stdint.h>

struct publisher_options {
    int port;
    const char *path;
    const char *body; /* JSON, with one '#' in it, where the token goes */
    int connections;
    size_t messages;         /* the most in all, over all calls */
    struct readers *readers; /* with a window: whose progress counts */
    size_t window;
};

struct publisher;

/* Connects. Dies when it cannot. */
struct publisher *publisher_new(const struct publisher_options *options);
/* Posts `count` messages, `rate` a second (0: see above) or what fits into `duration` (0: no end), and waits for the
 * answers; those that do not come within 10 s have failed. */
void publisher_run(struct publisher *p, size_t count, double rate, uint64_t duration);

struct publisher_result {
    size_t posted, acknowledged, failed;
    uint64_t *sent;          /* a bit for each message that was acknowledged; the publisher's */
    double seconds;          /* of all runs, to the last answer */
    double cpu;              /* of the calling thread, in them */
    struct histogram answer; /* from due to answered */
};

const struct publisher_result *publisher_result(const struct publisher *p);
void publisher_free(struct publisher *p);

#endif
