#include "bench/readers.h"
#include "bench/link.h"
#include "bench/tool.h"
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS        512
#define CHUNK         (256 << 10) /* read at once, and the longest line */
#define OPENED_IN_ROW 64          /* then the others are read */

struct reader {
    struct readers *all;
    pthread_t thread;
    int epoll;
    struct subscription *streams;
    size_t nstreams, first; /* `first`: the place of its first stream among all */
    size_t opened, on_the_way, at_once;
    uint64_t began_at;
    char *chunk;
    struct tally tally;
    struct histogram opening, arrival;
    /* written by the thread, read by any */
    atomic_size_t ready, lost;
    _Atomic uint64_t received, last_at;
};

struct readers {
    struct readers_options options;
    size_t words;
    struct subscription *streams;
    uint64_t *seen;
    _Atomic uint64_t *places;
    atomic_size_t goal; /* streams that are to be opened */
    atomic_bool ending;
    struct reader readers[];
};

static void end_stream(struct reader *r, struct subscription *s, bool lost)
{
    bool on_the_way = s->state != SUBSCRIPTION_NEW && !s->counted;
    link_close(&s->link);
    s->state = SUBSCRIPTION_ENDED;
    free(s->rest);
    s->rest = NULL;
    s->rest_len = 0;
    if (!lost) return;
    if (on_the_way) r->on_the_way--;
    atomic_fetch_add(&r->lost, 1);
}

static void open_stream(struct reader *r, struct subscription *s)
{
    s->opened_at = now();
    s->state = SUBSCRIPTION_CONNECTING;
    r->on_the_way++;
    if (link_open(&s->link, r->all->options.target, r->epoll, s, r->first + (size_t)(s - r->streams))) return;
    if (errno == EMFILE || errno == ENFILE) die("There is no socket for one more stream: %s.", strerror(errno));
    end_stream(r, s, true);
}

static void count_ready(struct reader *r, struct subscription *s, uint64_t at)
{
    s->counted = true;
    r->on_the_way--;
    histogram_add(&r->opening, at - s->opened_at);
    histogram_add(&r->arrival, at - r->began_at);
    atomic_fetch_add(&r->ready, 1);
    if (r->all->options.close_ready) end_stream(r, s, false);
}

static void keep_rest(struct subscription *s, const char *at, size_t len)
{
    if (len > s->rest_len) {
        free(s->rest);
        s->rest = need(len, 1);
    }
    if (len) memcpy(s->rest, at, len);
    s->rest_len = len;
}

/* False: there is no more for now. */
static bool read_stream(struct reader *r, struct subscription *s)
{
    size_t had = s->rest_len;
    if (had == CHUNK) die("A line of a stream is longer than %d bytes.", CHUNK);
    ssize_t n = link_receive(&s->link, r->chunk + had, CHUNK - had);
    uint64_t at = now();
    if (n == LINK_NOTHING) return false;
    if (n == 0) {
        end_stream(r, s, true);
        return false;
    }
    if (had) memcpy(r->chunk, s->rest, had);
    uint32_t received = s->received, missed = r->all->options.missed;
    size_t len = had + (size_t)n, taken = subscription_take(s, &r->tally, r->chunk, len, at);
    keep_rest(s, r->chunk + taken, len - taken);
    r->tally.bytes += (uint64_t)n;
    if (s->received != received) {
        atomic_fetch_add_explicit(&r->received, s->received - received, memory_order_relaxed);
        atomic_store_explicit(&r->last_at, at, memory_order_relaxed);
    }
    if (s->state == SUBSCRIPTION_ENDED)
        end_stream(r, s, true);
    else if (!s->counted && s->state == SUBSCRIPTION_OPEN && s->received >= missed)
        count_ready(r, s, at);
    return s->state != SUBSCRIPTION_ENDED && s->link.peer.tls; /* a plain socket that has more will say so */
}

static void go_on(struct reader *r, struct subscription *s)
{
    if (s->state == SUBSCRIPTION_ENDED) return;
    if ((s->state == SUBSCRIPTION_CONNECTING || s->link.wants_write) && !link_go_on(&s->link, r->all->options.target)) {
        end_stream(r, s, true);
        return;
    }
    if (s->state != SUBSCRIPTION_CONNECTING) {
        while (read_stream(r, s)) continue;
    } else if (s->link.state == LINK_OPEN) {
        s->state = SUBSCRIPTION_HEAD;
        if (!link_send(&s->link, str_view(&r->all->options.request->text))) end_stream(r, s, true);
    }
}

/* True: there is more to open at once. */
static bool open_some(struct reader *r)
{
    size_t goal = atomic_load(&r->all->goal), mine = goal > r->first ? goal - r->first : 0;
    if (mine > r->nstreams) mine = r->nstreams;
    if (!r->opened && mine) r->began_at = now();
    for (int i = 0; i < OPENED_IN_ROW; i++) {
        if (r->opened == mine || r->on_the_way >= r->at_once) return false;
        open_stream(r, &r->streams[r->opened++]);
    }
    return true;
}

static void *read_streams(void *ctx)
{
    struct reader *r = ctx;
    struct epoll_event events[EVENTS];
    while (!atomic_load_explicit(&r->all->ending, memory_order_relaxed)) {
        bool more = open_some(r);
        int n = epoll_wait(r->epoll, events, EVENTS, more ? 0 : 20);
        for (int i = 0; i < n; i++) go_on(r, events[i].data.ptr);
    }
    return NULL;
}

static void start_reader(struct readers *all, struct reader *r, size_t first, size_t nstreams)
{
    size_t threads = (size_t)all->options.threads;
    r->all = all;
    r->first = first;
    r->streams = all->streams + first;
    r->nstreams = nstreams;
    r->at_once = (all->options.at_once + threads - 1) / threads;
    r->chunk = need(CHUNK, 1);
    r->tally.run = all->options.run;
    r->tally.messages = all->options.messages;
    r->tally.places = all->places;
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (r->epoll < 0 || pthread_create(&r->thread, NULL, read_streams, r)) die("There is no thread for readers.");
}

struct readers *readers_new(const struct readers_options *options)
{
    size_t streams = options->streams, threads = (size_t)options->threads;
    if (threads > streams) threads = streams;
    struct readers *all = need(1, sizeof *all + threads * sizeof *all->readers);
    all->options = *options;
    all->options.threads = (int)threads;
    all->words = options->messages / 64 + 1;
    all->streams = need(streams, sizeof *all->streams);
    all->seen = need(streams * all->words, sizeof *all->seen);
    all->places = need(options->messages, sizeof *all->places);
    for (size_t i = 0; i < streams; i++) all->streams[i] = (struct subscription){.seen = all->seen + i * all->words};
    for (size_t i = 0; i < threads; i++) {
        size_t first = streams * i / threads;
        start_reader(all, &all->readers[i], first, streams * (i + 1) / threads - first);
    }
    return all;
}

void readers_open(struct readers *all, size_t streams)
{
    atomic_store(&all->goal, streams);
}

struct readers_progress readers_progress(struct readers *all)
{
    struct readers_progress p = {0};
    for (int i = 0; i < all->options.threads; i++) {
        struct reader *r = &all->readers[i];
        uint64_t last_at = atomic_load(&r->last_at);
        p.ready += atomic_load(&r->ready);
        p.lost += atomic_load(&r->lost);
        p.received += atomic_load(&r->received);
        if (last_at > p.last_at) p.last_at = last_at;
    }
    return p;
}

double readers_cpu(struct readers *all)
{
    double seconds = 0;
    for (int i = 0; i < all->options.threads; i++) {
        clockid_t clock;
        struct timespec t;
        if (pthread_getcpuclockid(all->readers[i].thread, &clock) || clock_gettime(clock, &t)) continue;
        seconds += (double)t.tv_sec + (double)t.tv_nsec / 1e9;
    }
    return seconds;
}

/* Compares what each stream that was ready has received with what it must have. */
static void compare(const struct readers *all, const _Atomic uint64_t *sent, struct readers_result *result)
{
    for (size_t i = 0; i < all->options.streams; i++) {
        const uint64_t *seen = all->streams[i].seen;
        if (!all->streams[i].counted) continue;
        for (size_t w = 0; w < all->words; w++) {
            result->missing += (uint64_t)__builtin_popcountll(sent[w] & ~seen[w]);
            result->unacknowledged += (uint64_t)__builtin_popcountll(seen[w] & ~sent[w]);
        }
    }
}

struct readers_result *readers_free(struct readers *all, const _Atomic uint64_t *sent)
{
    struct readers_result *result = need(1, sizeof *result);
    uint64_t bytes = 0, received = 0;
    atomic_store(&all->ending, true);
    for (int i = 0; i < all->options.threads; i++) {
        struct reader *r = &all->readers[i];
        pthread_join(r->thread, NULL);
        histogram_merge(&result->latency, &r->tally.latency);
        histogram_merge(&result->opening, &r->opening);
        histogram_merge(&result->arrival, &r->arrival);
        result->duplicates += r->tally.duplicates;
        result->disorder += r->tally.disorder;
        result->foreign += r->tally.foreign;
        bytes += r->tally.bytes;
        received += r->received;
        for (size_t k = 0; k < r->nstreams; k++) end_stream(r, &r->streams[k], false);
        close(r->epoll);
        free(r->chunk);
    }
    if (sent) compare(all, sent, result);
    if (received) result->frame_bytes = (double)bytes / (double)received;
    if (all->options.streams) memcpy(result->id, all->streams[0].id, sizeof result->id);
    free(all->streams);
    free(all->seen);
    free(all->places);
    free(all);
    return result;
}
