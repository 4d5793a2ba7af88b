/* The table of routes, and the way of a request through it. */
#include "api/access.h"
#include "api/app.h"
#include "api/auth.h"
#include "api/cache.h"
#include "api/caching.h"
#include "api/config.h"
#include "api/conversations.h"
#include "api/cors.h"
#include "api/events.h"
#include "api/fail.h"
#include "api/file.h"
#include "api/idempotency.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/pending.h"
#include "api/people.h"
#include "api/presence.h"
#include "api/profile.h"
#include "api/reader.h"
#include "api/rest.h"
#include "api/route.h"
#include "api/sessions.h"
#include "base/check.h"
#include "http/assets.h"
#include "schema/json.h"
#include "schema/query.h"
#include "schema/registry.h"
#include <string.h>

static operation no_versions;

/* A row's first line is the router's, its second the description's. */
/* clang-format off */
const struct route routes[] = {
    {GET | HEAD, "/api/openapi.json", ANY, openapi_get, "openapi",
        "This document", NEEDS_NOTHING, ASKS_ETAG, BODY_NONE, ANSWER_OPENAPI},
    {GET | HEAD, "/api/parley/metrics", ANY, metrics_get, "metrics",
        "What the server counts", NEEDS_NOTHING, ASKS_NOTHING, BODY_NONE, ANSWER_METRICS},
    {GET, "/api/access", ANY, access_all, "access",
        "What the reader may do, everywhere", NEEDS_NOTHING, ASKS_NOTHING, BODY_NONE, ANSWER_ACCESS_ALL},
    {GET | HEAD, "/api/parley/stream", ANY, events_open_named, "stream",
        "Every change of several collections, as it comes", NEEDS_NOTHING, ASKS_SEVERAL | ASKS_FIRST | ASKS_CURSOR,
        BODY_NONE, ANSWER_NAMED_EVENTS},
    {GET | HEAD, "/api/parley/config", ANY, config_get, "config",
        "What a client needs to know of the server", NEEDS_NOTHING, ASKS_ETAG, BODY_NONE, ANSWER_CONFIG},
    {GET, "/api/parley/presence", ANY, presence_get, "presence",
        "Who is online", NEEDS_USER, ASKS_NOTHING, BODY_NONE, ANSWER_PRESENCE},
    {GET, "/api/parley/presence/:id", ANY, presence_of, "presenceById",
        "Is that user online, and when was he last here?", NEEDS_USER, ASKS_NOTHING, BODY_NONE, ANSWER_PRESENCE_OF},
    {GET, "/api/parley/people", ANY, people_list, "findPeople",
        "The users, by e-mail, with their names", NEEDS_USER, ASKS_PART | ASKS_PEOPLE, BODY_NONE, ANSWER_PEOPLE},
    {GET, "/api/parley/profile", ANY, profile_get, "profile",
        "What the reader says of himself", NEEDS_USER, ASKS_NOTHING, BODY_NONE, ANSWER_PROFILE},
    {PATCH, "/api/parley/profile", ANY, profile_change, "updateProfile",
        "Changes that; what is missing stays", NEEDS_USER, ASKS_NOTHING, BODY_PROFILE, ANSWER_PROFILE},
    {GET, "/api/parley/sessions", ANY, sessions_list, "findSessions",
        "The sessions of the reader, his own first, then the newest", NEEDS_USER, ASKS_NOTHING, BODY_NONE, ANSWER_SESSIONS},
    {DELETE, "/api/parley/sessions/:session", ANY, sessions_end, "endSession",
        "Ends one of them", NEEDS_USER, ASKS_NOTHING, BODY_NONE, ANSWER_NOTHING},
    {GET, "/api/parley/conversations", ANY, conversations_list, "findConversations",
        "The conversations of the reader, one with each user", NEEDS_USER, ASKS_PART, BODY_NONE, ANSWER_CONVERSATIONS},
    {GET, "/api/parley/conversations/:peer", ANY, conversations_one, "findConversationByPeer",
        "The conversation of the reader with one user", NEEDS_USER, ASKS_NOTHING, BODY_NONE, ANSWER_CONVERSATION},
    {POST, "/api/parley/conversations/:peer/read", ANY, conversations_read, "readConversation",
        "The reader has read up to that message", NEEDS_USER, ASKS_NOTHING, BODY_MARK, ANSWER_MARK},
    {POST, "/api/parley/conversations/:peer/typing", ANY, conversations_typing, "typeToPeer",
        "The reader is writing to that user, or no longer", NEEDS_USER, ASKS_NOTHING, BODY_TYPING, ANSWER_NOTHING},
    {GET, "/api/:collection", ANY, rest_find, "find{many}",
        "Lists {many}", NEEDS_READ, ASKS_LIST | ASKS_ETAG, BODY_NONE, ANSWER_LIST},
    {POST, "/api/:collection", ANY, rest_create, "create{one}",
        "Creates a {one}", NEEDS_CREATE, ASKS_DOCS, BODY_CREATE, ANSWER_CREATED},
    {PATCH, "/api/:collection", ANY, rest_update_many, "updateMany{many}",
        "Changes the {many} that where finds", NEEDS_UPDATE, ASKS_LIST & ~ASKS_PAGE, BODY_UPDATE, ANSWER_BULK},
    {DELETE, "/api/:collection", ANY, rest_delete_many, "deleteMany{many}",
        "Deletes the {many} that where finds", NEEDS_REMOVE, ASKS_DOCS | ASKS_WHERE, BODY_NONE, ANSWER_BULK},
    {GET, "/api/:collection/count", ANY, rest_count, "count{many}",
        "Counts {many}", NEEDS_READ, ASKS_WHERE | ASKS_ETAG, BODY_NONE, ANSWER_COUNT},
    {GET | HEAD, "/api/:collection/sse", STREAM, events_open, "stream{many}",
        "Every change of {many}, as it comes", NEEDS_READ, ASKS_WHERE | ASKS_FIRST | ASKS_CURSOR, BODY_NONE,
        ANSWER_EVENTS},
    {GET, "/api/:collection/versions", ANY, no_versions, "find{one}Versions",
        "{many} have no versions", NEEDS_SESSION, ASKS_NOTHING, BODY_NONE, ANSWER_REFUSAL},
    {GET, "/api/:collection/versions/:id", ANY, no_versions, "find{one}VersionById",
        "{many} have no versions", NEEDS_SESSION, ASKS_NOTHING, BODY_NONE, ANSWER_REFUSAL},
    {GET, "/api/:collection/init", AUTH, auth_init, "{one}Init",
        "Is there a {one} at all?", NEEDS_NOTHING, ASKS_NOTHING, BODY_NONE, ANSWER_INITIALIZED},
    {GET, "/api/:collection/me", AUTH, auth_me, "{one}Me",
        "Who is signed in", NEEDS_NOTHING, ASKS_USER, BODY_NONE, ANSWER_ME},
    {POST, "/api/:collection/first-register", AUTH, auth_first_register, "registerFirst{one}",
        "Creates the first {one} and signs in", NEEDS_NOBODY, ASKS_USER | ASKS_SETUP, BODY_CREATE, ANSWER_SIGNED_IN},
    {POST, "/api/:collection/login", AUTH, auth_login, "login{one}",
        "Signs in; five wrong passwords in a row lock", NEEDS_PASSWORD, ASKS_USER, BODY_CREDENTIALS, ANSWER_SIGNED_IN},
    {POST, "/api/:collection/logout", AUTH, auth_logout, "logout{one}",
        "Ends the session", NEEDS_SESSION, ASKS_SESSIONS, BODY_NONE, ANSWER_SIGNED_OUT},
    {POST, "/api/:collection/refresh-token", AUTH, auth_refresh, "refresh{one}Token",
        "A new token for the same session", NEEDS_SESSION, ASKS_USER, BODY_NONE, ANSWER_REFRESHED},
    {POST, "/api/:collection/unlock", AUTH, auth_unlock, "unlock{one}",
        "Forgets wrong passwords", NEEDS_SESSION, ASKS_NOTHING, BODY_EMAIL, ANSWER_MESSAGE},
    {POST, "/api/:collection/forgot-password", AUTH, auth_forgot, "forgot{one}Password",
        "Mails a token that sets a new password", NEEDS_NOTHING, ASKS_NOTHING, BODY_EMAIL, ANSWER_MESSAGE},
    {POST, "/api/:collection/reset-password", AUTH, auth_reset, "reset{one}Password",
        "Sets a new password and signs in", NEEDS_TOKEN, ASKS_USER, BODY_RESET, ANSWER_RESET},
    {POST, "/api/:collection/access", ANY, access_one, "access{many}",
        "What the reader may do with {many}", NEEDS_NOTHING, ASKS_NOTHING, BODY_NONE, ANSWER_ACCESS},
    {POST, "/api/:collection/access/:id", ANY, access_one, "access{one}ById",
        "What the reader may do with one of the {many}", NEEDS_NOTHING, ASKS_NOTHING, BODY_NONE, ANSWER_ACCESS},
    {GET | HEAD, "/api/:collection/file/:filename", UPLOAD, file_send, "get{one}File",
        "The bytes of a file", NEEDS_READ, ASKS_ETAG | ASKS_RANGE, BODY_NONE, ANSWER_FILE},
    {GET, "/api/:collection/:id", ANY, rest_find_one, "find{one}ById",
        "One of the {many}", NEEDS_READ, ASKS_DOCS | ASKS_ETAG, BODY_NONE, ANSWER_DOC},
    {PATCH, "/api/:collection/:id", ANY, rest_update, "update{one}",
        "Changes one of the {many}", NEEDS_UPDATE, ASKS_DOCS, BODY_UPDATE, ANSWER_WRITTEN},
    {DELETE, "/api/:collection/:id", ANY, rest_delete, "delete{one}",
        "Deletes one of the {many}", NEEDS_REMOVE, ASKS_DOCS, BODY_NONE, ANSWER_WRITTEN},
    {POST, "/api/:collection/:id/duplicate", ANY, rest_duplicate, "duplicate{one}",
        "Copies one of the {many}; the body overrides fields", NEEDS_CREATE, ASKS_DOCS, BODY_COPY, ANSWER_WRITTEN},
};
/* clang-format on */

const size_t nroutes = COUNT(routes);

static enum status no_versions(struct call *call, struct failure *f)
{
    if (!call->reader.signed_in) return call_forbidden(f);
    return fail(f, NOT_FOUND, "Not Found");
}

bool collection_fits(const struct collection *c, enum collection_sort sort)
{
    switch (sort) {
    case ANY: return true;
    case AUTH: return c->auth;
    case STREAM: return c->stream;
    case UPLOAD: return c->upload;
    }
    return false;
}

static bool has_collection(const struct route *route)
{
    return strstr(route->pattern, ":collection");
}

bool route_fits(const struct route *route, const struct collection *c)
{
    return has_collection(route) ? c && collection_fits(c, route->sort) : !c;
}

static const struct route *find_route(struct call *call, const struct path *path, enum method method)
{
    for (size_t i = 0; i < nroutes; i++) {
        const struct route *route = &routes[i];
        struct view params[MAX_SEGMENTS] = {0};
        if (!(route->methods >> method & 1) || !path_match(path, route->pattern, params)) continue;
        bool of_collection = has_collection(route);
        call->collection = of_collection ? collection_find(params[0]) : NULL;
        call->id = params[of_collection];
        if (route_fits(route, call->collection)) return route;
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

/* An operation that reads its body piece by piece asks itself whether the request came before (api/idempotency.h). */
static bool reads_pieces(const struct route *route, const struct call *call)
{
    return route->body == BODY_CREATE && call->collection && call->collection->upload;
}

/* Of answers that are kept: all that they depend on besides the documents; empty: it is not kept. Of those who are
 * signed in each has his own: what they may see, and are shown, differs. */
static struct view cache_key(const struct call *call, const struct route *route)
{
    const struct request *rq = call->rq;
    bool documents = route->answer == ANSWER_LIST || route->answer == ANSWER_COUNT || route->answer == ANSWER_DOC;
    if (!documents || (rq->method != METHOD_GET && rq->method != METHOD_HEAD)) return (struct view){0};
    return view_of(arena_printf(call->arena, "%lld %.*s?%.*s",
        call->reader.signed_in ? (long long)call->reader.id : 0LL, VIEW_ARGS(rq->path), VIEW_ARGS(rq->query)));
}

static enum status run_route(struct call *call, const struct route *route, bool override, struct failure *f)
{
    struct view key = cache_key(call, route);
    uint64_t version = key.len ? cache_version(call->app->broker, call->collection) : 0;
    if (key.len && cache_show(call->app->cache, key, version, &call->rs->body)) {
        call->caching = CACHING_CHECKED;
        return OK;
    }
    bool posted = call->rq->method == METHOD_POST && !override;
    enum status status = query_parse(call->arena, call->rq->query, &call->query, f);
    if (!status && override) status = read_override(call, f);
    if (!status && posted) status = idempotency_begin(call, f);
    if (!status && !reads_pieces(route, call)) status = idempotency_decide_body(call, f);
    if (!status && !idempotency_replayed(call)) status = route->run(call, f);
    if (!status && key.len && !call->personal) cache_keep(call->app->cache, key, version, str_view(&call->rs->body));
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
    enum status status = OK;
    if (route) {
        status = reader_find(call, &f);
        if (!status) status = run_route(call, route, override, &f);
    } else {
        fail_no_route(call->rs, rq->path);
    }
    if (!status && call->pending)
        pending_run(call->pending);
    else
        call_end(call, status, &f);
}

static void count(struct app *app, int status)
{
    if (status >= 100 && status < 600) counter_add(&app->metrics.requests[status / 100], 1);
}

void app_count(struct app *app, const struct response *rs)
{
    if (!rs->headers.failed && !rs->body.failed) count(app, rs->status);
}

/* Where it does not take an address for secure, a browser ignores the first and complains. It sends Sec-Fetch-Site only
 * where it does (Fetch Metadata, 2), also behind a proxy that alone speaks TLS. The second counts for all ports of the
 * host: a server that can be reached without TLS would be cut off there. 30 days are the longest that one has to wait
 * who gives TLS up. */
static void add_secure_headers(const struct app *app, const struct request *rq, struct response *rs)
{
    if (request_header(rq, "Sec-Fetch-Site").at) response_header(rs, "Cross-Origin-Opener-Policy", VIEW("same-origin"));
    if (app->only_tls) response_header(rs, "Strict-Transport-Security", VIEW("max-age=2592000"));
}

static void serve_page(struct app *app, struct request *rq, struct response *rs)
{
    if (!assets_serve(app->ui_dir, rq, rs)) fail_no_route(rs, rq->path);
    add_secure_headers(app, rq, rs);
    if (rs->status == 404) {
        response_header(rs, "Content-Type", VIEW("application/json"));
        caching_headers(CACHING_NONE, rq, rs);
    }
    app_count(app, rs);
}

void api_handle(void *ctx, struct request *rq, struct response *rs)
{
    struct app *app = ctx;
    if (!view_starts(rq->path, "/api/") && !view_is(rq->path, "/api") && !view_is(rq->path, "*")) {
        serve_page(app, rq, rs);
        return;
    }
    struct call *call = ARENA_NEW(rq->arena, struct call);
    if (!call) {
        rs->body.failed = true;
        return;
    }
    *call = (struct call){.app = app, .rq = rq, .rs = rs, .arena = rq->arena, .type = VIEW("application/json")};
    cors_headers(app, rq, rs);
    if (rq->method == METHOD_OPTIONS) {
        str_addz(&rs->body, "{}");
        call->caching = CACHING_OWN;
        call_end(call, OK, NULL);
    } else {
        answer(call);
    }
}

void api_refuse(void *ctx, int status, struct response *rs)
{
    count(ctx, status);
    response_header(rs, "Content-Type", VIEW("application/json"));
    response_header(rs, "Cache-Control", VIEW("no-store"));
    str_addz(&rs->body, "{\"errors\":[{\"message\":");
    str_add_json(&rs->body, view_of(response_reason(status)));
    str_addz(&rs->body, "}]}");
}
