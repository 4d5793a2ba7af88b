#include "api/pending.h"
#include "api/idempotency.h"
#include "api/writer.h"
#include "http/exchange.h"

struct pending *pending_new(struct call *call, enum write_op op, const char *message)
{
    struct pending *p = ARENA_NEW(call->arena, struct pending);
    if (!p) return NULL;
    p->call = call;
    p->message = message;
    p->write.op = op;
    p->write.collection = call->collection;
    return p;
}

/* What the write needs of the client's JSON is copied, and the JSON goes: it is many times as large as its text, and no
 * limit of an arena counts it. */
static enum status forget_json(struct pending *p, struct failure *f)
{
    struct arena *arena = p->call->arena;
    struct view *session = &p->write.session.id;
    if (session->at) session->at = arena_copy(arena, *session);
    for (size_t i = 0; i < p->call->collection->nfields; i++)
        if (p->draft.values[i].type == VALUE_TEXT)
            p->draft.values[i].text.at = arena_copy(arena, p->draft.values[i].text);
    if (arena->failed) return fail(f, NO_MEMORY, "Out of memory.");
    p->call->query = NULL;
    p->call->reader.token = p->call->reader.session = p->call->reader.email = (struct view){0};
    arena_clean(arena);
    return OK;
}

enum status pending_prepared(struct pending *p, enum status status, struct failure *f)
{
    if (!status) status = upload_store(p->call, &p->upload, &p->draft, f);
    if (!status) status = forget_json(p, f);
    if (status)
        upload_end(p->call, &p->upload, status);
    else
        p->call->pending = p;
    return status;
}

/* ---- the answer ---- */

static enum status show(struct pending *p, struct db *db, struct failure *f)
{
    struct writer w;
    struct write *write = &p->write;
    writer_init(&w, p->call, db, &p->find, f);
    w.style.sessions_first = write->op == WRITE_UPDATE;
    if (write->op == WRITE_DELETE) write->doc.sessions = (struct view){0}; /* they went with it */
    str_addz(w.out, "{\"doc\":");
    writer_add(&w, &write->doc);
    str_addz(w.out, ",\"message\":\"");
    str_addf(w.out, p->message, p->call->collection->singular);
    str_addz(w.out, "\"}");
    return writer_end(&w);
}

/* write->make: the answer to a request with a key is made and kept with the write. */
static enum status show_and_seal(struct write *write, struct db *db, struct failure *f)
{
    struct pending *p = write->ctx;
    enum status status = show(p, db, f);
    return status ? status : idempotency_seal(p->call, &write->answer, f);
}

static enum status show_committed(struct pending *p, struct failure *f)
{
    struct db *db = pool_take(p->call->app->pool);
    enum status status = show(p, db, f);
    pool_give(p->call->app->pool, db);
    return status;
}

/* The write is done or refused. */
static void finish(void *ctx, struct response *rs)
{
    struct pending *p = ctx;
    struct call *call = p->call;
    struct failure *f = &p->write.failure;
    enum status status = f->status;
    call->rs = rs;
    if (!status) idempotency_kept(call);
    if (!status && call->collection->upload) upload_sweep(call, &p->write, 1);
    upload_end(call, &p->upload, status);
    if (!status && !p->write.make) status = show_committed(p, f);
    call_end(call, status, f);
}

/* ---- the way there ---- */

static bool defer(struct pending *p)
{
    struct call *call = p->call;
    p->command = (struct command){.writes = &p->write, .nwrites = 1, .failure = &p->write.failure};
    p->exchange = request_defer(call->rq, finish, p);
    if (!p->exchange) return false;
    call->rq = NULL;
    call->rs = &p->exchange->response;
    call->arena = p->command.arena = &p->exchange->arena;
    return true;
}

void pending_run(struct pending *p)
{
    struct call *call = p->call;
    p->write.draft = &p->draft;
    p->write.must_match = p->find.rights;
    p->write.ctx = p;
    if (call->keyed) p->write.make = show_and_seal;
    if (defer(p)) {
        broker_post(call->app->broker, &p->command);
        return;
    }
    struct failure f;
    if (call_run(call, &p->write, 1, &f)) p->write.failure = f;
    finish(p, call->rs);
}

void pending_done(void *ctx, struct list *commands)
{
    struct list exchanges;
    (void)ctx;
    list_init(&exchanges);
    while (!list_empty(commands)) {
        struct command *c = CONTAINER(commands->next, struct command, link);
        list_remove(&c->link);
        list_insert(&exchanges, &CONTAINER(c, struct pending, command)->exchange->link);
    }
    exchange_resume(&exchanges);
}
