/* Answers that are kept, so that a request which comes again under the same Idempotency-Key gets them:
 *
 *     parley_answers  id: in the order of writing; scope: whose key it is; key; written: when, in ms since 1970;
 * sealed: the answer, closed to whoever reads the file (api/idempotency.h knows what is in it)
 *
 * An answer is kept for ANSWER_DAYS, by the wall clock. One that lies as far in the future was written by a clock that
 * was wrong, and is over too. */
#ifndef STORE_ANSWERS_H
#define STORE_ANSWERS_H

#include "base/arena.h"
#include "store/db.h"

#define ANSWER_DAYS 7

struct answer {
    int64_t scope;      /* the user's id; 0: anonymous callers, all together */
    struct view key;    /* at == NULL: no answer */
    int64_t written;    /* ms since 1970 */
    struct view sealed; /* borrowed */
};

/* Makes the table if it is missing. */
MUST_CHECK enum status answers_prepare(struct db *db, struct failure *f);
/* Keeps it, in the place of one that is over, and removes at most two others that are over: the table shrinks while it
 * is used, and no write pays for more. CONFLICT: there is one already. On the applier's connection, inside its
 * transaction. */
MUST_CHECK enum status answers_add(struct db *db, const struct answer *answer, struct failure *f);
/* What was kept under out->scope and out->key and is not over at `now` (ms since 1970); NOT_FOUND: nothing. The sealed
 * bytes lie in the arena. */
MUST_CHECK enum status answers_find(
    struct db *db, int64_t now, struct arena *arena, struct answer *out, struct failure *f);

#endif
