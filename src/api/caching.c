#include "api/caching.h"
#include "http/etag.h"

void caching_headers(enum caching caching, const struct request *rq, struct response *rs)
{
    char etag[ETAG_LENGTH + 1];
    if (caching == CACHING_OWN && rs->status < 400) return;
    if (caching != CACHING_CHECKED || rs->status != 200 || (rq->method != METHOD_GET && rq->method != METHOD_HEAD)) {
        response_header(rs, "Cache-Control", VIEW("no-store"));
        return;
    }
    etag_of(rs->body.len ? str_view(&rs->body) : rs->fixed, etag);
    response_header(rs, "ETag", view_of(etag));
    response_header(rs, "Cache-Control", VIEW("private, no-cache"));
    /* What a reader is shown depends on who asks, and the headers of CORS on the page. */
    response_header(rs, "Vary", VIEW("Authorization, Cookie, Origin"));
    if (!etag_held(request_header(rq, "If-None-Match"), etag)) return;
    rs->status = 304;
    str_reset(&rs->body);
    rs->fixed = (struct view){0};
}
