/* Reading a body from a peer, which may take a while. The caller keeps the peer. */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include "base/metric.h"
#include "base/peer.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Whoever waits is relieved: another thread works meanwhile. */
struct relief {
    void (*pause)(void *ctx);
    void (*go_on)(void *ctx);
    void *ctx;
};

/* NULL: there is nobody. */
static inline void relief_pause(const struct relief *r)
{
    if (r) r->pause(r->ctx);
}

static inline void relief_go_on(const struct relief *r)
{
    if (r) r->go_on(r->ctx);
}

/* How long a client may take for a body; {.patience, .queue, .places, .relief} at its beginning. Only waiting counts:
 * where the server is the slower, the client has all the time. */
struct pace {
    int64_t patience;    /* ms without a byte, and before its pace is looked at: 1 KiB a second; while others wait for
                            their turn it is looked at sooner (pace_trial), and is 64 KiB */
    struct gauge *queue; /* how many those are */
    int64_t places;      /* how many may wait for bodies at once */
    const struct relief *relief;
    int64_t waited; /* ms */
    size_t got;
    bool late; /* it has been given up */
};

/* Milliseconds of waiting after which the pace is looked at: while others wait for their turn a second, or the less the
 * more they are than the places, down to a quarter; never more than the patience. */
int64_t pace_trial(const struct pace *pace);

/* Reads some bytes; answers how many. 0: the peer is gone or late, or none had come when `*stopping` was no longer 0.
 */
MUST_CHECK ssize_t wire_receive(
    struct peer *peer, char *at, size_t room, struct pace *pace, const atomic_llong *stopping);

#endif
