/* A hash table of the caller's structs, by numbers; several may have one number. Nothing is locked, and nothing is
 * allocated but by multimap_room: an owner with a lock drops it for that. While it has anybody, it stays where it is in
 * memory. */
#ifndef BASE_MULTIMAP_H
#define BASE_MULTIMAP_H

#include "base/list.h"
#include <stdint.h>

/* Lies inside the struct; CONTAINER finds that. {0} or taken out: in no map. */
struct multimap_node {
    struct multimap_node *next, **link;
    uint64_t key;
};

struct multimap {
    struct multimap_node **chains; /* NULL: `one` is the only chain */
    struct multimap_node *one;
    size_t nchains; /* a power of two; 0: as one */
    size_t count;
};

/* {0} is an empty map; when it is empty again, free(m->chains). */
void multimap_put(struct multimap *m, struct multimap_node *node, uint64_t key);
/* Does nothing to a node that is in no map. */
void multimap_take_out(struct multimap *m, struct multimap_node *node);
/* The first with that number, and the next behind `node` with the same; NULL: there is none. */
struct multimap_node *multimap_find(const struct multimap *m, uint64_t key);
struct multimap_node *multimap_find_next(const struct multimap_node *node);
/* The first of all, and the one behind `node`. */
struct multimap_node *multimap_first(const struct multimap *m);
struct multimap_node *multimap_next(const struct multimap *m, const struct multimap_node *node);

/* How many chains it should have for its number; 0: as many as it has. */
size_t multimap_wants(const struct multimap *m);
/* So many empty ones; NULL: no memory, and the map's stay long, and right. */
struct multimap_node **multimap_room(size_t nchains);
/* Takes these in place of its own, which are to be freed (may be NULL), unless it has more already: then it is they. */
struct multimap_node **multimap_spread(struct multimap *m, struct multimap_node **chains, size_t nchains);

#endif
