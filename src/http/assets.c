#include "http/assets.h"

/* Scripts, styles and connections of the page's own origin and nothing else (CSP level 3); nobody frames it. */
#define POLICY                                                                                                         \
    "default-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "                 \
    "frame-ancestors 'none'"

static bool has_tag(struct view list, const char *etag)
{
    while (list.at) {
        struct view tag = view_trim(view_cut(&list, ','));
        if (view_starts(tag, "W/")) tag = (struct view){tag.at + 2, tag.len - 2};
        if (view_is(tag, etag) || view_is(tag, "*")) return true;
    }
    return false;
}

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
        if (has_tag(request_header(rq, "If-None-Match"), a->etag))
            rs->status = 304;
        else
            rs->fixed = (struct view){a->at, (size_t)(a->end - a->at)};
        return true;
    }
    return false;
}
