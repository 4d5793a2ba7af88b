#include "api/rest.h"
#include "api/envelope.h"
#include "api/idempotency.h"
#include "api/pending.h"
#include "api/writer.h"
#include "schema/json.h"
#include "schema/registry.h"
#include "store/read.h"
#include "store/standing.h"
#include "store/text.h"

/* Payload numbers an empty answer from 0 when it had to look through a relation. */
static bool counts_from_zero(const struct find *find, size_t shown)
{
    bool joins = where_joins(find->where);
    for (size_t i = 0; i < find->nsort; i++)
        joins = joins || (find->sort[i].via && find->sort[i].field->kind != KIND_ID);
    return joins && !shown;
}

/* What follows the documents. */
static void add_envelope(struct str *out, const struct find *find, int64_t total, size_t shown)
{
    if (counts_from_zero(find, shown)) {
        str_addf(out,
            "],\"hasNextPage\":false,\"hasPrevPage\":false,\"limit\":%lld,\"nextPage\":null,\"page\":1,"
            "\"pagingCounter\":0,\"prevPage\":null,\"totalDocs\":0,\"totalPages\":0}",
            (long long)find->limit);
        return;
    }
    if (!find->pagination) total = (int64_t)shown;
    envelope_add(out,
        &(struct envelope){
            .limit = find->limit, .page = find->page, .total = total, .paged = find->pagination && find->limit > 0});
}

/* Without pages there is no total to find. */
static enum status look(struct call *call, struct db *db, const struct find *find, int64_t offset,
    struct standing_page *out, struct failure *f)
{
    *out = (struct standing_page){0};
    if (!find->pagination) return OK;
    return standings_look(call->app->standings, db, find, find->limit, offset, call->arena, out, f);
}

static enum status read_searched(
    struct call *call, struct db *db, const struct find *find, int64_t offset, struct writer *w, struct failure *f)
{
    struct find some = *find;
    enum status status = text_narrow(call->app->text, db, find->collection, find->where, call->arena, &some.among, f);
    return status ? status : read_many(db, &some, find->limit, offset, call->arena, writer_add_listed, w, f);
}

static enum status list(struct call *call, struct db *db, void *ctx, struct failure *f)
{
    const struct find *find = ctx;
    struct writer w;
    struct standing_page page;
    int64_t offset = envelope_before(find->limit, find->page);
    writer_init(&w, call, db, find, f);
    str_addz(w.out, "{\"docs\":[");
    enum status status = look(call, db, find, offset, &page, f);
    if (!status && page.listed)
        status = read_ids(db, find->collection, page.ids, page.nids, call->arena, writer_add_listed, &w, f);
    else if (!status)
        status = read_searched(call, db, find, offset, &w, f);
    if (!status) status = writer_end(&w);
    add_envelope(w.out, find, page.total, w.count);
    return status;
}

enum status rest_find(struct call *call, struct failure *f)
{
    struct find find;
    call->caching = CACHING_CHECKED;
    enum status status = call_find(call, RIGHT_READ, &find, f);
    if (status) return status;
    return call_snapshot(call, list, &find, f);
}

enum status rest_find_one(struct call *call, struct failure *f)
{
    struct find find;
    struct doc doc;
    struct writer w;
    int64_t id;
    call->caching = CACHING_CHECKED;
    enum status status = call_find(call, RIGHT_READ, &find, f);
    if (!status) status = call_id(call, &id, f);
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    status = call_read(call, db, find.rights, id, &doc, f);
    if (!status) {
        writer_init(&w, call, db, &find, f);
        writer_add(&w, &doc);
        status = writer_end(&w);
    }
    pool_give(call->app->pool, db);
    return status;
}

static enum status total(struct call *call, struct db *db, void *ctx, struct failure *f)
{
    struct standing_page page;
    enum status status = standings_look(call->app->standings, db, ctx, 0, 0, call->arena, &page, f);
    str_addf(&call->rs->body, "{\"totalDocs\":%lld}", (long long)page.total);
    return status;
}

enum status rest_count(struct call *call, struct failure *f)
{
    struct find find;
    call->caching = CACHING_CHECKED;
    enum status status = call_find(call, RIGHT_READ, &find, f);
    return status ? status : call_snapshot(call, total, &find, f);
}

enum status rest_create(struct call *call, struct failure *f)
{
    struct json_object *body;
    struct pending *p = pending_new(call, WRITE_CREATE, "%s successfully created.");
    if (!p) return fail(f, NO_MEMORY, "Out of memory.");
    enum status status = call_find(call, RIGHT_CREATE, &p->find, f);
    if (status) return status;
    status = upload_body(call, &p->upload, &body, f);
    if (!status && idempotency_replayed(call)) {
        upload_end(call, &p->upload, OK);
        return OK;
    }
    call->rs->status = 201;
    if (!status && call->collection->upload && !p->upload.given) status = fail(f, INVALID, "No files were uploaded.");
    if (!status) status = call_draft(call, &p->draft, DRAFT_CREATE, body, 0, f);
    return pending_prepared(p, status, f);
}

/* The copy of a document: its own values but for those the body gives and the time it was made. */
static void fill_copy(struct draft *draft, const struct doc *doc, struct view now)
{
    const struct collection *c = doc->collection;
    int at = field_find(c, VIEW("createdAt"));
    bool created = at >= 0 && draft->given[at];
    for (size_t i = 1; i < c->nfields; i++) {
        bool own = draft->given[i] && (c->fields[i].use != USE_STAMP || (int)i == at);
        if (c->fields[i].use == USE_HIDDEN || own) continue;
        draft->values[i] = doc->values[i];
        draft->given[i] = true;
    }
    if (!created) draft_set(draft, "createdAt", value_text(now));
}

/* The document that is to be changed or copied. Where a right hangs on the document, Payload does not tell one that is
 * not there from one that may not be touched. */
static enum status read_original(
    struct call *call, const struct where *rights, int64_t id, struct doc *out, struct failure *f)
{
    struct db *db = pool_take(call->app->pool);
    enum status status = call_read(call, db, rights, id, out, f);
    pool_give(call->app->pool, db);
    return status == NOT_FOUND && rights ? call_forbidden(f) : status;
}

enum status rest_duplicate(struct call *call, struct failure *f)
{
    struct doc doc;
    struct json_object *body;
    struct view now;
    struct where *readable;
    int64_t id;
    struct pending *p = pending_new(call, WRITE_CREATE, "%s successfully duplicated.");
    if (!p) return fail(f, NO_MEMORY, "Out of memory.");
    enum status status = call_find(call, RIGHT_CREATE, &p->find, f);
    if (!status) status = rights_where(call, call->collection, RIGHT_READ, &readable, f);
    if (!status) status = call_id(call, &id, f);
    if (!status) status = call_body(call, true, &body, f);
    if (!status) status = call_now(call, 0, &now, f);
    if (!status) status = read_original(call, readable, id, &doc, f);
    if (!status) status = call_draft(call, &p->draft, DRAFT_UPDATE, body, 0, f);
    if (status) return status;
    if (call->collection->auth && !p->draft.password.at) {
        *f = (struct failure){.slug = call->collection->slug};
        return fail_flaw(
            f, FAILURE_VALIDATION, (struct flaw){.message = "This field is required.", .path = "password"});
    }
    fill_copy(&p->draft, &doc, now);
    if (call->collection->upload) status = upload_copy(call, &p->upload, &doc, f);
    return pending_prepared(p, status, f);
}

enum status rest_update(struct call *call, struct failure *f)
{
    struct json_object *body;
    struct doc doc;
    struct pending *p = pending_new(call, WRITE_UPDATE, "Updated successfully.");
    if (!p) return fail(f, NO_MEMORY, "Out of memory.");
    enum status status = call_find(call, RIGHT_UPDATE, &p->find, f);
    if (!status) status = call_id(call, &p->write.id, f);
    if (status) return status;
    status = upload_body(call, &p->upload, &body, f);
    if (!status) status = read_original(call, p->find.rights, p->write.id, &doc, f);
    if (!status) status = call_draft(call, &p->draft, DRAFT_UPDATE, body, p->write.id, f);
    p->write.session.id = call->reader.session;
    return pending_prepared(p, status, f);
}

enum status rest_delete(struct call *call, struct failure *f)
{
    struct pending *p = pending_new(call, WRITE_DELETE, "Deleted successfully.");
    if (!p) return fail(f, NO_MEMORY, "Out of memory.");
    enum status status = call_find(call, RIGHT_REMOVE, &p->find, f);
    if (!status) status = call_id(call, &p->write.id, f);
    return pending_prepared(p, status, f);
}
