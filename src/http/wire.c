#include "http/wire.h"
#include "base/clock.h"
#include <poll.h>

#define PACE_LEAST  1024  /* bytes a second, over all the time that the server has waited for them */
#define QUEUE_LEAST 65536 /* the same, while others wait for their turn */
#define QUEUE_MS    1000
#define LOOK_UP_MS  250 /* how soon a waiting thread sees `*stopping`, and that it is too slow for a long queue */

/* Waits until the socket is ready for `events` or `deadline` has passed, but no longer than it takes to look up. */
static void wait_for(int socket, short events, int64_t deadline)
{
    struct pollfd p = {.fd = socket, .events = events};
    int64_t left = deadline - clock_monotonic();
    poll(&p, 1, left < LOOK_UP_MS ? (int)(left > 0 ? left : 0) : LOOK_UP_MS);
}

/* All of the queue are to have their turn soon. Who has waited in it has bytes here already, but for one that waits for
 * "100 Continue", which takes a round trip. */
int64_t pace_trial(const struct pace *pace)
{
    int64_t queue = gauge_read(pace->queue), ms = queue > pace->places ? QUEUE_MS * pace->places / queue : QUEUE_MS;
    if (ms < LOOK_UP_MS) ms = LOOK_UP_MS;
    return queue > 0 && ms < pace->patience ? ms : pace->patience;
}

/* Has the client had its time, or let the server wait longer than it may? `waited`: since its last byte. */
static bool too_slow(const struct pace *pace, int64_t waited)
{
    int64_t all = pace->waited + waited, least = gauge_read(pace->queue) > 0 ? QUEUE_LEAST : PACE_LEAST;
    return waited >= pace->patience || (all >= pace_trial(pace) && (int64_t)pace->got < all * least / 1000);
}

/* peer_receive, once it gives something. What came before the server began to stop is taken. */
static ssize_t await(struct peer *peer, char *at, size_t room, struct pace *pace, const atomic_llong *stopping)
{
    int64_t since = clock_monotonic(), waited = 0;
    ssize_t n;
    for (;;) {
        bool over = pace->late || atomic_load(stopping);
        n = peer_receive(peer, at, room);
        if (n >= 0) break;
        if (over) return 0;
        if (n == PEER_AGAIN) continue;
        wait_for(peer->socket, n == PEER_UNTIL_WRITABLE ? POLLOUT : POLLIN, since + pace->patience);
        waited = clock_monotonic() - since;
        pace->late = too_slow(pace, waited);
    }
    pace->waited += waited;
    return n;
}

ssize_t wire_receive(struct peer *peer, char *at, size_t room, struct pace *pace, const atomic_llong *stopping)
{
    ssize_t n = peer_receive(peer, at, room);
    if (n < 0) {
        relief_pause(pace->relief);
        n = await(peer, at, room, pace, stopping);
        relief_go_on(pace->relief);
    }
    pace->got += (size_t)n;
    return n;
}
