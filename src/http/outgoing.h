/* An answer on its way out: as much of it as the client has not taken yet. Nothing here waits but outgoing_finish;
 * where the client takes no more for now, the rest is kept with its connection, and no thread with it. */
#ifndef HTTP_OUTGOING_H
#define HTTP_OUTGOING_H

#include "base/peer.h"
#include "parley/attributes.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define OUTGOING_SLICE 65536 /* bytes that a client must take from one deadline to the next */

enum sent {
    SENT_ALL,
    SENT_SOME, /* and it would take more; but others may have their turn first */
    SENT_FULL, /* go on when the peer is writable */
    SENT_NONE, /* the peer is gone, or a file ended too soon */
};

struct outgoing {
    /* what is left, in this order */
    struct view head, body;
    struct {
        int fd; /* its own; -1: none */
        int64_t from, len;
    } file;
    /* once it is kept: where the texts lie */
    struct str own_head, own_body;
    uint64_t taken, wanted; /* bytes so far, and before the next deadline */
    enum sent sent;         /* what became of it last */
    /* what becomes of the connection then */
    bool keep, heard_out;
};

/* Sends what the peer takes at once, in one system call where that is all; with TLS in records, small texts in one.
 * Answers `sent`. */
enum sent outgoing_send(struct outgoing *o, struct peer *peer);
/* The same, waiting for the peer until then (monotonic, ms). False: not all of it has gone out. */
MUST_CHECK bool outgoing_finish(struct outgoing *o, struct peer *peer, int64_t until);

/* Copies `o` to where it may stay. The head is copied, too; a body that lies in `body` takes its memory along, any
 * other is borrowed on. NULL: no memory, and nothing has changed. */
MUST_CHECK struct outgoing *outgoing_keep(const struct outgoing *o, struct str *body);
/* Would it take that memory along? */
bool outgoing_takes(const struct outgoing *o, const struct str *body);
/* Bytes that one that is kept has for itself. */
size_t outgoing_bytes(const struct outgoing *o);
/* Has its client taken enough for a new deadline? Counts on from here then. */
bool outgoing_moves(struct outgoing *o);
/* Closes the file. The second also forgets one that was kept; takes NULL. */
void outgoing_release(struct outgoing *o);
void outgoing_free(struct outgoing *o);

#endif
