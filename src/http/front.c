/* How a connection changes hands.
 *
 * Each is in the epoll set once, with EPOLLONESHOT: an event disarms it, so that between an event and the next arming
 * nobody hears of it, and who has it may close it. A worker that gives it back arms it before it enters the lobby, so
 * that no system call is made under the lock, and the event may come in between: then `fired` is left in it by the
 * front, and the worker, finding that, returns it and wakes the front. The front alone takes out and closes what waits,
 * and removes it from the set before, as a child that is just being made may hold the same file for a moment. While
 * there are connections the front looks at the deadlines at least every LOOK_MS, since those that workers give back do
 * not wake it.
 *
 * Descriptors: a new one has the lowest free number, so that a high number says how many are in use, whoever has them.
 * Beyond the limit a connection is accepted, told 503 and heard out; when there is no room for that either, only told.
 *
 * Tried and not taken: civetweb's own threads, which hold a connection for as long as it lives; arming under the lock;
 * sending every connection back through the front's thread, which wakes it twice for each request. */
#include "http/front.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/arrival.h"
#include "http/outgoing.h"
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS       256
#define BATCH        64 /* connections accepted before others are looked at again */
#define LOOK_MS      1000
#define ANSWER_MS    30000 /* for each OUTGOING_SLICE */
#define PARTING_MS   1000
#define PAUSE_MS     50    /* after which accepting is tried again where there were no descriptors */
#define COMPLAIN_MS  10000 /* between two lines of the log about that */
#define LAST_LOOKS   8     /* for requests that have come, when the server stops */
#define RESERVE_MOST 512   /* descriptors that are kept for files, and for telling a client that there are no more */
#define STACK        262144

struct front {
    /* fixed after open */
    struct front_options options;
    struct listeners listeners;
    int descriptors; /* a connection's number must be below */
    size_t refused_most;
    int epoll, wake;
    pthread_t thread;
    bool started;
    /* shared */
    struct lobby lobby;
    /* atomic */
    atomic_size_t unsent; /* bytes of answers that wait for their clients */
    atomic_size_t lent;   /* bytes of exchanges */
    atomic_bool asked_to_stop;
    /* the front's thread only */
    int64_t paused_until; /* 0: it accepts */
    int64_t complained;
    size_t refused; /* connections that are told 503 and still open; at most refused_most */
    struct str text;
    char room[ARRIVAL_MOST];
};

/* What becomes of one whose time is over. */
static const int late_status[STAGES] = {[STAGE_HEAD] = 408, [STAGE_BODY] = 408};

#define CONNECTION_OF(node) CONTAINER(node, struct connection, link)

static void arm(struct front *f, struct connection *c, int operation)
{
    struct epoll_event e = {
        .events = EPOLLONESHOT | (c->writable ? EPOLLOUT : EPOLLIN | EPOLLRDHUP), .data.u64 = (uintptr_t)c};
    if (epoll_ctl(f->epoll, operation, c->peer.socket, &e))
        log_warning("cannot wait for a client: %s", strerror(errno));
}

static void wake(struct front *f)
{
    uint64_t one = 1;
    if (write(f->wake, &one, sizeof one) < 0) ASSERT(errno == EAGAIN); /* it is awake */
}

/* One that is armed, on the front's thread. */
static void finish(struct front *f, struct connection *c)
{
    list_remove(&c->link);
    f->refused -= c->refused;
    epoll_ctl(f->epoll, EPOLL_CTL_DEL, c->peer.socket, NULL);
    front_close(f, c);
}

/* What no worker is needed for: the client is told at once what fits its socket. */
static void say(struct front *f, struct connection *c, int status)
{
    str_reset(&f->text);
    f->options.refusal(f->options.ctx, status, &f->text);
    if (f->text.failed || (c->secure && !c->shaken) || peer_send(&c->peer, str_view(&f->text)) < 0)
        log_debug("%s is not told why it is closed", c->remote);
    connection_part(c);
}

/* ---- the thread: what comes ---- */

/* `still`: armed, to be linked again; `ready`: for a worker. */
static void attend(struct front *f, struct connection *c, struct list *still, struct list *ready)
{
    bool ended = c->fired & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    enum heard heard = HEARD_ALL; /* what TLS hides, a worker finds out */
    c->fired = 0;
    list_remove(&c->link);
    if (c->stage == STAGE_PARTING)
        heard = connection_drain(c);
    else if (!c->outgoing && !c->secure && !c->early.len)
        heard = connection_look(c, ended, f->room);
    if (heard == HEARD_END) {
        finish(f, c);
        return;
    }
    list_insert(heard == HEARD_ALL ? ready : still, &c->link);
    if (heard == HEARD_PART) arm(f, c, EPOLL_CTL_MOD);
}

static bool too_many(const struct front *f, int socket)
{
    int64_t most = (int64_t)(f->options.most + f->refused);
    return socket >= f->descriptors || (f->options.most && gauge_read(&f->options.metrics->connections) >= most);
}

/* A connection too many: told so and heard out, as long as there is room for those; then only told. */
static struct connection *turn_away(struct front *f, int socket, const struct sockaddr *remote, bool secure)
{
    struct connection *c = secure ? NULL : connection_new(socket, remote, secure);
    counter_add(&f->options.metrics->connections_refused, 1);
    if (!c) {
        close(socket);
        return NULL;
    }
    say(f, c, 503);
    if (f->refused < f->refused_most) {
        f->refused++;
        c->refused = true;
        return c;
    }
    (void)!connection_drain(c);
    connection_free(c);
    return NULL;
}

static void admit(struct front *f, int socket, const struct sockaddr *remote, bool secure, struct list *still)
{
    struct connection *c;
    if (too_many(f, socket)) {
        c = turn_away(f, socket, remote, secure);
        if (!c) return;
    } else if (!(c = connection_new(socket, remote, secure))) {
        close(socket);
        return;
    }
    gauge_add(&f->options.metrics->connections, 1);
    arm(f, c, EPOLL_CTL_ADD);
    list_insert(still, &c->link);
}

static void listen_for(struct front *f, bool more)
{
    for (size_t i = 0; i < f->listeners.n; i++) {
        struct epoll_event e = {.events = more ? EPOLLIN : 0, .data.u64 = i + 1};
        epoll_ctl(f->epoll, EPOLL_CTL_MOD, f->listeners.at[i].socket, &e);
    }
}

static void pause_accepting(struct front *f)
{
    int64_t now = clock_monotonic();
    if (!f->complained || now - f->complained > COMPLAIN_MS) {
        log_warning("cannot accept a connection: %s", strerror(errno));
        f->complained = now;
    }
    listen_for(f, false);
    f->paused_until = now + PAUSE_MS;
}

static void accept_batch(struct front *f, size_t listener, struct list *still)
{
    for (int i = 0; i < BATCH; i++) {
        struct sockaddr_storage remote;
        socklen_t len = sizeof remote;
        int socket =
            accept4(f->listeners.at[listener].socket, (struct sockaddr *)&remote, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
            pause_accepting(f);
        if (socket < 0 && errno == ECONNABORTED) continue;
        if (socket < 0) return;
        counter_add(&f->options.metrics->connections_accepted, 1);
        admit(f, socket, (struct sockaddr *)&remote, f->listeners.at[listener].secure, still);
    }
}

/* Keeps what is about connections. Answers which listeners have something, as bits. */
static uint32_t sort_events(struct front *f, const struct epoll_event *events, int *n, struct happening *happenings)
{
    uint32_t listeners = 0;
    uint64_t dropped;
    int kept = 0;
    for (int i = 0; i < *n; i++) {
        uint64_t what = events[i].data.u64;
        if (!what && read(f->wake, &dropped, sizeof dropped) < 0) ASSERT(errno == EAGAIN);
        if (what > LISTENERS_MOST)
            happenings[kept++] = (struct happening){(struct connection *)(uintptr_t)what, events[i].events};
        else if (what)
            listeners |= (uint32_t)1 << (what - 1);
    }
    *n = kept;
    return listeners;
}

/* Waits at most `ms`; false: nothing came. */
static bool look(struct front *f, int ms)
{
    struct epoll_event events[EVENTS];
    struct happening happenings[EVENTS];
    struct list mine, still, ready;
    int n = epoll_wait(f->epoll, events, EVENTS, ms);
    if (n <= 0) return false;
    list_init(&mine);
    list_init(&still);
    list_init(&ready);
    uint32_t listeners = sort_events(f, events, &n, happenings);
    lobby_claim(&f->lobby, happenings, n, &mine);
    while (!list_empty(&mine)) attend(f, CONNECTION_OF(mine.next), &still, &ready);
    for (size_t i = 0; i < f->listeners.n; i++)
        if (listeners >> i & 1) accept_batch(f, i, &still);
    lobby_give(&f->lobby, &still, &ready);
    return true;
}

/* ---- the thread: what does not come ---- */

static void expire(struct front *f)
{
    struct list due, still, none;
    list_init(&due);
    list_init(&still);
    list_init(&none);
    lobby_due(&f->lobby, clock_monotonic(), &due);
    if (list_empty(&due)) return;
    while (!list_empty(&due)) {
        struct connection *c = CONNECTION_OF(due.next);
        int status = late_status[c->stage];
        if (!status) {
            finish(f, c);
            continue;
        }
        say(f, c, status);
        arm(f, c, EPOLL_CTL_MOD);
        list_remove(&c->link);
        list_insert(&still, &c->link);
    }
    lobby_give(&f->lobby, &still, &none);
}

/* Until the next deadline; -1: there is none. */
static int patience(struct front *f)
{
    int64_t now = clock_monotonic(), until = f->paused_until ? f->paused_until : now + LOOK_MS;
    if (!f->paused_until && !gauge_read(&f->options.metrics->connections)) return -1;
    until = lobby_next(&f->lobby, until);
    return until > now ? (int)(until - now) : 0;
}

static void resume_accepting(struct front *f)
{
    if (!f->paused_until || clock_monotonic() < f->paused_until) return;
    f->paused_until = 0;
    listen_for(f, true);
}

static void end(struct front *f)
{
    struct list all;
    list_init(&all);
    listen_close(&f->listeners);
    for (int i = 0; i < LAST_LOOKS && look(f, 0); i++) continue;
    lobby_close(&f->lobby, &all);
    while (!list_empty(&all)) finish(f, CONNECTION_OF(all.next));
    lobby_end(&f->lobby);
}

static void *run(void *front)
{
    struct front *f = front;
    while (!atomic_load(&f->asked_to_stop)) {
        look(f, patience(f));
        expire(f);
        resume_accepting(f);
    }
    end(f);
    return NULL;
}

/* ---- the workers' side ---- */

struct connection *front_take(struct front *f, struct sleeper *self)
{
    return lobby_take(&f->lobby, self);
}

bool front_pause(struct front *f)
{
    return lobby_pause(&f->lobby);
}

void front_go_on(struct front *f)
{
    lobby_go_on(&f->lobby);
}

void front_wait(struct front *f, struct connection *c)
{
    arm(f, c, EPOLL_CTL_MOD);
    switch (lobby_enter(&f->lobby, c)) {
    case ENTRY_WAITS: break;
    case ENTRY_RETURNED: wake(f); break;
    case ENTRY_CLOSED: front_close(f, c); break;
    }
}

bool front_yield(struct front *f, struct connection *c)
{
    return lobby_yield(&f->lobby, c);
}

void front_part(struct front *f, struct connection *c)
{
    connection_part(c);
    front_wait(f, c);
}

bool front_keep(struct front *f, struct connection *c, const struct outgoing *o, struct str *body)
{
    bool room = !outgoing_takes(o, body) || atomic_load(&f->unsent) < f->options.unsent_most;
    struct outgoing *kept = room ? outgoing_keep(o, body) : NULL;
    if (kept) atomic_fetch_add(&f->unsent, outgoing_bytes(kept));
    c->outgoing = kept;
    return kept;
}

void front_forget(struct front *f, struct connection *c)
{
    if (!c->outgoing) return;
    atomic_fetch_sub(&f->unsent, outgoing_bytes(c->outgoing));
    outgoing_free(c->outgoing);
    c->outgoing = NULL;
}

void front_close(struct front *f, struct connection *c)
{
    front_forget(f, c);
    connection_free(c);
    gauge_add(&f->options.metrics->connections, -1);
}

bool front_begin_body(struct front *f, struct connection *c)
{
    return lobby_begin_body(&f->lobby, c);
}

void front_end_body(struct front *f)
{
    lobby_end_body(&f->lobby);
}

struct peer front_detach(struct front *f, struct connection *c)
{
    struct peer peer = c->peer;
    epoll_ctl(f->epoll, EPOLL_CTL_DEL, peer.socket, NULL);
    c->peer = peer_plain(-1);
    front_close(f, c);
    return peer;
}

bool front_lend(struct front *f, size_t bytes)
{
    if (atomic_fetch_add(&f->lent, bytes) + bytes > f->options.lent_most) {
        atomic_fetch_sub(&f->lent, bytes);
        return false;
    }
    lobby_leave(&f->lobby);
    return true;
}

void front_return(struct front *f, struct list *connections)
{
    lobby_return(&f->lobby, connections);
}

void front_settle(struct front *f, size_t bytes)
{
    atomic_fetch_sub(&f->lent, bytes);
}

/* ---- from open to free ---- */

static void count_descriptors(struct front *f)
{
    struct rlimit limit = {.rlim_cur = 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    int most = limit.rlim_cur > INT_MAX ? INT_MAX : (int)limit.rlim_cur;
    int reserve = most / 8 < RESERVE_MOST ? most / 8 : RESERVE_MOST;
    f->descriptors = most - reserve;
    f->refused_most = (size_t)reserve / 2;
}

static bool open_set(struct front *f)
{
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (f->epoll < 0 || f->wake < 0) return false;
    struct epoll_event e = {.events = EPOLLIN};
    if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->wake, &e)) return false;
    for (size_t i = 0; i < f->listeners.n; i++) {
        e.data.u64 = i + 1;
        if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->listeners.at[i].socket, &e)) return false;
    }
    return true;
}

static bool start(struct front *f)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    f->started = !pthread_create(&f->thread, &attributes, run, f);
    pthread_attr_destroy(&attributes);
    return f->started;
}

enum status front_open(struct front **out, const struct front_options *options, struct failure *f)
{
    *out = NULL;
    struct front *front = calloc(1, sizeof *front);
    if (!front) return fail(f, NO_MEMORY, "Out of memory.");
    front->options = *options;
    front->listeners = *options->listeners;
    lobby_init(&front->lobby,
        (int64_t[STAGES]){[STAGE_NEW] = options->head_ms,
            [STAGE_HEAD] = options->head_ms,
            [STAGE_BODY] = options->body_ms,
            [STAGE_ANSWER] = ANSWER_MS,
            [STAGE_IDLE] = options->idle_ms,
            [STAGE_PARTING] = PARTING_MS},
        options->places, options->bodies_most, options->metrics->connections_waiting);
    count_descriptors(front);
    if (!open_set(front) || !start(front)) {
        enum status status = fail(f, UNAVAILABLE, "Cannot wait for connections: %s.", strerror(errno));
        front->listeners.n = 0;
        front_free(front);
        return status;
    }
    options->listeners->n = 0;
    *out = front;
    return OK;
}

void front_stop(struct front *f)
{
    if (!f->started) return;
    atomic_store(&f->asked_to_stop, true);
    wake(f);
    pthread_join(f->thread, NULL);
    f->started = false;
}

void front_free(struct front *f)
{
    if (!f) return;
    ASSERT(!f->started && !gauge_read(&f->options.metrics->connections) && !atomic_load(&f->lent));
    listen_close(&f->listeners);
    if (f->epoll >= 0) close(f->epoll);
    if (f->wake >= 0) close(f->wake);
    str_release(&f->text);
    lobby_destroy(&f->lobby);
    free(f);
}
