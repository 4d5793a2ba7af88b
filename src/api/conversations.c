#include "api/conversations.h"
#include "api/envelope.h"
#include "api/notices.h"
#include "api/people.h"
#include "api/typing.h"
#include "schema/json.h"
#include "schema/registry.h"
#include "store/changelog.h"
#include "store/conversation.h"
#include "store/read.h"

static void add_peer(struct str *out, const struct conversation *c)
{
    str_addz(out, "{\"peer\":{");
    people_add(out, c->peer, c->email, c->name);
    str_addc(out, '}');
}

static void add_state(struct str *out, const struct conversation *c)
{
    int64_t unread = c->unread < UNREAD_SHOWN ? c->unread : UNREAD_SHOWN;
    str_addf(out, ",\"read\":%lld,\"unread\":%lld", (long long)c->read, (long long)unread);
}

static enum status add_doc(void *ctx, const struct doc *doc)
{
    doc_add_json(ctx, doc, &(struct doc_style){.select = SELECT_ALL});
    return OK;
}

/* The message as it is, with bare ids. Its text is not kept in the arena, which hundreds of the longest would fill. */
static enum status add_last(struct call *call, struct db *db, int64_t id, struct failure *f)
{
    struct str *out = &call->rs->body;
    size_t before = out->len;
    enum status status = id ? read_ids(db, collection_exchanged(), &id, 1, call->arena, add_doc, out, f) : OK;
    if (!status && out->len == before) str_addz(out, "null");
    return status;
}

static enum status add_conversation(struct call *call, struct db *db, const struct conversation *c, struct failure *f)
{
    struct str *out = &call->rs->body;
    add_peer(out, c);
    str_addz(out, ",\"last\":");
    enum status status = add_last(call, db, c->last, f);
    add_state(out, c);
    str_addf(out, ",\"peerRead\":%lld}", (long long)c->peer_read);
    return status;
}

struct listing {
    struct call *call;
    struct db *db;
    int64_t limit, page;
    int64_t count;
    struct failure *f;
};

static enum status add_listed(void *ctx, const struct conversation *c)
{
    struct listing *l = ctx;
    if (l->count++) str_addc(&l->call->rs->body, ',');
    return add_conversation(l->call, l->db, c, l->f);
}

static enum status list(struct call *call, struct db *db, void *ctx, struct failure *f)
{
    struct listing *l = ctx;
    struct ledger users;
    struct str *out = &call->rs->body;
    int64_t before = envelope_before(l->limit, l->page);
    l->db = db;
    l->f = f;
    str_addz(out, "{\"docs\":[");
    enum status status = conversation_list(db, call->reader.id, l->limit, before, add_listed, l, f);
    if (!status) status = ledger_read(db, collection_auth(), &users, f);
    if (!status)
        envelope_add(out, &(struct envelope){.limit = l->limit, .page = l->page, .total = users.docs, .paged = true});
    return status;
}

enum status conversations_list(struct call *call, struct failure *f)
{
    struct listing l = {.call = call};
    enum status status = call_signed_in(call, f);
    if (status) return status;
    people_page(call, &l.limit, &l.page);
    return call_snapshot(call, list, &l, f);
}

static enum status show_one(struct call *call, struct db *db, void *ctx, struct failure *f)
{
    struct conversation c;
    const int64_t *peer = ctx;
    enum status status = conversation_find(db, call->reader.id, *peer, call->arena, &c, f);
    return status ? status : add_conversation(call, db, &c, f);
}

enum status conversations_one(struct call *call, struct failure *f)
{
    int64_t peer;
    enum status status = call_signed_in(call, f);
    if (!status) status = call_id(call, &peer, f);
    return status ? status : call_snapshot(call, show_one, &peer, f);
}

/* The path's peer, who is there. */
static enum status find_peer(struct call *call, struct conversation *out, struct failure *f)
{
    int64_t peer;
    enum status status = call_signed_in(call, f);
    if (!status) status = call_id(call, &peer, f);
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    status = conversation_find(db, call->reader.id, peer, call->arena, out, f);
    pool_give(call->app->pool, db);
    return status;
}

/* `c` is as it is then. */
static enum status mark(struct call *call, struct conversation *c, int64_t message, struct failure *f)
{
    struct write w = {
        .op = WRITE_MARK, .collection = collection_exchanged(), .id = call->reader.id, .conversation = *c};
    w.conversation.read = message;
    enum status status = call_write(call, &w, f);
    if (status) return status;
    c->read = w.conversation.read;
    c->unread = w.conversation.unread;
    if (w.moved) notice_read(call->app->delivery, call->reader.id, c->peer, c->read);
    return OK;
}

enum status conversations_read(struct call *call, struct failure *f)
{
    struct conversation c;
    struct json_object *body;
    enum status status = find_peer(call, &c, f);
    if (!status) status = call_body(call, false, &body, f);
    if (status) return status;
    struct json_object *message = json_member(body, "message");
    int64_t id = json_object_is_type(message, json_type_int) ? json_object_get_int64(message) : 0;
    if (id < 1) return fail(f, INVALID, "\"message\" must be the id of a message.");
    /* What is read already needs no write: a mark moves forward only. */
    if (id > c.read) status = mark(call, &c, id, f);
    if (status) return status;
    add_peer(&call->rs->body, &c);
    add_state(&call->rs->body, &c);
    str_addc(&call->rs->body, '}');
    return OK;
}

enum status conversations_typing(struct call *call, struct failure *f)
{
    struct conversation c;
    struct json_object *body;
    enum status status = find_peer(call, &c, f);
    if (!status) status = call_body(call, true, &body, f);
    if (status) return status;
    struct json_object *typing = json_member(body, "typing");
    if (typing && !json_object_is_type(typing, json_type_boolean))
        return fail(f, INVALID, "\"typing\" must be true or false.");
    bool types = !typing || json_object_get_boolean(typing);
    if (typing_passes(call->app->typing, call->reader.id, c.peer, types))
        notice_typing(call->app->delivery, call->reader.id, c.peer, types);
    call->rs->status = 204;
    call->type = (struct view){0};
    return OK;
}
