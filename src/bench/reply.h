/* An HTTP answer as it comes, in whatever pieces: its status, and where it ends (RFC 9112). The body is thrown away,
 * or kept where it is asked for. */
#ifndef BENCH_REPLY_H
#define BENCH_REPLY_H

#include "parley/str.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reply_state {
    REPLY_HEAD, /* the zero: nothing, or a part of the head, is here */
    REPLY_BODY, /* `left` bytes are missing */
    REPLY_CHUNK_SIZE,
    REPLY_CHUNK, /* `left` bytes of it */
    REPLY_CHUNK_END,
    REPLY_TRAILER,
    REPLY_TO_END, /* the body ends with the connection */
    REPLY_WHOLE,
    REPLY_BAD, /* this is no HTTP */
};

struct reply {
    enum reply_state state;
    int status;
    bool closes; /* the connection is of no use behind it */
    bool has_length, chunked;
    uint64_t left;
    char line[128]; /* of one that has not ended, its beginning */
    size_t line_len;
    struct str *body; /* the caller's; NULL: it is not kept */
};

/* Takes bytes and returns how many of them belong to this answer; all, as long as it is not whole or bad. */
size_t reply_take(struct reply *r, const char *bytes, size_t len);
/* The connection has ended: is the answer whole now? */
bool reply_end(struct reply *r);

#endif
