#include "api/rest.h"
#include "api/fail.h"
#include "schema/json.h"
#include "schema/registry.h"
#include "store/read.h"

#define BULK_MAX   10000               /* documents of one bulk write */
#define ANSWER_MAX ((size_t)256 << 20) /* bytes of one answer */

static enum status forbidden(struct failure *f)
{
    return fail(f, FORBIDDEN, "You are not allowed to perform this action.");
}

static enum status parse_find(struct call *call, struct find *find, struct failure *f)
{
    return find_parse(find, call->collection, call->query, call->reader.signed_in, call->arena, f);
}

/* Writes documents as this reader sees them. */
struct writer {
    struct str *out;
    struct populator populator;
    struct doc_style style;
    const struct collection *collection;
    size_t count;
    struct failure *f;
};

static void writer_init(struct writer *w, struct call *call, struct db *db, const struct find *find, struct failure *f)
{
    *w = (struct writer){.out = &call->rs->body, .collection = call->collection, .f = f};
    call_populator(call, &w->populator, db, find);
    w->style = (struct doc_style){.select = find->select, .relations = &w->populator.writer};
}

static void writer_add(struct writer *w, const struct doc *doc)
{
    w->style.sessions_shown = doc->collection == w->populator.own && doc_id(doc) == w->populator.own_id;
    doc_add_json(w->out, doc, &w->style);
    w->count++;
}

static enum status writer_end(struct writer *w)
{
    if (!w->populator.failure.status) return OK;
    *w->f = w->populator.failure;
    return w->f->status;
}

static enum status add_listed(void *ctx, const struct doc *doc)
{
    struct writer *w = ctx;
    if (w->count) str_addc(w->out, ',');
    writer_add(w, doc);
    if (w->out->len > ANSWER_MAX)
        return fail(w->f, TOO_LARGE, "The answer would be larger than %zu MiB; ask for less.", ANSWER_MAX >> 20);
    return OK;
}

/* Payload numbers an empty answer from 0 when it had to look through a relation. */
static bool counts_from_zero(const struct find *find, size_t shown)
{
    bool joins = where_joins(find->where);
    for (size_t i = 0; i < find->nsort; i++)
        joins = joins || (find->sort[i].via && find->sort[i].field->kind != KIND_ID);
    return joins && !shown;
}

static void add_page_link(struct str *out, const char *name, bool there, int64_t page)
{
    if (there)
        str_addf(out, ",\"%s\":%lld", name, (long long)page);
    else
        str_addf(out, ",\"%s\":null", name);
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
    bool paged = find->pagination && find->limit > 0;
    if (!find->pagination) total = (int64_t)shown;
    int64_t pages = paged ? (total + find->limit - 1) / find->limit : 1;
    if (pages < 1) pages = 1;
    bool next = paged && find->page < pages, previous = paged && find->page > 1;
    str_addf(out, "],\"hasNextPage\":%s,\"hasPrevPage\":%s,\"limit\":%lld", next ? "true" : "false",
        previous ? "true" : "false", (long long)find->limit);
    add_page_link(out, "nextPage", next, find->page + 1);
    str_addf(out, ",\"page\":%lld,\"pagingCounter\":%lld", (long long)find->page,
        (long long)(paged ? (find->page - 1) * find->limit + 1 : 1));
    add_page_link(out, "prevPage", previous, find->page - 1);
    str_addf(out, ",\"totalDocs\":%lld,\"totalPages\":%lld}", (long long)total, (long long)pages);
}

static enum status list(struct call *call, struct db *db, const struct find *find, struct failure *f)
{
    struct writer w;
    int64_t total = 0;
    int64_t offset = find->limit ? (find->page - 1) * find->limit : 0;
    if (find->limit && find->page > INT64_MAX / (find->limit + 1)) offset = INT64_MAX;
    writer_init(&w, call, db, find, f);
    str_addz(w.out, "{\"docs\":[");
    enum status status = read_many(db, find, find->limit, offset, call->arena, add_listed, &w, f);
    if (!status) status = writer_end(&w);
    if (!status && find->pagination) status = read_count(db, find, call->arena, &total, f);
    add_envelope(w.out, find, total, w.count);
    return status;
}

enum status rest_find(struct call *call, struct failure *f)
{
    struct find find;
    if (!call_allows(call, call->collection->access.read)) return forbidden(f);
    enum status status = parse_find(call, &find, f);
    if (status) return status;
    struct failure end;
    struct db *db = pool_take(call->app->pool);
    /* The documents and their count from one moment. */
    status = db_run(db, "BEGIN", NULL, 0, f);
    if (!status) {
        status = list(call, db, &find, f);
        if (db_run(db, "COMMIT", NULL, 0, &end) && !status) *f = end;
    }
    pool_give(call->app->pool, db);
    return f->status;
}

enum status rest_find_one(struct call *call, struct failure *f)
{
    struct find find;
    struct doc doc;
    struct writer w;
    int64_t id;
    if (!call_allows(call, call->collection->access.read)) return forbidden(f);
    enum status status = call_id(call, &id, f);
    if (!status) status = parse_find(call, &find, f);
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    status = read_one(db, call->collection, id, call->arena, &doc, f);
    if (!status) {
        writer_init(&w, call, db, &find, f);
        writer_add(&w, &doc);
        status = writer_end(&w);
    }
    pool_give(call->app->pool, db);
    return status;
}

enum status rest_count(struct call *call, struct failure *f)
{
    struct find find;
    int64_t total = 0;
    if (!call_allows(call, call->collection->access.read)) return forbidden(f);
    enum status status = parse_find(call, &find, f);
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    status = read_count(db, &find, call->arena, &total, f);
    pool_give(call->app->pool, db);
    str_addf(&call->rs->body, "{\"totalDocs\":%lld}", (long long)total);
    return status;
}

/* A new password becomes salt and hash. */
static enum status hash_password(struct call *call, struct draft *draft, struct failure *f)
{
    struct view salt, hash;
    if (!draft->password.at) return OK;
    enum status status = password_hash(call->app->passwords, draft->password, call->arena, &salt, &hash, f);
    if (status) return status;
    draft_set(draft, "salt", value_text(salt));
    draft_set(draft, "hash", value_text(hash));
    return OK;
}

/* Runs one write and answers with its document. */
static enum status answer_write(
    struct call *call, struct write *write, const struct find *find, const char *message, struct failure *f)
{
    struct writer w;
    enum status status = broker_run(call->app->broker, write, 1, call->arena, f);
    if (!status && write->failure.status) {
        *f = write->failure;
        status = f->status;
    }
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    writer_init(&w, call, db, find, f);
    w.style.sessions_first = write->op == WRITE_UPDATE;
    if (write->op == WRITE_DELETE) write->doc.sessions = (struct view){0}; /* they went with it */
    str_addz(w.out, "{\"doc\":");
    writer_add(&w, &write->doc);
    status = writer_end(&w);
    pool_give(call->app->pool, db);
    str_addz(w.out, ",\"message\":\"");
    str_addf(w.out, message, call->collection->singular);
    str_addz(w.out, "\"}");
    return status;
}

enum status rest_create(struct call *call, struct failure *f)
{
    struct find find;
    struct draft draft;
    struct json_object *body;
    struct view now;
    if (!call_allows(call, call->collection->access.create)) return forbidden(f);
    enum status status = parse_find(call, &find, f);
    if (!status) status = call_body(call, false, &body, f);
    if (!status) status = call_now(call, 0, &now, f);
    if (!status) status = draft_read(&draft, call->collection, DRAFT_CREATE, body, now, 0, call->arena, f);
    if (!status) status = hash_password(call, &draft, f);
    if (status) return status;
    struct write w = {.op = WRITE_CREATE, .collection = call->collection, .draft = &draft};
    status = answer_write(call, &w, &find, "%s successfully created.", f);
    if (!status) call->rs->status = 201;
    return status;
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

enum status rest_duplicate(struct call *call, struct failure *f)
{
    struct find find;
    struct draft draft;
    struct doc doc;
    struct json_object *body;
    struct view now;
    int64_t id;
    if (!call_allows(call, call->collection->access.create)) return forbidden(f);
    enum status status = call_id(call, &id, f);
    if (!status) status = parse_find(call, &find, f);
    if (!status) status = call_body(call, true, &body, f);
    if (!status) status = call_now(call, 0, &now, f);
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    status = read_one(db, call->collection, id, call->arena, &doc, f);
    pool_give(call->app->pool, db);
    if (!status) status = draft_read(&draft, call->collection, DRAFT_UPDATE, body, now, 0, call->arena, f);
    if (status) return status;
    if (call->collection->auth && !draft.password.at) {
        *f = (struct failure){.slug = call->collection->slug};
        return fail_flaw(
            f, FAILURE_VALIDATION, (struct flaw){.message = "This field is required.", .path = "password"});
    }
    status = hash_password(call, &draft, f);
    if (status) return status;
    fill_copy(&draft, &doc, now);
    struct write w = {.op = WRITE_CREATE, .collection = call->collection, .draft = &draft};
    return answer_write(call, &w, &find, "%s successfully duplicated.", f);
}

static enum status read_change(
    struct call *call, struct draft *draft, struct json_object *body, int64_t id, struct failure *f)
{
    struct view now;
    enum status status = call_now(call, 0, &now, f);
    if (!status) status = draft_read(draft, call->collection, DRAFT_UPDATE, body, now, id, call->arena, f);
    return status ? status : hash_password(call, draft, f);
}

static enum status exists(struct call *call, int64_t id, struct failure *f)
{
    struct doc doc;
    struct db *db = pool_take(call->app->pool);
    enum status status = read_one(db, call->collection, id, call->arena, &doc, f);
    pool_give(call->app->pool, db);
    return status;
}

enum status rest_update(struct call *call, struct failure *f)
{
    struct find find;
    struct draft draft;
    struct json_object *body;
    int64_t id;
    if (!call_allows(call, call->collection->access.update)) return forbidden(f);
    enum status status = call_id(call, &id, f);
    if (!status) status = parse_find(call, &find, f);
    if (!status) status = call_body(call, false, &body, f);
    if (!status) status = exists(call, id, f);
    if (!status) status = read_change(call, &draft, body, id, f);
    if (status) return status;
    struct write w = {.op = WRITE_UPDATE, .collection = call->collection, .id = id, .draft = &draft};
    return answer_write(call, &w, &find, "Updated successfully.", f);
}

enum status rest_delete(struct call *call, struct failure *f)
{
    struct find find;
    int64_t id;
    if (!call_allows(call, call->collection->access.remove)) return forbidden(f);
    enum status status = call_id(call, &id, f);
    if (!status) status = parse_find(call, &find, f);
    if (status) return status;
    struct write w = {.op = WRITE_DELETE, .collection = call->collection, .id = id};
    return answer_write(call, &w, &find, "Deleted successfully.", f);
}

/* Bulk writes: the ids that the where finds, then one command for all. */

struct gathering {
    struct write *writes;
    size_t count;
    struct failure *f;
};

static enum status gather(void *ctx, const struct doc *doc)
{
    struct gathering *g = ctx;
    if (g->count == BULK_MAX)
        return fail(g->f, TOO_LARGE, "A bulk request may meet %d documents; narrow its where or limit it.", BULK_MAX);
    g->writes[g->count++].id = doc_id(doc);
    return OK;
}

struct bulk {
    enum write_op op;
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
            status = add_listed(&w, &g->writes[i].doc);
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
    struct find ids = *find;
    ids.select.fields = 1;
    struct db *db = pool_take(call->app->pool);
    enum status status = read_count(db, find, call->arena, &total, f);
    if (find->limit && find->limit < total) total = find->limit;
    if (!status && total > BULK_MAX)
        status = fail(f, TOO_LARGE, "A bulk request may meet %d documents; narrow its where or limit it.", BULK_MAX);
    size_t room = (size_t)total + 16; /* some may come between the count and the list */
    if (!status) g.writes = ARENA_ARRAY(call->arena, struct write, room);
    if (!status && !g.writes) status = fail(f, NO_MEMORY, "Out of memory.");
    int64_t limit = find->limit && find->limit < (int64_t)room ? find->limit : (int64_t)room;
    if (!status) status = read_many(db, &ids, limit, 0, call->arena, gather, &g, f);
    pool_give(call->app->pool, db);
    if (status) return status;
    for (size_t i = 0; i < g.count; i++) {
        g.writes[i].op = bulk->op;
        g.writes[i].collection = call->collection;
        g.writes[i].draft = draft;
        if (flaw && flaw->status) g.writes[i].failure = *flaw;
    }
    if (g.count && !(flaw && flaw->status)) status = broker_run(call->app->broker, g.writes, g.count, call->arena, f);
    return status ? status : answer_bulk(call, bulk, &g, find, f);
}

static enum status parse_bulk(struct call *call, struct find *find, const char *verb, struct failure *f)
{
    enum status status = parse_find(call, find, f);
    if (status) return status;
    if (!find->where_given) return fail(f, INVALID, "Missing 'where' query of documents to %s.", verb);
    if (!json_member(call->query, "limit")) find->limit = 0;
    return OK;
}

enum status rest_update_many(struct call *call, struct failure *f)
{
    static const struct bulk bulk = {WRITE_UPDATE, "update", "Updated"};
    struct find find;
    struct draft draft;
    struct json_object *body;
    struct failure flaw = {0};
    if (!call_allows(call, call->collection->access.update)) return forbidden(f);
    enum status status = parse_bulk(call, &find, bulk.verb, f);
    if (!status) status = call_body(call, false, &body, f);
    if (status) return status;
    status = read_change(call, &draft, body, 0, &flaw);
    if (status && flaw.shape != FAILURE_VALIDATION) {
        *f = flaw;
        return status;
    }
    return run_bulk(call, &bulk, &find, &draft, &flaw, f);
}

enum status rest_delete_many(struct call *call, struct failure *f)
{
    static const struct bulk bulk = {WRITE_DELETE, "delete", "Deleted"};
    struct find find;
    if (!call_allows(call, call->collection->access.remove)) return forbidden(f);
    enum status status = parse_bulk(call, &find, bulk.verb, f);
    if (status) return status;
    find.limit = 0;
    return run_bulk(call, &bulk, &find, NULL, NULL, f);
}
