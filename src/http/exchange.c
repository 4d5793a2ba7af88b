/* The exchange lies in the request's arena, which moves into it; the worker begins the next request with an empty one,
 * or with that of an exchange that it has finished. The response's texts are copied: the worker's own have room for the
 * largest answer of late, and as many as there are exchanges would be large. */
#include "http/exchange.h"
#include "http/worker.h"

static bool copy(struct response *to, const struct response *from)
{
    *to = *from;
    to->headers = to->body = (struct str){0};
    str_add(&to->headers, str_view(&from->headers));
    str_add(&to->body, str_view(&from->body));
    if (!to->headers.failed && !to->body.failed && !from->headers.failed && !from->body.failed) return true;
    str_release(&to->headers);
    str_release(&to->body);
    return false;
}

struct exchange *request_defer(struct request *rq, void (*finish)(void *ctx, struct response *rs), void *ctx)
{
    struct worker *w = rq->connection;
    struct connection *c = w->connection;
    if (!civet_whole(w->civet) && civet_here(w->civet)) body_skip(w);
    if (!civet_whole(w->civet)) return NULL;
    struct exchange *e = ARENA_NEW(&w->arena, struct exchange);
    if (!e || !copy(&e->response, &w->response)) return NULL;
    e->bytes = w->arena.used;
    if (!front_lend(w->front, e->bytes)) {
        str_release(&e->response.headers);
        str_release(&e->response.body);
        return NULL;
    }
    e->finish = finish;
    e->ctx = ctx;
    e->front = w->front;
    e->connection = c;
    e->head_only = rq->method == METHOD_HEAD;
    e->keep = !w->ends && civet_keeps(w->civet);
    w->response.file.open = false; /* it is the exchange's */
    str_add(&c->early, civet_rest(w->civet));
    if (c->early.failed) e->keep = false;
    c->exchange = e;
    w->connection = NULL;
    e->arena = w->arena;
    arena_init(&w->arena, w->options->arena_cap);
    return e;
}

void exchange_resume(struct list *exchanges)
{
    struct list connections;
    struct front *front = NULL;
    list_init(&connections);
    while (!list_empty(exchanges)) {
        struct exchange *e = CONTAINER(exchanges->next, struct exchange, link);
        front = e->front;
        list_remove(&e->link);
        list_insert(&connections, &e->connection->link);
    }
    if (front) front_return(front, &connections);
}

void exchange_free(struct exchange *e, struct arena *arena)
{
    struct arena own = e->arena;
    front_settle(e->front, e->bytes);
    response_release(&e->response);
    if (arena->blocks) {
        arena_release(&own);
        return;
    }
    arena_reset(&own);
    *arena = own;
}
