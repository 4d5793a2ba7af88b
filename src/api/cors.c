#include "api/cors.h"

/* The original's own: itself and its client's development server. */
static const char *const origins[] = {"http://localhost:3000", "http://localhost:5173"};

bool cors_listed(const struct request *rq)
{
    struct view origin = request_header(rq, "Origin");
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        if (view_is(origin, origins[i])) return true;
    return false;
}

void cors_headers(const struct request *rq, struct response *rs)
{
    response_header(rs, "Access-Control-Allow-Methods", VIEW("PUT, PATCH, POST, GET, DELETE, OPTIONS"));
    response_header(rs, "Access-Control-Allow-Headers",
        VIEW("Origin, X-Requested-With, Content-Type, Accept, Authorization, Content-Encoding, x-apollo-tracing, "
             "X-Payload-HTTP-Method-Override"));
    if (!cors_listed(rq)) return;
    response_header(rs, "Access-Control-Allow-Origin", request_header(rq, "Origin"));
    response_header(rs, "Access-Control-Allow-Credentials", VIEW("true"));
}
