/* What every request may use: opened in parley.c, the same for all of them. */
#ifndef API_APP_H
#define API_APP_H

#include "api/mail.h"
#include "api/origins.h"
#include "api/password.h"
#include "base/metric.h"
#include "broker/broker.h"
#include "http/request.h"
#include "http/response.h"
#include "schema/registry.h"
#include "store/pool.h"
#include "stream/delivery.h"
#include "stream/quota.h"

#define TOKEN_KEY_LENGTH 32

struct cache;
struct filetypes;
struct folder;
struct formers;
struct idempotency;
struct openapi;
struct presence;
struct standings;
struct text;
struct typing;

struct app {
    struct pool *pool;
    struct formers *formers;
    struct standings *standings;
    struct text *text;   /* NULL: there is no text index */
    struct cache *cache; /* of answers */
    struct broker *broker;
    struct delivery *delivery;
    struct quota *quota; /* of the streams */
    struct presence *presence;
    struct typing *typing;
    struct password_gate *passwords;
    struct mailer *mailer;
    struct idempotency *idempotency;
    struct filetypes *filetypes;
    struct folder *folders[MAX_COLLECTIONS]; /* of the upload collections, by collection_index */
    int64_t upload_bytes;                    /* the most that a file may have */
    const char *ui_dir;                      /* the page's files; NULL: the embedded ones */
    bool only_tls;                           /* every address has it */
    struct view setup_token;                 /* the first account needs it; at == NULL: it needs none */
    bool private_messages;                   /* which of the collections' rules count (api/rights.h) */
    struct origins cors;                     /* whose pages may read the answers */
    struct origins csrf;                     /* whose pages may act with the cookie */
    struct openapi *openapi;
    struct metrics metrics;
    int64_t started;                      /* seconds since 1970 */
    char token_key[TOKEN_KEY_LENGTH + 1]; /* of the tokens' signatures */
};

/* Counts an answer that is there. One that could not be built comes back to api_refuse. */
void app_count(struct app *app, const struct response *rs);

/* The handler of all requests: /api/… is Payload's REST, the rest are the page's files. `ctx` is the app. */
void api_handle(void *ctx, struct request *rq, struct response *rs);
/* The answer to what never became a request. */
void api_refuse(void *ctx, int status, struct response *rs);

#endif
