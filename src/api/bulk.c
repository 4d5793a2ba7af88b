/* Changing and deleting all documents that a where finds: their ids first, then one command for all of them. */
#include "api/fail.h"
#include "api/rest.h"
#include "api/upload.h"
#include "api/writer.h"
#include "schema/json.h"
#include "store/read.h"
#include "store/text.h"

#define BULK_MAX 10000 /* documents of one bulk write */

struct gathering {
    struct write *writes;
    size_t count;
    struct failure *f;
};

static enum status too_many(struct failure *f)
{
    return fail(f, TOO_LARGE, "A bulk request may meet %d documents; narrow its where or limit it.", BULK_MAX);
}

static enum status gather(void *ctx, const struct doc *doc)
{
    struct gathering *g = ctx;
    if (g->count == BULK_MAX) return too_many(g->f);
    g->writes[g->count++].id = doc_id(doc);
    return OK;
}

struct bulk {
    enum write_op op;
    enum right right;
    const char *verb, *done; /* "update", "Updated" */
};

static void add_failures(struct str *out, const struct gathering *g)
{
    bool first = true;
    for (size_t i = 0; i < g->count; i++) {
        const struct write *w = &g->writes[i];
        if (!w->failure.status) continue;
        struct str message = {0};
        fail_add_message(&message, &w->failure);
        str_addf(out, "%s{\"id\":%lld,\"isPublic\":true,\"message\":", first ? "" : ",", (long long)w->id);
        str_add_json(out, str_view(&message));
        str_addc(out, '}');
        str_release(&message);
        first = false;
    }
}

static enum status answer_bulk(
    struct call *call, const struct bulk *bulk, const struct gathering *g, const struct find *find, struct failure *f)
{
    const struct collection *c = call->collection;
    struct writer w;
    enum status status = OK;
    size_t failed = 0;
    struct db *db = pool_take(call->app->pool);
    writer_init(&w, call, db, find, f);
    w.style.sessions_first = true;
    str_addz(w.out, "{\"docs\":[");
    for (size_t i = 0; i < g->count && !status; i++) {
        if (g->writes[i].failure.status)
            failed++;
        else
            status = writer_add_listed(&w, &g->writes[i].doc);
    }
    if (!status) status = writer_end(&w);
    pool_give(call->app->pool, db);
    str_addz(w.out, "],\"errors\":[");
    add_failures(w.out, g);
    const char *noun = g->count == 1 ? c->singular : c->plural;
    if (failed) {
        call->rs->status = 400;
        str_addf(w.out, "],\"message\":\"Unable to %s %zu out of %zu %s.\"}", bulk->verb, failed, g->count, noun);
    } else {
        str_addf(w.out, "],\"message\":\"%s %zu %s successfully.\"}", bulk->done, g->count, noun);
    }
    return status;
}

static enum status run_bulk(struct call *call, const struct bulk *bulk, const struct find *find,
    const struct draft *draft, const struct failure *flaw, struct failure *f)
{
    struct gathering g = {.f = f};
    int64_t total = 0;
    struct db *db = pool_take(call->app->pool);
    struct find some = *find;
    enum status status = text_narrow(call->app->text, db, find->collection, find->where, call->arena, &some.among, f);
    if (!status) status = read_count(db, &some, call->arena, &total, f);
    if (find->limit && find->limit < total) total = find->limit;
    if (!status && total > BULK_MAX) status = too_many(f);
    size_t room = (size_t)total + 16; /* some may come between the count and the list */
    if (!status) g.writes = ARENA_ARRAY(call->arena, struct write, room);
    if (!status && !g.writes) status = fail(f, NO_MEMORY, "Out of memory.");
    int64_t limit = find->limit && find->limit < (int64_t)room ? find->limit : (int64_t)room;
    if (!status) status = read_many(db, &some, limit, 0, call->arena, gather, &g, f);
    pool_give(call->app->pool, db);
    if (status) return status;
    for (size_t i = 0; i < g.count; i++) {
        g.writes[i].op = bulk->op;
        g.writes[i].collection = call->collection;
        g.writes[i].draft = draft;
        g.writes[i].must_match = find->rights;
        g.writes[i].session.id = call->reader.session;
        if (flaw && flaw->status) g.writes[i].failure = *flaw;
    }
    if (g.count && !(flaw && flaw->status)) status = call_run(call, g.writes, g.count, f);
    if (!status && call->collection->upload) upload_sweep(call, g.writes, g.count);
    return status ? status : answer_bulk(call, bulk, &g, find, f);
}

static enum status parse_bulk(struct call *call, const struct bulk *bulk, struct find *find, struct failure *f)
{
    enum status status = call_find(call, bulk->right, find, f);
    if (status) return status;
    if (!find->where_given) return fail(f, INVALID, "Missing 'where' query of documents to %s.", bulk->verb);
    if (!json_member(call->query, "limit")) find->limit = 0;
    return OK;
}

enum status rest_update_many(struct call *call, struct failure *f)
{
    static const struct bulk bulk = {WRITE_UPDATE, RIGHT_UPDATE, "update", "Updated"};
    struct find find;
    struct draft draft;
    struct json_object *body;
    struct upload upload;
    struct failure flaw = {0};
    enum status status = parse_bulk(call, &bulk, &find, f);
    if (status) return status;
    status = upload_body(call, &upload, &body, f);
    if (!status && upload.given) status = fail(f, INVALID, "A file can replace that of one document only.");
    upload_end(call, &upload, status);
    if (status) return status;
    status = call_draft(call, &draft, DRAFT_UPDATE, body, 0, &flaw);
    if (status && flaw.shape != FAILURE_VALIDATION) {
        *f = flaw;
        return status;
    }
    return run_bulk(call, &bulk, &find, &draft, &flaw, f);
}

enum status rest_delete_many(struct call *call, struct failure *f)
{
    static const struct bulk bulk = {WRITE_DELETE, RIGHT_REMOVE, "delete", "Deleted"};
    struct find find;
    enum status status = parse_bulk(call, &bulk, &find, f);
    if (status) return status;
    find.limit = 0;
    return run_bulk(call, &bulk, &find, NULL, NULL, f);
}
