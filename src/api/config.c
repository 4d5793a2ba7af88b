#include "api/config.h"
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

enum status config_get(struct call *call, struct failure *f)
{
    const struct app *app = call->app;
    (void)f;
    call->caching = CACHING_CHECKED;
    str_addf(&call->rs->body,
        "{\"version\":\"%s\",\"messages\":\"%s\",\"maxContent\":%u,\"uploadBytes\":%lld,\"mail\":%s,\"setup\":false}",
        PARLEY_VERSION, app->private_messages ? "private" : "open", content_most(), (long long)app->upload_bytes,
        mail_works(app->mailer) ? "true" : "false");
    return OK;
}
