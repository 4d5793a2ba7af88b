/* An arena: memory that is given out piece by piece and taken back all at once. One life, the request's.
 *
 * Pieces are aligned for any type and zeroed. An arena has a cap in bytes; beyond it, and when the system has no
 * memory, a call returns NULL and `failed` is set until the reset. One arena belongs to one thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "parley/attributes.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stddef.h>

struct arena_block;
struct arena_cleanup;

struct arena {
    struct arena_block *blocks; /* newest first */
    struct arena_cleanup *cleanups;
    size_t used; /* bytes given out since the last reset, rounded up to the alignment; never above cap */
    size_t cap;
    bool failed;
};

void arena_init(struct arena *a, size_t cap);
void arena_release(struct arena *a);
/* Runs the clean-ups, newest first, then takes all pieces back; keeps one block for the next request. */
void arena_reset(struct arena *a);

MUST_CHECK void *arena_alloc(struct arena *a, size_t size);
/* Room for `count` things of `size` bytes each; NULL as well when the product is out of range. */
MUST_CHECK void *arena_array(struct arena *a, size_t size, size_t count);
/* A copy with a NUL behind it. */
MUST_CHECK char *arena_copy(struct arena *a, struct view v);
MUST_CHECK char *arena_printf(struct arena *a, const char *format, ...) PRINTF(2, 3);
/* Runs the clean-ups now, newest first; the pieces stay. */
void arena_clean(struct arena *a);
/* Calls run(thing) at the reset. Without memory for the note it is run at once, and false is returned. */
MUST_CHECK bool arena_defer(struct arena *a, void (*run)(void *thing), void *thing);

#define ARENA_NEW(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_array((arena), sizeof(type), (count)))

#endif
