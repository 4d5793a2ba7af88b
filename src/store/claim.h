/* Claims: names in an upload collection's folder that no document owns, not yet or not any longer.
 *
 *     parley_files    collection, name
 *
 * A name is claimed, and that is committed, before its file is moved into the folder; the document's row takes it over
 * in one transaction; a row that goes, or takes another file, leaves the claim behind until the file is removed. So
 * whatever a crash leaves in the folder without a document stands in this table, and nothing else is ever removed:
 * what another program put there is not Parley's to judge.
 *
 * Writing calls run on the applier's connection, inside its transaction. */
#ifndef STORE_CLAIM_H
#define STORE_CLAIM_H

#include "base/arena.h"
#include "parley/collection.h"
#include "store/db.h"

/* Makes the table where it is missing. */
MUST_CHECK enum status claim_prepare(struct db *db, struct failure *f);
/* Claims `wanted`, or when that is a document's or claimed, another made of it (schema/filename.h). `*name` is `wanted`
 * itself, or it lies in the arena with a NUL behind it; a failure leaves it alone. */
MUST_CHECK enum status claim_take(struct db *db, const struct collection *c, struct view wanted, struct arena *arena,
    struct view *name, struct failure *f);
MUST_CHECK enum status claim_add(struct db *db, const struct collection *c, struct view name, struct failure *f);
MUST_CHECK enum status claim_drop(struct db *db, const struct collection *c, struct view name, struct failure *f);
/* Calls each(ctx, name, owned) for every claim of `c`; `owned`: another program has made it a document's. */
MUST_CHECK enum status claim_each(struct db *db, const struct collection *c,
    enum status (*each)(void *ctx, struct view name, bool owned), void *ctx, struct failure *f);

#endif
