/* Reading a list from the tables, in its order: its first documents, a ladder over all of it, a stretch further behind.
 * Runs on the caller's connection, in its snapshot. */
#ifndef STORE_LISTING_H
#define STORE_LISTING_H

#include "store/changes.h"
#include "store/ladder.h"
#include "store/window.h"

struct listing {
    struct list_view view; /* its `find` is the one here */
    struct find find;      /* may name documents to look among */
    struct arena *arena;
};

/* The first ones, and all others' number if that comes with them, else -1. */
MUST_CHECK enum status listing_read_head(struct listing *l, struct window *out, int64_t *total, struct failure *f);
/* NULL in *out: a document has no place. `docs`: about as many as there are. */
MUST_CHECK enum status listing_read_ladder(struct listing *l, int64_t docs, struct ladder **out, struct failure *f);

/* Where the stretch begins that is read for a page: neighbouring pages have the same. */
int64_t listing_far_offset(int64_t offset, int64_t limit);
/* That stretch; its first is the `skip`-th, from 0, of the documents from `place` on. A document without a place ends
 * it. */
MUST_CHECK enum status listing_read_far(struct listing *l, const struct place *place, int64_t skip, int64_t offset,
    int64_t limit, struct window *out, struct failure *f);

#endif
