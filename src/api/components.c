/* The texts are in jsonschema_add_text's form; the macros are pieces of them. */
#include "api/components.h"
#include "api/conversations.h"
#include "api/people.h"
#include "api/reader.h"
#include "api/token.h"
#include "base/check.h"
#include "http/response.h"
#include "schema/displayname.h"
#include "schema/json.h"
#include "schema/jsonschema.h"
#include "schema/registry.h"
#include <string.h>

#define REF JSONSCHEMA_REF

#define OPTIONAL(type) "{'type':['" type "','null']}"
#define TRUE           "{'const':true}"
#define MAP(of)        "{'type':'object','additionalProperties':" of "}"

/* clang-format off */
#define EVENT(name, data) \
    OBJECT("'event','data'", "'event':{'const':'" name "'},'id':" STRING ",'data':" data)
#define EVENT_JSON(name, data) \
    EVENT(name, "{'type':'string','contentMediaType':'application/json','contentSchema':" data "}")

#define PAGE(of) OBJECT( \
    "'docs','hasNextPage','hasPrevPage','limit','nextPage','page','pagingCounter','prevPage'," \
    "'totalDocs','totalPages'", \
    "'docs':" LIST(of) \
    ",'hasNextPage':" BOOLEAN ",'hasPrevPage':" BOOLEAN \
    ",'limit':" INTEGER \
    ",'nextPage':" OPTIONAL("integer") ",'page':" INTEGER \
    ",'pagingCounter':" INTEGER \
    ",'prevPage':" OPTIONAL("integer") \
    ",'totalDocs':" INTEGER ",'totalPages':" INTEGER)
#define AS_TEXT(n) #n
#define TEXT(n)    AS_TEXT(n)
#define PERSON \
    "'id':" INTEGER ",'email':" STRING ",'name':" OPTIONAL("string") ",'collection':" STRING
#define UNREAD \
    "{'type':'integer','minimum':0,'maximum':" TEXT(UNREAD_SHOWN) ",'description':'The maximum: so many or more'}"

/* Those whose name holds {one} are there for each collection of the sort, the others once; in these, {one} is what users
 * exchange. */
static const struct {
    enum collection_sort sort;
    const char *name, *schema;
} schemas[] = {
    {ANY, "{one}List", PAGE(REF("{one}"))},
    {ANY, "{one}Written", OBJECT("'doc','message'", "'doc':" REF("{one}") ",'message':" STRING)},
    {ANY, "{one}Bulk", OBJECT("'docs','errors','message'",
        "'docs':" LIST(REF("{one}"))
        ",'errors':" LIST(OBJECT("'id','isPublic','message'",
            "'id':" INTEGER ",'isPublic':" BOOLEAN ",'message':" STRING))
        ",'message':" STRING)},
    {STREAM, "{one}Event", "{'oneOf':["
        EVENT_JSON("hello", REF("StreamPosition")) ","
        EVENT_JSON("message", LIST(REF("{one}Streamed"))) ","
        EVENT_JSON("delete", LIST(OBJECT("'id'", "'id':" INTEGER))) ","
        EVENT_JSON("reset", REF("StreamPosition")) ","
        EVENT_JSON("bye", OBJECT("'reason'", "'reason':" STRING)) ","
        EVENT("ping", "{'const':'keep-alive'}")
        "]}"},
    {ANY, "NamedEvent", "{'oneOf':["
        EVENT_JSON("hello", REF("StreamPosition")) ","
        EVENT_JSON("message", OBJECT("'collection','docs'", "'collection':" STRING ",'docs':" LIST("{'type':'object'}"))) ","
        EVENT_JSON("delete", OBJECT("'collection','docs'",
            "'collection':" STRING ",'docs':" LIST(OBJECT("'id'", "'id':" INTEGER)))) ","
        EVENT_JSON("reset", REF("StreamPosition")) ","
        EVENT_JSON("bye", OBJECT("'reason'", "'reason':" STRING)) ","
        EVENT("ping", "{'const':'keep-alive'}") ","
        EVENT_JSON("read", OBJECT("'user','peer','message'",
            "'user':" INTEGER ",'peer':" INTEGER ",'message':" INTEGER)) ","
        EVENT_JSON("typing", OBJECT("'user','typing'", "'user':" INTEGER ",'typing':" BOOLEAN)) ","
        EVENT_JSON("presence", OBJECT("'user','online'", "'user':" INTEGER ",'online':" BOOLEAN)) ","
        EVENT_JSON("profile", REF("Person"))
        "]}"},
    {AUTH, "{one}Me", OBJECT("'user','message'",
        "'user':{'anyOf':[" REF("{one}SignedIn") ",{'type':'null'}]}"
        ",'collection':{'const':'{slug}'},'strategy':" STRING ",'exp':" INTEGER ",'token':" STRING
        ",'message':" STRING)},
    {AUTH, "{one}Entered", OBJECT("'exp','message','token','user'",
        "'exp':" INTEGER ",'message':" STRING ",'token':" STRING ",'user':" REF("{one}SignedIn"))},
    {AUTH, "{one}Reset", OBJECT("'message','token','user'",
        "'message':" STRING ",'token':" STRING ",'user':" REF("{one}SignedIn"))},
    {AUTH, "{one}Refreshed", OBJECT("'message','exp','refreshedToken','setCookie','strategy','user'",
        "'message':" STRING ",'exp':" INTEGER ",'refreshedToken':" STRING ",'setCookie':" TRUE
        ",'strategy':" STRING ",'user':" REF("{one}SignedIn"))},
    {ANY, "StreamPosition", OBJECT("'epoch','head','oldest'",
        "'epoch':{'type':'string','description':'New at each start; ids from before go on'},'head':" INTEGER
        ",'oldest':" INTEGER ",'reason':{'enum':['unknown','foreign','trimmed'],'description':'Of a reset: no id that "
        "was given out for what is in the database, one of another database, or older than the changes that are kept'}")},
    {ANY, "Count", OBJECT("'totalDocs'", "'totalDocs':" INTEGER)},
    {ANY, "Initialized", OBJECT("'initialized'", "'initialized':" BOOLEAN)},
    {ANY, "Done", OBJECT("'message'", "'message':" STRING)},
    {ANY, "Right", "{'anyOf':[" TRUE "," OBJECT("'permission'",
        "'permission':" TRUE ",'where':{'type':'object','description':'Only these documents'}") "]}"},
    {ANY, "Access", OBJECT("'fields'",
        "'fields':{'anyOf':[" TRUE "," MAP(REF("FieldAccess")) "]},'create':" REF("Right") ",'read':" REF("Right")
        ",'update':" REF("Right") ",'delete':" REF("Right") ",'unlock':" REF("Right"))},
    {ANY, "FieldAccess", "{'anyOf':[" TRUE "," OBJECT("",
        "'create':" TRUE ",'read':" TRUE ",'update':" TRUE ",'delete':" TRUE
        ",'fields':{'anyOf':[" TRUE "," MAP(REF("FieldAccess")) "]}") "]}"},
    {ANY, "AccessAll", OBJECT("'collections'", "'canAccessAdmin':" BOOLEAN ",'collections':" MAP(REF("Access")))},
    {ANY, "Credentials", OBJECT("'email','password'", "'email':" STRING ",'password':" STRING)},
    {ANY, "Email", OBJECT("'email'", "'email':" STRING)},
    {ANY, "NewPassword", OBJECT("'token','password'", "'token':" STRING ",'password':" STRING)},
    {ANY, "Config", OBJECT("'version','messages','maxContent','uploadBytes','mail','setupToken'",
        "'version':" STRING ",'messages':{'enum':['open','private']},'maxContent':" INTEGER ",'uploadBytes':" INTEGER
        ",'mail':" BOOLEAN ",'setupToken':{'type':'boolean','description':'The first account is still to be made, and "
        "needs the token'}")},
    {ANY, "Presence", OBJECT("'online'", "'online':" LIST(INTEGER))},
    {ANY, "PresenceOf", OBJECT("'user','online','lastSeen'",
        "'user':" INTEGER ",'online':" BOOLEAN ",'lastSeen':{'type':['string','null'],'format':'date-time',"
        "'description':'null: he is online, or has not been since the server started, or does not tell'}")},
    {ANY, "Person", OBJECT("'id','email','name','collection'", PERSON)},
    {ANY, "PersonList", PAGE(REF("Person"))},
    {ANY, "Profile", OBJECT("'id','email','name','collection','showLastSeen'", PERSON ",'showLastSeen':" BOOLEAN)},
    {ANY, "ProfileChange", OBJECT("",
        "'name':{'type':['string','null'],'description':'At most " TEXT(DISPLAYNAME_MOST) " characters; null or "
        "nothing that can be seen: none'},'showLastSeen':{'type':'boolean','description':'Others may know when the "
        "reader was last here'}")},
    {ANY, "SessionList", OBJECT("'docs'", "'docs':" LIST(OBJECT("'id','createdAt','expiresAt','userAgent','current'",
        "'id':" STRING ",'createdAt':" OPTIONAL("string") ",'expiresAt':" STRING ",'userAgent':{'type':['string',"
        "'null'],'description':'What signed in'},'current':{'type':'boolean','description':'It is the one that "
        "asks'}")))},
    {ANY, "Conversation", OBJECT("'peer','last','unread','read','peerRead'",
        "'peer':" REF("Person") ",'last':{'anyOf':[" REF("{one}") ",{'type':'null'}],"
        "'description':'The newest message, with bare ids'},'unread':" UNREAD ",'read':" INTEGER
        ",'peerRead':" INTEGER)},
    {ANY, "ConversationList", PAGE(REF("Conversation"))},
    {ANY, "ConversationMark", OBJECT("'peer','read','unread'",
        "'peer':" REF("Person") ",'read':" INTEGER ",'unread':" UNREAD)},
    {ANY, "ReadMark", OBJECT("'message'", "'message':{'type':'integer','minimum':1}")},
    {ANY, "Typing", OBJECT("", "'typing':" BOOLEAN)},
    {ANY, "Query", "{'type':'object','description':'The parameters of GET','additionalProperties':true}"},
    {ANY, "PlainError", OBJECT("'message'", "'message':" STRING)},
    {ANY, "ValidationError", OBJECT("'name','data','message'",
        "'name':{'const':'ValidationError'}"
        ",'data':" OBJECT("'errors'",
            "'id':" INTEGER ",'collection':" STRING
            ",'errors':" LIST(OBJECT("'message','path'",
                "'label':" STRING ",'message':" STRING ",'path':" STRING ",'tableName':" STRING)))
        ",'message':" STRING)},
    {ANY, "QueryError", OBJECT("'name','data','message'",
        "'name':{'const':'QueryError'},'data':" LIST(OBJECT("'path'", "'path':" STRING)) ",'message':" STRING)},
    {ANY, "Errors", OBJECT("'errors'",
        "'errors':" LIST("{'anyOf':[" REF("ValidationError") "," REF("QueryError") "," REF("PlainError") "]}"))},
};
#define DEEP "'style':'deepObject','explode':true,"

/* Those of no group are named where they are needed. */
static const struct {
    unsigned asks;
    const char *key, *name, *in, *rest;
} parameters[] = {
    {0, "id", "id", "path", "'required':true,'schema':{'type':'integer','minimum':1}"},
    {0, "filename", "filename", "path", "'required':true,'schema':" STRING},
    {0, "peer", "peer", "path", "'required':true,'schema':{'type':'integer','minimum':1}"},
    {ASKS_WHERE, "{one}Where", "where", "query",
        DEEP "'description':'Which documents: where[field][operator]=value, where[or][0][field][operator]=value, or "
             "the whole as one JSON text. Without a session, other fields of a relation than its id cannot be asked "
             "for where they cannot be read.','schema':" REF("{one}Where")},
    {ASKS_SORT, "sort", "sort", "query",
        "'style':'form','explode':false,'description':'Fields, - before one for descending; the default is newest "
        "first','schema':" LIST(STRING)},
    {ASKS_SORT, "limit", "limit", "query",
        "'description':'0: all. A list has ten where nothing is said, a bulk write all','schema':{'type':'integer',"
        "'minimum':0}"},
    {0, "session", "session", "path", "'required':true,'schema':" STRING},
    {ASKS_PART, "most", "limit", "query",
        "'schema':{'type':'integer','minimum':1,'maximum':" TEXT(PEOPLE_MOST) ",'default':" TEXT(PEOPLE_SHOWN) "}"},
    {ASKS_PEOPLE, "search", "search", "query",
        "'description':'A part of the e-mail or the name, ASCII letters without their case','schema':" STRING},
    {ASKS_PEOPLE, "ids", "ids", "query",
        "'style':'form','explode':false,'description':'Only these users','schema':{'type':'array','maxItems':"
        TEXT(PEOPLE_MOST) ",'items':" INTEGER "}"},
    {ASKS_PAGE | ASKS_PART, "page", "page", "query", "'schema':{'type':'integer','minimum':1,'default':1}"},
    {ASKS_PAGE, "pagination", "pagination", "query",
        "'description':'false: no pages, all documents','schema':{'type':'boolean','default':true}"},
    {ASKS_DOCS, "depth", "depth", "query",
        "'description':'How many relations deep documents stand in place of ids, where the reader may read "
        "them','schema':{'type':'integer','minimum':0,'maximum':10,'default':2}"},
    {ASKS_DOCS | ASKS_USER, "{one}Select", "select", "query",
        DEEP "'description':'The fields to show, select[field]=true, or to leave out, select[field]=false; id is "
             "always there. What a schema requires does not hold for fields that were not asked for.','schema':"
             REF("{one}Select")},
    {ASKS_DOCS, "populate", "populate", "query",
        DEEP "'description':'select for the documents in place of ids, by their collection: "
             "populate[slug][field]=true','schema':" REF("Populate")},
    {ASKS_SESSIONS, "allSessions", "allSessions", "query", "'schema':{'type':'boolean','default':false}"},
    {ASKS_SEVERAL, "collections", "collections", "query",
        "'style':'form','explode':false,'description':'Whose changes; all that the reader may read where nothing is "
        "said','schema':" LIST(STRING)},
    {ASKS_SEVERAL, "whereOfEach", "where", "query",
        DEEP "'description':'Which documents, for each collection: where[slug][field][operator]=value, or the whole "
             "as one JSON text','schema':{'type':'object'}"},
    {ASKS_SEVERAL, "events", "events", "query",
        "'style':'form','explode':false,'description':'What else is told, to those who are signed in: how far users "
        "have read in conversations with the reader, who writes to him, who comes and goes, who has another "
        "name','schema':" LIST("{'enum':['read','typing','presence','profile']}")},
    {ASKS_FIRST, "newest", "limit", "query",
        "'description':'How many documents of each collection the stream begins with, the newest','schema':{'type':"
        "'integer','minimum':0,'maximum':2147483647,'default':10}"},
    {ASKS_FIRST, "from", "from", "query",
        "'description':'start: it begins with all documents, in events of at most 100','schema':{'const':'start'}"},
    {ASKS_CURSOR, "Last-Event-ID", "Last-Event-ID", "header",
        "'description':'The id of the last event that came: the stream goes on behind it','schema':" STRING},
    {ASKS_CURSOR, "since", "since", "query",
        "'description':'The same for clients that cannot set the header, which wins','schema':" STRING},
    {ASKS_ETAG, "If-None-Match", "If-None-Match", "header", "'schema':" STRING},
    {ASKS_SETUP, "Parley-Setup-Token", "Parley-Setup-Token", "header",
        "'description':'Where the server was started with --setup-token','schema':" STRING},
    {ASKS_RANGE, "Range", "Range", "header", "'description':'bytes=FIRST-LAST','schema':" STRING},
    {0, "Idempotency-Key", "Idempotency-Key", "header",
        "'description':'A name that the client gives this request: sent again with the same name, it is done once and "
        "answered as the first time','schema':" STRING},
    {0, "override", "X-HTTP-Method-Override", "header",
        "'description':'GET: the request is the GET of this path, and the body its query. "
        "X-Payload-HTTP-Method-Override is the same.','schema':{'const':'GET'}"},
    {0, "override-payload", "X-Payload-HTTP-Method-Override", "header",
        "'description':'As X-HTTP-Method-Override','schema':{'const':'GET'}"},
};
/* clang-format on */

static const int failures[] = {400, 401, 403, 404, 409, 413, 422, 503, 507};

int components_failure(size_t n)
{
    return n < COUNT(failures) ? failures[n] : 0;
}

void components_add_parameter(struct str *out, const char *name, const struct collection *c)
{
    json_separate(out);
    str_addz(out, "{\"$ref\":\"#/components/parameters/");
    jsonschema_add_text(out, name, c);
    str_addz(out, "\"}");
}

void components_add_parameters(struct str *out, unsigned asks, const struct collection *c)
{
    for (size_t i = 0; i < COUNT(parameters); i++)
        if (parameters[i].asks & asks) components_add_parameter(out, parameters[i].key, c);
}

static void add_schema(struct str *out, size_t i, const struct collection *c)
{
    json_separate(out);
    str_addc(out, '"');
    jsonschema_add_text(out, schemas[i].name, c);
    str_addz(out, "\":");
    jsonschema_add_text(out, schemas[i].schema, c);
}

static void add_parameter(struct str *out, size_t i, const struct collection *c)
{
    json_separate(out);
    str_addc(out, '"');
    jsonschema_add_text(out, parameters[i].key, c);
    str_addf(out, "\":{\"name\":\"%s\",\"in\":\"%s\",", parameters[i].name, parameters[i].in);
    jsonschema_add_text(out, parameters[i].rest, c);
    str_addc(out, '}');
}

static void add_schemas(struct str *out)
{
    jsonschema_add_all(out);
    for (size_t i = 0; i < COUNT(schemas); i++) {
        bool each = strstr(schemas[i].name, "{one}");
        if (!each) add_schema(out, i, collection_exchanged());
        for (size_t k = 0; each && k < ncollections; k++)
            if (collection_fits(collection_at(k), schemas[i].sort)) add_schema(out, i, collection_at(k));
    }
}

static bool in_pattern(const char *pattern, const char *name)
{
    for (const char *at = pattern; (at = strstr(at, name)); at++)
        if (at[-1] == ':') return true; /* every pattern begins with a slash */
    return false;
}

/* Does any route have it? */
static bool parameter_used(size_t i)
{
    bool path = !strcmp(parameters[i].in, "path");
    for (size_t k = 0; k < nroutes; k++)
        if ((routes[k].asks & parameters[i].asks) || (path && in_pattern(routes[k].pattern, parameters[i].name)))
            return true;
    return !path && !parameters[i].asks;
}

static void add_parameters(struct str *out)
{
    for (size_t i = 0; i < COUNT(parameters); i++) {
        if (!parameter_used(i)) continue;
        bool each = strstr(parameters[i].key, "{one}");
        if (!each) add_parameter(out, i, NULL);
        for (size_t k = 0; each && k < ncollections; k++) add_parameter(out, i, collection_at(k));
    }
}

#define ERRORS "'content':{'application/json':{'schema':" REF("Errors") "}}"

static void add_failures(struct str *out)
{
    for (size_t i = 0; i < COUNT(failures); i++) {
        json_separate(out);
        str_addf(out, "\"%d\":{\"description\":\"%s\",", failures[i], response_reason(failures[i]));
        if (failures[i] == 401 || failures[i] == 503 || failures[i] == 507)
            jsonschema_add_text(out, "'headers':{'Retry-After':{'description':'Seconds','schema':" INTEGER "}},", NULL);
        jsonschema_add_text(out, ERRORS "}", NULL);
    }
    jsonschema_add_text(out, ",'default':{'description':'Any other failure'," ERRORS "}", NULL);
}

void components_add(struct str *out)
{
    str_addz(out, "{\"schemas\":{");
    add_schemas(out);
    str_addz(out, "},\"parameters\":{");
    add_parameters(out);
    str_addz(out, "},\"responses\":{");
    add_failures(out);
    jsonschema_add_text(out,
        "},'securitySchemes':{"
        "'bearer':{'type':'http','scheme':'bearer','bearerFormat':'JWT'},"
        "'jwt':{'type':'apiKey','in':'header','name':'Authorization','description':'JWT TOKEN'},"
        "'cookie':{'type':'apiKey','in':'cookie','name':'" TOKEN_COOKIE "'}}}",
        NULL);
}
