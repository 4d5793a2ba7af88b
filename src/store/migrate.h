/* Brings a database file to what this program needs: makes missing tables, columns and indexes; drops and changes none.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/db.h"

/* Looks first whether the file is one for this program; after that refusal it is as it was, byte for byte. The tables
 * are made in one transaction. `path` is for the failure's sentence. */
MUST_CHECK enum status migrate(struct db *db, const char *path, struct failure *f);

#endif
