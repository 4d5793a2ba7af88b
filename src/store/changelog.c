#include "store/changelog.h"
#include "base/crypt.h"
#include <stdlib.h>
#include <string.h>

#define FILE_VERSION "1"

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS parley_meta (name text PRIMARY KEY NOT NULL, value text NOT NULL);"
    "CREATE TABLE IF NOT EXISTS parley_log (seq integer PRIMARY KEY NOT NULL,"
    " collection text NOT NULL, doc integer NOT NULL, op text NOT NULL);"
    "CREATE INDEX IF NOT EXISTS parley_log_doc_idx ON parley_log (collection, doc, seq);"
    "CREATE TABLE IF NOT EXISTS parley_ids (collection text PRIMARY KEY NOT NULL,"
    " last integer NOT NULL);";

static enum status meta_add(struct db *db, const char *name, const char *value, struct failure *f)
{
    struct value values[] = {value_text(view_of(name)), value_text(view_of(value))};
    return db_run(db, "INSERT OR IGNORE INTO parley_meta (name, value) VALUES (?, ?)", values, 2, f);
}

enum status changelog_check(struct db *db, struct failure *f)
{
    int64_t known = 0, version = 0;
    enum status status =
        db_integer(db, "SELECT 1 FROM sqlite_master WHERE name = 'parley_meta'", NULL, 0, 0, &known, f);
    if (status || !known) return status;
    status = db_integer(
        db, "SELECT CAST(value AS integer) FROM parley_meta WHERE name = 'version'", NULL, 0, 0, &version, f);
    if (!status && version > atoi(FILE_VERSION))
        return fail(f, CONFLICT,
            "it was written by a newer Parley (file version %lld, this program knows %s); "
            "use that program or another file.",
            (long long)version, FILE_VERSION);
    return status;
}

enum status changelog_prepare(struct db *db, struct failure *f)
{
    uint8_t random[EPOCH_LENGTH / 2];
    char epoch[EPOCH_LENGTH + 1];
    enum status status = db_exec(db, tables, f);
    if (!status && !crypt_random(random, sizeof random))
        return fail(f, IO_ERROR, "The system gives no random numbers.");
    crypt_hex(random, sizeof random, epoch);
    if (!status) status = meta_add(db, "version", FILE_VERSION, f);
    return status ? status : meta_add(db, "epoch", epoch, f);
}

static enum status take_span(void *ctx, const struct row *row)
{
    struct changelog_span *span = ctx;
    struct view epoch = row_value(row, 0).text;
    size_t len = epoch.len < EPOCH_LENGTH ? epoch.len : EPOCH_LENGTH;
    memcpy(span->epoch, epoch.at, len);
    span->head = row_value(row, 1).integer;
    struct value oldest = row_value(row, 2);
    span->oldest = oldest.type == VALUE_INTEGER ? oldest.integer : span->head + 1;
    return OK;
}

enum status changelog_span(struct db *db, struct changelog_span *out, struct failure *f)
{
    *out = (struct changelog_span){0};
    return db_each(db,
        "SELECT (SELECT value FROM parley_meta WHERE name = 'epoch'), "
        "coalesce((SELECT max(seq) FROM parley_log), 0), (SELECT min(seq) FROM parley_log)",
        NULL, 0, take_span, out, f);
}

enum status changelog_append(struct db *db, const struct collection *c, const struct change *change, struct failure *f)
{
    char op[2] = {(char)change->op, 0};
    struct value values[] = {
        value_integer(change->seq), value_text(view_of(c->slug)), value_integer(change->doc), value_text(view_of(op))};
    return db_run(db, "INSERT INTO parley_log (seq, collection, doc, op) VALUES (?, ?, ?, ?)", values, 4, f);
}

enum status changelog_trim(struct db *db, int64_t head, int64_t keep, struct failure *f)
{
    struct value last = value_integer(head - keep);
    return db_run(db, "DELETE FROM parley_log WHERE seq <= ?", &last, 1, f);
}

struct reading {
    enum status (*each)(void *ctx, const struct change *change);
    void *ctx;
    int64_t last;
    int count;
};

static enum status take_change(void *ctx, const struct row *row)
{
    struct reading *r = ctx;
    struct view op = row_value(row, 2).text;
    struct change change = {.seq = row_value(row, 0).integer,
        .doc = row_value(row, 1).integer,
        .op = op.len ? (enum change_op)op.at[0] : CHANGE_UPDATE};
    r->last = change.seq;
    r->count++;
    return row_value(row, 3).integer ? OK : r->each(r->ctx, &change);
}

enum status changelog_read(struct db *db, const struct collection *c, int64_t after, int limit,
    enum status (*each)(void *ctx, const struct change *change), void *ctx, int64_t *last, bool *more,
    struct failure *f)
{
    struct reading r = {.each = each, .ctx = ctx, .last = after};
    struct value values[] = {value_integer(after), value_text(view_of(c->slug)), value_integer(limit)};
    enum status status = db_each(db,
        "SELECT seq, doc, op, EXISTS (SELECT 1 FROM parley_log later WHERE later.collection = l.collection"
        " AND later.doc = l.doc AND later.seq > l.seq)"
        " FROM parley_log l WHERE seq > ? AND collection = ? ORDER BY seq LIMIT ?",
        values, 3, take_change, &r, f);
    *last = r.last;
    *more = r.count == limit;
    return status;
}

enum status changelog_last_id(struct db *db, const struct collection *c, int64_t *out, struct failure *f)
{
    struct value slug = value_text(view_of(c->slug));
    int64_t kept = 0, highest = 0;
    struct str sql = {0};
    str_addf(&sql, "SELECT max(id) FROM `%s`", c->slug);
    enum status status = db_integer(db, "SELECT last FROM parley_ids WHERE collection = ?", &slug, 1, 0, &kept, f);
    if (!status && sql.failed) status = fail(f, NO_MEMORY, "Out of memory.");
    if (!status) status = db_integer(db, sql.at, NULL, 0, 0, &highest, f);
    str_release(&sql);
    *out = kept > highest ? kept : highest;
    return status;
}

enum status changelog_keep_id(struct db *db, const struct collection *c, int64_t id, struct failure *f)
{
    struct value values[] = {value_text(view_of(c->slug)), value_integer(id)};
    return db_run(db,
        "INSERT INTO parley_ids (collection, last) VALUES (?, ?)"
        " ON CONFLICT (collection) DO UPDATE SET last = max(last, excluded.last)",
        values, 2, f);
}
