/* Opened: listeners, front, workers; closed: the front first, which leaves the workers what has come whole. */
#include "http/server.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/lock.h"
#include "http/worker.h"
#include <signal.h>
#include <stdlib.h>

#define MAX_LISTEN  16
#define MAX_WORKERS 4096
#define HEAD_MS     10000
#define BODY_MS     10000
#define IDLE_MS     60000
#define UNSENT      ((size_t)64 << 20)
#define LAST_MS     300 /* that clients have to take their last answer */

struct server {
    /* fixed after open */
    struct server_options options;
    uint16_t ports[MAX_LISTEN];
    struct listeners listeners; /* until the front has them */
    struct front *front;
    struct worker *workers; /* room for `most` */
    int most;
    struct relief relief;
    /* atomic */
    atomic_llong stopping; /* as in struct worker */
    atomic_int nworkers;   /* that were started; no more than `most` are */
    struct metrics unread; /* where nobody wants them */
    /* the front's thread only */
    struct response refusal;
    struct answer answer;
};

static void refusal(void *ctx, int status, struct str *text)
{
    struct server *s = ctx;
    answer_refuse(&s->refusal, status, &s->options);
    if (status == 503) response_header(&s->refusal, "Retry-After", VIEW("1"));
    answer_text(&s->answer, &s->refusal, text);
}

static enum status open_listeners(struct server *s, struct failure *f)
{
    for (size_t i = 0; i < s->options.nlisten; i++) {
        enum status status = listen_open(s->options.listen[i], &s->listeners, &s->ports[i], f);
        if (status) return status;
    }
    return OK;
}

static enum status open_front(struct server *s, struct failure *f)
{
    const struct server_options *o = &s->options;
    return front_open(&s->front,
        &(struct front_options){.listeners = &s->listeners,
            .head_ms = o->head_ms,
            .body_ms = o->body_ms,
            .idle_ms = o->idle_ms,
            .most = o->connections,
            .unsent_most = o->unsent,
            .metrics = o->metrics,
            .lent_most = o->deferred,
            .places = o->workers,
            .bodies_most = o->workers * SERVER_BODIES,
            .refusal = refusal,
            .ctx = s},
        f);
}

static bool start_worker(struct server *s)
{
    int n = atomic_fetch_add(&s->nworkers, 1);
    return n < s->most && worker_start(&s->workers[n], &s->options, s->front, &s->relief, &s->stopping);
}

static enum status start_workers(struct server *s, struct failure *f)
{
    s->workers = calloc((size_t)s->most, sizeof *s->workers);
    if (!s->workers) return fail(f, NO_MEMORY, "Out of memory.");
    for (int i = 0; i < s->options.workers; i++)
        if (!start_worker(s))
            return fail(f, UNAVAILABLE, "The system gives no more than %d threads; ask for fewer with --workers.", i);
    return OK;
}

/* Where the system gives no further thread, there are so many. */
static void pause_worker(void *ctx)
{
    struct server *s = ctx;
    if (front_pause(s->front) && atomic_load(&s->nworkers) < s->most) (void)start_worker(s);
}

static void go_on(void *ctx)
{
    front_go_on(((struct server *)ctx)->front);
}

enum status server_open(struct server **out, const struct server_options *options, struct failure *f)
{
    *out = NULL;
    if (options->nlisten < 1 || options->nlisten > MAX_LISTEN)
        return fail(f, INVALID, "Between 1 and %d addresses can be listened on.", MAX_LISTEN);
    if (options->workers < 1 || options->workers > MAX_WORKERS)
        return fail(f, INVALID, "There must be between 1 and %d workers.", MAX_WORKERS);
    struct server *s = calloc(1, sizeof *s);
    if (!s) return fail(f, NO_MEMORY, "Out of memory.");
    for (size_t i = 0; i < options->nlisten; i++) ASSERT(options->tls || !listen_secure(options->listen[i]));
    s->options = *options;
    if (!s->options.head_ms) s->options.head_ms = HEAD_MS;
    if (!s->options.body_ms) s->options.body_ms = BODY_MS;
    if (!s->options.idle_ms) s->options.idle_ms = IDLE_MS;
    if (!s->options.unsent) s->options.unsent = UNSENT;
    if (!s->options.metrics) s->options.metrics = &s->unread;
    s->most = options->workers * SERVER_THREADS;
    s->relief = (struct relief){pause_worker, go_on, s};
    signal(SIGPIPE, SIG_IGN);
    enum status status = open_listeners(s, f);
    if (!status) status = open_front(s, f);
    if (!status) status = start_workers(s, f);
    if (status) {
        server_close(s);
        return status;
    }
    *out = s;
    return OK;
}

uint16_t server_port(const struct server *s, size_t n)
{
    return n < s->options.nlisten ? s->ports[n] : 0;
}

void server_close(struct server *s)
{
    if (!s) return;
    atomic_store(&s->stopping, clock_monotonic() + LAST_MS);
    if (s->front) front_stop(s->front);
    /* One that was started by another is behind it. */
    for (int i = 0; s->workers && i < s->most && i < atomic_load(&s->nworkers); i++) worker_join(&s->workers[i]);
    for (int i = 0; s->workers && i < s->most; i++) worker_release(&s->workers[i]);
    front_free(s->front);
    listen_close(&s->listeners);
    response_release(&s->refusal);
    answer_release(&s->answer);
    free(s->workers);
    free(s);
}
