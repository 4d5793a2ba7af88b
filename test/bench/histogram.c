#include "histogram.h"
#include <stddef.h>

/* A value of up to 7 bits is its own bucket. Of a longer one the first 7 bits count, and each further bit begins 64
 * more buckets. */
static size_t bucket_of(uint64_t value)
{
    unsigned bits = value ? 64u - (unsigned)__builtin_clzll(value) : 0;
    unsigned cut = bits > 7 ? bits - 7 : 0;
    size_t bucket = (size_t)cut * 64 + (size_t)(value >> cut);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static double middle_of(size_t bucket)
{
    if (bucket < 128) return (double)bucket;
    unsigned cut = (unsigned)(bucket / 64 - 1);
    return ((double)(bucket - (size_t)cut * 64) + 0.5) * (double)(UINT64_C(1) << cut);
}

void histogram_add(struct histogram *h, uint64_t nanoseconds)
{
    h->count++;
    h->buckets[bucket_of(nanoseconds / 1000)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *h)
{
    into->count += h->count;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) into->buckets[i] += h->buckets[i];
}

/* In milliseconds; of at least one value. */
static double quantile(const struct histogram *h, double percent)
{
    double wanted = percent / 100 * (double)h->count;
    uint64_t below = 0;
    size_t last = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (!h->buckets[i]) continue;
        last = i;
        below += h->buckets[i];
        if ((double)below >= wanted) break;
    }
    return middle_of(last) / 1000;
}

void histogram_print(const struct histogram *h, FILE *out)
{
    static const double curve[] = {0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.5, 99.9, 100};
    if (!h->count) {
        fputs("null", out);
        return;
    }
    fprintf(out, "{\"count\":%llu,\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f,\"curve\":[", (unsigned long long)h->count,
        quantile(h, 50), quantile(h, 99), quantile(h, 100));
    for (size_t i = 0; i < sizeof curve / sizeof *curve; i++)
        fprintf(out, "%s[%g,%.3f]", i ? "," : "", curve[i], quantile(h, curve[i]));
    fputs("]}", out);
}
