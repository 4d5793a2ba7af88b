/* The epochs of the change log: under which words its cursors were given out, and how far each of them goes.
 *
 * Each opening for writing begins one, behind the log's last change, and so ends the one before. A copy of the file
 * that is put back knows those up to the copy, and the one it was made in ends where the copy did. So a cursor from
 * behind that is not taken for one of the other changes that have the same numbers now; one from before it is, under
 * every later word too, since all these have what was before in common.
 *
 *     parley_epochs   number: their order; epoch: a random word; head: the log's last change when it began
 *
 * Writing calls run on the applier's connection, inside a transaction. What was loaded never changes: any thread may
 * read it. */
#ifndef STORE_EPOCHS_H
#define STORE_EPOCHS_H

#include "store/db.h"

#define EPOCH_LENGTH 8
#define EPOCHS_KEPT  1000 /* the newest */

struct epochs;

/* Makes the table, and takes the one epoch of a file of version 4 into it. */
MUST_CHECK enum status epochs_prepare(struct db *db, struct failure *f);
MUST_CHECK enum status epochs_begin(struct db *db, struct failure *f);
/* The log does not tell all that has changed: only who came under the newest one may go on. */
MUST_CHECK enum status epochs_forget(struct db *db, struct failure *f);

MUST_CHECK enum status epochs_load(struct epochs **out, struct db *db, struct failure *f);
/* Takes NULL. */
void epochs_free(struct epochs *e);
/* The last change of the epoch, in a log up to `head`. False: the epoch is not known. */
MUST_CHECK bool epochs_end(const struct epochs *e, struct view epoch, int64_t head, int64_t *end);

#endif
