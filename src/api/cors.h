/* Which headers let pages of other origins use the API (Fetch standard, CORS protocol), as Payload sends them. */
#ifndef API_CORS_H
#define API_CORS_H

#include "api/app.h"

/* Is the request's Origin one of those whose pages may send cookies? Where any origin may read, none is. */
bool cors_listed(const struct app *app, const struct request *rq);
/* On every /api answer. */
void cors_headers(const struct app *app, const struct request *rq, struct response *rs);

#endif
