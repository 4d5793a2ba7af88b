#include "store/changelog.h"
#include "base/check.h"
#include "base/clock.h"
#include "schema/registry.h"
#include <stdlib.h>
#include <string.h>

#define FILE_VERSION "5"

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS parley_meta (name text PRIMARY KEY NOT NULL, value text NOT NULL);"
    "CREATE TABLE IF NOT EXISTS parley_log (seq integer PRIMARY KEY NOT NULL,"
    " collection text NOT NULL, doc integer NOT NULL, op text NOT NULL, parties text, made text);"
    "CREATE INDEX IF NOT EXISTS parley_log_doc_idx ON parley_log (collection, doc, seq);"
    "CREATE TABLE IF NOT EXISTS parley_ids (collection text PRIMARY KEY NOT NULL,"
    " last integer NOT NULL, docs integer NOT NULL, written text NOT NULL);";

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

/* Version 1 did not know whose a document was, 2 not when it was made, 3 no conversations (store/conversation.h), and 4
 * no names (store/profile.h), not what signed in (store/account.h) and only one epoch. */
static enum status upgrade(struct db *db, struct failure *f)
{
    static const char *const columns[] = {"parties", "made"};
    enum status status = OK;
    for (size_t i = 0; i < sizeof columns / sizeof *columns && !status; i++) {
        struct value name = value_text(view_of(columns[i]));
        struct str sql = {0};
        int64_t known = 0;
        status = db_integer(db, "SELECT 1 FROM pragma_table_info('parley_log') WHERE name = ?", &name, 1, 0, &known, f);
        str_addf(&sql, "ALTER TABLE parley_log ADD COLUMN %s text", columns[i]);
        if (!status && !known) status = sql.failed ? fail(f, NO_MEMORY, "Out of memory.") : db_exec(db, sql.at, f);
        str_release(&sql);
    }
    return status ? status : db_exec(db, "UPDATE parley_meta SET value = '" FILE_VERSION "' WHERE name = 'version'", f);
}

enum status changelog_prepare(struct db *db, struct failure *f)
{
    int64_t kept = 0;
    enum status status = db_integer(db, "SELECT 1 FROM sqlite_master WHERE name = 'parley_log'", NULL, 0, 0, &kept, f);
    if (!status) status = db_exec(db, tables, f);
    if (!status) status = meta_add(db, "version", FILE_VERSION, f);
    if (!status) status = upgrade(db, f);
    if (!status) status = epochs_prepare(db, f);
    if (!status) status = epochs_begin(db, f);
    return status || kept ? status : epochs_forget(db, f); /* a log that begins again is another log */
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
        "SELECT (SELECT epoch FROM parley_epochs ORDER BY number DESC LIMIT 1), "
        "coalesce((SELECT max(seq) FROM parley_log), 0), (SELECT min(seq) FROM parley_log)",
        NULL, 0, take_span, out, f);
}

enum status changelog_append(struct db *db, const struct collection *c, const struct change *change, struct failure *f)
{
    char op[2] = {(char)change->op, 0};
    struct value values[] = {value_integer(change->seq), value_text(view_of(c->slug)), value_integer(change->doc),
        value_text(view_of(op)), change->parties.at ? value_text(change->parties) : value_null(), change->made};
    return db_run(
        db, "INSERT INTO parley_log (seq, collection, doc, op, parties, made) VALUES (?, ?, ?, ?, ?, ?)", values, 6, f);
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
    struct change change = {.collection = collection_find(row_value(row, 5).text),
        .seq = row_value(row, 0).integer,
        .doc = row_value(row, 1).integer,
        .op = op.len ? (enum change_op)op.at[0] : CHANGE_UPDATE};
    if (row_value(row, 4).type == VALUE_TEXT) change.parties = row_value(row, 4).text;
    r->last = change.seq;
    r->count++;
    return row_value(row, 3).integer ? OK : r->each(r->ctx, &change);
}

enum status changelog_read(struct db *db, const struct collection *const *of, size_t n, bool by_parties, int64_t after,
    int limit, enum status (*each)(void *ctx, const struct change *change), void *ctx, int64_t *last, bool *more,
    struct failure *f)
{
    struct reading r = {.each = each, .ctx = ctx, .last = after};
    struct value values[2 + MAX_COLLECTIONS] = {value_integer(after)};
    struct str sql = {0};
    ASSERT(n && n <= MAX_COLLECTIONS);
    /* "+": else SQLite reads by the index of documents, and sorts a collection's whole log for each page. */
    str_addz(&sql, "SELECT seq, doc, op, EXISTS (SELECT 1 FROM parley_log later WHERE later.collection = l.collection"
                   " AND later.doc = l.doc AND later.seq > l.seq");
    if (by_parties) str_addz(&sql, " AND (l.parties IS NULL OR l.parties IS later.parties)");
    str_addz(&sql, "), parties, collection FROM parley_log l WHERE seq > ? AND +collection IN (");
    for (size_t i = 0; i < n; i++) {
        str_addz(&sql, i ? ", ?" : "?");
        values[1 + i] = value_text(view_of(of[i]->slug));
    }
    str_addz(&sql, ") ORDER BY seq LIMIT ?");
    values[1 + n] = value_integer(limit);
    enum status status =
        sql.failed ? fail(f, NO_MEMORY, "Out of memory.") : db_each(db, sql.at, values, 2 + n, take_change, &r, f);
    str_release(&sql);
    *last = r.last;
    *more = r.count == limit;
    return status;
}

struct ledger_row {
    struct ledger ledger;
    char written[ISO_LENGTH + 1];
    bool found;
};

static enum status take_ledger(void *ctx, const struct row *row)
{
    struct ledger_row *r = ctx;
    struct view written = row_value(row, 2).text;
    r->found = true;
    r->ledger = (struct ledger){.last = row_value(row, 0).integer, .docs = row_value(row, 1).integer};
    memcpy(r->written, written.at, written.len < ISO_LENGTH ? written.len : ISO_LENGTH);
    return OK;
}

static enum status find_ledger(struct db *db, const struct collection *c, struct ledger_row *out, struct failure *f)
{
    struct value slug = value_text(view_of(c->slug));
    *out = (struct ledger_row){0};
    return db_each(
        db, "SELECT last, docs, written FROM parley_ids WHERE collection = ?", &slug, 1, take_ledger, out, f);
}

enum status ledger_read(struct db *db, const struct collection *c, struct ledger *out, struct failure *f)
{
    struct ledger_row row;
    enum status status = find_ledger(db, c, &row, f);
    *out = row.ledger;
    return status;
}

enum status ledger_write(
    struct db *db, const struct collection *c, const struct ledger *ledger, struct view now, struct failure *f)
{
    struct value values[] = {
        value_text(view_of(c->slug)), value_integer(ledger->last), value_integer(ledger->docs), value_text(now)};
    return db_run(db,
        "INSERT INTO parley_ids (collection, last, docs, written) VALUES (?, ?, ?, ?) ON CONFLICT (collection)"
        " DO UPDATE SET last = max(last, excluded.last), docs = excluded.docs, written = excluded.written",
        values, 4, f);
}

/* A statement over the collection's table, whose name stands for every "@"; its first integer goes to `*integer` unless
 * that is NULL. */
static enum status run_on(struct db *db, const char *pattern, const struct collection *c, const struct value *values,
    size_t nvalues, int64_t *integer, struct failure *f)
{
    struct str sql = {0};
    int64_t ignored;
    for (struct view rest = view_of(pattern); rest.at;) {
        str_add(&sql, view_cut(&rest, '@'));
        if (rest.at) str_addz(&sql, c->slug);
    }
    enum status status = sql.failed ? fail(f, NO_MEMORY, "Out of memory.")
                                    : db_integer(db, sql.at, values, nvalues, 0, integer ? integer : &ignored, f);
    str_release(&sql);
    return status;
}

/* ?1: the slug, ?2: the highest id that was known, ?3: the time of the last write. What is gone comes first, then the
 * rest in the order of its times. */
static const char adopted[] =
    "WITH state(doc, op) AS (SELECT doc, op FROM parley_log l WHERE collection = ?1 AND NOT EXISTS"
    " (SELECT 1 FROM parley_log n WHERE n.collection = l.collection AND n.doc = l.doc AND n.seq > l.seq)),"
    " changed(doc, op, at) AS ("
    " SELECT doc, 'd', '' FROM state WHERE op <> 'd' AND doc NOT IN (SELECT id FROM `@`)"
    " UNION ALL SELECT id, 'c', updated_at FROM `@` WHERE id > ?2"
    " UNION ALL SELECT id, 'c', updated_at FROM `@` WHERE id <= ?2 AND id IN (SELECT doc FROM state WHERE op = 'd')"
    " UNION ALL SELECT id, 'u', updated_at FROM `@` WHERE id <= ?2 AND updated_at > ?3"
    " AND id NOT IN (SELECT doc FROM state WHERE op = 'd'))"
    " INSERT INTO parley_log (seq, collection, doc, op)"
    " SELECT (SELECT coalesce(max(seq), 0) FROM parley_log) + row_number() OVER (ORDER BY at, doc), ?1, doc, op"
    " FROM changed ORDER BY at, doc";

/* The log knows no documents that are older than it. One of those that is gone changes their number and leaves no
 * trace; then only that no old cursor is taken makes its readers look again. */
static enum status adopt(
    struct db *db, const struct collection *c, const struct ledger_row *known, int64_t docs, struct failure *f)
{
    struct value values[] = {
        value_text(view_of(c->slug)), value_integer(known->ledger.last), value_text(view_of(known->written))};
    int64_t seq = 0, more = 0;
    enum status status = db_integer(db, "SELECT max(seq) FROM parley_log", NULL, 0, 0, &seq, f);
    if (!status) status = run_on(db, adopted, c, values, 3, NULL, f);
    struct value head = value_integer(seq);
    if (!status)
        status =
            db_integer(db, "SELECT sum((op = 'c') - (op = 'd')) FROM parley_log WHERE seq > ?", &head, 1, 0, &more, f);
    if (status || known->ledger.docs + more == docs) return status;
    return epochs_forget(db, f);
}

enum status changelog_adopt(struct db *db, const struct collection *c, struct view now, bool *wrote, struct failure *f)
{
    struct ledger_row known;
    struct ledger ledger = {0};
    int64_t edited = 0;
    *wrote = false;
    enum status status = find_ledger(db, c, &known, f);
    struct value written = value_text(view_of(known.written));
    if (!status) status = run_on(db, "SELECT count(*) FROM `@`", c, NULL, 0, &ledger.docs, f);
    if (!status) status = run_on(db, "SELECT max(id) FROM `@`", c, NULL, 0, &ledger.last, f);
    if (!status)
        status = run_on(db, "SELECT EXISTS (SELECT 1 FROM `@` WHERE updated_at > ?)", c, &written, 1, &edited, f);
    if (status) return status;
    bool same = ledger.docs == known.ledger.docs && ledger.last <= known.ledger.last && !edited;
    *wrote = known.found && !same;
    if (known.found && same) return OK;
    if (known.found) status = adopt(db, c, &known, ledger.docs, f);
    return status ? status : ledger_write(db, c, &ledger, now, f);
}
