#include "api/profile.h"
#include "api/people.h"
#include "schema/displayname.h"
#include "schema/json.h"
#include "schema/registry.h"

/* A person, and what is his alone. */
static void show(struct call *call, const struct profile *p)
{
    struct str *out = &call->rs->body;
    str_addc(out, '{');
    people_add(out, p->user, p->email, p->name);
    str_addf(out, ",\"showLastSeen\":%s}", p->shows_seen ? "true" : "false");
}

enum status profile_get(struct call *call, struct failure *f)
{
    struct profile p;
    enum status status = call_signed_in(call, f);
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    status = profile_find(db, call->reader.id, call->arena, &p, f);
    pool_give(call->app->pool, db);
    if (!status) show(call, &p);
    return status;
}

static enum status refuse(struct failure *f, const char *label, const char *path, const char *message)
{
    return fail_flaw(f, FAILURE_VALIDATION, (struct flaw){.label = label, .message = message, .path = path});
}

static enum status read_name(struct json_object *name, struct profile_change *change, struct failure *f)
{
    if (name && !json_object_is_type(name, json_type_string)) return refuse(f, "Name", "name", "A name is a text.");
    const char *wrong = displayname_read(json_text(name), &change->name);
    return wrong ? refuse(f, "Name", "name", wrong) : OK;
}

/* What is missing stays as it is. */
static enum status read_change(struct json_object *body, struct profile_change *change, struct failure *f)
{
    struct json_object *name, *shows;
    *f = (struct failure){0};
    change->sets_name = json_object_object_get_ex(body, "name", &name);
    change->sets_shows_seen = json_object_object_get_ex(body, "showLastSeen", &shows);
    if (change->sets_name) (void)read_name(name, change, f);
    if (change->sets_shows_seen && !json_object_is_type(shows, json_type_boolean))
        (void)refuse(f, "Show last seen", "showLastSeen", "It is true or false.");
    else if (change->sets_shows_seen)
        change->shows_seen = json_object_get_boolean(shows);
    return f->status;
}

enum status profile_change(struct call *call, struct failure *f)
{
    struct json_object *body;
    struct write w = {.op = WRITE_PROFILE, .collection = collection_auth(), .id = call->reader.id};
    enum status status = call_signed_in(call, f);
    if (!status) status = call_body(call, false, &body, f);
    if (!status) status = read_change(body, &w.profile_change, f);
    if (!status) status = call_write(call, &w, f);
    if (!status) show(call, &w.profile);
    return status;
}
