#include "schema/draft.h"
#include "base/check.h"
#include "schema/json.h"
#include "schema/kind.h"
#include "schema/registry.h"

static bool has(struct json_object *body, const char *name, struct json_object **value)
{
    *value = NULL;
    return json_object_is_type(body, json_type_object) && json_object_object_get_ex(body, name, value);
}

static void start_failure(struct failure *f, const struct draft *d, long long id)
{
    *f = (struct failure){.slug = d->collection->slug, .id = id};
}

static void read_field(struct draft *d, size_t i, enum draft_for purpose, struct json_object *body, struct view now,
    struct arena *arena, struct failure *f)
{
    const struct field *field = &d->collection->fields[i];
    bool create = purpose == DRAFT_CREATE;
    bool stamped = field->use == USE_STAMP;
    struct json_object *json;
    bool given = has(body, field->name, &json);
    if (field->use == USE_DERIVED || field->use == USE_HIDDEN) return;
    if (stamped && !create && view_is(view_of(field->name), "updatedAt")) given = false;
    if (stamped && json_falsy(json)) given = false;
    if (!given) {
        bool now_goes = stamped ? create || view_is(view_of(field->name), "updatedAt")
                                : create && field->default_now && !json_object_is_type(body, json_type_array);
        if (now_goes) {
            d->values[i] = value_text(now);
            d->given[i] = true;
            return;
        }
        if (!create || stamped) return;
    }
    const char *message = kind_row(field->kind)->check(field, json, arena, &d->values[i]);
    if (message)
        fail_flaw(f, FAILURE_VALIDATION, (struct flaw){.label = field->label, .message = message, .path = field->name});
    d->given[i] = true;
}

/* Looked at after the fields, alone, and without a label: as Payload does. */
static enum status read_password(struct draft *d, enum draft_for purpose, struct json_object *body, struct failure *f)
{
    struct json_object *json;
    bool given = has(body, "password", &json);
    if (purpose == DRAFT_UPDATE && (!given || json_falsy(json))) return OK;
    const char *message = NULL;
    struct view password = json_text(json);
    size_t units = 0;
    for (size_t i = 0; i < password.len; i++)
        if (((unsigned char)password.at[i] & 0xC0) != 0x80) units += (unsigned char)password.at[i] >= 0xF0 ? 2 : 1;
    if (!password.len)
        message = "This field is required.";
    else if (units < DRAFT_PASSWORD_MIN)
        message = "This value must be longer than the minimum length of 3 characters.";
    if (!message) {
        d->password = password;
        return OK;
    }
    start_failure(f, d, 0);
    return fail_flaw(f, FAILURE_VALIDATION, (struct flaw){.message = message, .path = "password"});
}

enum status draft_read(struct draft *out, const struct collection *c, enum draft_for purpose, struct json_object *body,
    struct view now, long long id, struct arena *arena, struct failure *f)
{
    *out = (struct draft){.collection = c};
    start_failure(f, out, id);
    if (!json_object_is_type(body, json_type_object) && !json_object_is_type(body, json_type_array))
        return fail(f, INVALID, "The body must be a JSON object.");
    for (size_t i = 0; i < c->nfields; i++) read_field(out, i, purpose, body, now, arena, f);
    if (f->status) return f->status;
    return c->auth ? read_password(out, purpose, body, f) : OK;
}

void draft_set(struct draft *d, const char *name, struct value v)
{
    int i = field_find(d->collection, view_of(name));
    ASSERT(i >= 0);
    d->values[i] = v;
    d->given[i] = true;
}
