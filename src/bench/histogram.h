/* Durations, counted in buckets that are 1/64 of their value wide, as HdrHistogram does: quantiles within 1.6 %, from
 * one microsecond on; the least and the greatest are kept as they are. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#define HISTOGRAM_BUCKETS 2304 /* up to 12 days */

struct histogram {
    uint64_t count, least, greatest; /* nanoseconds */
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t nanoseconds);
void histogram_merge(struct histogram *into, const struct histogram *h);
/* As JSON, in milliseconds; null when it is empty:
 * {"count":N,"min":…,"p50":…,"p90":…,"p99":…,"p99.9":…,"max":…,"curve":[[percent,ms],…],"buckets":[[ms,count],…]}, a
 * bucket by its upper end. */
void histogram_print_json(const struct histogram *h, FILE *out);
/* As text: one line of quantiles behind `name`. */
void histogram_print_line(const struct histogram *h, const char *name, FILE *out);
/* As text: a bar for each doubling, as long as its share. */
void histogram_print_bars(const struct histogram *h, FILE *out);

#endif
