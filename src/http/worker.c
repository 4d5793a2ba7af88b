/* A worker never waits for a head: it goes on with a connection only while there is something of it to do, and gives it
 * back to the front otherwise, as it does when a client takes no more of its answer for now. What it may wait for: a
 * body that is not short. An answer that comes later (exchange.h) comes as a connection that is ready, to any worker.
 */
#include "http/worker.h"
#include "http/exchange.h"

#define STACK 524288 /* address space; what is never touched costs no memory */

static ssize_t receive(void *ctx, char *at, size_t room)
{
    struct worker *w = ctx;
    return wire_receive(&w->connection->peer, at, room, &w->pace, w->stopping);
}

static bool pull(void *ctx, void *at, size_t n)
{
    return civet_read_on(ctx, at, n);
}

static void forget_large(struct str *s)
{
    if (s->room > WORKER_KEEP) str_release(s);
}

/* What the client has not taken. Where the server stops it gets what it takes in time; else the rest is kept. False:
 * the connection is of no use any more. */
static bool put_off(struct worker *w, struct outgoing *o, struct response *rs)
{
    int64_t until = atomic_load(w->stopping);
    if (o->sent == SENT_NONE) return false;
    if (until) return outgoing_finish(o, &w->connection->peer, until);
    if (!front_keep(w->front, w->connection, o, &rs->body)) return false;
    o->file.fd = -1; /* it is the other's */
    return true;
}

/* `keep`: another request may follow; `more`: the client may have sent more than has been read. */
static void answer(struct worker *w, struct response *rs, bool head_only, bool keep, bool more)
{
    struct outgoing o;
    struct peer *peer = &w->connection->peer;
    if (rs->headers.failed || rs->body.failed) answer_refuse(rs, 503, w->options);
    answer_make(&w->answer, rs, head_only, keep && !rs->close && !atomic_load(w->stopping), &o);
    bool sent = outgoing_send(&o, peer) == SENT_ALL || put_off(w, &o, rs);
    w->ends = !sent || !o.keep;
    /* With TLS a client answers the end with a word of its own, which must not meet a closed socket either. */
    w->heard_out = sent && (more || peer->tls);
    outgoing_release(&o);
    forget_large(&w->answer.head);
}

static void refuse(struct worker *w, int status)
{
    answer_refuse(&w->response, status, w->options);
    answer(w, &w->response, view_is(civet_method(w->civet), "HEAD"), false, true);
}

static enum method method_of(struct view name)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (view_is(name, names[i])) return (enum method)i;
    return METHOD_OTHER;
}

static void handle(struct worker *w)
{
    struct civet *civet = w->civet;
    struct request rq = {.method_name = civet_method(civet),
        .method = method_of(civet_method(civet)),
        .remote = view_of(w->connection->remote),
        .secure = w->connection->secure,
        .http_1_0 = civet_is_1_0(civet),
        .arena = &w->arena,
        .connection = w};
    civet_target(civet, &rq.path, &rq.query);
    answer_start(&w->response, 200);
    w->continued = false;
    w->chunked = (struct chunked){.pull = pull, .ctx = civet};
    w->options->handle(w->options->ctx, &rq, &w->response);
    if (w->connection) {
        if (w->pace.late && w->response.status >= 400) answer_refuse(&w->response, 408, w->options);
        body_settle(w, &rq);
        answer(w, &w->response, rq.method == METHOD_HEAD, !w->ends && civet_keeps(civet),
            !civet_whole(civet) || civet_more(civet));
        forget_large(&w->response.headers);
        forget_large(&w->response.body);
    }
    arena_reset(&w->arena);
}

/* After the answer: NULL, as the connection ends, or one with which may be gone on. */
static struct connection *conclude(struct worker *w, struct connection *c)
{
    bool keep = !w->ends && !c->early.failed;
    if (w->ends && w->heard_out)
        front_part(w->front, c);
    else if (!keep)
        front_close(w->front, c);
    if (!keep) return NULL;
    c->arrived = c->writable = false;
    c->stage = STAGE_IDLE;
    c->timed = STAGES;
    return c;
}

/* Something is left of the answer: its client has until the next deadline to take some of it, or others have their turn
 * before. The same. */
static struct connection *linger(struct worker *w, struct connection *c)
{
    if (c->stage != STAGE_ANSWER || outgoing_moves(c->outgoing)) c->timed = STAGES;
    c->stage = STAGE_ANSWER;
    c->writable = true;
    if (c->outgoing->sent == SENT_SOME) return c;
    front_wait(w->front, c);
    return NULL;
}

/* One whose client takes an answer bit by bit. As serve. */
static struct connection *send_on(struct worker *w, struct connection *c)
{
    struct outgoing *o = c->outgoing;
    int64_t until = atomic_load(w->stopping);
    bool sound = until ? outgoing_finish(o, &c->peer, until) : outgoing_send(o, &c->peer) != SENT_NONE;
    if (sound && o->sent != SENT_ALL) return linger(w, c);
    w->ends = !sound || !o->keep;
    w->heard_out = sound && o->heard_out;
    front_forget(w->front, c);
    return conclude(w, c);
}

/* After an answer of which something may be left. As conclude. */
static struct connection *follow(struct worker *w, struct connection *c)
{
    if (!c->outgoing) return conclude(w, c);
    c->outgoing->keep = !w->ends && !c->early.failed;
    c->outgoing->heard_out = w->heard_out;
    return linger(w, c);
}

/* The answer to a request that was deferred. As serve. */
static struct connection *finish(struct worker *w, struct connection *c)
{
    struct exchange *e = c->exchange;
    w->connection = c;
    e->finish(e->ctx, &e->response);
    answer(w, &e->response, e->head_only, e->keep, c->early.len);
    c->exchange = NULL;
    exchange_free(e, &w->arena);
    return follow(w, c);
}

/* One request of a connection from which something has come. Answers it when there may be more of it to do; NULL: it is
 * the worker's no longer. */
static struct connection *serve(struct worker *w, struct connection *c)
{
    w->connection = c;
    w->ends = w->heard_out = false;
    w->pace = (struct pace){.patience = w->options->body_ms,
        .queue = &w->options->metrics->connections_waiting[WAITS_QUEUED],
        .places = (int64_t)w->options->workers * SERVER_BODIES,
        .relief = w->relief};
    civet_begin(w->civet, str_view(&c->early));
    str_release(&c->early);
    int status = civet_next(w->civet);
    if (status < 0)
        w->ends = true;
    else if (status)
        refuse(w, status);
    else
        handle(w);
    if (!w->connection) return NULL;
    if (!w->ends) body_skip(w);
    if (!w->ends) str_add(&c->early, civet_rest(w->civet));
    return follow(w, c);
}

/* The same, or NULL at once where too many bodies are waited for. */
static struct connection *serve_in_turn(struct worker *w, struct connection *c)
{
    bool waits = c->long_body;
    if (waits && !front_begin_body(w->front, c)) return NULL;
    c = serve(w, c);
    if (waits) front_end_body(w->front);
    return c;
}

/* As serve. `again`: others may have waited for longer. */
static struct connection *go_on(struct worker *w, struct connection *c, bool again)
{
    if (again && c->outgoing && front_yield(w->front, c)) return NULL;
    if (c->outgoing) return send_on(w, c);
    if (c->exchange) return finish(w, c);
    switch (connection_hear(c, w->options->tls)) {
    case HEARD_ALL: return again && front_yield(w->front, c) ? NULL : serve_in_turn(w, c);
    case HEARD_PART: front_wait(w->front, c); break;
    case HEARD_SAY: front_part(w->front, c); break;
    case HEARD_END: front_close(w->front, c); break;
    }
    return NULL;
}

static void *run(void *worker)
{
    struct worker *w = worker;
    struct connection *c;
    while ((c = front_take(w->front, &w->sleeper)))
        for (bool again = false; c; again = true) c = go_on(w, c, again);
    return NULL;
}

void worker_release(struct worker *w)
{
    if (!w->options) return;
    civet_free(w->civet);
    arena_release(&w->arena);
    response_release(&w->response);
    answer_release(&w->answer);
    str_release(&w->chunks);
    condition_destroy(&w->sleeper.woken);
    w->options = NULL;
}

bool worker_start(struct worker *w, const struct server_options *options, struct front *front,
    const struct relief *relief, const atomic_llong *stopping)
{
    pthread_attr_t attributes;
    *w = (struct worker){.options = options, .front = front, .relief = relief, .stopping = stopping};
    condition_init(&w->sleeper.woken);
    arena_init(&w->arena, options->arena_cap);
    w->civet = civet_new(receive, w);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    w->started = w->civet && !pthread_create(&w->thread, &attributes, run, w);
    pthread_attr_destroy(&attributes);
    if (!w->started) worker_release(w);
    return w->started;
}

void worker_join(struct worker *w)
{
    if (w->started) pthread_join(w->thread, NULL);
}
