#include "api/rights.h"
#include "api/call.h"
#include "base/check.h"
#include "schema/registry.h"

enum access rights_rule(const struct app *app, const struct collection *c, enum right right)
{
    const struct access_rules *rules = app->private_messages ? &c->private_access : &c->access;
    switch (right) {
    case RIGHT_CREATE: return rules->create;
    case RIGHT_READ: return rules->read;
    case RIGHT_UPDATE: return rules->update;
    case RIGHT_REMOVE: return rules->remove;
    case NRIGHTS: break;
    }
    return ACCESS_NOBODY;
}

bool rights_allow(const struct call *call, const struct collection *c, enum right right)
{
    switch (rights_rule(call->app, c, right)) {
    case ACCESS_ANYONE: return true;
    case ACCESS_SIGNED_IN:
    case ACCESS_PARTY:
    case ACCESS_AUTHOR: return call->reader.signed_in;
    case ACCESS_NOBODY: break;
    }
    return false;
}

/* Who a document is is its author as well. */
static enum role role_of(const struct collection *c, const struct field *field)
{
    return c->auth && field->kind == KIND_ID ? ROLE_AUTHOR : field->role;
}

/* The documents that name the reader in a field of that role, or of a higher one. */
static struct where *naming(const struct call *call, const struct collection *c, enum role least)
{
    struct where *any = ARENA_NEW(call->arena, struct where);
    struct where **tail = any ? &any->first : NULL;
    for (size_t i = 0; tail && i < c->nfields; i++) {
        if (role_of(c, &c->fields[i]) < least) continue;
        struct where *one = ARENA_NEW(call->arena, struct where);
        struct value *id = ARENA_NEW(call->arena, struct value);
        if (!one || !id) return NULL;
        *id = value_integer(call->reader.id);
        *one = (struct where){.kind = WHERE_COMPARE,
            .op = OP_EQUALS,
            .collection = c,
            .field = &c->fields[i],
            .values = id,
            .nvalues = 1};
        *tail = one;
        tail = &one->next;
    }
    if (!any) return NULL;
    ASSERT(any->first); /* an OR of nothing is no condition */
    any->kind = WHERE_OR;
    return any->first->next ? any : any->first;
}

enum status rights_where(
    const struct call *call, const struct collection *c, enum right right, struct where **out, struct failure *f)
{
    enum access rule = rights_rule(call->app, c, right);
    *out = NULL;
    if (!rights_allow(call, c, right)) return call_forbidden(f);
    if (rule != ACCESS_PARTY && rule != ACCESS_AUTHOR) return OK;
    *out = naming(call, c, rule == ACCESS_AUTHOR ? ROLE_AUTHOR : ROLE_MEMBER);
    return *out ? OK : fail(f, NO_MEMORY, "Out of memory.");
}

enum status rights_restrict(const struct call *call, const struct collection *c, enum right right, struct where **where,
    const struct where **rights, struct failure *f)
{
    struct where *own;
    enum status status = rights_where(call, c, right, &own, f);
    *rights = own;
    if (status || !own) return status;
    struct where *both = ARENA_NEW(call->arena, struct where);
    if (!both) return fail(f, NO_MEMORY, "Out of memory.");
    *both = (struct where){.kind = WHERE_AND, .first = own};
    own->next = *where;
    *where = both;
    return OK;
}

void rights_readable(const struct call *call, struct readable *out)
{
    for (size_t i = 0; i < ncollections; i++) {
        const struct collection *c = collection_at(i);
        enum access rule = rights_rule(call->app, c, RIGHT_READ);
        out->all[i] = rights_allow(call, c, RIGHT_READ) && rule != ACCESS_PARTY && rule != ACCESS_AUTHOR;
    }
}
