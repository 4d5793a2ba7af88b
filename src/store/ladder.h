/* A ladder: how many documents lie between places of a list, so that the n-th is found without counting to it. The
 * documents between two rungs, the upper one's place among them, are the rung's. A value: nothing here locks or does
 * I/O, and only ladder_new allocates. */
#ifndef STORE_LADDER_H
#define STORE_LADDER_H

#include "store/place.h"
#include <stddef.h>

struct ladder;

/* For about so many documents. NULL: no memory. */
MUST_CHECK struct ladder *ladder_new(int64_t docs);
/* Takes NULL. */
void ladder_free(struct ladder *l);
size_t ladder_bytes(const struct ladder *l);

/* A document more; quickest where it is the first of all, or the last. */
void ladder_add(struct ladder *l, const struct place *place);
/* One less. */
void ladder_remove(struct ladder *l, const struct place *place);
/* Another is to be made: too many documents lie on one rung. */
bool ladder_worn(const struct ladder *l);
/* Where the document is that has `offset` before it: the `*skip`-th, from 0, of those from `*place` on. False: there
 * are not so many. */
bool ladder_find(const struct ladder *l, int64_t offset, struct place *place, int64_t *skip);

#endif
