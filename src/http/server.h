/* The HTTP server: a front, which has the connections that wait (front.h), and a fixed number of workers, each of which
 * reads a request, runs the handler and sends its answer, unless the handler lets that wait (exchange.h). While one
 * waits for its client, or pauses (request.h), another thread works in its place. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/request.h"
#include "http/response.h"
#include "parley/status.h"
#include <stddef.h>
#include <stdint.h>

struct metrics;
/* Threads for each one that works, at most: started when they are needed, they are those that wait. As long as handlers
 * let no more than SERVER_PAUSES for each pause at once, some are left to be waited in for clients and to work in. */
#define SERVER_THREADS 8
#define SERVER_PAUSES  5
#define SERVER_BODIES  (SERVER_THREADS - SERVER_PAUSES - 1) /* that may wait for bodies */

struct server;
struct tls;

struct server_options {
    const char *const *listen; /* as http/listen.h reads them */
    size_t nlisten;
    struct tls *tls;  /* of the addresses behind "https://"; NULL: there are none. Outlives the server */
    int workers;      /* that work at once */
    size_t arena_cap; /* bytes a request may take from its arena */
    size_t deferred;  /* bytes that the arenas of all exchanges (http/exchange.h) may hold when those begin */
    /* Milliseconds; 0: 10, 10 and 60 seconds. What is late is answered with 408. */
    int64_t head_ms; /* from a request's first byte, or the connection's beginning, to its whole head */
    int64_t body_ms; /* of waiting for the next bytes of a body; those of a short request must all come in that time,
                        those of a longer one at 1 KiB a second at least. SERVER_BODIES threads for each worker wait
                        for those; while others wait for their turn it is 64 KiB (http/wire.h) */
    int64_t idle_ms; /* between two requests */
    /* At once, without those that were detached; 0: as many as there are descriptors. Beyond: 503. */
    size_t connections;
    /* Bytes of answers that clients have not taken yet, files not among them; 0: 64 MiB. Where that is reached, a
     * further client that does not take all at once is closed. */
    size_t unsent;
    struct metrics *metrics; /* its connections are counted there; NULL: nowhere. Outlives the server */
    /* Called by a worker for each request. `ctx` as given. */
    void (*handle)(void *ctx, struct request *rq, struct response *rs);
    /* Called by any of the server's threads for what never becomes a request (a head over 16 KiB, a malformed or a late
     * one, a connection too many): fills headers and body for that status. The connection closes afterwards. */
    void (*refuse)(void *ctx, int status, struct response *rs);
    void *ctx;
};

/* Listens when it returns OK. INVALID, UNAVAILABLE: as listen_open. Ignores SIGPIPE for the whole program. */
MUST_CHECK enum status server_open(struct server **out, const struct server_options *options, struct failure *f);
/* The port of the n-th address in `listen`; 0 beyond the last. */
uint16_t server_port(const struct server *s, size_t n);
/* Stops accepting; connections that wait end; answers the requests that have come, and waits for the handlers that run
 * and the exchanges that are open. A client that does not take its answer in 0.3 seconds does not get all of it. Takes
 * NULL. */
void server_close(struct server *s);

#endif
