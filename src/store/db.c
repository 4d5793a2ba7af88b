#include "store/db.h"
#include "base/check.h"
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define CACHED     64
#define BUSY_MS    5000
#define CACHE_TEXT 4096 /* longer texts are one-offs and are not kept */

struct cached {
    sqlite3_stmt *statement;
    uint64_t hash;
    uint64_t used; /* by the connection's count of uses */
    bool busy;     /* running now: a nested run of the same text gets its own */
};

struct db {
    sqlite3 *handle;
    struct cached cache[CACHED];
    uint64_t uses;
    int error; /* SQLite's extended code of the last failure */
};

struct row {
    sqlite3_stmt *statement;
};

static enum status status_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return OK;
    case SQLITE_CONSTRAINT: return CONFLICT;
    case SQLITE_FULL: return NO_SPACE;
    case SQLITE_NOMEM: return NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return UNAVAILABLE;
    case SQLITE_TOOBIG: return TOO_LARGE;
    default: return IO_ERROR;
    }
}

static enum status failed(struct db *db, int code, struct failure *f)
{
    db->error = code;
    return fail(f, status_of(code), "The database answered: %s.", sqlite3_errmsg(db->handle));
}

enum constraint db_constraint(struct db *db)
{
    switch (db->error) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY: return CONSTRAINT_UNIQUE;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
    case SQLITE_CONSTRAINT_NOTNULL: return CONSTRAINT_REFERENCE;
    default: return CONSTRAINT_OTHER;
    }
}

static enum status open_failed(const char *path, const char *why, struct failure *f)
{
    return fail(f, IO_ERROR, "Cannot open the database %s: %s", path, why);
}

enum status db_open(struct db **out, const char *path, enum db_mode mode, struct failure *f)
{
    static const char pragmas_read[] = "PRAGMA query_only=ON; PRAGMA foreign_keys=ON;";
    /* What undoes a savepoint stays in memory: it is a few pages, but beyond 64 KiB SQLite would make a file of it, for
     * every write anew. */
    static const char pragmas_write[] = "PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;";
    static const char pragmas_derived[] = "PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;";
    static const char *const pragmas[] = {
        [DB_READ] = pragmas_read, [DB_WRITE] = pragmas_write, [DB_DERIVED] = pragmas_derived};
    struct db *db = calloc(1, sizeof *db);
    *out = NULL;
    if (!db) return fail(f, NO_MEMORY, "Out of memory.");
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (mode != DB_READ) flags |= SQLITE_OPEN_CREATE;
    int code = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (!code) sqlite3_busy_timeout(db->handle, BUSY_MS);
    /* The first read finds out what the file is. */
    if (!code) code = sqlite3_exec(db->handle, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
    if (!code) code = sqlite3_exec(db->handle, pragmas[mode], NULL, NULL, NULL);
    if (code) {
        enum status status;
        int system_error = db->handle ? sqlite3_system_errno(db->handle) : 0;
        switch (code & 0xff) {
        case SQLITE_NOTADB:
            status = open_failed(path, "it is not an SQLite database; name another file or folder.", f);
            break;
        case SQLITE_READONLY:
            status = open_failed(path, "it cannot be written; make the disk and the file writable.", f);
            break;
        case SQLITE_BUSY: status = open_failed(path, "another program holds it; stop that one first.", f); break;
        case SQLITE_CANTOPEN:
            status = fail(f, IO_ERROR, "Cannot open the database %s: %s; make its folder and the file writable.", path,
                system_error ? strerror(system_error) : "the file cannot be opened");
            break;
        default: status = fail(f, IO_ERROR, "Cannot open the database %s: %s.", path, sqlite3_errstr(code));
        }
        db_close(db);
        return status;
    }
    *out = db;
    return OK;
}

void db_close(struct db *db)
{
    if (!db) return;
    for (size_t i = 0; i < CACHED; i++) sqlite3_finalize(db->cache[i].statement);
    sqlite3_close(db->handle);
    free(db);
}

enum status db_exec(struct db *db, const char *sql, struct failure *f)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code ? failed(db, code, f) : OK;
}

static uint64_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

/* A statement ready to be bound. `*slot` is its place in the cache; NULL: it is the caller's own, to be finalised. */
static int prepare(struct db *db, const char *sql, sqlite3_stmt **statement, struct cached **slot)
{
    uint64_t hash = hash_text(sql);
    struct cached *victim = NULL;
    *slot = NULL;
    for (size_t i = 0; i < CACHED; i++) {
        struct cached *c = &db->cache[i];
        if (c->busy) continue;
        if (c->statement && c->hash == hash && !strcmp(sqlite3_sql(c->statement), sql)) {
            *slot = c;
            break;
        }
        if (!victim || c->used < victim->used) victim = c;
    }
    if (!*slot) {
        int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
        if (code) return code;
        if (!victim || strlen(sql) > CACHE_TEXT) return SQLITE_OK;
        sqlite3_finalize(victim->statement);
        *victim = (struct cached){.statement = *statement, .hash = hash};
        *slot = victim;
    }
    (*slot)->busy = true;
    (*slot)->used = ++db->uses;
    *statement = (*slot)->statement;
    return SQLITE_OK;
}

static int bind(sqlite3_stmt *statement, const struct value *values, size_t n)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < n && !code; i++) {
        const struct value *v = &values[i];
        int place = (int)i + 1;
        switch (v->type) {
        case VALUE_NULL: code = sqlite3_bind_null(statement, place); break;
        case VALUE_INTEGER: code = sqlite3_bind_int64(statement, place, v->integer); break;
        case VALUE_REAL: code = sqlite3_bind_double(statement, place, v->real); break;
        case VALUE_TEXT:
            code = sqlite3_bind_text64(
                statement, place, v->text.at ? v->text.at : "", v->text.len, SQLITE_STATIC, SQLITE_UTF8);
            break;
        case VALUE_BLOB:
            code = sqlite3_bind_blob64(statement, place, v->text.at ? v->text.at : "", v->text.len, SQLITE_STATIC);
            break;
        }
    }
    return code;
}

enum status db_each(struct db *db, const char *sql, const struct value *values, size_t nvalues,
    enum status (*each)(void *ctx, const struct row *row), void *ctx, struct failure *f)
{
    sqlite3_stmt *statement = NULL;
    struct cached *slot;
    enum status status = OK;
    int code = prepare(db, sql, &statement, &slot);
    if (!code) code = bind(statement, values, nvalues);
    while (!code && !status) {
        code = sqlite3_step(statement);
        if (code != SQLITE_ROW) break;
        code = SQLITE_OK;
        if (each) status = each(ctx, &(struct row){statement});
    }
    if (code && code != SQLITE_DONE) status = failed(db, code, f);
    if (slot) {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        slot->busy = false;
    } else {
        sqlite3_finalize(statement);
    }
    return status;
}

enum status db_run(struct db *db, const char *sql, const struct value *values, size_t nvalues, struct failure *f)
{
    return db_each(db, sql, values, nvalues, NULL, NULL, f);
}

struct first_integer {
    int64_t value;
    bool seen;
};

static enum status take_integer(void *ctx, const struct row *row)
{
    struct first_integer *first = ctx;
    struct value v = row_value(row, 0);
    if (!first->seen && v.type == VALUE_INTEGER) first->value = v.integer;
    first->seen = true;
    return OK;
}

enum status db_integer(struct db *db, const char *sql, const struct value *values, size_t nvalues, int64_t none,
    int64_t *out, struct failure *f)
{
    struct first_integer first = {.value = none};
    enum status status = db_each(db, sql, values, nvalues, take_integer, &first, f);
    *out = first.value;
    return status;
}

struct value row_value(const struct row *row, int column)
{
    switch (sqlite3_column_type(row->statement, column)) {
    case SQLITE_INTEGER: return value_integer(sqlite3_column_int64(row->statement, column));
    case SQLITE_FLOAT: return value_real(sqlite3_column_double(row->statement, column));
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
        const char *text = (const char *)sqlite3_column_text(row->statement, column);
        return value_text((struct view){text, (size_t)sqlite3_column_bytes(row->statement, column)});
    }
    default: return value_null();
    }
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->handle);
}

bool db_damaged(const struct db *db)
{
    int code = db->error & 0xff;
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

bool db_in_transaction(struct db *db)
{
    return !sqlite3_get_autocommit(db->handle);
}
