#include "api/sessions.h"
#include "schema/json.h"
#include "schema/registry.h"
#include "store/account.h"

static void add_text(struct str *out, const char *name, struct view text)
{
    str_addf(out, ",\"%s\":", name);
    if (text.at)
        str_add_json(out, text);
    else
        str_addz(out, "null");
}

static enum status add_session(void *ctx, const struct session *s)
{
    struct call *call = ctx;
    struct str *out = &call->rs->body;
    json_separate(out);
    str_addz(out, "{\"id\":");
    str_add_json(out, s->id);
    add_text(out, "createdAt", s->created_at);
    add_text(out, "expiresAt", s->expires_at);
    add_text(out, "userAgent", s->agent);
    str_addf(out, ",\"current\":%s}", view_equal(s->id, call->reader.session) ? "true" : "false");
    return OK;
}

enum status sessions_list(struct call *call, struct failure *f)
{
    struct view now;
    enum status status = call_signed_in(call, f);
    if (!status) status = call_now(call, 0, &now, f);
    if (status) return status;
    str_addz(&call->rs->body, "{\"docs\":[");
    struct db *db = pool_take(call->app->pool);
    status = account_list_sessions(
        db, collection_auth(), call->reader.id, call->reader.session, now, SESSIONS_SHOWN, add_session, call, f);
    pool_give(call->app->pool, db);
    str_addz(&call->rs->body, "]}");
    return status;
}

/* That of another is not there. */
static enum status find(const struct call *call, struct failure *f)
{
    struct view now;
    bool there = false;
    enum status status = call_now(call, 0, &now, f);
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    status = account_has_session(db, collection_auth(), call->reader.id, call->id, now, &there, f);
    pool_give(call->app->pool, db);
    return status || there ? status : fail(f, NOT_FOUND, "Not Found");
}

enum status sessions_end(struct call *call, struct failure *f)
{
    struct write w = {
        .op = WRITE_SIGNED_OUT, .collection = collection_auth(), .id = call->reader.id, .session = {.id = call->id}};
    enum status status = call_signed_in(call, f);
    if (!status) status = find(call, f);
    if (!status) status = call_write(call, &w, f);
    if (status) return status;
    call->rs->status = 204;
    call->type = (struct view){0};
    return OK;
}
