/* Requests of one kind, to one path. */
#include "bench/kind.h"
#include "bench/load.h"
#include "bench/report.h"
#include "bench/watch.h"
#include <stdio.h>
#include <string.h>

#define LOOK (SECOND / 50)

static void watch_load(struct load *load)
{
    uint64_t last = 0, last_at = now();
    bool stopped = false;
    for (; load_under_way(load); pause_for(LOOK)) {
        if (!stopped && watch_interrupted()) {
            load_stop(load);
            stopped = true;
        }
        if (!watch_due()) continue;
        struct load_progress p = load_progress(load);
        uint64_t at = now();
        watch_line("%.0f answered a second; %llu answered, %llu failed, %llu waiting",
            (double)(p.answered - last) / seconds_of(at - last_at), (unsigned long long)p.answered,
            (unsigned long long)p.failed, (unsigned long long)(p.sent - p.answered - p.failed));
        last = p.answered;
        last_at = at;
    }
    watch_end();
}

static void begin(const struct bench_options *o, struct load *load)
{
    if (o->rate)
        load_begin(load, (size_t)(o->rate * o->seconds), (double)o->rate, 0);
    else
        load_begin(load, SIZE_MAX, 0, (uint64_t)o->seconds * SECOND);
}

static enum status make_request(const struct bench *b, struct template *request, struct failure *f)
{
    bool post = !strcmp(b->options->kind, "post");
    struct str body = {0};
    struct template_options options = {.method = post ? "POST" : "GET", .path = b->target.path};
    if (post && !*options.path) options.path = "/api/messages";
    if (post) bench_body(b, "a message of parley bench", &body);
    options.body = body.at;
    enum status status =
        body.failed ? fail(f, NO_MEMORY, "Out of memory.") : template_make(request, &b->target, &options, f);
    str_release(&body);
    return status;
}

enum status requests_run(const struct bench *b, bool *right, struct failure *f)
{
    const struct bench_options *o = b->options;
    struct template request;
    enum status status = make_request(b, &request, f);
    if (status) return status;
    struct load *load = load_new(&(struct load_options){
        .target = &b->target,
        .request = &request,
        .connections = (size_t)o->connections,
        .busy = (size_t)o->busy,
        .fresh = o->fresh,
        .threads = (int)o->threads,
        .timeout = b->timeout,
    });
    struct usage before = usage_read(o->processes);
    if (before.gone) die("There is no process %s.", o->processes);
    begin(o, load);
    watch_load(load);
    struct usage after = usage_read(o->processes);
    load_wait(load);
    const struct load_result *result = load_result(load);
    report_requests(b, result, o->processes && !after.gone ? &before : NULL, &after);
    *right = !result->failed && !result->starved && result->answered;
    load_free(load);
    template_release(&request);
    return OK;
}
