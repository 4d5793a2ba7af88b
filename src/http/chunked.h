/* A body in chunks (RFC 9112, 7.1), decoded as it is read. Strict: what two readers could cut differently is malformed.
 * Extensions and trailers are read and dropped. */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include "parley/attributes.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum chunked_state {
    CHUNKED_SIZE, /* a chunk's size is next */
    CHUNKED_DATA, /* inside a chunk */
    CHUNKED_END,  /* the last chunk and the trailers have been read, and not a byte more */
    CHUNKED_BROKEN,
};

/* {.pull, .ctx} is a decoder at its beginning. */
struct chunked {
    /* Reads exactly n bytes; false: they do not come. */
    bool (*pull)(void *ctx, void *at, size_t n);
    void *ctx;
    uint64_t left; /* of this chunk */
    enum chunked_state state;
};

/* Reads up to `room` bytes of the body, at least one unless it has ended (*got == 0). False: cut off or malformed;
 * every later call says the same. */
MUST_CHECK bool chunked_read(struct chunked *c, void *at, size_t room, size_t *got);

#endif
