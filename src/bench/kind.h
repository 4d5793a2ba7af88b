/* The kinds of load, and what they have in common. */
#ifndef BENCH_KIND_H
#define BENCH_KIND_H

#include "bench/options.h"
#include "bench/target.h"
#include "bench/tool.h"
#include "bench/usage.h"

struct bench {
    const struct bench_options *options;
    struct target target;
    uint64_t timeout;         /* nanoseconds */
    uint32_t run;             /* of the marks; at random */
    int64_t sender, receiver; /* where messages are sent */
};

/* Each runs its load, prints the results, and says whether all was right. INVALID: what is asked for cannot be done. */
MUST_CHECK enum status requests_run(const struct bench *b, bool *right, struct failure *f);
MUST_CHECK enum status streams_run(const struct bench *b, bool *right, struct failure *f);

/* The body of a message: `--body`, or one with `content` in it. */
void bench_body(const struct bench *b, const char *content, struct str *out);

#endif
