/* What both programs of the bench need: time, the end with a sentence, descriptors, memory that is there. */
#ifndef BENCH_TOOL_H
#define BENCH_TOOL_H

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

void pause_for(uint64_t nanoseconds);

/* Prints "NAME: SENTENCE" and ends with 1. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *sentence, ...);

/* Zeroed; dies rather than return NULL. */
void *need(size_t count, size_t size);

/* Of this process: as many open files as the system lets it have, and an end with its parent's. */
void tool_begin(void);

/* 127.0.0.1 with a port; `host` is the last two bytes of another address of the loopback network, or 1. */
struct sockaddr_in loopback(unsigned host, int port);

#endif
