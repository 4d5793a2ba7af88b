/* Which news of who is typing are passed on: of each pair one beginning a second at most, and the end of one that was
 * passed on. So a client may say it with every key.
 *
 * The newest TYPING_SLOTS pairs are remembered, where their places in a table do not collide: one that is forgotten may
 * be passed on once too often. Any thread. */
#ifndef API_TYPING_H
#define API_TYPING_H

#include "parley/attributes.h"
#include <stdbool.h>
#include <stdint.h>

#define TYPING_SLOTS 1024
#define TYPING_MS    1000

struct typing;

/* NULL: no memory. */
MUST_CHECK struct typing *typing_new(void);
/* Takes NULL. */
void typing_free(struct typing *t);
/* Is it to be passed on that `from` types to `to`, or does no longer? */
bool typing_passes(struct typing *t, int64_t from, int64_t to, bool types);

#endif
