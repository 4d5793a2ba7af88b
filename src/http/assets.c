#include "http/assets.h"
#include "http/etag.h"

/* Scripts, styles and connections of the page's own origin and nothing else (CSP level 3); nobody frames it. */
#define POLICY                                                                                                         \
    "default-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "                 \
    "frame-ancestors 'none'"

bool assets_serve(const struct request *rq, struct response *rs)
{
    if (rq->method != METHOD_GET && rq->method != METHOD_HEAD) return false;
    for (size_t i = 0; i < assets_count; i++) {
        const struct asset *a = &assets_table[i];
        if (!view_is(rq->path, a->path)) continue;
        response_header(rs, "ETag", view_of(a->etag));
        response_header(rs, "Cache-Control", VIEW("no-cache"));
        response_header(rs, "Content-Type", view_of(a->type));
        response_header(rs, "X-Content-Type-Options", VIEW("nosniff"));
        response_header(rs, "Content-Security-Policy", VIEW(POLICY));
        response_header(rs, "Referrer-Policy", VIEW("no-referrer"));
        if (etag_listed(request_header(rq, "If-None-Match"), a->etag))
            rs->status = 304;
        else
            rs->fixed = (struct view){a->at, (size_t)(a->end - a->at)};
        return true;
    }
    return false;
}
