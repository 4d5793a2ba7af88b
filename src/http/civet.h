/* The HTTP server: listeners and a fixed number of workers, each of which reads a request, runs the handler and sends
 * its answer. civet.c is the one file that knows civetweb. */
#ifndef HTTP_CIVET_H
#define HTTP_CIVET_H

#include "http/request.h"
#include "http/response.h"
#include "parley/status.h"
#include <stddef.h>
#include <stdint.h>

struct server;
struct tls;

struct server_options {
    const char *const *listen; /* as http/listen.h reads them */
    size_t nlisten;
    struct tls *tls; /* of the addresses behind "https://"; NULL: there are none. Outlives the server */
    int workers;
    size_t arena_cap; /* bytes a request may take from its arena */
    /* Called by a worker for each request. `ctx` as given. */
    void (*handle)(void *ctx, struct request *rq, struct response *rs);
    /* Called by a worker for what never becomes a request (a head over 16 KiB, a malformed one): fills headers and body
     * for that status. The connection closes afterwards. */
    void (*refuse)(void *ctx, int status, struct response *rs);
    void *ctx;
};

/* Listens when it returns OK. INVALID, UNAVAILABLE: as listen_resolve. Ignores SIGPIPE for the whole program. */
MUST_CHECK enum status server_open(struct server **out, const struct server_options *options, struct failure *f);
/* The port of the n-th address in `listen`; 0 beyond the last. */
uint16_t server_port(const struct server *s, size_t n);
/* Stops accepting; idle keep-alive connections end; waits for the handlers that run. Takes NULL. */
void server_close(struct server *s);

#endif
