#include "api/reader.h"
#include "api/token.h"
#include "base/clock.h"
#include "schema/registry.h"

/* Payload's rule against forged requests: with a list, the page that sends the cookie is on it, or, where the browser
 * names no page, the browser says that the request does not come from another site. A program says neither. */
static bool cookie_counts(const struct origins *csrf, const struct request *rq)
{
    static const char *const own_sites[] = {"same-origin", "same-site", "none"};
    struct view origin = request_header(rq, "Origin"), site = request_header(rq, "Sec-Fetch-Site");
    if (csrf->any) return true;
    if (origin.len) return origins_list(csrf, origin);
    for (size_t i = 0; i < sizeof own_sites / sizeof *own_sites; i++)
        if (view_is(site, own_sites[i])) return true;
    return false;
}

static struct view sent_token(const struct app *app, const struct request *rq)
{
    struct view token = token_authorized(request_header(rq, "Authorization"));
    if (token.at || !cookie_counts(&app->csrf, rq)) return token;
    return token_in_cookie(request_header(rq, "Cookie"));
}

/* One issued further in the future than a token lasts is from a clock that has been put back since. */
static bool over(const struct token *token)
{
    int64_t now = clock_wall() / 1000;
    return token->expires <= now || token->issued > now + TOKEN_SECONDS;
}

enum status reader_find(struct call *call, struct failure *f)
{
    struct token token;
    const struct collection *c = collection_auth();
    struct view text = sent_token(call->app, call->rq), now;
    bool alive = false;
    if (!text.len || !c) return OK;
    /* At the beginning of time no token is over. */
    if (!token_read(&token, text, view_of(call->app->token_key), 0, call->arena)) return OK;
    if (!view_is(token.collection, c->slug)) return OK;
    call->reader.holder = token.id;
    if (over(&token)) return OK;
    enum status status = call_now(call, 0, &now, f);
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    status = account_has_session(db, c, token.id, token.session, now, &alive, f);
    pool_give(call->app->pool, db);
    if (status || !alive) return status;
    call->reader = (struct reader){.holder = token.id,
        .signed_in = true,
        .id = token.id,
        .token = text,
        .session = token.session,
        .email = token.email,
        .expires = token.expires};
    return OK;
}
