/* Durations, counted in buckets that are 1/64 of their value wide: quantiles within 1.6 %, from one microsecond on. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#define HISTOGRAM_BUCKETS 2304 /* up to 12 days */

struct histogram {
    uint64_t count;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t nanoseconds);
void histogram_merge(struct histogram *into, const struct histogram *h);
/* As JSON: {"count":N,"p50":…,"p99":…,"max":…,"curve":[[percent,ms],…]}, in milliseconds; null when it is empty. */
void histogram_print(const struct histogram *h, FILE *out);

#endif
