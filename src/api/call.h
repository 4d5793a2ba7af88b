/* One call of the API: the request, who asks, and what the route found in its path. */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/app.h"
#include "api/caching.h"
#include "api/rights.h"
#include "http/router.h"
#include "parley/collection.h"
#include "schema/find.h"
#include "store/populate.h"
#include <json-c/json.h>

/* Who asks. */
struct reader {
    int64_t holder; /* whose signed token was sent, even if it or its session is over; 0: nobody's */
    bool signed_in;
    int64_t id;          /* of the auth collection's document */
    struct view token;   /* as it was sent */
    struct view session; /* the token's sid */
    struct view email;   /* the token's */
    int64_t expires;     /* seconds since 1970 */
};

struct keyed;
struct pending;

struct call {
    struct app *app;
    struct request *rq;
    struct response *rs;
    struct arena *arena;
    const struct collection *collection; /* NULL for routes without one */
    struct view id;                      /* the path's :id */
    struct json_object *query;
    struct reader reader;
    struct view type;        /* of the answer's content; empty: it has none */
    enum caching caching;    /* of the answer, where the operation succeeds */
    struct keyed *keyed;     /* NULL: the request has no Idempotency-Key */
    struct pending *pending; /* the write that the operation has prepared; NULL: none */
    struct view body;        /* of call_bytes */
    bool body_read;
    bool personal; /* the answer shows what is the reader's alone: it is kept nowhere in the server */
    bool detached; /* the socket is another's now; nothing is to be answered */
};

/* An operation fills call->rs, or prepares call->pending, which does so when it is committed, or returns a failure. */
typedef enum status operation(struct call *call, struct failure *f);

/* FORBIDDEN, in Payload's words. */
enum status call_forbidden(struct failure *f);
/* UNAUTHORIZED, in Payload's words: nobody is signed in. */
MUST_CHECK enum status call_signed_in(const struct call *call, struct failure *f);
/* The path's :id as a document's id; NOT_FOUND for anything that can be none. */
MUST_CHECK enum status call_id(const struct call *call, int64_t *out, struct failure *f);
/* Now as ISO text, in the arena. */
MUST_CHECK enum status call_now(const struct call *call, int64_t plus_ms, struct view *out, struct failure *f);
/* What the query asks for, of the documents that the reader has that right to. FORBIDDEN: none. */
MUST_CHECK enum status call_find(struct call *call, enum right right, struct find *out, struct failure *f);
/* Calls run(call, db, ctx, f) on a reader's connection, in a transaction: what it reads is all of one moment. */
MUST_CHECK enum status call_snapshot(struct call *call,
    enum status (*run)(struct call *call, struct db *db, void *ctx, struct failure *f), void *ctx, struct failure *f);
/* The document, in the arena. NOT_FOUND: there is none, or none that `rights` (of a find; NULL: all) match. */
MUST_CHECK enum status call_read(
    const struct call *call, struct db *db, const struct where *rights, int64_t id, struct doc *out, struct failure *f);
/* The body as a document of the collection or a change of one: checked, times set, a new password as salt and hash.
 * `id` names the document in the failure; 0: none. */
MUST_CHECK enum status call_draft(struct call *call, struct draft *out, enum draft_for purpose,
    struct json_object *body, int64_t id, struct failure *f);
/* password_hash, while another thread works in this one's place. */
MUST_CHECK enum status call_hash(
    struct call *call, struct view password, struct view *salt, struct view *hash, struct failure *f);
/* broker_run, the same. */
MUST_CHECK enum status call_run(struct call *call, struct write *writes, size_t nwrites, struct failure *f);
/* Runs one write and waits; its own failure is the call's. */
MUST_CHECK enum status call_write(struct call *call, struct write *w, struct failure *f);
/* A populator with the reader's rights and the query's depth and populate. */
void call_populator(const struct call *call, struct populator *p, struct db *db, const struct find *find);

/* Completes call->rs with what is no operation's: the failure, if there was one, and headers. The last that is done for
 * a call. */
void call_end(struct call *call, enum status status, const struct failure *f);

#define BODY_LIMIT ((size_t)1 << 20)

/* The body as it was sent; read once, at most BODY_LIMIT bytes, it stays in the arena. */
MUST_CHECK enum status call_bytes(struct call *call, struct view *out, struct failure *f);
/* The body as JSON: application/json, or the part `_payload` of multipart/form-data. An empty one with the JSON type is
 * {}. `optional`: so is one that is missing or of another type; else that is INVALID. */
MUST_CHECK enum status call_body(struct call *call, bool optional, struct json_object **out, struct failure *f);

#endif
