#include "store/pool.h"
#include "base/check.h"
#include "base/lock.h"
#include <stdlib.h>

struct pool {
    /* fixed after open */
    int size;
    /* under lock */
    struct lock lock;
    struct condition given;
    int free;
    struct db *connections[];
};

enum status pool_open(struct pool **out, const char *path, int connections, struct failure *f)
{
    enum status status = OK;
    struct pool *p = calloc(1, sizeof *p + (size_t)connections * sizeof *p->connections);
    *out = NULL;
    if (!p) return fail(f, NO_MEMORY, "Out of memory.");
    lock_init(&p->lock);
    condition_init(&p->given);
    while (p->size < connections && !status) {
        status = db_open(&p->connections[p->size], path, DB_READ, f);
        if (!status) p->free = ++p->size;
    }
    if (status) {
        pool_close(p);
        return status;
    }
    *out = p;
    return OK;
}

void pool_close(struct pool *p)
{
    if (!p) return;
    ASSERT(p->free == p->size);
    for (int i = 0; i < p->size; i++) db_close(p->connections[i]);
    condition_destroy(&p->given);
    lock_destroy(&p->lock);
    free(p);
}

struct db *pool_take(struct pool *p)
{
    lock_take(&p->lock);
    while (!p->free) condition_wait(&p->given, &p->lock);
    struct db *db = p->connections[--p->free];
    lock_drop(&p->lock);
    return db;
}

void pool_give(struct pool *p, struct db *db)
{
    lock_take(&p->lock);
    p->connections[p->free++] = db;
    condition_signal(&p->given);
    lock_drop(&p->lock);
}
