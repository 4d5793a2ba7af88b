/* One HTTP request as a handler sees it. All text lies in the connection's buffer or in the request's arena and is good
 * until the handler returns. Only the worker that runs the handler may use it. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/arena.h"
#include "base/peer.h"
#include "parley/status.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stddef.h>

enum method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PATCH,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_OTHER
};

struct request {
    enum method method;
    struct view method_name;
    struct view path;   /* as sent: percent-encoded, from the first "/", no query */
    struct view query;  /* as sent, without "?"; at == NULL: there was no "?" */
    struct view remote; /* the peer's address, "127.0.0.1" or "::1" */
    bool secure;        /* it came through TLS, which was this server's own */
    bool http_1_0;
    struct arena *arena; /* reset after the answer has been sent */
    void *connection;    /* the server's own */
};

/* The header's value without the spaces around it, the name compared without case; at == NULL: not sent.
 * Sent more than once: the first (Cookie and Set-Cookie never go through here twice, RFC 6265, 5.4). */
struct view request_header(const struct request *rq, const char *name);

/* Reads the whole body (Content-Length or chunked; answers "Expect: 100-continue" first). `*body` lies in the arena and
 * has a NUL behind it. A request without a body: OK, at == NULL, len 0; with "Content-Length: 0": OK, at != NULL.
 * Larger than `limit` bytes: TOO_LARGE, and the connection closes after the answer, since the rest was not read.
 * Cut off or malformed: INVALID, the same. */
MUST_CHECK enum status request_body(struct request *rq, size_t limit, struct view *body, struct failure *f);

/* Reads the next bytes of the body, at most `room` of them, for a body that is not to lie in memory as a whole; not to
 * be mixed with request_body. `*got` 0: its end. INVALID: cut off or malformed, and the connection closes after the
 * answer, as it does when the rest is left unread. */
MUST_CHECK enum status request_read(struct request *rq, char *at, size_t room, size_t *got, struct failure *f);

/* The handler is going to wait for something that is no work of its own; between the two its place among those that
 * work is another thread's, and nothing else of the request may be called. */
void request_pause(struct request *rq);
void request_go_on(struct request *rq);

/* Takes the peer away from the server: the caller owns `*peer` from now on (TCP_NODELAY; peer_close() it), and the
 * server sends nothing and forgets the connection when the handler returns. False: not possible here (bytes of a
 * further request have been read already); then the handler must answer as usual. */
MUST_CHECK bool request_detach(struct request *rq, struct peer *peer);

#endif
