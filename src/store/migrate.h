/* Brings a database file to what this program needs: makes missing tables, columns and indexes; drops and changes none.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/db.h"

/* In one transaction: after a failure the file is as it was. `path` is for the failure's sentence. */
MUST_CHECK enum status migrate(struct db *db, const char *path, struct failure *f);

#endif
