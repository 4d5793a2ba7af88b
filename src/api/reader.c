#include "api/reader.h"
#include "api/token.h"
#include "base/clock.h"
#include "schema/registry.h"

static struct view cookie(struct view header, const char *name)
{
    while (header.at) {
        struct view value = view_trim(view_cut(&header, ';'));
        struct view key = view_cut(&value, '=');
        if (view_is(key, name)) return value;
    }
    return (struct view){0};
}

static struct view sent_token(const struct request *rq)
{
    static const char *const schemes[] = {"JWT ", "Bearer "};
    struct view header = request_header(rq, "Authorization");
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (!view_starts(header, schemes[i])) continue;
        size_t skip = view_of(schemes[i]).len;
        return (struct view){header.at + skip, header.len - skip};
    }
    return cookie(request_header(rq, "Cookie"), TOKEN_COOKIE);
}

enum status reader_find(struct call *call, struct failure *f)
{
    struct token token;
    const struct collection *c = collection_auth();
    struct view text = sent_token(call->rq), now;
    bool alive = false;
    if (!text.len || !c) return OK;
    if (!token_read(&token, text, view_of(call->app->token_key), clock_wall() / 1000, call->arena)) return OK;
    if (!view_is(token.collection, c->slug)) return OK;
    enum status status = call_now(call, 0, &now, f);
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    status = account_has_session(db, c, token.id, token.session, now, &alive, f);
    pool_give(call->app->pool, db);
    if (status || !alive) return status;
    call->reader = (struct reader){.signed_in = true,
        .id = token.id,
        .token = text,
        .session = token.session,
        .email = token.email,
        .expires = token.expires};
    return OK;
}
