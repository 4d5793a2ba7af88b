#include "store/read.h"
#include "base/check.h"
#include "schema/registry.h"
#include "schema/sql.h"
#include "store/account.h"
#include "store/changelog.h"

struct reading {
    struct db *db;
    const struct collection *collection;
    struct arena *arena;
    struct failure *f;
    enum status (*each)(void *ctx, const struct doc *doc);
    void *ctx;
};

static enum status take_doc(void *ctx, const struct row *row)
{
    struct reading *r = ctx;
    struct doc doc = {.collection = r->collection};
    for (size_t i = 0; i < r->collection->nfields; i++) doc.values[i] = row_value(row, (int)i);
    if (r->collection->auth) {
        enum status status = account_sessions_json(r->db, r->collection, doc_id(&doc), r->arena, &doc.sessions, r->f);
        if (status) return status;
    }
    return r->each(r->ctx, &doc);
}

static enum status run(struct reading *r, struct str *sql, const struct value *values, size_t nvalues)
{
    enum status status = sql->failed ? fail(r->f, NO_MEMORY, "Out of memory.")
                                     : db_each(r->db, sql->at, values, nvalues, take_doc, r, r->f);
    str_release(sql);
    return status;
}

struct copying {
    struct doc *out;
    struct arena *arena;
    bool found, failed;
};

static enum status copy_doc(void *ctx, const struct doc *doc)
{
    struct copying *copying = ctx;
    *copying->out = *doc;
    copying->found = true;
    for (size_t i = 0; i < doc->collection->nfields; i++) {
        struct value *v = &copying->out->values[i];
        if (v->type != VALUE_TEXT) continue;
        v->text.at = arena_copy(copying->arena, v->text);
        if (!v->text.at) copying->failed = true;
    }
    return OK;
}

static enum status read_keyed(struct db *db, const struct collection *c, struct str *sql, struct value key,
    struct arena *arena, struct doc *out, struct failure *f)
{
    struct copying copying = {.out = out, .arena = arena};
    struct reading r = {db, c, arena, f, copy_doc, &copying};
    enum status status = run(&r, sql, &key, 1);
    if (status) return status;
    if (copying.failed) return fail(f, NO_MEMORY, "Out of memory.");
    return copying.found ? OK : fail(f, NOT_FOUND, "Not Found");
}

enum status read_one(
    struct db *db, const struct collection *c, int64_t id, struct arena *arena, struct doc *out, struct failure *f)
{
    struct str sql = {0};
    sql_add_select_one(&sql, c);
    return read_keyed(db, c, &sql, value_integer(id), arena, out, f);
}

enum status read_by(struct db *db, const struct collection *c, const char *field, struct view text, struct arena *arena,
    struct doc *out, struct failure *f)
{
    int at = field_find(c, view_of(field));
    ASSERT(at >= 0);
    struct str sql = {0};
    str_addz(&sql, "SELECT ");
    sql_add_columns(&sql, c);
    str_addf(&sql, " FROM `%s` WHERE `%s` = ? ORDER BY id LIMIT 1", c->slug, c->fields[at].column);
    return read_keyed(db, c, &sql, value_text(text), arena, out, f);
}

enum status read_rows(struct db *db, const struct collection *c, struct str *sql, const struct binds *binds,
    struct arena *arena, enum status (*each)(void *ctx, const struct doc *doc), void *ctx, struct failure *f)
{
    struct reading r = {db, c, arena, f, each, ctx};
    if (binds->failed) sql->failed = true;
    return run(&r, sql, binds->values, binds->count);
}

enum status read_many(struct db *db, const struct find *find, int64_t limit, int64_t offset, struct arena *arena,
    enum status (*each)(void *ctx, const struct doc *doc), void *ctx, struct failure *f)
{
    struct binds binds = {.arena = arena};
    struct str sql = {0};
    sql_add_select(&sql, find, limit, offset, &binds);
    return read_rows(db, find->collection, &sql, &binds, arena, each, ctx, f);
}

enum status read_ids(struct db *db, const struct collection *c, const int64_t *ids, size_t n, struct arena *arena,
    enum status (*each)(void *ctx, const struct doc *doc), void *ctx, struct failure *f)
{
    struct reading r = {db, c, arena, f, each, ctx};
    struct str sql = {0};
    sql_add_select_one(&sql, c);
    enum status status = sql.failed ? fail(f, NO_MEMORY, "Out of memory.") : OK;
    for (size_t i = 0; i < n && !status; i++) {
        struct value id = value_integer(ids[i]);
        status = db_each(db, sql.at, &id, 1, take_doc, &r, f);
    }
    str_release(&sql);
    return status;
}

enum status read_count(struct db *db, const struct find *find, struct arena *arena, int64_t *out, struct failure *f)
{
    struct binds binds = {.arena = arena};
    struct str sql = {0};
    if (where_is_everything(find->where)) {
        struct ledger ledger;
        enum status status = ledger_read(db, find->collection, &ledger, f);
        *out = ledger.docs;
        return status;
    }
    sql_add_count(&sql, find, &binds);
    enum status status = sql.failed || binds.failed ? fail(f, NO_MEMORY, "Out of memory.")
                                                    : db_integer(db, sql.at, binds.values, binds.count, 0, out, f);
    str_release(&sql);
    return status;
}

enum status read_any(struct db *db, const struct collection *c, bool *out, struct failure *f)
{
    int64_t some = 0;
    struct str sql = {0};
    str_addf(&sql, "SELECT EXISTS (SELECT 1 FROM `%s`)", c->slug);
    enum status status =
        sql.failed ? fail(f, NO_MEMORY, "Out of memory.") : db_integer(db, sql.at, NULL, 0, 0, &some, f);
    str_release(&sql);
    *out = some != 0;
    return status;
}
