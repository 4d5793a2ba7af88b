/* The front: one thread that accepts connections and has all of them that wait. A worker gets one when there is
 * something for it to do, and gives it back as soon as there is not; so a few workers serve many clients, and an idle
 * or half-open one costs none. */
#ifndef HTTP_FRONT_H
#define HTTP_FRONT_H

#include "http/connection.h"
#include "http/listen.h"
#include "http/lobby.h"
#include "parley/status.h"

struct front;

struct front_options {
    struct listeners *listeners; /* taken by front_open when it returns OK */
    int64_t head_ms;             /* from the first byte, or the connection's beginning, to a whole head; then 408 */
    int64_t body_ms;             /* from then to a whole short body; then 408 */
    int64_t idle_ms;             /* without a further request; then the end */
    size_t most;                 /* connections at once; 0: as many as there are descriptors. Beyond: 503 */
    size_t lent_most;            /* bytes of front_lend */
    size_t unsent_most;          /* bytes of front_keep */
    int places;                  /* workers that get connections at once, but for those that pause */
    int bodies_most;             /* workers that may wait for bodies, at least 1 */
    struct metrics *metrics;     /* of connections; outlives the front */
    /* Writes a whole answer with that status, which closes the connection. On the front's thread. */
    void (*refusal)(void *ctx, int status, struct str *text);
    void *ctx;
};

/* Accepts from then on. UNAVAILABLE: the system gives no thread or no descriptor. */
MUST_CHECK enum status front_open(struct front **out, const struct front_options *options, struct failure *f);
/* Stops accepting. Connections that wait are closed; those whose request has come whole are still to be taken. */
void front_stop(struct front *f);
/* After front_stop, when every connection has come back. Takes NULL. */
void front_free(struct front *f);

/* For workers. Waits for a connection, which is the worker's until it calls one of those below. NULL: there will be no
 * more. */
struct connection *front_take(struct front *f, struct sleeper *self);
/* One that is going to wait for something else; true: no further worker is there to take its place. */
MUST_CHECK bool front_pause(struct front *f);
void front_go_on(struct front *f);
/* Gives it back to wait as its `stage` says. */
void front_wait(struct front *f, struct connection *c);
/* Gives it back as one that a worker can go on with, if others wait for one; false: nobody waits, and it stays the
 * worker's. */
MUST_CHECK bool front_yield(struct front *f, struct connection *c);
/* Ends the sending side, and hears the client out for a second at most. */
void front_part(struct front *f, struct connection *c);
void front_close(struct front *f, struct connection *c);
/* Keeps what is left of an answer with its connection (outgoing_keep). False: there is no memory, or enough is kept
 * already, and nothing has changed. Before another one, front_forget. */
MUST_CHECK bool front_keep(struct front *f, struct connection *c, const struct outgoing *o, struct str *body);
void front_forget(struct front *f, struct connection *c);
/* Before a worker waits for a body, and after that: lobby_begin_body and lobby_end_body. */
MUST_CHECK bool front_begin_body(struct front *f, struct connection *c);
void front_end_body(struct front *f);
/* Takes the peer out of it, and forgets the connection. */
struct peer front_detach(struct front *f, struct connection *c);
/* Lets it go for a while, with that much memory: it waits nowhere, and front_return must follow, for which front_stop's
 * workers wait. False: too much is lent already, and it is the worker's still. */
MUST_CHECK bool front_lend(struct front *f, size_t bytes);
/* Gives those that were lent to workers, by their `link`; the list is empty afterwards. Any thread. */
void front_return(struct front *f, struct list *connections);
/* The memory is free again. */
void front_settle(struct front *f, size_t bytes);

#endif
