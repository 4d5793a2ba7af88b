/* A worker: a thread that serves one connection after the other. What it keeps between requests is shared by
 * worker.c, body.c (struct request's functions) and answer.c. */
#ifndef HTTP_WORKER_H
#define HTTP_WORKER_H

#include "base/arena.h"
#include "http/answer.h"
#include "http/chunked.h"
#include "http/civet.h"
#include "http/front.h"
#include "http/server.h"
#include "http/wire.h"
#include <pthread.h>

#define WORKER_KEEP 65536 /* bytes a buffer may keep for the next answer */

/* The worker's thread only; `request.connection` is the worker. */
struct worker {
    /* fixed while it runs */
    const struct server_options *options;
    struct front *front;
    const struct relief *relief;
    const atomic_llong *stopping; /* 0; when the server is: until when answers may be sent (monotonic, ms) */
    pthread_t thread;
    bool started;
    /* of the connection */
    struct connection *connection; /* NULL: it was given away */
    bool ends;                     /* it is not to be kept */
    bool heard_out;                /* and its client may still be sending */
    /* of the request */
    struct response response;
    struct chunked chunked;
    struct pace pace;
    bool continued; /* 100 Continue has been sent */
    /* for the next one */
    struct sleeper sleeper;
    struct civet *civet;
    struct arena arena;
    struct answer answer;
    struct str chunks;
};

/* False: the system gives no thread or no memory, and nothing is left. */
MUST_CHECK bool worker_start(struct worker *w, const struct server_options *options, struct front *front,
    const struct relief *relief, const atomic_llong *stopping);
/* After front_stop. Takes one that was not started. */
void worker_join(struct worker *w);
/* When all have been joined, as each may be waking another until it ends. Takes one that was not started. */
void worker_release(struct worker *w);

/* Reads over what the handler left of a short body; where that is not worth it, the connection ends after the answer.
 * Before the answer, and after it. */
void body_settle(struct worker *w, const struct request *rq);
void body_skip(struct worker *w);

#endif
