/* FTS5 without contents, without positions and without sizes: a trigram's list of ids is all that is left. A document
 * that is added again under its id has both texts' trigrams from then on.
 *
 * Tried and not taken: positions, with which a phrase is found exactly but for letters beyond ASCII, whose case FTS5
 * does not tell apart; the file is 2.4 times as large, and every document is looked at all the same. */
#include "store/textfile.h"
#include "schema/registry.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION "2"

size_t textfile_parts(struct textpart out[TEXTFILE_PARTS])
{
    size_t n = 0;
    for (size_t i = 0; i < ncollections; i++) {
        const struct collection *c = collection_at(i);
        for (size_t k = 0; k < c->nfields && n < TEXTFILE_PARTS; k++)
            if (c->fields[k].searched) out[n++] = (struct textpart){.collection = c, .field = &c->fields[k]};
    }
    return n;
}

static void add_name(struct str *out, const struct textpart *part)
{
    str_addf(out, "%s_%s", part->collection->slug, part->field->column);
}

/* A statement whose every "@" is the part's name. */
static void add_sql(struct str *out, const char *pattern, const struct textpart *part)
{
    for (struct view rest = view_of(pattern); rest.at;) {
        str_add(out, view_cut(&rest, '@'));
        if (rest.at) add_name(out, part);
    }
}

static enum status run(struct db *db, const char *pattern, const struct textpart *part, const struct value *values,
    size_t nvalues, enum status (*each)(void *ctx, const struct row *row), void *ctx, struct failure *f)
{
    struct str sql = {0};
    add_sql(&sql, pattern, part);
    enum status status =
        sql.failed ? fail(f, NO_MEMORY, "Out of memory.") : db_each(db, sql.at, values, nvalues, each, ctx, f);
    str_release(&sql);
    return status;
}

static enum status make_part(
    struct db *db, const struct textpart *part, const struct changelog_span *span, struct failure *f)
{
    struct value values[] = {value_text(view_of(span->epoch)), value_integer(span->head)};
    enum status status =
        run(db, "CREATE VIRTUAL TABLE `@` USING fts5 (text, content='', columnsize=0, detail=none, tokenize='trigram')",
            part, NULL, 0, NULL, NULL, f);
    return status ? status
                  : run(db,
                        "INSERT INTO parley_text (name, epoch, seq, head, filled, stale)"
                        " VALUES ('@', ?1, ?2, ?2, 0, 0)",
                        part, values, 2, NULL, NULL, f);
}

static enum status make(
    struct db *db, const struct changelog_span *span, const struct textpart *parts, size_t nparts, struct failure *f)
{
    enum status status = db_exec(db, "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE", f);
    if (!status)
        status = db_exec(db,
            "CREATE TABLE parley_text (name text PRIMARY KEY NOT NULL, epoch text NOT NULL, seq integer NOT NULL,"
            " head integer NOT NULL, filled integer NOT NULL, stale integer NOT NULL); PRAGMA user_version = " VERSION,
            f);
    for (size_t i = 0; i < nparts && !status; i++) status = make_part(db, &parts[i], span, f);
    return status ? status : db_exec(db, "COMMIT", f);
}

/* The mode of the file decides about the files beside it as well. */
static enum status create(const char *path, const char *database, struct failure *f)
{
    struct stat state;
    if (stat(database, &state)) return fail(f, IO_ERROR, "Cannot look at %s: %s.", database, strerror(errno));
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST) return OK;
    bool ok = file >= 0 && !fchmod(file, state.st_mode & 0666);
    int error = errno;
    if (file >= 0) close(file);
    return ok ? OK : fail(f, IO_ERROR, "Cannot make %s: %s.", path, strerror(error));
}

struct check {
    const struct epochs *epochs;
    int64_t head, right;
};

static enum status check_part(void *ctx, const struct row *row)
{
    struct check *check = ctx;
    int64_t end;
    check->right +=
        epochs_end(check->epochs, row_value(row, 0).text, check->head, &end) && row_value(row, 1).integer <= end;
    return OK;
}

static enum status check(struct db *db, const struct epochs *epochs, int64_t head, size_t nparts, struct failure *f)
{
    struct check parts = {.epochs = epochs, .head = head};
    int64_t known = 0;
    enum status status =
        db_integer(db, "SELECT user_version = " VERSION " FROM pragma_user_version", NULL, 0, 0, &known, f);
    if (!status && !known) return fail(f, CONFLICT, "it is of another version of Parley");
    if (!status) status = db_each(db, "SELECT epoch, head FROM parley_text", NULL, 0, check_part, &parts, f);
    if (!status && parts.right != (int64_t)nparts) return fail(f, CONFLICT, "it does not follow the database's log");
    return status;
}

/* From here on it is followed under the newest epoch. */
static enum status go_on(
    struct db *db, const struct changelog_span *span, struct textpart *parts, size_t nparts, struct failure *f)
{
    struct value epoch = value_text(view_of(span->epoch));
    enum status status = db_run(db, "UPDATE parley_text SET epoch = ?", &epoch, 1, f);
    for (size_t i = 0; i < nparts && !status; i++) status = textfile_read(db, &parts[i], f);
    return status;
}

enum status textfile_open(struct db **out, const char *path, const char *database, const struct epochs *epochs,
    const struct changelog_span *span, struct textpart *parts, size_t nparts, struct failure *f)
{
    int64_t tables = 0;
    enum status status = create(path, database, f);
    *out = NULL;
    if (!status) status = db_open(out, path, DB_DERIVED, f);
    if (!status) status = db_integer(*out, "SELECT count(*) FROM sqlite_master", NULL, 0, 0, &tables, f);
    if (!status && !tables) status = make(*out, span, parts, nparts, f);
    if (!status) status = check(*out, epochs, span->head, nparts, f);
    if (!status) status = go_on(*out, span, parts, nparts, f);
    if (!status) return OK;
    db_close(*out);
    *out = NULL;
    return status;
}

enum status textfile_remove(const char *path, struct failure *f)
{
    static const char *const endings[] = {"-wal", "-shm", ""};
    struct str name = {0};
    enum status status = OK;
    for (size_t i = 0; i < sizeof endings / sizeof *endings && !status; i++) {
        str_reset(&name);
        str_addf(&name, "%s%s", path, endings[i]);
        if (name.failed)
            status = fail(f, NO_MEMORY, "Out of memory.");
        else if (unlink(name.at) && errno != ENOENT)
            status = fail(f, IO_ERROR, "Cannot remove %s: %s.", name.at, strerror(errno));
    }
    str_release(&name);
    return status;
}

static enum status take_part(void *ctx, const struct row *row)
{
    struct textpart *part = ctx;
    part->seq = row_value(row, 0).integer;
    part->head = row_value(row, 1).integer;
    part->filled = row_value(row, 2).integer;
    part->stale = row_value(row, 3).integer;
    return OK;
}

enum status textfile_read(struct db *db, struct textpart *part, struct failure *f)
{
    return run(
        db, "SELECT seq, head, filled, stale FROM parley_text WHERE name = '@'", part, NULL, 0, take_part, part, f);
}

enum status textfile_add(struct db *db, const struct textpart *part, int64_t id, struct view text, struct failure *f)
{
    struct value values[] = {value_integer(id), value_text(text)};
    return run(db, "INSERT INTO `@` (rowid, text) VALUES (?, ?)", part, values, 2, NULL, NULL, f);
}

enum status textfile_write(struct db *db, const struct textpart *part, struct failure *f)
{
    struct value values[] = {
        value_integer(part->seq), value_integer(part->head), value_integer(part->filled), value_integer(part->stale)};
    return run(db, "UPDATE parley_text SET seq = ?, head = ?, filled = ?, stale = ? WHERE name = '@'", part, values, 4,
        NULL, NULL, f);
}

enum status textfile_search(struct db *db, const struct textpart *part, struct view trigrams, int64_t limit,
    enum status (*each)(void *ctx, const struct row *row), void *ctx, struct failure *f)
{
    struct value values[] = {value_text(trigrams), value_integer(limit)};
    return run(db, "SELECT rowid FROM `@` WHERE `@` MATCH ? LIMIT ?", part, values, 2, each, ctx, f);
}
