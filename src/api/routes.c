/* The table of routes, and the way of a request through it. */
#include "api/access.h"
#include "api/app.h"
#include "api/auth.h"
#include "api/caching.h"
#include "api/call.h"
#include "api/cors.h"
#include "api/events.h"
#include "api/fail.h"
#include "api/file.h"
#include "api/idempotency.h"
#include "api/reader.h"
#include "api/rest.h"
#include "http/assets.h"
#include "schema/json.h"
#include "schema/query.h"
#include "schema/registry.h"

enum collection_sort { ANY, AUTH, STREAM, UPLOAD };

#define GET    (1u << METHOD_GET)
#define POST   (1u << METHOD_POST)
#define PATCH  (1u << METHOD_PATCH)
#define DELETE (1u << METHOD_DELETE)
/* The operation reads its body piece by piece, and asks itself then whether the request came before
 * (api/idempotency.h). */
#define PIECES (1u << 31)

static operation no_versions;

/* The first that fits is taken: fixed words stand before ":id". */
static const struct route {
    unsigned methods;    /* and PIECES */
    const char *pattern; /* its first parameter, if any, is the collection, its second the id */
    enum collection_sort sort;
    operation *run;
} routes[] = {
    {GET, "/api/access", ANY, access_all},
    {GET, "/api/:collection", ANY, rest_find},
    {POST | PIECES, "/api/:collection", UPLOAD, rest_create},
    {POST, "/api/:collection", ANY, rest_create},
    {PATCH, "/api/:collection", ANY, rest_update_many},
    {DELETE, "/api/:collection", ANY, rest_delete_many},
    {GET, "/api/:collection/count", ANY, rest_count},
    {GET, "/api/:collection/sse", STREAM, events_open},
    {GET, "/api/:collection/versions", ANY, no_versions},
    {GET, "/api/:collection/versions/:id", ANY, no_versions},
    {GET, "/api/:collection/init", AUTH, auth_init},
    {GET, "/api/:collection/me", AUTH, auth_me},
    {POST, "/api/:collection/first-register", AUTH, auth_first_register},
    {POST, "/api/:collection/login", AUTH, auth_login},
    {POST, "/api/:collection/logout", AUTH, auth_logout},
    {POST, "/api/:collection/refresh-token", AUTH, auth_refresh},
    {POST, "/api/:collection/unlock", AUTH, auth_unlock},
    {POST, "/api/:collection/forgot-password", AUTH, auth_forgot},
    {POST, "/api/:collection/reset-password", AUTH, auth_reset},
    {POST, "/api/:collection/access", ANY, access_one},
    {POST, "/api/:collection/access/:id", ANY, access_one},
    {GET, "/api/:collection/file/:id", UPLOAD, file_send},
    {GET, "/api/:collection/:id", ANY, rest_find_one},
    {PATCH, "/api/:collection/:id", ANY, rest_update},
    {DELETE, "/api/:collection/:id", ANY, rest_delete},
    {POST, "/api/:collection/:id/duplicate", ANY, rest_duplicate},
};

static enum status no_versions(struct call *call, struct failure *f)
{
    if (!call->reader.signed_in) return call_forbidden(f);
    return fail(f, NOT_FOUND, "Not Found");
}

static bool fits(const struct collection *c, enum collection_sort sort)
{
    switch (sort) {
    case ANY: return true;
    case AUTH: return c->auth;
    case STREAM: return c->stream;
    case UPLOAD: return c->upload;
    }
    return false;
}

static const struct route *find_route(struct call *call, const struct path *path, enum method method)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct route *route = &routes[i];
        struct view params[MAX_SEGMENTS] = {0};
        if (!(route->methods >> method & 1) || !path_match(path, route->pattern, params)) continue;
        call->collection = params[0].at ? collection_find(params[0]) : NULL;
        call->id = params[1];
        if (params[0].at && (!call->collection || !fits(call->collection, route->sort))) continue;
        return route;
    }
    return NULL;
}

/* POST with one of these headers is a GET whose query is the body: a form's text, or a JSON object for one document. */
static bool overridden(const struct request *rq)
{
    return rq->method == METHOD_POST && (view_is(request_header(rq, "X-HTTP-Method-Override"), "GET") ||
                                            view_is(request_header(rq, "X-Payload-HTTP-Method-Override"), "GET"));
}

static enum status read_override(struct call *call, struct failure *f)
{
    struct view type = request_header(call->rq, "Content-Type"), body;
    struct json_object *json;
    struct view media = view_trim(view_cut(&type, ';'));
    if (view_is_nocase(media, "application/x-www-form-urlencoded")) {
        enum status status = request_body(call->rq, BODY_LIMIT, &body, f);
        return status ? status : query_parse(call->arena, body, &call->query, f);
    }
    enum status status = call_body(call, false, &json, f);
    if (!status && call->id.at && json) call->query = json;
    return status;
}

static void answer(struct call *call)
{
    struct path path;
    struct failure f = {0};
    struct request *rq = call->rq;
    bool override = overridden(rq);
    enum method method = rq->method == METHOD_HEAD || override ? METHOD_GET : rq->method;
    const struct route *route = path_parse(&path, rq->path, call->arena) ? find_route(call, &path, method) : NULL;
    if (!route) {
        fail_no_route(call->rs, rq->path);
        return;
    }
    enum status status = query_parse(call->arena, rq->query, &call->query, &f);
    if (!status && override) status = read_override(call, &f);
    if (!status) status = reader_find(call, &f);
    if (!status && method == METHOD_POST) status = idempotency_begin(call, &f);
    if (!status && !(route->methods & PIECES)) status = idempotency_decide_body(call, &f);
    if (!status && !idempotency_replayed(call)) status = route->run(call, &f);
    if (status && !call->detached) {
        call->type = VIEW("application/json");
        fail_respond(call->rs, &f);
    }
    idempotency_end(call);
}

void api_handle(void *ctx, struct request *rq, struct response *rs)
{
    struct call call = {.app = ctx, .rq = rq, .rs = rs, .arena = rq->arena, .type = VIEW("application/json")};
    if (!view_starts(rq->path, "/api/") && !view_is(rq->path, "/api")) {
        if (!assets_serve(rq, rs)) fail_no_route(rs, rq->path);
        if (rs->status != 404) return;
        response_header(rs, "Content-Type", call.type);
        caching_headers(CACHING_NONE, rq, rs);
        return;
    }
    cors_headers(call.app, rq, rs);
    if (rq->method == METHOD_OPTIONS)
        str_addz(&rs->body, "{}");
    else
        answer(&call);
    if (call.detached) return;
    if (call.type.len) response_header(rs, "Content-Type", call.type);
    if (rq->method != METHOD_OPTIONS) caching_headers(call.caching, rq, rs);
}

void api_refuse(void *ctx, int status, struct response *rs)
{
    (void)ctx;
    response_header(rs, "Content-Type", VIEW("application/json"));
    response_header(rs, "Cache-Control", VIEW("no-store"));
    str_addz(&rs->body, "{\"errors\":[{\"message\":");
    str_add_json(&rs->body, view_of(response_reason(status)));
    str_addz(&rs->body, "}]}");
}
