/* Blocks in a list, newest first; a piece is cut from the newest. One that does not fit there gets a new block, of
 * twice the last one's size or of its own, so that a request of any size needs few blocks. */
#include "base/arena.h"
#include "base/check.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK 8192
#define LARGEST     ((size_t)1 << 20)
#define ALIGNMENT   _Alignof(max_align_t)

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    max_align_t bytes[];
};

struct arena_cleanup {
    struct arena_cleanup *next;
    void (*run)(void *thing);
    void *thing;
};

void arena_init(struct arena *a, size_t cap)
{
    *a = (struct arena){.cap = cap};
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_clean(struct arena *a)
{
    while (a->cleanups) {
        struct arena_cleanup *c = a->cleanups;
        a->cleanups = c->next;
        c->run(c->thing);
    }
}

void arena_release(struct arena *a)
{
    arena_clean(a);
    free_blocks(a->blocks);
    arena_init(a, a->cap);
}

void arena_reset(struct arena *a)
{
    arena_clean(a);
    struct arena_block *keep = a->blocks;
    if (keep && keep->next) {
        /* The oldest is mostly the smallest: a large request leaves no large block behind. */
        struct arena_block **last = &a->blocks;
        while ((*last)->next) last = &(*last)->next;
        keep = *last;
        *last = NULL;
        free_blocks(a->blocks);
    }
    if (keep && keep->size > LARGEST) {
        free(keep);
        keep = NULL;
    }
    if (keep) keep->used = 0;
    a->blocks = keep;
    a->used = 0;
    a->failed = false;
}

static struct arena_block *add_block(struct arena *a, size_t least)
{
    size_t size = a->blocks ? 2 * a->blocks->size : FIRST_BLOCK;
    if (size > LARGEST) size = LARGEST;
    if (size < least) size = least;
    struct arena_block *block = malloc(sizeof *block + size);
    if (!block) return NULL;
    *block = (struct arena_block){.next = a->blocks, .size = size};
    a->blocks = block;
    return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2) goto failed;
    size_t room = size ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    if (room > a->cap - a->used) goto failed;
    struct arena_block *block = a->blocks;
    if (!block || block->size - block->used < room) block = add_block(a, room);
    if (!block) goto failed;
    void *piece = (char *)block->bytes + block->used;
    block->used += room;
    a->used += room;
    return memset(piece, 0, size);

failed:
    a->failed = true;
    return NULL;
}

void *arena_array(struct arena *a, size_t size, size_t count)
{
    return arena_alloc(a, size && count > SIZE_MAX / size ? SIZE_MAX : size * count);
}

char *arena_copy(struct arena *a, struct view v)
{
    char *copy = arena_alloc(a, v.len + 1);
    if (copy && v.len) memcpy(copy, v.at, v.len);
    return copy;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int len = vsnprintf(NULL, 0, format, values);
    va_end(values);
    char *text = arena_alloc(a, len < 0 ? SIZE_MAX : (size_t)len + 1);
    if (!text) return NULL;
    va_start(values, format);
    vsnprintf(text, (size_t)len + 1, format, values);
    va_end(values);
    return text;
}

bool arena_defer(struct arena *a, void (*run)(void *thing), void *thing)
{
    struct arena_cleanup *c = ARENA_NEW(a, struct arena_cleanup);
    if (!c) {
        run(thing);
        return false;
    }
    *c = (struct arena_cleanup){a->cleanups, run, thing};
    a->cleanups = c;
    return true;
}
