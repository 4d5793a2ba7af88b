#include "bench/histogram.h"
#include <stddef.h>

#define BAR 40 /* characters of the longest */

/* A value of up to 7 bits is its own bucket. Of a longer one the first 7 bits count, and each further bit begins 64
 * more buckets. */
static size_t bucket_of(uint64_t value)
{
    unsigned bits = value ? 64u - (unsigned)__builtin_clzll(value) : 0;
    unsigned cut = bits > 7 ? bits - 7 : 0;
    size_t bucket = (size_t)cut * 64 + (size_t)(value >> cut);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* In microseconds; the end of a bucket is the beginning of the next. */
static double beginning_of(size_t bucket)
{
    if (bucket < 128) return (double)bucket;
    unsigned cut = (unsigned)(bucket / 64 - 1);
    return (double)(bucket - (size_t)cut * 64) * (double)(UINT64_C(1) << cut);
}

void histogram_add(struct histogram *h, uint64_t nanoseconds)
{
    if (!h->count || nanoseconds < h->least) h->least = nanoseconds;
    if (nanoseconds > h->greatest) h->greatest = nanoseconds;
    h->count++;
    h->buckets[bucket_of(nanoseconds / 1000)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *h)
{
    if (!h->count) return;
    if (!into->count || h->least < into->least) into->least = h->least;
    if (h->greatest > into->greatest) into->greatest = h->greatest;
    into->count += h->count;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) into->buckets[i] += h->buckets[i];
}

/* In milliseconds; of at least one value. */
static double quantile(const struct histogram *h, double percent)
{
    double least = (double)h->least / 1e6, greatest = (double)h->greatest / 1e6;
    double wanted = percent / 100 * (double)h->count;
    uint64_t below = 0;
    size_t last = 0;
    if (percent <= 0) return least;
    if (percent >= 100) return greatest;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (!h->buckets[i]) continue;
        last = i;
        below += h->buckets[i];
        if ((double)below >= wanted) break;
    }
    double middle = (beginning_of(last) + beginning_of(last + 1)) / 2000;
    return middle < least ? least : middle > greatest ? greatest : middle;
}

static const struct {
    const char *name, *text;
    double percent;
} quantiles[] = {
    {"min", "min", 0},
    {"p50", "median", 50},
    {"p90", "90 %", 90},
    {"p99", "99 %", 99},
    {"p99.9", "99.9 %", 99.9},
    {"max", "max", 100},
};

void histogram_print_json(const struct histogram *h, FILE *out)
{
    static const double curve[] = {0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.5, 99.9, 100};
    const char *between = "";
    if (!h->count) {
        fputs("null", out);
        return;
    }
    fprintf(out, "{\"count\":%llu,", (unsigned long long)h->count);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        fprintf(out, "\"%s\":%.3f,", quantiles[i].name, quantile(h, quantiles[i].percent));
    fputs("\"curve\":[", out);
    for (size_t i = 0; i < sizeof curve / sizeof *curve; i++)
        fprintf(out, "%s[%g,%.3f]", i ? "," : "", curve[i], quantile(h, curve[i]));
    fputs("],\"buckets\":[", out);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (!h->buckets[i]) continue;
        fprintf(out, "%s[%.3f,%llu]", between, beginning_of(i + 1) / 1000, (unsigned long long)h->buckets[i]);
        between = ",";
    }
    fputs("]}", out);
}

void histogram_print_line(const struct histogram *h, const char *name, FILE *out)
{
    if (!h->count) return;
    fprintf(out, "  %-16s", name);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        fprintf(out, "%s%s %.3g", i ? ", " : "", quantiles[i].text, quantile(h, quantiles[i].percent));
    fputs(" ms\n", out);
}

void histogram_print_bars(const struct histogram *h, FILE *out)
{
    uint64_t rows[64] = {0}, most = 0;
    unsigned first = 64, last = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (!h->buckets[i]) continue;
        unsigned row = 0;
        while (row < 63 && beginning_of(i) >= (double)(UINT64_C(1) << row)) row++;
        rows[row] += h->buckets[i];
        if (rows[row] > most) most = rows[row];
        if (row < first) first = row;
        last = row;
    }
    for (unsigned row = first; row <= last && row < 64; row++) {
        double share = (double)rows[row] / (double)h->count * 100;
        int bar = (int)((double)rows[row] / (double)most * BAR + 0.5);
        fprintf(out, "    < %8.5g ms %6.2f %%  %.*s\n", (double)(UINT64_C(1) << row) / 1000, share, bar,
            "########################################");
    }
}
