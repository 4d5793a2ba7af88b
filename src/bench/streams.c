/* Event streams, and messages that each of them must get once and in order.
 *
 * Either the streams are opened first, then messages are sent; or, with --missed, one stream takes a cursor, messages
 * are sent, and the streams come back with that cursor. Memory for a stream is what the second half of them added, so
 * that what a server takes once is not counted. */
#include "bench/kind.h"
#include "bench/link.h"
#include "bench/load.h"
#include "bench/report.h"
#include "bench/watch.h"
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define SETTLE        (SECOND * 3 / 10)
#define LOOK          (SECOND / 1000)
#define STALLED_PLACE ((size_t)0x100 * LINK_PER_ADDRESS) /* so that the kernel's memory for them can be told apart */
#define OPENED_GENTLY 256                                /* at a time */
#define LAST_WORDS    SECOND                             /* for what is under way, when it is ended early */

struct streams {
    const struct bench *bench;
    struct template subscribe, publish;
    struct streams_result result;
    bool right;
    struct usage opened; /* the server, when all were */
    struct {
        uint64_t received, at;
    } shown; /* in the last line of progress */
};

static int port_of(const struct target *t)
{
    const struct sockaddr_in *in = (const void *)&t->address;
    return ntohs(in->sin_port); /* which lies in the same place for IPv6 */
}

static struct spent spent(const struct usage *from, const struct usage *to, uint64_t duration)
{
    return (struct spent){to->user - from->user, to->kernel - from->kernel, seconds_of(duration)};
}

static size_t messages(const struct bench_options *o)
{
    if (o->missed) return (size_t)o->missed + 1;
    return (size_t)(o->rate ? o->rate * o->seconds : o->messages);
}

static struct readers_options reader_options(const struct streams *s)
{
    const struct bench_options *o = s->bench->options;
    return (struct readers_options){.target = &s->bench->target,
        .request = &s->subscribe,
        .threads = (int)o->threads,
        .run = s->bench->run,
        .streams = (size_t)o->streams,
        .messages = messages(o),
        .at_once = OPENED_GENTLY};
}

static struct load *new_load(const struct streams *s, struct readers *readers)
{
    const struct bench_options *o = s->bench->options;
    return load_new(&(struct load_options){.target = &s->bench->target,
        .request = &s->publish,
        .connections = (size_t)o->connections,
        .fresh = o->fresh,
        .threads = 1,
        .timeout = s->bench->timeout,
        .run = s->bench->run,
        .messages = messages(o),
        .readers = readers,
        .window = (size_t)o->window});
}

static void show(struct streams *s, const struct readers_progress *p, struct load *load)
{
    uint64_t at = now();
    double rate = s->shown.at ? (double)(p->received - s->shown.received) / seconds_of(at - s->shown.at) : 0;
    struct load_progress posts = load ? load_progress(load) : (struct load_progress){0};
    s->shown.received = p->received;
    s->shown.at = at;
    watch_line("%zu streams, %zu lost; %llu messages taken, %llu failed; %.0f received a second", p->ready, p->lost,
        (unsigned long long)posts.answered, (unsigned long long)posts.failed, rate);
}

/* ---- what is sent ---- */

/* `id`: the cursor; NULL: none. */
static enum status subscribe_from(struct streams *s, const char *id, struct failure *f)
{
    const char *path = s->bench->target.path;
    struct str headers = {0};
    struct template_options options = {.method = "GET", .path = *path ? path : "/api/messages/sse?limit=0"};
    template_release(&s->subscribe);
    str_addz(&headers, "Accept: text/event-stream\r\n");
    if (id) str_addf(&headers, "Last-Event-ID: %s\r\n", id);
    options.headers = headers.at;
    enum status status = headers.failed ? fail(f, NO_MEMORY, "Out of memory.")
                                        : template_make(&s->subscribe, &s->bench->target, &options, f);
    str_release(&headers);
    return status;
}

static enum status make_publish(struct streams *s, struct failure *f)
{
    const char *path = s->bench->options->publish;
    struct str body = {0};
    bench_body(s->bench, "#", &body);
    struct template_options options = {
        .method = "POST", .path = path ? path : "/api/messages", .body = body.at, .marked = true};
    enum status status =
        body.failed ? fail(f, NO_MEMORY, "Out of memory.") : template_make(&s->publish, &s->bench->target, &options, f);
    str_release(&body);
    return status;
}

/* ---- waiting ---- */

static bool all_ready(const struct readers_progress *p, size_t streams)
{
    return p->ready + p->lost >= streams;
}

static bool all_received(const struct readers_progress *p, size_t sent)
{
    return p->received >= (uint64_t)sent * (p->ready - p->lost);
}

/* Until it is done for `count`, or nothing has come for as long as the timeout. */
static void wait_until(struct streams *s, struct readers *readers, struct load *load,
    bool (*done)(const struct readers_progress *, size_t), size_t count)
{
    uint64_t seen = 0, give_up = now() + s->bench->timeout;
    bool hurried = false;
    for (;; pause_for(LOOK)) {
        struct readers_progress p = readers_progress(readers);
        uint64_t at = now();
        if (watch_due()) show(s, &p, load);
        if (watch_interrupted() && !hurried) {
            hurried = true;
            give_up = at + LAST_WORDS;
        } else if (!hurried && p.received != seen) {
            give_up = at + s->bench->timeout;
        }
        seen = p.received;
        if (done(&p, count) || at > give_up) return;
    }
}

static void wait_for_load(struct streams *s, struct readers *readers, struct load *load)
{
    bool stopped = false;
    for (; load_under_way(load); pause_for(LOOK)) {
        struct readers_progress p = readers ? readers_progress(readers) : (struct readers_progress){0};
        if (watch_due()) show(s, &p, load);
        if (!watch_interrupted() || stopped) continue;
        load_stop(load);
        stopped = true;
    }
    load_wait(load);
}

static void wait_for_time(struct streams *s, struct readers *readers, uint64_t duration)
{
    for (uint64_t end = now() + duration; now() < end && !watch_interrupted(); pause_for(LOOK * 20)) {
        struct readers_progress p = readers_progress(readers);
        if (watch_due()) show(s, &p, NULL);
    }
}

/* ---- streams that are never read ---- */

static struct link *open_stalled(const struct streams *s)
{
    const struct target *t = &s->bench->target;
    size_t n = (size_t)s->bench->options->stalled;
    struct link *links = need(n, sizeof *links);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < n; i++) {
        struct epoll_event event;
        bool there = epoll >= 0 && link_open(&links[i], t, epoll, NULL, STALLED_PLACE + i);
        while (there && links[i].state != LINK_OPEN)
            there =
                epoll_wait(epoll, &event, 1, (int)s->bench->options->timeout * 1000) > 0 && link_go_on(&links[i], t);
        if (!there || !link_send(&links[i], str_view(&s->subscribe.text))) die("A stalled stream cannot be opened.");
        epoll_ctl(epoll, EPOLL_CTL_DEL, links[i].peer.socket, NULL);
    }
    if (epoll >= 0) close(epoll);
    return links;
}

static void close_stalled(const struct streams *s, struct link *links)
{
    for (int64_t i = 0; i < s->bench->options->stalled; i++) link_close(&links[i]);
    free(links);
}

static void look_at_stalled(struct streams *s)
{
    struct streams_result *r = &s->result;
    if (!s->bench->options->stalled || !s->bench->options->processes) return;
    double bytes = usage_buffers(port_of(&s->bench->target), link_host(STALLED_PLACE), &r->stalled_open);
    r->stalled_bytes = r->stalled_open ? bytes / (double)r->stalled_open : 0;
}

/* ---- opened first, then sent to ---- */

/* What the second half of the streams added, for each of them. The load's own sockets are in the slab too. */
static void measure_memory(struct streams *s, const struct usage *half, size_t streams)
{
    struct streams_result *r = &s->result;
    size_t count;
    if (!s->bench->options->processes) return;
    double buffers = usage_buffers(port_of(&s->bench->target), 0, &count);
    r->buffer_bytes = count ? buffers / (double)count : 0;
    r->user_bytes = (s->opened.memory - half->memory) / (double)streams;
    r->slab_bytes = s->opened.slab < 0 ? -1 : (s->opened.slab - half->slab) / (double)streams / 2;
    r->resident_bytes = s->opened.memory;
}

static struct link *open_all(struct streams *s, struct readers *readers)
{
    const char *processes = s->bench->options->processes;
    size_t streams = (size_t)s->bench->options->streams, half = streams / 2;
    readers_open(readers, half);
    wait_until(s, readers, NULL, all_ready, half);
    pause_for(SETTLE);
    struct usage at_half = usage_read(processes);
    readers_open(readers, streams);
    wait_until(s, readers, NULL, all_ready, streams);
    struct link *stalled = open_stalled(s);
    pause_for(SETTLE);
    s->opened = usage_read(processes);
    if (s->opened.gone) die("There is no process %s.", processes);
    measure_memory(s, &at_half, streams - half);
    return stalled;
}

static void send_all(struct streams *s, struct readers *readers, struct load *load)
{
    const struct bench_options *o = s->bench->options;
    uint64_t duration = (uint64_t)o->seconds * SECOND;
    if (!load) {
        wait_for_time(s, readers, duration);
        return;
    }
    if (o->rate)
        load_begin(load, messages(o), (double)o->rate, 0);
    else
        load_begin(load, messages(o), 0, duration);
    wait_for_load(s, readers, load);
}

static void measure(struct streams *s, struct readers *readers, struct load *load)
{
    struct streams_result *r = &s->result;
    double reading = readers_cpu(readers);
    uint64_t began = now();
    send_all(s, readers, load);
    uint64_t posted = now();
    r->received_while_posting = readers_progress(readers).received;
    struct usage after = usage_read(s->bench->options->processes);
    look_at_stalled(s);
    if (load) wait_until(s, readers, load, all_received, (size_t)load_progress(load).answered);
    r->last = readers_progress(readers);
    struct usage drained = usage_read(s->bench->options->processes);
    r->gone = drained.gone;
    uint64_t ended = r->last.last_at > began ? r->last.last_at : now();
    r->posting = spent(&s->opened, &after, posted - began);
    r->all = spent(&s->opened, &drained, ended - began);
    r->seconds = r->all.seconds;
    r->reading_cpu = readers_cpu(readers) - reading;
}

static void run_fan(struct streams *s)
{
    struct streams_result *r = &s->result;
    struct readers_options options = reader_options(s);
    struct readers *readers = readers_new(&options);
    struct load *load = s->bench->options->connections ? new_load(s, readers) : NULL;
    struct link *stalled = open_all(s, readers);
    measure(s, readers, load);
    watch_end();
    r->posts = load ? load_result(load) : NULL;
    r->readers = readers_free(readers, r->posts ? r->posts->acknowledged : NULL);
    report_streams(s->bench, r);
    s->right = !streams_wrong(r);
    close_stalled(s, stalled);
    load_free(load);
}

/* ---- sent to while away ---- */

/* One stream reads the first message; the id of its event is the cursor, and the message is not to be seen again.
 * False: it did not come. */
static bool take_cursor(struct streams *s, struct load *load, char id[SUBSCRIPTION_ID_MOST])
{
    struct readers_options options = reader_options(s);
    options.streams = 1;
    struct readers *readers = readers_new(&options);
    readers_open(readers, 1);
    wait_until(s, readers, load, all_ready, 1);
    pause_for(SETTLE);
    load_begin(load, 1, 0, 0);
    wait_for_load(s, readers, load);
    wait_until(s, readers, load, all_received, 1);
    struct readers_result *result = readers_free(readers, NULL);
    bool taken = result->id[0] && result->latency.count;
    memcpy(id, result->id, SUBSCRIPTION_ID_MOST);
    free(result);
    return taken;
}

static void come_back(struct streams *s, struct load *load)
{
    const struct bench_options *o = s->bench->options;
    struct streams_result *r = &s->result;
    struct readers_options options = reader_options(s);
    uint64_t taken = load_progress(load).answered;
    options.missed = taken ? (uint32_t)taken - 1 : 0;
    options.at_once = o->at_once ? (size_t)o->at_once : options.streams;
    options.close_ready = o->at_once > 0;
    struct readers *readers = readers_new(&options);
    struct usage before = usage_read(o->processes);
    uint64_t began = now();
    readers_open(readers, options.streams);
    wait_until(s, readers, load, all_ready, options.streams);
    watch_end();
    r->last = readers_progress(readers);
    struct usage after = usage_read(o->processes);
    r->gone = after.gone;
    r->reading_cpu = readers_cpu(readers);
    r->all = spent(&before, &after, r->last.last_at > began ? r->last.last_at - began : now() - began);
    r->seconds = r->all.seconds;
    r->resident_bytes = after.memory;
    r->posts = load_result(load);
    /* The stream that took the cursor had the first message. */
    r->posts->acknowledged[0] &= ~UINT64_C(1);
    r->readers = readers_free(readers, r->posts->acknowledged);
    report_streams(s->bench, r);
    s->right = !streams_wrong(r);
}

static enum status run_missed(struct streams *s, struct failure *f)
{
    struct load *load = new_load(s, NULL);
    char id[SUBSCRIPTION_ID_MOST];
    enum status status = OK;
    if (take_cursor(s, load, id)) {
        load_begin(load, (size_t)s->bench->options->missed, 0, 0);
        wait_for_load(s, NULL, load);
        status = subscribe_from(s, id, f);
        if (!status) come_back(s, load);
    } else {
        watch_end();
        status = fail(f, UNAVAILABLE, "The first message did not come.");
    }
    load_free(load);
    return status;
}

enum status streams_run(const struct bench *b, bool *right, struct failure *f)
{
    struct streams s = {.bench = b};
    s.result.streams = (size_t)b->options->streams;
    enum status status = subscribe_from(&s, NULL, f);
    if (!status && b->options->connections) status = make_publish(&s, f);
    if (!status && b->options->missed)
        status = run_missed(&s, f);
    else if (!status)
        run_fan(&s);
    *right = s.right;
    free(s.result.readers);
    template_release(&s.subscribe);
    template_release(&s.publish);
    return status;
}
