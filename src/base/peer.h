/* The other end of a connection: a socket, and TLS over it where both speak that. A small value with one owner,
 * handed over whole, between threads too; only its owner may use it. The socket is non-blocking and SIGPIPE is ignored;
 * nothing here waits: what cannot go on says for what it wants to be called again. */
#ifndef BASE_PEER_H
#define BASE_PEER_H

#include "parley/attributes.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ssl_st;
struct tls;

struct peer {
    int socket;         /* -1: none */
    struct ssl_st *tls; /* NULL: plain */
};

/* What the verbs answer when it is not a number of bytes. */
enum peer_answer {
    PEER_GONE = 0,            /* closed, reset or broken; for good */
    PEER_UNTIL_READABLE = -1, /* call again when the socket is readable: it has given all it had, and owes an edge */
    PEER_UNTIL_WRITABLE = -2, /* call again when the socket is writable: it has taken nothing, and owes an edge */
    PEER_AGAIN = -3,          /* call again: something came that was for TLS alone, and there may be more */
    PEER_NOT_TLS = -4,        /* to a handshake alone: the client speaks HTTP without TLS */
};

static inline struct peer peer_plain(int socket)
{
    return (struct peer){.socket = socket};
}

/* Lays TLS over a plain peer, as its server. False: no memory, and it is plain still. */
MUST_CHECK bool peer_secure(struct peer *p, struct tls *tls);
/* The same as a client of the server of that name or address. */
MUST_CHECK bool peer_secure_to(struct peer *p, struct tls *tls, const char *host);
/* The handshake, to be called until it is positive (done) or PEER_GONE or PEER_NOT_TLS. */
MUST_CHECK int peer_shake_hands(struct peer *p);
/* Why TLS failed in this thread's last call, in OpenSSL's words; NULL: for no reason of its own. */
const char *peer_complaint(void);

/* Sends some of the bytes, at least one; answers how many. After PEER_UNTIL_WRITABLE the next call must offer the same
 * bytes again, and no fewer (they may lie elsewhere in memory): with TLS a part of them may be on its way in a record
 * that the socket did not take whole. Never PEER_UNTIL_READABLE or PEER_AGAIN. */
MUST_CHECK ssize_t peer_send(struct peer *p, struct view bytes);
/* Reads some bytes; answers how many. Each call does at most one record's work. */
MUST_CHECK ssize_t peer_receive(struct peer *p, char *at, size_t room);
/* Positive: peer_receive would answer bytes, or PEER_GONE. For a peer with TLS only. */
MUST_CHECK int peer_look(struct peer *p);

/* Takes TLS away again, having told the client of the end of what it was sent, if the socket takes that at once and no
 * record is on its way. The socket stays. */
void peer_finish(struct peer *p);
/* The same, and closes the socket. */
void peer_close(struct peer *p);

#endif
