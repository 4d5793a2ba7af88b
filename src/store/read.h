/* Reading documents. Runs on any connection, the caller's. */
#ifndef STORE_READ_H
#define STORE_READ_H

#include "base/arena.h"
#include "schema/binds.h"
#include "schema/doc.h"
#include "schema/find.h"
#include "store/db.h"

/* NOT_FOUND: there is none. The document's texts lie in the arena. */
MUST_CHECK enum status read_one(
    struct db *db, const struct collection *c, int64_t id, struct arena *arena, struct doc *out, struct failure *f);
/* The same for the document whose `field` is that text; of several the oldest. */
MUST_CHECK enum status read_by(struct db *db, const struct collection *c, const char *field, struct view text,
    struct arena *arena, struct doc *out, struct failure *f);
/* Calls each(ctx, doc) for the page that `find` asks for; texts are borrowed until it returns (sessions lie in the
 * arena). */
MUST_CHECK enum status read_many(struct db *db, const struct find *find, int64_t limit, int64_t offset,
    struct arena *arena, enum status (*each)(void *ctx, const struct doc *doc), void *ctx, struct failure *f);
/* The same for documents by their ids, in the order given; those that are not there are passed over. */
MUST_CHECK enum status read_ids(struct db *db, const struct collection *c, const int64_t *ids, size_t n,
    struct arena *arena, enum status (*each)(void *ctx, const struct doc *doc), void *ctx, struct failure *f);
/* The same for a text whose columns are sql_add_columns'; takes the text's memory. */
MUST_CHECK enum status read_rows(struct db *db, const struct collection *c, struct str *sql, const struct binds *binds,
    struct arena *arena, enum status (*each)(void *ctx, const struct doc *doc), void *ctx, struct failure *f);
/* How many documents `find` asks for. All of them are not counted but looked up, whatever their number. */
MUST_CHECK enum status read_count(
    struct db *db, const struct find *find, struct arena *arena, int64_t *out, struct failure *f);
/* Is there any document at all? */
MUST_CHECK enum status read_any(struct db *db, const struct collection *c, bool *out, struct failure *f);

#endif
