#include "api/cors.h"

#define METHODS "PUT, PATCH, POST, GET, DELETE, OPTIONS"
#define HEADERS                                                                                                        \
    "Origin, X-Requested-With, Content-Type, Accept, Authorization, Content-Encoding, x-apollo-tracing, "              \
    "X-Payload-HTTP-Method-Override"

/* What the original does not know: allowed where a preflight asks for it. */
static const char *const further_headers[] = {"Idempotency-Key", "Last-Event-ID", "Parley-Setup-Token"};

bool cors_listed(const struct app *app, const struct request *rq)
{
    return origins_list(&app->cors, request_header(rq, "Origin"));
}

static bool asked_for(const struct request *rq, const char *name)
{
    struct view asked = request_header(rq, "Access-Control-Request-Headers");
    while (asked.at)
        if (view_is_nocase(view_trim(view_cut(&asked, ',')), name)) return true;
    return false;
}

static void add_allowed_headers(const struct request *rq, struct response *rs)
{
    struct str allowed = {0};
    str_addz(&allowed, HEADERS);
    for (size_t i = 0; i < sizeof further_headers / sizeof *further_headers; i++)
        if (asked_for(rq, further_headers[i])) str_addf(&allowed, ", %s", further_headers[i]);
    if (allowed.failed) rs->headers.failed = true;
    response_header(rs, "Access-Control-Allow-Headers", str_view(&allowed));
    str_release(&allowed);
}

void cors_headers(const struct app *app, const struct request *rq, struct response *rs)
{
    bool listed = cors_listed(app, rq);
    response_header(rs, "Access-Control-Allow-Methods", VIEW(METHODS));
    if (rq->method == METHOD_OPTIONS && (listed || app->cors.any))
        add_allowed_headers(rq, rs);
    else
        response_header(rs, "Access-Control-Allow-Headers", VIEW(HEADERS));
    if (app->cors.any) response_header(rs, "Access-Control-Allow-Origin", VIEW("*"));
    if (!listed) return;
    response_header(rs, "Access-Control-Allow-Origin", request_header(rq, "Origin"));
    response_header(rs, "Access-Control-Allow-Credentials", VIEW("true"));
}
