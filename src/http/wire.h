/* What is done with a connected peer and may take a while: send all of an answer, and read a body. The caller keeps the
 * peer; in the crowd it counts while it waits. */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include "base/peer.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The threads that wait for their clients. */
struct crowd {
    atomic_int waiting;
    int most; /* when they are more, the slow clients are given up */
    const atomic_bool *hurry;
    /* Called by a thread that begins to wait, and when it goes on; NULL: nobody wants to know. */
    void (*pause)(void *ctx);
    void (*go_on)(void *ctx);
    void *ctx;
};

/* Sends both texts, in one send where they fit the socket; `more`: further bytes follow at once, and the system may
 * wait for them to fill a packet. False: the peer is gone, or takes less than 64 KiB in half a minute; in a crowd in a
 * second; and once `*hurry` is set, it gets one second. */
MUST_CHECK bool wire_send(struct peer *peer, struct view first, struct view second, bool more, struct crowd *crowd);
/* The same for `len` bytes of a file from `from` on. False as well when the file ends before. */
MUST_CHECK bool wire_send_file(struct peer *peer, int fd, int64_t from, int64_t len, struct crowd *crowd);

/* How long a client may take for a body; {.patience, .crowd} at its beginning. Only waiting counts: where the server is
 * the slower, the client has all the time. */
struct pace {
    int64_t patience; /* ms without a byte, and before its pace is looked at: 1 KiB a second; in a crowd it is looked
                         at after a second, and is 64 KiB */
    struct crowd *crowd;
    int64_t waited; /* ms */
    size_t got;
    bool late; /* it has been given up */
};

/* Reads some bytes; answers how many. 0: the peer is gone or late, or none had come when `*hurry` was set. */
MUST_CHECK ssize_t wire_receive(struct peer *peer, char *at, size_t room, struct pace *pace);

#endif
