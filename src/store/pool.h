/* A fixed number of reader connections that threads borrow. */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include "store/db.h"

struct pool;

/* So many connections that read the database; none is left open after a failure, which is db_open's. */
MUST_CHECK enum status pool_open(struct pool **out, const char *path, int connections, struct failure *f);
/* All connections must be back. Takes NULL. */
void pool_close(struct pool *p);
/* Waits until one is free. Any thread; hold one at a time, and none while waiting for a socket or
 * for a thread that may have to wait for one itself. */
struct db *pool_take(struct pool *p);
void pool_give(struct pool *p, struct db *db);

#endif
