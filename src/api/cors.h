/* Which headers let pages of other origins use the API (Fetch standard, CORS protocol), as Payload sends them. */
#ifndef API_CORS_H
#define API_CORS_H

#include "http/request.h"
#include "http/response.h"

/* Is the request's Origin one of those that may send cookies? */
bool cors_listed(const struct request *rq);
/* On every /api answer. */
void cors_headers(const struct request *rq, struct response *rs);

#endif
