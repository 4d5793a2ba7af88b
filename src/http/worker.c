/* A worker never waits for a head: it goes on with a connection only while there is something of it to do, and gives it
 * back to the front otherwise. What it may wait for: a body that is not short, and a client that is slow to take its
 * answer. */
#include "http/worker.h"

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

/* `trusted`: the request's framing is known, so that another may follow. */
static void answer(struct worker *w, bool head_only, bool trusted)
{
    struct response *rs = &w->response;
    struct peer *peer = &w->connection->peer;
    if (rs->headers.failed || rs->body.failed) answer_refuse(rs, 503, w->options);
    bool keep = trusted && !w->ends && !rs->close && !atomic_load(w->stopping) && civet_keeps(w->civet);
    bool sent = answer_send(&w->answer, rs, head_only, &keep, peer, w->stopping);
    w->ends = !keep;
    /* With TLS a client answers the end with a word of its own, which must not meet a closed socket either. */
    w->heard_out = sent && (!trusted || peer->tls || !civet_whole(w->civet) || civet_more(w->civet));
    forget_large(&w->answer.head);
    forget_large(&rs->headers);
    forget_large(&rs->body);
}

static void refuse(struct worker *w, int status)
{
    answer_refuse(&w->response, status, w->options);
    answer(w, view_is(civet_method(w->civet), "HEAD"), false);
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
        answer(w, rq.method == METHOD_HEAD, true);
    }
    arena_reset(&w->arena);
}

/* One request of a connection from which something has come. Answers it when there may be more of it to do; NULL: it is
 * the worker's no longer. */
static struct connection *serve(struct worker *w, struct connection *c)
{
    w->connection = c;
    w->ends = w->heard_out = false;
    w->pace = (struct pace){
        .patience = w->options->body_ms, .queue = &w->options->metrics->connections_waiting[WAITS_QUEUED]};
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
    if (w->ends && w->heard_out)
        front_part(w->front, c);
    else if (w->ends)
        front_close(w->front, c);
    if (w->ends) return NULL;
    str_add(&c->early, civet_rest(w->civet));
    c->arrived = false;
    c->stage = STAGE_IDLE;
    c->timed = STAGES;
    if (!c->early.failed) return c;
    front_close(w->front, c);
    return NULL;
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

static void *run(void *worker)
{
    struct worker *w = worker;
    struct connection *c;
    while ((c = front_take(w->front, &w->sleeper)))
        for (bool again = false; c; again = true) switch (connection_hear(c, w->options->tls)) {
            case HEARD_ALL: c = again && front_yield(w->front, c) ? NULL : serve_in_turn(w, c); break;
            case HEARD_PART:
                front_wait(w->front, c);
                c = NULL;
                break;
            case HEARD_SAY:
                front_part(w->front, c);
                c = NULL;
                break;
            case HEARD_END:
                front_close(w->front, c);
                c = NULL;
                break;
            }
    return NULL;
}

static void release(struct worker *w)
{
    civet_free(w->civet);
    arena_release(&w->arena);
    response_release(&w->response);
    answer_release(&w->answer);
    str_release(&w->chunks);
    condition_destroy(&w->sleeper.woken);
}

bool worker_start(
    struct worker *w, const struct server_options *options, struct front *front, const atomic_bool *stopping)
{
    pthread_attr_t attributes;
    *w = (struct worker){.options = options, .front = front, .stopping = stopping};
    condition_init(&w->sleeper.woken);
    arena_init(&w->arena, options->arena_cap);
    w->civet = civet_new(receive, w);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    bool started = w->civet && !pthread_create(&w->thread, &attributes, run, w);
    pthread_attr_destroy(&attributes);
    if (!started) release(w);
    return started;
}

void worker_join(struct worker *w)
{
    pthread_join(w->thread, NULL);
    release(w);
}
