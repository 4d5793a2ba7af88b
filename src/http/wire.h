/* What is done with a connected peer and may take a while: begin TLS, wait for bytes, send all of an answer, and part
 * without losing it. The caller keeps the peer. */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include "base/peer.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Lays TLS over a plain peer. False: it cannot be spoken to any more; the handshake failed or took longer than ten
 * seconds, or `*hurry` was set. One who spoke plain HTTP has been told. */
MUST_CHECK bool wire_secure(struct peer *peer, struct tls *tls, const atomic_bool *hurry);
/* poll() for a peer with TLS: waits at most `ms` for bytes to receive, or the connection's end; 0: neither came. */
int wire_await(struct peer *peer, int ms);

/* Sends both texts, in one send where they fit the socket; `more`: further bytes follow at once, and the system may
 * wait for them to fill a packet. False: the peer is gone, or takes less than 64 KiB in half a minute; once `*hurry` is
 * set, it gets one second. */
MUST_CHECK bool wire_send(
    struct peer *peer, struct view first, struct view second, bool more, const atomic_bool *hurry);
/* The same for `len` bytes of a file from `from` on. False as well when the file ends before. */
MUST_CHECK bool wire_send_file(struct peer *peer, int fd, int64_t from, int64_t len, const atomic_bool *hurry);

/* Ends TLS and the sending side, then reads and drops what the peer still sends, until it closes or a second has passed
 * or
 * `*hurry` is set. Without this a close() with unread bytes resets the connection, and the peer may lose the answer. */
void wire_drain(struct peer *peer, const atomic_bool *hurry);

#endif
