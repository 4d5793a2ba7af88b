#include "api/call.h"
#include "api/fail.h"
#include "api/idempotency.h"
#include "base/clock.h"
#include "http/multipart.h"
#include "schema/json.h"
#include "schema/match.h"
#include "store/read.h"

enum status call_forbidden(struct failure *f)
{
    return fail(f, FORBIDDEN, "You are not allowed to perform this action.");
}

enum status call_signed_in(const struct call *call, struct failure *f)
{
    if (call->reader.signed_in) return OK;
    return fail(f, UNAUTHORIZED, "Unauthorized, you must be logged in to make this request.");
}

enum status call_id(const struct call *call, int64_t *out, struct failure *f)
{
    for (size_t i = 0; i < call->id.len; i++)
        if (call->id.at[i] < '0' || call->id.at[i] > '9') return fail(f, NOT_FOUND, "Not Found");
    if (!view_integer(call->id, out) || *out < 1) return fail(f, NOT_FOUND, "Not Found");
    return OK;
}

enum status call_now(const struct call *call, int64_t plus_ms, struct view *out, struct failure *f)
{
    char *iso = arena_alloc(call->arena, ISO_LENGTH + 1);
    if (!iso) return fail(f, NO_MEMORY, "Out of memory.");
    clock_iso(clock_wall() + plus_ms, iso);
    *out = (struct view){iso, ISO_LENGTH};
    return OK;
}

enum status call_find(struct call *call, enum right right, struct find *out, struct failure *f)
{
    struct readable readable;
    if (!rights_allow(call, call->collection, right)) return call_forbidden(f);
    rights_readable(call, &readable);
    enum status status = find_parse(out, call->collection, call->query, &readable, call->arena, f);
    return status ? status : rights_restrict(call, call->collection, right, &out->where, &out->rights, f);
}

enum status call_snapshot(struct call *call,
    enum status (*run)(struct call *call, struct db *db, void *ctx, struct failure *f), void *ctx, struct failure *f)
{
    struct failure end;
    struct db *db = pool_take(call->app->pool);
    enum status status = db_run(db, "BEGIN", NULL, 0, f);
    if (!status) {
        status = run(call, db, ctx, f);
        if (db_run(db, "COMMIT", NULL, 0, &end) && !status) {
            *f = end;
            status = f->status;
        }
    }
    pool_give(call->app->pool, db);
    return status;
}

enum status call_read(
    const struct call *call, struct db *db, const struct where *rights, int64_t id, struct doc *out, struct failure *f)
{
    enum status status = read_one(db, call->collection, id, call->arena, out, f);
    return status || !rights || match(rights, out, NULL) ? status : fail(f, NOT_FOUND, "Not Found");
}

enum status call_draft(struct call *call, struct draft *out, enum draft_for purpose, struct json_object *body,
    int64_t id, struct failure *f)
{
    struct view now, salt, hash;
    enum status status = call_now(call, 0, &now, f);
    if (!status) status = draft_read(out, call->collection, purpose, body, now, id, call->arena, f);
    if (status || !out->password.at) return status;
    status = call_hash(call, out->password, &salt, &hash, f);
    if (status) return status;
    draft_set(out, "salt", value_text(salt));
    draft_set(out, "hash", value_text(hash));
    return OK;
}

enum status call_hash(struct call *call, struct view password, struct view *salt, struct view *hash, struct failure *f)
{
    request_pause(call->rq);
    enum status status = password_hash(call->app->passwords, password, call->arena, salt, hash, f);
    request_go_on(call->rq);
    return status;
}

enum status call_run(struct call *call, struct write *writes, size_t nwrites, struct failure *f)
{
    request_pause(call->rq);
    enum status status = broker_run(call->app->broker, writes, nwrites, call->arena, f);
    request_go_on(call->rq);
    return status;
}

enum status call_write(struct call *call, struct write *w, struct failure *f)
{
    enum status status = call_run(call, w, 1, f);
    if (!status && w->failure.status) {
        *f = w->failure;
        status = f->status;
    }
    return status;
}

void call_populator(const struct call *call, struct populator *p, struct db *db, const struct find *find)
{
    populator_init(p, db, call->arena);
    p->depth = find->depth;
    p->populate = find->populate;
    rights_readable(call, &p->readable);
    if (call->reader.signed_in) {
        p->own = collection_auth();
        p->own_id = call->reader.id;
    }
}

void call_end(struct call *call, enum status status, const struct failure *f)
{
    struct response *rs = call->rs;
    if (status && !call->detached) {
        call->type = VIEW("application/json");
        fail_respond(rs, f);
    }
    idempotency_end(call);
    if (!call->detached && call->type.len) response_header(rs, "Content-Type", call->type);
    if (!call->detached) caching_headers(call->caching, call->rq, rs);
    app_count(call->app, rs);
}

/* Gathers the part `_payload`; other parts are passed over. */
struct payload_part {
    struct str text;
    bool inside;
};

static enum status part_begin(void *ctx, const struct multipart_part *part, struct failure *f)
{
    struct payload_part *p = ctx;
    (void)f;
    p->inside = view_is(part->name, "_payload") && !part->filename.at;
    if (p->inside) str_reset(&p->text);
    return OK;
}

static enum status part_data(void *ctx, struct view bytes, struct failure *f)
{
    struct payload_part *p = ctx;
    if (p->inside) str_add(&p->text, bytes);
    return p->text.failed ? fail(f, NO_MEMORY, "Out of memory.") : OK;
}

static enum status part_end(void *ctx, struct failure *f)
{
    (void)f;
    ((struct payload_part *)ctx)->inside = false;
    return OK;
}

static const struct multipart_events payload_events = {part_begin, part_data, part_end};

/* `*text` is in the arena; at == NULL: no such part. */
static enum status read_payload(
    struct call *call, struct view boundary, struct view body, struct view *text, struct failure *f)
{
    struct payload_part part = {0};
    struct multipart *m = multipart_new(boundary, &payload_events, &part);
    enum status status = m ? multipart_feed(m, body, f) : fail(f, NO_MEMORY, "Out of memory.");
    if (!status) status = multipart_finish(m, f);
    if (!status && part.text.at) {
        text->at = arena_copy(call->arena, str_view(&part.text));
        text->len = part.text.len;
        if (!text->at) status = fail(f, NO_MEMORY, "Out of memory.");
    }
    multipart_free(m);
    str_release(&part.text);
    return status;
}

enum status call_bytes(struct call *call, struct view *out, struct failure *f)
{
    enum status status = call->body_read ? OK : request_body(call->rq, BODY_LIMIT, &call->body, f);
    call->body_read = true;
    *out = call->body;
    return status;
}

enum status call_body(struct call *call, bool optional, struct json_object **out, struct failure *f)
{
    struct view type = request_header(call->rq, "Content-Type");
    struct view boundary = multipart_boundary(type), body = {0};
    struct view media = view_trim(view_cut(&type, ';'));
    bool json = view_is_nocase(media, "application/json");
    enum status status = call_bytes(call, &body, f);
    if (status) return status;
    if (boundary.at) {
        struct view text = {0};
        status = read_payload(call, boundary, body, &text, f);
        if (status) return status;
        body = text;
        json = true;
    }
    if (!json && !optional)
        return fail(f, INVALID, "The body must be JSON, with the header Content-Type: application/json.");
    if (!json || !view_trim(body).len) body = VIEW("{}");
    return json_read(call->arena, body, out, f);
}
