/* What the fuzzers share. Each file here is one program of libFuzzer's, over functions that take bytes from outside: it
 * ends where a sanitizer finds something, or where what a header promises does not hold (ASSERT). */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include "base/arena.h"
#include "base/check.h"
#include "base/utf8.h"
#include "parley/status.h"
#include "parley/str.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's name; called with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline struct view input_of(const uint8_t *data, size_t size)
{
    return (struct view){(const char *)data, size};
}

/* The input's first byte, for what is not a text; 0 where there is none. */
static inline unsigned take_byte(struct view *input)
{
    if (!input->len) return 0;
    unsigned byte = (unsigned char)*input->at;
    *input = (struct view){input->at + 1, input->len - 1};
    return byte;
}

/* Is what a function borrowed a part of what it was given? */
static inline bool lies_in(struct view part, struct view whole)
{
    return !part.at || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

/* An arena for one input at a time. */
static inline struct arena *fresh_arena(void)
{
    static struct arena arena;
    if (!arena.cap) arena_init(&arena, (size_t)64 << 20);
    arena_reset(&arena);
    return &arena;
}

#endif
