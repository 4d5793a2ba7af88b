/* The last steps on a connected socket: send all of an answer, and part without losing it. The socket is non-blocking;
 * the caller keeps it. */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include "parley/str.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Sends both texts, in one send where they fit the socket; `more`: further bytes follow at once, and the system may
 * wait for them to fill a packet. False: the peer is gone, or takes less than 64 KiB in half a minute; once `*hurry` is
 * set, it gets one second. */
MUST_CHECK bool wire_send(int socket, struct view first, struct view second, bool more, const atomic_bool *hurry);
/* The same for `len` bytes of a file from `from` on. False as well when the file ends before. */
MUST_CHECK bool wire_send_file(int socket, int fd, int64_t from, int64_t len, const atomic_bool *hurry);

/* Ends the sending side, then reads and drops what the peer still sends, until it closes or a second has passed or
 * `*hurry` is set. Without this a close() with unread bytes resets the connection, and the peer may lose the answer. */
void wire_drain(int socket, const atomic_bool *hurry);

#endif
