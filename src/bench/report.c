#include "bench/report.h"
#include <stdio.h>
#include <string.h>

static void print_spent(const char *name, const struct spent *s)
{
    printf("\"%s\":{\"user\":%.3f,\"kernel\":%.3f,\"seconds\":%.3f},", name, s->user, s->kernel, s->seconds);
}

static void print_histogram(const char *name, const struct histogram *h)
{
    printf("\"%s\":", name);
    histogram_print_json(h, stdout);
    putchar(',');
}

/* ---- requests ---- */

static double per_second(const struct load_result *r)
{
    return r->seconds > 0 ? (double)r->answered / r->seconds : 0;
}

static void print_errors_json(const struct load_result *r)
{
    const char *between = "";
    printf("\"failed\":%llu,\"errors\":{", (unsigned long long)r->failed);
    for (enum load_error e = 0; e < LOAD_ERRORS; e++)
        printf("%s\"%s\":%llu", e ? "," : "", load_error_name(e), (unsigned long long)r->errors[e]);
    printf("},\"statuses\":{");
    for (int i = 0; i < LOAD_STATUSES; i++) {
        if (!r->statuses[i]) continue;
        printf("%s\"%d\":%llu", between, i, (unsigned long long)r->statuses[i]);
        between = ",";
    }
    printf("},");
}

static void print_errors(const struct load_result *r)
{
    const char *between = ": ";
    printf("  %-16s%llu", "failed", (unsigned long long)r->failed);
    for (enum load_error e = 0; e < LOAD_ERRORS; e++) {
        if (!r->errors[e]) continue;
        printf("%s%llu %s", between, (unsigned long long)r->errors[e], load_error_name(e));
        between = ", ";
    }
    for (int i = 400; i < LOAD_STATUSES; i++) {
        if (!r->statuses[i]) continue;
        printf("%s%llu answered %d", between, (unsigned long long)r->statuses[i], i);
        between = ", ";
    }
    putchar('\n');
}

/* What was asked for, as one sentence. */
static void print_loop(const struct bench *b, const char *verb)
{
    const struct bench_options *o = b->options;
    if (o->rate)
        printf("%lld %s a second, in an open loop", (long long)o->rate, verb);
    else
        printf("%s as fast as they are answered, in a closed loop", verb);
    printf(" over %lld connections%s", (long long)o->connections, o->fresh ? ", each for one request" : "");
    if (o->busy) printf(", of which %lld go on behind their first answer", (long long)o->busy);
    printf("\n\n");
}

static void print_requests(const struct bench *b, const struct load_result *r)
{
    printf("%s: ", b->options->url);
    print_loop(b, strcmp(b->options->kind, "post") ? "GETs" : "POSTs");
    printf("  %-16s%llu in %.2f s, %.0f a second\n", "answered", (unsigned long long)r->answered, r->seconds,
        per_second(r));
    print_errors(r);
    if (r->cut) printf("  %-16s%llu, when it was ended early\n", "under way", (unsigned long long)r->cut);
    if (!b->options->fresh)
        printf("  %-16s%zu of %lld connections never had an answer\n", "starved", r->starved,
            (long long)b->options->connections);
    histogram_print_line(&r->latency, "latency", stdout);
    putchar('\n');
    histogram_print_bars(&r->latency, stdout);
}

static void print_requests_json(
    const struct bench *b, const struct load_result *r, const struct usage *before, const struct usage *after)
{
    const struct bench_options *o = b->options;
    struct str url = {0};
    str_add_json(&url, view_of(o->url));
    printf("{\"url\":%s,\"kind\":\"%s\",\"connections\":%lld,\"rate\":%lld,", url.at ? url.at : "null", o->kind,
        (long long)o->connections, (long long)o->rate);
    str_release(&url);
    printf("\"sent\":%llu,\"answered\":%llu,\"per_second\":%.2f,", (unsigned long long)r->sent,
        (unsigned long long)r->answered, per_second(r));
    print_errors_json(r);
    printf("\"cut\":%llu,\"starved\":%zu,\"dials\":%llu,\"bytes\":%llu,", (unsigned long long)r->cut, r->starved,
        (unsigned long long)r->dials, (unsigned long long)r->bytes);
    if (before) {
        print_spent("all", &(struct spent){after->user - before->user, after->kernel - before->kernel, r->seconds});
        printf("\"memory_bytes\":%.0f,", after->memory);
    }
    print_histogram("latency", &r->latency);
    printf("\"cpu\":%.3f,\"seconds\":%.4f}\n", r->cpu, r->seconds);
}

static void print_server(const struct spent *s, uint64_t count, const char *of)
{
    if (!count) return;
    printf("  %-16s%.1f us of the server's CPU %s, %.1f of them in the kernel\n", "cost",
        (s->user + s->kernel) * 1e6 / (double)count, of, s->kernel * 1e6 / (double)count);
}

void report_requests(
    const struct bench *b, const struct load_result *r, const struct usage *before, const struct usage *after)
{
    if (b->options->json) {
        print_requests_json(b, r, before, after);
        return;
    }
    print_requests(b, r);
    if (!before) return;
    putchar('\n');
    print_server(&(struct spent){after->user - before->user, after->kernel - before->kernel, r->seconds}, r->answered,
        "a request");
}

/* ---- streams ---- */

uint64_t streams_wrong(const struct streams_result *r)
{
    const struct readers_result *read = r->readers;
    uint64_t refused = r->last.lost, late = r->streams > r->last.ready ? r->streams - r->last.ready : 0;
    return read->missing + read->duplicates + read->disorder + read->foreign + (refused > late ? refused : late) +
           (r->posts ? r->posts->failed : 0);
}

static void print_streams_json(const struct bench *b, const struct streams_result *r)
{
    const struct readers_result *read = r->readers;
    printf("{\"kind\":\"streams\",\"streams\":%zu,\"ready\":%zu,\"lost\":%zu,\"received\":%llu,", r->streams,
        r->last.ready, r->last.lost, (unsigned long long)r->last.received);
    printf("\"received_while_posting\":%llu,", (unsigned long long)r->received_while_posting);
    if (r->posts) {
        printf("\"posted\":%llu,\"acknowledged\":%llu,\"posting_seconds\":%.4f,\"posting_cpu\":%.3f,",
            (unsigned long long)r->posts->sent, (unsigned long long)r->posts->answered, r->posts->seconds,
            r->posts->cpu);
        print_errors_json(r->posts);
        print_histogram("answer", &r->posts->latency);
    }
    if (b->options->processes && !r->gone) {
        print_spent("posting", &r->posting);
        print_spent("all", &r->all);
        printf("\"memory_bytes\":%.0f,\"user_bytes\":%.0f,\"buffer_bytes\":%.0f,", r->resident_bytes, r->user_bytes,
            r->buffer_bytes);
        if (r->slab_bytes >= 0) printf("\"slab_bytes\":%.0f,", r->slab_bytes);
    }
    if (b->options->stalled && b->options->processes)
        printf("\"stalled_open\":%zu,\"stalled_bytes\":%.0f,", r->stalled_open, r->stalled_bytes);
    print_histogram("latency", &read->latency);
    print_histogram("opening", &read->opening);
    print_histogram("arrival", &read->arrival);
    printf("\"missing\":%llu,\"duplicates\":%llu,\"disorder\":%llu,\"foreign\":%llu,\"unacknowledged\":%llu,",
        (unsigned long long)read->missing, (unsigned long long)read->duplicates, (unsigned long long)read->disorder,
        (unsigned long long)read->foreign, (unsigned long long)read->unacknowledged);
    printf(
        "\"frame_bytes\":%.0f,\"reading_cpu\":%.3f,\"seconds\":%.4f}\n", read->frame_bytes, r->reading_cpu, r->seconds);
}

static void print_streams(const struct bench *b, const struct streams_result *r)
{
    const struct readers_result *read = r->readers;
    printf("%s: %zu streams; ", b->options->url, r->streams);
    if (b->options->missed)
        printf("all come back for %lld messages\n\n", (long long)b->options->missed);
    else if (r->posts)
        print_loop(b, "messages");
    else
        printf("nothing is sent\n\n");
    printf("  %-16s%zu ready, %zu refused or cut off\n", "streams", r->last.ready, r->last.lost);
    if (r->posts) {
        printf("  %-16s%llu taken in %.2f s, %.0f a second\n", "messages", (unsigned long long)r->posts->answered,
            r->posts->seconds, per_second(r->posts));
        print_errors(r->posts);
        printf("  %-16s%llu in %.2f s; %llu missing, %llu repeated, %llu out of order", "received",
            (unsigned long long)r->last.received, r->seconds, (unsigned long long)read->missing,
            (unsigned long long)read->duplicates, (unsigned long long)read->disorder);
        if (read->foreign) printf(", %llu of nobody's", (unsigned long long)read->foreign);
        if (read->unacknowledged) printf("; %llu were never answered", (unsigned long long)read->unacknowledged);
        putchar('\n');
        histogram_print_line(&r->posts->latency, "POST answered", stdout);
    }
    histogram_print_line(&read->opening, b->options->missed ? "caught up" : "stream opened", stdout);
    histogram_print_line(&read->latency, "latency", stdout);
    putchar('\n');
    histogram_print_bars(b->options->missed ? &read->opening : &read->latency, stdout);
}

void report_streams(const struct bench *b, const struct streams_result *r)
{
    if (b->options->json) {
        print_streams_json(b, r);
        return;
    }
    print_streams(b, r);
    if (!b->options->processes || r->gone) return;
    putchar('\n');
    print_server(&r->all, r->last.received, "a delivery");
    printf("  %-16s%.0f bytes of the server's own a stream, and %.0f in the kernel's buffers\n", "memory",
        r->user_bytes, r->buffer_bytes);
}
