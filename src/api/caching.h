/* What browsers and proxies may keep of an answer (RFC 9111). Payload says nothing of it. */
#ifndef API_CACHING_H
#define API_CACHING_H

#include "http/request.h"
#include "http/response.h"

enum caching {
    CACHING_NONE,    /* kept by nobody; so is every failure */
    CACHING_CHECKED, /* kept by the reader's own cache, which asks before each use whether it is still so */
    CACHING_OWN,     /* the operation sets its own headers */
};

/* Completes an answer whose status and body are there. A checked one becomes 304 without a body where the client holds
 * the same bytes; only a 200 to GET or HEAD can be checked. */
void caching_headers(enum caching caching, const struct request *rq, struct response *rs);

#endif
