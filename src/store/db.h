/* One SQLite connection with its prepared statements. It belongs to one thread at a time. Only this folder calls
 * sqlite3_*. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "parley/attributes.h"
#include "parley/status.h"
#include "schema/value.h"
#include <stdbool.h>
#include <stddef.h>

struct db;
struct row;

enum db_mode {
    DB_READ,
    DB_WRITE, /* creates the file if there is none; a commit is on the disk when it returns; foreign keys are checked */
    DB_DERIVED, /* the same for a file that can be made anew: its last commits may be lost with the power */
};

/* Changes nothing in a file that is there. The failure names the file and what to do. */
MUST_CHECK enum status db_open(struct db **out, const char *path, enum db_mode mode, struct failure *f);
void db_close(struct db *db);

/* Runs statements that need no values, several in one text. */
MUST_CHECK enum status db_exec(struct db *db, const char *sql, struct failure *f);
/* Runs one statement to its end; rows are passed over. It stays prepared. `values` are borrowed for the call. */
MUST_CHECK enum status db_run(
    struct db *db, const char *sql, const struct value *values, size_t nvalues, struct failure *f);
/* Calls each(ctx, row) for every row; anything but OK from it ends the run with that status. Within `each` the same
 * connection may run other statements. */
MUST_CHECK enum status db_each(struct db *db, const char *sql, const struct value *values, size_t nvalues,
    enum status (*each)(void *ctx, const struct row *row), void *ctx, struct failure *f);
/* The first row's first column as an integer; `none` if there is no row or it holds NULL. */
MUST_CHECK enum status db_integer(struct db *db, const char *sql, const struct value *values, size_t nvalues,
    int64_t none, int64_t *out, struct failure *f);

/* A blob comes as text. Text is borrowed from SQLite until `each` returns. */
struct value row_value(const struct row *row, int column);

/* Rows changed by the last INSERT, UPDATE or DELETE. */
int64_t db_changes(struct db *db);

/* False once SQLite has rolled the transaction back of itself, as it does on some failures of disk and memory. */
bool db_in_transaction(struct db *db);

/* Was the last failure one of the file's content: it is no database, or a damaged one? */
bool db_damaged(const struct db *db);

/* Which rule the last CONFLICT broke. */
enum constraint { CONSTRAINT_OTHER, CONSTRAINT_UNIQUE, CONSTRAINT_REFERENCE };
enum constraint db_constraint(struct db *db);

#endif
