/* Each pattern of the routes becomes a path item for each collection it fits. A path that is read with a query can be
 * read with POST as well (X-HTTP-Method-Override); where there is a POST of its own, that one tells of both. */
#include "api/openapi.h"
#include "api/components.h"
#include "base/check.h"
#include "parley/parley.h"
#include "schema/json.h"
#include "schema/jsonschema.h"
#include "schema/registry.h"
#include <stdlib.h>
#include <string.h>

#define REF JSONSCHEMA_REF

struct openapi {
    struct str text;
};

/* What an operation is made of. */
struct op {
    const struct app *app;
    const struct route *route;
    const struct collection *c; /* NULL: none */
    enum method method;
    const struct route *read; /* of a POST: the GET that it may stand for; NULL: none */
};

static const char *const methods[] = {
    [METHOD_GET] = "get",
    [METHOD_HEAD] = "head",
    [METHOD_POST] = "post",
    [METHOD_PATCH] = "patch",
    [METHOD_DELETE] = "delete",
};

static const char *const bodies[] = {
    [BODY_CREATE] = REF("{one}Create"),
    [BODY_UPDATE] = REF("{one}Update"),
    [BODY_COPY] = REF("{one}Update"),
    [BODY_CREDENTIALS] = REF("Credentials"),
    [BODY_EMAIL] = REF("Email"),
    [BODY_RESET] = REF("NewPassword"),
    [BODY_MARK] = REF("ReadMark"),
    [BODY_TYPING] = REF("Typing"),
    [BODY_PROFILE] = REF("ProfileChange"),
};

#define JSON "application/json"

#define SETS_COOKIE "'Set-Cookie':{'description':'The token, or an emptied cookie','schema':" STRING "}"
#define HAS_ETAG    "'ETag':{'schema':" STRING "}"
#define HAS_RANGE   "'Content-Range':{'schema':" STRING "}"

#define BYTES "{'type':'string','contentMediaType':'application/octet-stream'}"

static const struct {
    enum route_answer answer;
    int status;
    const char *description;
    const char *type, *schema; /* NULL: no body */
    const char *headers;       /* NULL: none */
} answers[] = {
    {ANSWER_LIST, 200, "A page of documents", JSON, REF("{one}List"), NULL},
    {ANSWER_COUNT, 200, "How many there are", JSON, REF("Count"), NULL},
    {ANSWER_DOC, 200, "The document", JSON, REF("{one}"), NULL},
    {ANSWER_CREATED, 201, "The new document", JSON, REF("{one}Written"), NULL},
    {ANSWER_WRITTEN, 200, "The document", JSON, REF("{one}Written"), NULL},
    {ANSWER_BULK, 200, "The documents that were met", JSON, REF("{one}Bulk"), NULL},
    {ANSWER_BULK, 400, "Some or all failed, or the request was wrong", JSON,
        "{'anyOf':[" REF("{one}Bulk") "," REF("Errors") "]}", NULL},
    {ANSWER_EVENTS, 200,
        "Server-Sent Events. First hello, then message with the newest ten documents or what came since the cursor; "
        "then message for each document that is new or has changed and matches, delete for one that is gone or "
        "matches no more, ping every 30 seconds; reset when the cursor cannot be honoured, bye before the server ends "
        "the stream. The schema sees each event as an object.",
        "text/event-stream", LIST(REF("{one}Event")), NULL},
    {ANSWER_NAMED_EVENTS, 200,
        "Server-Sent Events, as those of one collection, but that the data of message and delete name theirs; and "
        "those that `events` asks for, which have no id, are not sent again, and may be lost to a reader who is "
        "behind.",
        "text/event-stream", LIST(REF("NamedEvent")), NULL},
    {ANSWER_FILE, 200, "The bytes, of the type that was stored", "*/*", BYTES,
        "'Accept-Ranges':{'schema':" STRING "}," HAS_ETAG},
    {ANSWER_FILE, 206, "The range that was asked for", "*/*", BYTES, HAS_RANGE "," HAS_ETAG},
    {ANSWER_FILE, 304, "It is the one that the client has", NULL, NULL, HAS_ETAG},
    {ANSWER_FILE, 416, "There is no such range", NULL, NULL, HAS_RANGE},
    {ANSWER_INITIALIZED, 200, "Whether there is one", JSON, REF("Initialized"), NULL},
    {ANSWER_ME, 200, "The reader, or null", JSON, REF("{one}Me"), NULL},
    {ANSWER_SIGNED_IN, 200, "A token, also as a cookie", JSON, REF("{one}Entered"), SETS_COOKIE},
    {ANSWER_REFRESHED, 200, "A token, also as a cookie", JSON, REF("{one}Refreshed"), SETS_COOKIE},
    {ANSWER_RESET, 200, "A token, also as a cookie", JSON, REF("{one}Reset"), SETS_COOKIE},
    {ANSWER_SIGNED_OUT, 200, "The session has ended", JSON, REF("Done"), SETS_COOKIE},
    {ANSWER_MESSAGE, 200, "Done", JSON, REF("Done"), NULL},
    {ANSWER_ACCESS, 200, "The rights", JSON, REF("Access"), NULL},
    {ANSWER_ACCESS_ALL, 200, "The rights", JSON, REF("AccessAll"), NULL},
    {ANSWER_OPENAPI, 200, "An OpenAPI document", JSON, "{'type':'object'}", HAS_ETAG},
    {ANSWER_OPENAPI, 304, "It is the one that the client has", NULL, NULL, HAS_ETAG},
    {ANSWER_CONFIG, 200, "The settings that clients see", JSON, REF("Config"), HAS_ETAG},
    {ANSWER_CONFIG, 304, "It is the one that the client has", NULL, NULL, HAS_ETAG},
    {ANSWER_PRESENCE, 200, "The ids of the users who are online", JSON, REF("Presence"), NULL},
    {ANSWER_PRESENCE_OF, 200, "Whether the user is online, and since when not", JSON, REF("PresenceOf"), NULL},
    {ANSWER_PEOPLE, 200, "A page of people", JSON, REF("PersonList"), NULL},
    {ANSWER_PROFILE, 200, "The profile", JSON, REF("Profile"), NULL},
    {ANSWER_SESSIONS, 200, "The sessions", JSON, REF("SessionList"), NULL},
    {ANSWER_CONVERSATIONS, 200, "A page of conversations", JSON, REF("ConversationList"), NULL},
    {ANSWER_CONVERSATION, 200, "The conversation", JSON, REF("Conversation"), NULL},
    {ANSWER_MARK, 200, "The conversation's marks", JSON, REF("ConversationMark"), NULL},
    {ANSWER_NOTHING, 204, "Done", NULL, NULL, NULL},
    {ANSWER_METRICS, 200, "Prometheus' text format 0.0.4", "text/plain", STRING, NULL},
};

static bool free_for(const struct op *op, enum right right)
{
    return rights_rule(op->app, op->c, right) == ACCESS_ANYONE;
}

static bool for_anyone(const struct op *op)
{
    switch (op->route->need) {
    case NEEDS_CREATE: return free_for(op, RIGHT_CREATE);
    case NEEDS_READ: return free_for(op, RIGHT_READ);
    case NEEDS_UPDATE: return free_for(op, RIGHT_UPDATE);
    case NEEDS_REMOVE: return free_for(op, RIGHT_REMOVE);
    case NEEDS_USER:
    case NEEDS_SESSION: return false;
    case NEEDS_NOTHING:
    case NEEDS_PASSWORD:
    case NEEDS_TOKEN:
    case NEEDS_NOBODY: return true;
    }
    return false;
}

/* Is the failure one of those that the operation is known for? */
static bool may_fail(const struct op *op, int status)
{
    enum route_need need = op->route->need;
    enum route_answer answer = op->route->answer;
    bool reads = op->method == METHOD_GET || op->method == METHOD_HEAD || answer == ANSWER_ACCESS;
    const char *pattern = op->route->pattern;
    bool one = strstr(pattern, "/:id") || strstr(pattern, "/:peer") || strstr(pattern, "/:session");
    switch (status) {
    case 401: return need == NEEDS_PASSWORD || need == NEEDS_USER || answer == ANSWER_NAMED_EVENTS;
    case 403:
        return (!for_anyone(op) && need != NEEDS_USER) || answer == ANSWER_NAMED_EVENTS || need == NEEDS_TOKEN ||
               need == NEEDS_NOBODY;
    case 404: return one || answer == ANSWER_FILE || answer == ANSWER_REFUSAL;
    case 422: return op->method == METHOD_POST; /* a key that stood for another request */
    case 409: return !reads || op->method == METHOD_POST;
    case 503: return !reads || answer == ANSWER_EVENTS || answer == ANSWER_NAMED_EVENTS;
    case 507: return !reads;
    case 413: return op->route->body || (op->route->asks & (ASKS_SORT | ASKS_PAGE));
    default: return true;
    }
}

static void add_security(struct str *out, const struct op *op)
{
    if (for_anyone(op)) jsonschema_add_text(out, ",'security':[{},{'bearer':[]},{'jwt':[]},{'cookie':[]}]", NULL);
}

static void add_parameters(struct str *out, const struct op *op, bool override)
{
    str_addz(out, ",\"parameters\":[");
    components_add_parameters(out, op->route->asks, op->c);
    if (op->method == METHOD_POST) components_add_parameter(out, "Idempotency-Key", NULL);
    if (override) {
        components_add_parameter(out, "override", NULL);
        components_add_parameter(out, "override-payload", NULL);
    }
    str_addc(out, ']');
}

/* The body of a form, and that with a file for one document that is a file. */
static void add_form(struct str *out, const struct op *op)
{
    bool file = op->c && op->c->upload && op->route->answer != ANSWER_BULK;
    bool create = op->route->body == BODY_CREATE;
    jsonschema_add_text(out, "'multipart/form-data':{'schema':{'type':'object','required':[", NULL);
    jsonschema_add_text(out, !file ? "'_payload'" : create ? "'file','_payload'" : "", NULL);
    jsonschema_add_text(out, "],'properties':{'_payload':", NULL);
    jsonschema_add_text(out, bodies[op->route->body], op->c);
    if (file) jsonschema_add_text(out, ",'file':" BYTES, NULL);
    jsonschema_add_text(out, "}},'encoding':{'_payload':{'contentType':'" JSON "'}}}", NULL);
}

static void add_request(struct str *out, const struct op *op)
{
    enum route_body body = op->route->body;
    if (!body) return;
    jsonschema_add_text(out, ",'requestBody':{", NULL);
    if (body != BODY_COPY && body != BODY_TYPING) jsonschema_add_text(out, "'required':true,", NULL);
    jsonschema_add_text(out, "'content':{", NULL);
    /* A file cannot come as JSON. */
    if (!op->c || !op->c->upload || body != BODY_CREATE) {
        jsonschema_add_text(out, "'" JSON "':{'schema':", NULL);
        jsonschema_add_text(out, bodies[body], op->c);
        str_addz(out, "},");
    }
    add_form(out, op);
    if (op->read) jsonschema_add_text(out, ",'application/x-www-form-urlencoded':{'schema':" REF("Query") "}", NULL);
    str_addz(out, "}}");
}

static bool has_answer(const struct route *route, int status)
{
    for (size_t i = 0; i < COUNT(answers); i++)
        if (answers[i].answer == route->answer && answers[i].status == status) return true;
    return false;
}

static void add_answers(struct str *out, const struct op *op, const struct route *route)
{
    for (size_t i = 0; i < COUNT(answers); i++) {
        if (answers[i].answer != route->answer) continue;
        json_separate(out);
        str_addf(out, "\"%d\":{\"description\":", answers[i].status);
        str_add_json(out, view_of(answers[i].description));
        if (answers[i].headers) {
            str_addz(out, ",\"headers\":{");
            jsonschema_add_text(out, answers[i].headers, NULL);
            str_addc(out, '}');
        }
        if (answers[i].type && op->method != METHOD_HEAD) {
            str_addf(out, ",\"content\":{\"%s\":{\"schema\":", answers[i].type);
            jsonschema_add_text(out, answers[i].schema, op->c);
            str_addz(out, "}}");
        }
        str_addc(out, '}');
    }
}

static void add_responses(struct str *out, const struct op *op)
{
    int status;
    str_addz(out, ",\"responses\":{");
    add_answers(out, op, op->route);
    if (op->read) add_answers(out, op, op->read);
    for (size_t i = 0; (status = components_failure(i)); i++) {
        if (!may_fail(op, status) || has_answer(op->route, status)) continue;
        json_separate(out);
        str_addf(out, "\"%d\":{\"$ref\":\"#/components/responses/%d\"}", status, status);
    }
    str_addz(out, ",\"default\":{\"$ref\":\"#/components/responses/default\"}}");
}

/* The head of an operation; `more` is added to the route's name. */
static void begin_operation(struct str *out, const char *method, const struct op *op, const char *more)
{
    json_separate(out);
    str_addf(out, "\"%s\":{\"operationId\":\"", method);
    jsonschema_add_text(out, op->route->name, op->c);
    str_addf(out, "%s\",\"tags\":[\"%s\"],\"summary\":\"", more, op->c ? op->c->slug : "system");
    jsonschema_add_text(out, op->route->summary, op->c);
}

static void add_operation(struct str *out, const struct op *op)
{
    bool head = op->method == METHOD_HEAD;
    begin_operation(out, methods[op->method], op, head ? "Head" : "");
    str_addz(out, head ? ": the head alone\"" : "\"");
    add_security(out, op);
    add_parameters(out, op, op->read);
    add_request(out, op);
    add_responses(out, op);
    str_addc(out, '}');
}

static void add_override(struct str *out, const struct op *op)
{
    struct op as_get = *op;
    as_get.method = METHOD_GET;
    begin_operation(out, methods[METHOD_POST], op, "ByPost");
    str_addz(out, ": GET with the query in the body\"");
    add_security(out, op);
    add_parameters(out, &as_get, true);
    jsonschema_add_text(
        out, ",'requestBody':{'content':{'application/x-www-form-urlencoded':{'schema':" REF("Query") "}", NULL);
    if (op->route->answer == ANSWER_DOC) jsonschema_add_text(out, ",'" JSON "':{'schema':" REF("Query") "}", NULL);
    str_addz(out, "}}");
    add_responses(out, &as_get);
    str_addc(out, '}');
}

static void add_options(struct str *out, const struct op *op)
{
    begin_operation(out, "options", op, "Options");
    jsonschema_add_text(out,
        ": CORS preflight','security':[],'responses':{'200':{'description':'The headers say what pages of other "
        "origins may do','content':{'" JSON "':{'schema':{'type':'object'}}}}}}",
        NULL);
}

/* The row of the method in the path item that begins with row `first`; NULL: none. */
static const struct route *row_of(const struct route *first, const struct collection *c, enum method method)
{
    for (const struct route *row = first; row < routes + nroutes; row++)
        if ((row->methods >> method & 1) && route_fits(row, c) && !strcmp(row->pattern, first->pattern)) return row;
    return NULL;
}

static void add_path_item(struct str *out, const struct app *app, const struct route *first, const struct collection *c)
{
    const struct route *get = row_of(first, c, METHOD_GET), *post = row_of(first, c, METHOD_POST);
    bool by_query = get && (get->asks & (ASKS_DOCS | ASKS_WHERE | ASKS_SEVERAL));
    for (size_t m = 0; m < COUNT(methods); m++) {
        const struct route *row = methods[m] ? row_of(first, c, (enum method)m) : NULL;
        if (!row) continue;
        struct op op = {app, row, c, (enum method)m, m == METHOD_POST && by_query ? get : NULL};
        add_operation(out, &op);
    }
    if (by_query && !post) add_override(out, &(struct op){app, get, c, METHOD_POST, NULL});
    add_options(out, &(struct op){app, first, c, METHOD_OPTIONS, NULL});
}

/* "/api/:collection/:id" becomes "/api/messages/{id}", and its parameters are the path item's. */
static void begin_path_item(struct str *out, const char *pattern, const struct collection *c)
{
    json_separate(out);
    str_addc(out, '"');
    struct view rest = view_of(pattern + 1);
    while (rest.at) {
        struct view piece = view_cut(&rest, '/');
        if (view_is(piece, ":collection"))
            str_addf(out, "/%s", c->slug);
        else if (view_starts(piece, ":"))
            str_addf(out, "/{%.*s}", (int)piece.len - 1, piece.at + 1);
        else
            str_addf(out, "/%.*s", VIEW_ARGS(piece));
    }
    str_addz(out, "\":{\"parameters\":[");
    for (rest = view_of(pattern); rest.at;) {
        struct view piece = view_cut(&rest, '/');
        if (!view_starts(piece, ":") || view_is(piece, ":collection")) continue;
        json_separate(out);
        str_addf(out, "{\"$ref\":\"#/components/parameters/%.*s\"}", (int)piece.len - 1, piece.at + 1);
    }
    str_addc(out, ']');
}

static bool is_first(const struct route *row, const struct collection *c)
{
    for (const struct route *before = routes; before < row; before++)
        if (route_fits(before, c) && !strcmp(before->pattern, row->pattern)) return false;
    return true;
}

static void add_paths(struct str *out, const struct app *app, const struct collection *c)
{
    for (const struct route *row = routes; row < routes + nroutes; row++) {
        if (!route_fits(row, c) || !is_first(row, c)) continue;
        begin_path_item(out, row->pattern, c);
        add_path_item(out, app, row, c);
        str_addc(out, '}');
    }
}

static void add_document(struct str *out, const struct app *app)
{
    jsonschema_add_text(out,
        "{'openapi':'3.1.0','info':{'title':'Parley','version':'" PARLEY_VERSION "','license':{'name':'MIT',"
        "'identifier':'MIT'},'description':'Payload-compatible REST and a stream of changes. HEAD is answered wherever "
        "GET is. An unknown path is answered with 404 and a message alone.'},'servers':[{'url':'/'}],"
        "'security':[{'bearer':[]},{'jwt':[]},{'cookie':[]}],'tags':[{'name':'system','description':'The server'}",
        NULL);
    for (size_t i = 0; i < ncollections; i++)
        jsonschema_add_text(out, ",{'name':'{slug}','description':'{many}'}", collection_at(i));
    str_addz(out, "],\"paths\":{");
    add_paths(out, app, NULL);
    for (size_t i = 0; i < ncollections; i++) add_paths(out, app, collection_at(i));
    str_addz(out, "},\"components\":");
    components_add(out);
    str_addc(out, '}');
}

struct openapi *openapi_new(const struct app *app)
{
    struct openapi *o = calloc(1, sizeof *o);
    if (o) add_document(&o->text, app);
    if (!o || !o->text.failed) return o;
    openapi_free(o);
    return NULL;
}

void openapi_free(struct openapi *o)
{
    if (!o) return;
    str_release(&o->text);
    free(o);
}

enum status openapi_get(struct call *call, struct failure *f)
{
    (void)f;
    call->caching = CACHING_CHECKED;
    call->rs->fixed = str_view(&call->app->openapi->text);
    return OK;
}
