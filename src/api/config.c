#include "api/config.h"
#include "api/auth.h"
#include "parley/parley.h"
#include "schema/kind.h"
#include "schema/registry.h"

/* UTF-16 units that the text of a message may have. */
static unsigned content_most(void)
{
    const struct collection *c = collection_exchanged();
    for (size_t i = 0; c && i < c->nfields; i++)
        if (c->fields[i].kind == KIND_TEXT) return kind_text_most(&c->fields[i]);
    return 0;
}

/* Is the first account still to be made, and for who knows the setup token? */
static enum status needs_setup_token(const struct app *app, bool *out, struct failure *f)
{
    bool any = true;
    enum status status = app->setup_token.at ? auth_any(app, &any, f) : OK;
    *out = !any;
    return status;
}

enum status config_get(struct call *call, struct failure *f)
{
    const struct app *app = call->app;
    bool setup;
    enum status status = needs_setup_token(app, &setup, f);
    if (status) return status;
    call->caching = CACHING_CHECKED;
    str_addf(&call->rs->body,
        "{\"version\":\"%s\",\"messages\":\"%s\",\"maxContent\":%u,\"uploadBytes\":%lld,\"mail\":%s,\"setupToken\":%s}",
        PARLEY_VERSION, app->private_messages ? "private" : "open", content_most(), (long long)app->upload_bytes,
        mail_works(app->mailer) ? "true" : "false", setup ? "true" : "false");
    return OK;
}
