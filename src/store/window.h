/* A window: a stretch of a list's documents, in their order, and how many lie before it. It follows what is added to
 * the list and taken from it. A value: nothing here locks, allocates or does I/O. */
#ifndef STORE_WINDOW_H
#define STORE_WINDOW_H

#include "store/place.h"
#include <stddef.h>

#define WINDOW_MOST 256

struct window {
    int64_t offset; /* documents before it */
    bool ends;      /* there are none behind it */
    size_t count;
    struct place at[WINDOW_MOST];
};

/* A document more in the list; it is in the window unless it lies before it or behind it. */
void window_add(struct window *w, const struct place *place);
/* One less. A window with nothing in it no longer knows where it is, unless it is at the start. */
void window_remove(struct window *w, const struct place *place);
/* Does it hold the `limit` documents behind the first `offset`, or as many as there are? */
bool window_holds(const struct window *w, int64_t offset, int64_t limit);
/* NULL: it is not in the window. */
const struct place *window_find(const struct window *w, int64_t id, const struct order *order);

#endif
