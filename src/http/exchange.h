/* An exchange: a request that is answered later, and by another worker. It holds the connection, the request's arena
 * and the response as far as it is there, and no thread: many may wait for one thing, such as a commit. The client is
 * not heard meanwhile; what it has sent behind the request is kept and served after the answer, in order. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "base/arena.h"
#include "base/list.h"
#include "http/request.h"
#include "http/response.h"

struct connection;
struct front;

struct exchange {
    /* the handler's, until exchange_resume */
    struct list link;
    struct response response; /* what the handler had filled in */
    struct arena arena;       /* the request's: all that lies in it stays where it is, the exchange too */
    /* the server's */
    void (*finish)(void *ctx, struct response *rs);
    void *ctx;
    struct front *front;
    struct connection *connection;
    size_t bytes; /* lent by the front */
    bool head_only, keep;
};

/* Takes the request and its response from the worker that runs the handler. Of the request only its arena is left, not
 * the request itself, its texts and headers; the handler touches neither any more and returns. exchange_resume must
 * follow; then finish(ctx, rs) is called by a worker to complete the response, which is sent at once.
 * NULL: not possible here (a part of the body has not been received, or exchanges hold too much memory already); then
 * nothing has changed, and the handler must answer as usual. */
MUST_CHECK struct exchange *request_defer(
    struct request *rq, void (*finish)(void *ctx, struct response *rs), void *ctx);

/* Hands all of the list, which are of one server, to its workers; the list is empty afterwards, and they may be gone.
 * Any thread, at any time before server_close, which waits for it. */
void exchange_resume(struct list *exchanges);

/* For a worker, after the answer. Leaves a block of memory to `arena` if that has none. */
void exchange_free(struct exchange *e, struct arena *arena);

#endif
