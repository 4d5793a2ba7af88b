#include "bench/load.h"
#include "bench/link.h"
#include "bench/reply.h"
#include "bench/tool.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS        256
#define CHUNK         (64 << 10)
#define LOOK_AGAIN    (SECOND / 5000) /* when the window is full */
#define TICK          (SECOND / 50)   /* between two looks at who waits for too long */
#define REST          (SECOND / 10)   /* after a connection that could not be made */
#define CONNECT_FIRST (3 * SECOND)    /* at most, before the first request */
#define LAST_WORDS    SECOND          /* for answers, when it is stopped */

enum client_state {
    CLIENT_IDLE,    /* in its worker's queue */
    CLIENT_BUSY,    /* it has a request */
    CLIENT_RESTING, /* until `until`: the last connection could not be made */
    CLIENT_DONE,    /* it has no more to ask */
};

struct client {
    struct link link;
    struct reply reply;
    enum client_state state;
    bool asked, sent; /* the request: once it is sent */
    bool fed;         /* it has had an answer */
    uint32_t number;
    uint64_t due, until; /* until: of a busy one, when the answer is given up */
};

struct worker {
    struct load *all;
    pthread_t thread;
    int epoll;
    struct client *clients;
    size_t nclients, first;               /* `first`: the place of its first client among all */
    struct client **idle;                 /* a ring */
    size_t idle_at, nidle, nbusy, places; /* places: connections begun, which come from several addresses */
    /* The next request, that waits for its time or for a client. */
    bool claimed;
    uint32_t number;
    uint64_t due;
    char *request, *chunk;
    uint64_t looked_at, last_at; /* last_at: the newest answer */
    struct load_result result;
    /* written by the thread, read by any */
    _Atomic uint64_t sent, answered, failed;
};

struct load {
    struct load_options options;
    /* of the call of load_begin */
    double rate;
    size_t first, end;
    uint64_t began, stop, give_up; /* give_up: nothing is sent any more */
    /* any thread */
    _Atomic size_t next; /* the number of the request that nobody has claimed */
    atomic_int working;
    atomic_bool stopping;
    _Atomic uint64_t stopped_at;
    struct load_result result;
    _Atomic uint64_t *acknowledged;
    int nworkers;
    struct client *clients;
    struct worker workers[];
};

/* ---- clients ---- */

static void make_idle(struct worker *w, struct client *c)
{
    c->state = CLIENT_IDLE;
    w->idle[(w->idle_at + w->nidle++) % w->nclients] = c;
}

static bool goes_on(const struct worker *w, const struct client *c)
{
    return w->first + (size_t)(c - w->clients) < w->all->options.busy;
}

/* The request is done with, one way or the other. */
static void release(struct worker *w, struct client *c, enum client_state next)
{
    w->nbusy--;
    c->state = goes_on(w, c) ? next : CLIENT_DONE;
    if (c->state == CLIENT_IDLE) make_idle(w, c);
    if (c->state == CLIENT_RESTING) c->until = now() + REST;
}

static void fail_request(struct worker *w, struct client *c, enum load_error error)
{
    link_close(&c->link);
    w->result.errors[error]++;
    atomic_fetch_add_explicit(&w->failed, 1, memory_order_relaxed);
    release(w, c, error == LOAD_CONNECT ? CLIENT_RESTING : CLIENT_IDLE);
}

static void finish_request(struct worker *w, struct client *c)
{
    uint64_t at = now();
    bool good = c->reply.status < 400;
    c->fed = true;
    w->last_at = at;
    w->result.statuses[c->reply.status]++;
    histogram_add(&w->result.latency, at - c->due);
    atomic_fetch_add_explicit(good ? &w->answered : &w->failed, 1, memory_order_relaxed);
    if (good && w->all->acknowledged)
        atomic_fetch_or(&w->all->acknowledged[c->number / 64], UINT64_C(1) << c->number % 64);
    if (w->all->options.fresh || c->reply.closes) link_close(&c->link);
    release(w, c, CLIENT_IDLE);
}

static bool dial(struct worker *w, struct client *c)
{
    size_t place = w->first + w->places++ * (size_t)w->all->nworkers;
    w->result.dials++;
    return link_open(&c->link, w->all->options.target, w->epoll, c, place);
}

static void send_request(struct worker *w, struct client *c)
{
    const struct template *request = w->all->options.request;
    c->sent = true;
    if (request->mark_at)
        mark_write(w->request + request->mark_at,
            (struct mark){.run = w->all->options.run, .number = c->number, .due = c->due});
    if (!link_send(&c->link, (struct view){w->request, request->text.len})) fail_request(w, c, LOAD_CLOSED);
}

static void begin_request(struct worker *w, uint64_t at)
{
    struct client *c = w->idle[w->idle_at];
    w->idle_at = (w->idle_at + 1) % w->nclients;
    w->nidle--;
    w->nbusy++;
    w->claimed = false;
    *c = (struct client){.link = c->link,
        .state = CLIENT_BUSY,
        .asked = true,
        .fed = c->fed,
        .number = w->number,
        .due = w->due ? w->due : at,
        .until = at + w->all->options.timeout};
    atomic_fetch_add_explicit(&w->sent, 1, memory_order_relaxed);
    if (c->link.state == LINK_OPEN)
        send_request(w, c);
    else if (c->link.state == LINK_CLOSED && !dial(w, c))
        fail_request(w, c, LOAD_CONNECT);
}

/* Takes what has come; each round ends with a request or with the socket's last byte. */
static void read_reply(struct worker *w, struct client *c)
{
    for (;;) {
        ssize_t n = link_receive(&c->link, w->chunk, CHUNK);
        if (n == LINK_NOTHING) return;
        if (c->state != CLIENT_BUSY || !c->sent) { /* the server closes it, perhaps with a word */
            link_close(&c->link);
            if (c->state == CLIENT_BUSY) fail_request(w, c, LOAD_CLOSED);
            return;
        }
        w->result.bytes += (uint64_t)n;
        size_t taken = reply_take(&c->reply, w->chunk, (size_t)n);
        bool whole = n ? c->reply.state == REPLY_WHOLE : reply_end(&c->reply);
        if (whole) {
            if (!n || taken < (size_t)n) c->reply.closes = true;
            finish_request(w, c);
            return;
        }
        if (!n || c->reply.state == REPLY_BAD) {
            fail_request(w, c, n ? LOAD_NONSENSE : LOAD_CLOSED);
            return;
        }
        /* A plain socket that has more will say so. */
        if (!c->link.peer.tls) return;
    }
}

static void go_on(struct worker *w, struct client *c)
{
    if (c->link.state == LINK_CLOSED) return;
    bool open = c->link.state == LINK_OPEN;
    if (!link_go_on(&c->link, w->all->options.target)) {
        if (c->state == CLIENT_BUSY) fail_request(w, c, open ? LOAD_CLOSED : LOAD_CONNECT);
        return;
    }
    if (c->link.state != LINK_OPEN) return;
    if (c->state == CLIENT_BUSY && !c->sent) send_request(w, c);
    if (open && c->link.state == LINK_OPEN) read_reply(w, c);
}

/* Those who wait for too long, and those who have rested. */
static void look_at_clients(struct worker *w)
{
    uint64_t at = now();
    if (at < w->looked_at + TICK) return;
    w->looked_at = at;
    for (size_t i = 0; i < w->nclients; i++) {
        struct client *c = &w->clients[i];
        if (c->state == CLIENT_BUSY && at > c->until)
            fail_request(w, c, LOAD_TIMEOUT);
        else if (c->state == CLIENT_RESTING && at > c->until)
            make_idle(w, c);
    }
}

/* Waits at most so long, and goes on where something happened. */
static void listen_for(struct worker *w, uint64_t nanoseconds)
{
    struct epoll_event events[EVENTS];
    struct pollfd any = {.fd = w->epoll, .events = POLLIN};
    struct timespec t = {.tv_sec = (time_t)(nanoseconds / SECOND), .tv_nsec = (long)(nanoseconds % SECOND)};
    if (ppoll(&any, 1, &t, NULL) <= 0) return;
    int n = epoll_wait(w->epoll, events, EVENTS, 0);
    for (int i = 0; i < n; i++) go_on(w, events[i].data.ptr);
}

/* ---- what is due ---- */

static bool window_full(const struct load *l)
{
    if (!l->options.window) return false;
    struct readers_progress progress = readers_progress(l->options.readers);
    size_t streams = progress.ready - progress.lost;
    return !streams || atomic_load(&l->next) >= progress.received / streams + l->options.window;
}

/* Takes the next request; false: there is none any more. */
static bool claim(struct worker *w)
{
    struct load *l = w->all;
    uint64_t at = now();
    if (atomic_load(&l->stopping) || at >= l->give_up) return false;
    if (w->claimed) return true;
    size_t number = atomic_fetch_add(&l->next, 1);
    if (number >= l->end) return false;
    w->claimed = true;
    w->number = (uint32_t)number;
    w->due = l->rate > 0 ? l->began + (uint64_t)((double)(number - l->first) / l->rate * (double)SECOND) : 0;
    return true;
}

/* Begins what is due. Returns how long there is nothing to do but to listen; 0: there is nothing more at all. */
static uint64_t begin_due(struct worker *w)
{
    while (claim(w)) {
        uint64_t at = now();
        if (w->due > at) return w->due - at < TICK ? w->due - at : TICK;
        if (!w->nidle) return TICK;
        if (window_full(w->all)) return LOOK_AGAIN;
        begin_request(w, at);
    }
    return 0;
}

/* Is anybody left who could ask? */
static bool anyone_left(const struct worker *w)
{
    for (size_t i = 0; i < w->nclients; i++)
        if (w->clients[i].state != CLIENT_DONE) return true;
    return false;
}

static bool may_wait(struct load *l)
{
    return !atomic_load(&l->stopping) || now() < atomic_load(&l->stopped_at) + LAST_WORDS;
}

static double thread_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *work(void *ctx)
{
    struct worker *w = ctx;
    uint64_t wait;
    while ((wait = begin_due(w)) && anyone_left(w)) {
        listen_for(w, wait);
        look_at_clients(w);
    }
    while (w->nbusy && may_wait(w->all)) {
        listen_for(w, TICK);
        look_at_clients(w);
    }
    for (size_t i = 0; i < w->nclients; i++) {
        struct client *c = &w->clients[i];
        if (c->state != CLIENT_BUSY) continue;
        link_close(&c->link);
        c->asked = false;
        w->result.cut++;
        release(w, c, CLIENT_IDLE);
    }
    w->claimed = false;
    w->result.cpu += thread_cpu();
    atomic_fetch_sub(&w->all->working, 1);
    return NULL;
}

/* ---- all together ---- */

/* So that the first requests do not wait for connections. One that is not made here is made with its request. */
static void connect_first(struct worker *w)
{
    uint64_t patient = now() + CONNECT_FIRST;
    size_t opening = 0;
    for (size_t i = 0; i < w->nclients; i++) opening += dial(w, &w->clients[i]);
    while (opening && now() < patient) {
        listen_for(w, TICK);
        opening = 0;
        for (size_t i = 0; i < w->nclients; i++) {
            enum link_state state = w->clients[i].link.state;
            opening += state != LINK_OPEN && state != LINK_CLOSED;
        }
    }
}

static void make_worker(struct load *l, int i)
{
    struct worker *w = &l->workers[i];
    size_t connections = l->options.connections, threads = (size_t)l->nworkers;
    const struct str *text = &l->options.request->text;
    w->all = l;
    w->first = connections * (size_t)i / threads;
    w->nclients = connections * (size_t)(i + 1) / threads - w->first;
    w->clients = l->clients + w->first;
    w->idle = need(w->nclients, sizeof *w->idle);
    w->chunk = need(CHUNK, 1);
    w->request = need(text->len, 1);
    memcpy(w->request, text->at, text->len);
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll < 0) die("There is no epoll: %s.", strerror(errno));
    for (size_t k = 0; k < w->nclients; k++) make_idle(w, &w->clients[k]);
    if (!l->options.fresh) connect_first(w);
}

struct load *load_new(const struct load_options *options)
{
    size_t connections = options->connections;
    int threads = (size_t)options->threads < connections ? options->threads : (int)connections;
    struct load *l = need(1, sizeof *l + (size_t)threads * sizeof *l->workers);
    l->options = *options;
    if (!options->busy) l->options.busy = connections;
    l->nworkers = threads;
    l->clients = need(connections, sizeof *l->clients);
    if (options->request->mark_at) l->acknowledged = need(options->messages / 64 + 1, sizeof *l->acknowledged);
    for (int i = 0; i < threads; i++) make_worker(l, i);
    return l;
}

void load_begin(struct load *l, size_t count, double rate, uint64_t duration)
{
    size_t first = atomic_load(&l->next);
    if (first > l->end) first = l->end; /* numbers that were claimed beyond the last end */
    atomic_store(&l->next, first);
    l->first = first;
    l->end = count < SIZE_MAX - first ? first + count : SIZE_MAX;
    if (l->acknowledged && l->end > l->options.messages) l->end = l->options.messages;
    l->rate = rate;
    l->began = now();
    l->stop = duration ? l->began + duration : UINT64_MAX;
    if (rate > 0) l->stop = l->began + (uint64_t)((double)(l->end - first) / rate * (double)SECOND);
    /* In an open loop, what was due before the end is still sent when it comes late. */
    l->give_up = rate > 0 ? l->stop + l->options.timeout : l->stop;
    atomic_store(&l->working, l->nworkers);
    for (int i = 0; i < l->nworkers; i++)
        if (pthread_create(&l->workers[i].thread, NULL, work, &l->workers[i])) die("There is no thread for requests.");
}

bool load_under_way(const struct load *l)
{
    return atomic_load(&l->working) > 0;
}

void load_stop(struct load *l)
{
    atomic_store(&l->stopped_at, now());
    atomic_store(&l->stopping, true);
}

void load_wait(struct load *l)
{
    uint64_t last = l->stop == UINT64_MAX || atomic_load(&l->stopping) ? 0 : l->stop;
    for (int i = 0; i < l->nworkers; i++) {
        pthread_join(l->workers[i].thread, NULL);
        if (l->workers[i].last_at > last) last = l->workers[i].last_at;
    }
    if (atomic_load(&l->stopping) && atomic_load(&l->stopped_at) > last) last = atomic_load(&l->stopped_at);
    if (last < l->began) last = now(); /* nothing was answered */
    l->result.seconds += seconds_of(last - l->began);
    uint64_t sent = load_progress(l).sent, wanted = l->end;
    if (l->rate > 0 && !atomic_load(&l->stopping) && wanted > sent) l->result.errors[LOAD_UNSENT] = wanted - sent;
}

struct load_progress load_progress(const struct load *l)
{
    struct load_progress p = {0};
    for (int i = 0; i < l->nworkers; i++) {
        p.sent += atomic_load_explicit(&l->workers[i].sent, memory_order_relaxed);
        p.answered += atomic_load_explicit(&l->workers[i].answered, memory_order_relaxed);
        p.failed += atomic_load_explicit(&l->workers[i].failed, memory_order_relaxed);
    }
    return p;
}

static void add(struct load_result *into, const struct worker *w)
{
    const struct load_result *r = &w->result;
    for (int i = 0; i < LOAD_ERRORS; i++) into->errors[i] += r->errors[i];
    for (int i = 0; i < LOAD_STATUSES; i++) into->statuses[i] += r->statuses[i];
    into->cut += r->cut;
    into->dials += r->dials;
    into->bytes += r->bytes;
    into->cpu += r->cpu;
    histogram_merge(&into->latency, &r->latency);
    for (size_t i = 0; i < w->nclients; i++) into->starved += w->clients[i].asked && !w->clients[i].fed;
}

const struct load_result *load_result(struct load *l)
{
    struct load_progress p = load_progress(l);
    double seconds = l->result.seconds;
    uint64_t unsent = l->result.errors[LOAD_UNSENT];
    l->result = (struct load_result){.sent = p.sent,
        .answered = p.answered,
        .failed = p.failed + unsent,
        .seconds = seconds,
        .acknowledged = l->acknowledged};
    for (int i = 0; i < l->nworkers; i++) add(&l->result, &l->workers[i]);
    l->result.errors[LOAD_UNSENT] = unsent;
    if (l->options.fresh) l->result.starved = 0;
    return &l->result;
}

const char *load_error_name(enum load_error error)
{
    static const char *const names[] = {
        [LOAD_CONNECT] = "connect",
        [LOAD_CLOSED] = "closed",
        [LOAD_TIMEOUT] = "timeout",
        [LOAD_NONSENSE] = "nonsense",
        [LOAD_UNSENT] = "unsent",
    };
    return names[error];
}

void load_free(struct load *l)
{
    if (!l) return;
    for (int i = 0; i < l->nworkers; i++) {
        struct worker *w = &l->workers[i];
        for (size_t k = 0; k < w->nclients; k++) link_close(&w->clients[k].link);
        close(w->epoll);
        free(w->idle);
        free(w->chunk);
        free(w->request);
    }
    free(l->clients);
    free(l->acknowledged);
    free(l);
}
