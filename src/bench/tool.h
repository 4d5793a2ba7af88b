/* What the load generator is built of: time, the end with a sentence, memory that is there, descriptors. */
#ifndef BENCH_TOOL_H
#define BENCH_TOOL_H

#include "parley/attributes.h"
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define SECOND UINT64_C(1000000000) /* in nanoseconds, as all times here */

static inline uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static inline double seconds_of(uint64_t nanoseconds)
{
    return (double)nanoseconds / (double)SECOND;
}

void pause_for(uint64_t nanoseconds);

/* Prints "NAME: SENTENCE" and ends with 1. */
NORETURN void die(const char *sentence, ...) PRINTF(1, 2);

/* Zeroed; dies rather than return NULL. */
MUST_CHECK void *need(size_t count, size_t size);

/* Of this process: as many open files as the system lets it have. */
void raise_descriptors(void);

/* An address of the loopback network, by its last two bytes, with a port. */
struct sockaddr_in loopback(unsigned host, int port);

#endif
