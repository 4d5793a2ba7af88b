/* Bringing the file of a text index (store/textfile.h) up to what the database holds, batch by batch. A batch is read
 * in one short snapshot of the database and then written in one transaction of the file, so that the database's own log
 * of writes (WAL) is never kept from beginning again by a slow thread. */
#ifndef STORE_TEXTFILL_H
#define STORE_TEXTFILL_H

#include "base/arena.h"
#include "store/textfile.h"

struct textfill {
    struct db *database, *file;
    struct textpart *parts;
    size_t nparts;
    struct arena arena; /* of one batch */
};

/* One batch: of the changes behind what a part knows, else of the documents that are older than the file. `*more`:
 * there may be something left to do. CONFLICT: the file can no longer become right, or is not worth it; it is to be
 * made anew, and the failure says why. */
MUST_CHECK enum status textfill_step(struct textfill *fill, bool *more, struct failure *f);

#endif
