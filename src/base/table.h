/* A hash table of the caller's structs, by numbers; several may have one number. Nothing is locked, and nothing is
 * allocated but by table_room: an owner with a lock drops it for that. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/list.h"
#include <stdint.h>

/* Lies inside the struct; CONTAINER finds that. {0} or taken out: in no table. */
struct table_node {
    struct table_node *next, **link;
    uint64_t key;
};

struct table {
    struct table_node **chains; /* NULL: `one` is the only chain */
    struct table_node *one;
    size_t nchains; /* a power of two; 0: as one */
    size_t count;
};

/* {0} is an empty table; when it is empty again, free(t->chains). */
void table_put(struct table *t, struct table_node *node, uint64_t key);
/* Does nothing to a node that is in no table. */
void table_take_out(struct table *t, struct table_node *node);
/* The first with that number, and the next behind `node` with the same; NULL: there is none. */
struct table_node *table_find(const struct table *t, uint64_t key);
struct table_node *table_find_next(const struct table_node *node);
/* The first of all, and the one behind `node`. */
struct table_node *table_first(const struct table *t);
struct table_node *table_next(const struct table *t, const struct table_node *node);

/* How many chains it should have for its number; 0: as many as it has. */
size_t table_wants(const struct table *t);
/* So many empty ones; NULL: no memory, and the table's stay long, and right. */
struct table_node **table_room(size_t nchains);
/* Takes these in place of its own, which are to be freed (may be NULL), unless it has more already: then it is they. */
struct table_node **table_spread(struct table *t, struct table_node **chains, size_t nchains);

#endif
