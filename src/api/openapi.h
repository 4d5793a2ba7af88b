/* GET /api/openapi.json: the API as an OpenAPI 3.1 document, made from the tables of collections and routes. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "api/call.h"

struct openapi;

/* The document of this server; it never changes. `app` is borrowed for the call; its rules are set. NULL: no memory. */
MUST_CHECK struct openapi *openapi_new(const struct app *app);
/* Takes NULL. No request that was answered with the document may be under way. */
void openapi_free(struct openapi *o);

operation openapi_get;

#endif
