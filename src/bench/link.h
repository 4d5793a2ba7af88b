/* One connection to the target, watched by an epoll: it connects, speaks TLS where the target does, and then carries
 * bytes. Nothing here waits; its owner, one thread, calls link_go_on for each event. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include "base/peer.h"
#include "bench/target.h"
#include <stdbool.h>

enum link_state {
    LINK_CLOSED,
    LINK_CONNECTING,
    LINK_SHAKING_HANDS,
    LINK_OPEN,
};

struct link {
    struct peer peer;
    enum link_state state;
    bool wants_write; /* what the epoll was told */
    int epoll;
    void *tag;             /* what the epoll's events carry */
    struct str rest;       /* of what was sent, what the socket has not taken */
    const char *complaint; /* why TLS failed, in OpenSSL's words; NULL: it did not */
};

#define LINK_NOTHING     (-1)
#define LINK_PER_ADDRESS 8192

/* The loopback address from which it comes, as in loopback(): from 127.0.1.1 on. */
static inline unsigned link_host(size_t place)
{
    return 0x0101 + (unsigned)(place / LINK_PER_ADDRESS % 0x1000);
}

/* Begins to connect. `place`: its number among the many; to 127.0.0.0/8, where a pair of addresses has 28,000 ports at
 * most, every LINK_PER_ADDRESS come from another address. False: it is closed, and errno says why. */
MUST_CHECK bool link_open(struct link *l, const struct target *t, int epoll, void *tag, size_t place);
/* After an event, or link_open: goes on with connecting and sending. False: it is closed now. */
MUST_CHECK bool link_go_on(struct link *l, const struct target *t);
/* Sends, now or when it can; to one that is open. False: it is closed now. */
MUST_CHECK bool link_send(struct link *l, struct view bytes);
/* How many bytes came, 0: the connection has ended, or LINK_NOTHING. */
MUST_CHECK ssize_t link_receive(struct link *l, char *at, size_t room);
/* One that is closed already may be closed again; a zeroed one is closed. */
void link_close(struct link *l);

#endif
