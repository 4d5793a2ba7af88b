/* Where connections wait, for their clients or for a worker: lists under one lock, and no system call but to wake a
 * worker. The front's thread has one half of the functions, the workers the other.
 *
 * Of the workers only so many may wait for bodies at once; the others are always there for requests that have come
 * whole. */
#ifndef HTTP_LOBBY_H
#define HTTP_LOBBY_H

#include "base/lock.h"
#include "base/metric.h"
#include "http/connection.h"
#include <stdatomic.h>

/* Where a worker sleeps; {0} with an initialized condition. Stays where it is until lobby_end. */
struct sleeper {
    struct list link;
    struct condition woken;
    bool asleep;
    bool works; /* has one of the places */
};

struct lobby {
    /* fixed after init */
    int64_t timeouts[STAGES]; /* ms */
    int places;               /* workers that work at once, those that pause not among them */
    int bodies_most;
    struct gauge *waits;
    /* under lock */
    struct lock lock;
    struct list waiting[STAGES]; /* each in the order of its deadlines */
    struct list ready;           /* for a worker, the longest there first */
    struct list returned;        /* came with an event while their worker gave them back */
    struct list queue;           /* whose bodies no further worker may wait for, the longest there first */
    struct list sleepers;        /* the last to have fallen asleep comes first */
    int bodies;                  /* workers that may be waiting for one */
    int working;                 /* places that are taken */
    bool closed, ended;
    /* atomic */
    atomic_size_t away; /* connections with an answer to come: they will be ready again */
};

/* `places`, `bodies_most`: at least 1; `waits`: WAITS gauges, kept right by the lobby. */
void lobby_init(struct lobby *l, const int64_t timeouts[STAGES], int places, int bodies_most, struct gauge *waits);
void lobby_destroy(struct lobby *l);

/* ---- for the front's thread ---- */

struct happening {
    struct connection *connection;
    unsigned events;
};

/* Moves to `mine` what waits and is named, and what was returned; each with its events in `fired`. */
void lobby_claim(struct lobby *l, const struct happening *happenings, int n, struct list *mine);
/* All of `still` wait (again); all of `ready` may be taken, for which a worker is woken. Both are empty afterwards. */
void lobby_give(struct lobby *l, struct list *still, struct list *ready);
/* Moves to `due` those whose deadline has come. */
void lobby_due(struct lobby *l, int64_t now, struct list *due);
/* The next deadline, or `latest`, if that is sooner. */
int64_t lobby_next(struct lobby *l, int64_t latest);
/* Moves to `all` what waits, for which there is no place from then on. Who was queued for a body is ready, and who
 * waits for a client to take an answer. */
void lobby_close(struct lobby *l, struct list *all);
/* After that: workers take what is ready and what is away, and then NULL. */
void lobby_end(struct lobby *l);

/* ---- for workers ---- */

/* Waits for a connection that is ready, and a place. NULL: there will be no more. */
struct connection *lobby_take(struct lobby *l, struct sleeper *self);

enum entry {
    ENTRY_WAITS,
    ENTRY_RETURNED, /* something has come for it meanwhile: the front is to look */
    ENTRY_CLOSED,   /* it is the worker's still, who closes it */
};

/* Takes one that has been armed. Unless it says ENTRY_CLOSED, the connection is no longer the worker's. */
MUST_CHECK enum entry lobby_enter(struct lobby *l, struct connection *c);
/* A worker that is going to wait for something else gives its place away; true: no other worker sleeps who could take
 * it. One that goes on has a place at once, even if there is none. */
bool lobby_pause(struct lobby *l);
void lobby_go_on(struct lobby *l);
/* A worker's connection is nobody's until lobby_return. */
void lobby_leave(struct lobby *l);
/* Puts one behind those that are ready; false: there are none, and it is the worker's still. */
MUST_CHECK bool lobby_yield(struct lobby *l, struct connection *c);

/* May the worker wait for this one's body? False: not before another has done so; the connection is no longer the
 * worker's, and lobby_take gives it out when its turn has come. True: lobby_end_body is owed, whatever becomes of it.
 */
MUST_CHECK bool lobby_begin_body(struct lobby *l, struct connection *c);
void lobby_end_body(struct lobby *l);
/* ---- for any thread ---- */

/* Those of `ready` were away; all may be taken. It is empty afterwards. */
void lobby_return(struct lobby *l, struct list *ready);

#endif
