#include "api/access.h"
#include "schema/registry.h"

static const struct right {
    const char *name;
    size_t offset;
} rights[] = {
    {"create", offsetof(struct collection, access.create)},
    {"read", offsetof(struct collection, access.read)},
    {"update", offsetof(struct collection, access.update)},
    {"delete", offsetof(struct collection, access.remove)},
};

#define NRIGHTS (sizeof rights / sizeof *rights)

static bool allowed(const struct call *call, const struct collection *c, size_t i)
{
    enum access rule = *(const enum access *)(const void *)((const char *)c + rights[i].offset);
    return call_allows(call, rule);
}

static size_t count_allowed(const struct call *call, const struct collection *c)
{
    size_t n = 0;
    for (size_t i = 0; i < NRIGHTS; i++) n += allowed(call, c, i);
    return n;
}

/* Payload shortens: when all is allowed, "fields" is true; when not, each field is listed with the right to read it,
 * which its fields have whatever the collection's own right is where they were made by the server (an auth collection's
 * sessions). */
static void add_fields(struct str *out, const struct call *call, const struct collection *c)
{
    static const char *const session[] = {"id", "createdAt", "expiresAt"};
    bool read = call_allows(call, c->access.read), first = true;
    if (count_allowed(call, c) == NRIGHTS) {
        str_addz(out, "true");
        return;
    }
    str_addc(out, '{');
    for (size_t i = 1; read && i < c->nfields; i++) {
        if (c->fields[i].use == USE_HIDDEN) continue;
        str_addf(out, "%s\"%s\":{\"read\":true}", first ? "" : ",", c->fields[i].name);
        first = false;
    }
    if (c->auth) {
        str_addf(out, "%s\"sessions\":{\"read\":true,\"fields\":{", first ? "" : ",");
        for (size_t i = 0; i < 3; i++) str_addf(out, "%s\"%s\":{\"read\":true}", i ? "," : "", session[i]);
        str_addz(out, "}}");
    }
    str_addc(out, '}');
}

static void add_collection(struct str *out, const struct call *call, const struct collection *c)
{
    str_addz(out, "{\"fields\":");
    add_fields(out, call, c);
    for (size_t i = 0; i < NRIGHTS; i++)
        if (allowed(call, c, i)) str_addf(out, ",\"%s\":true", rights[i].name);
    str_addc(out, '}');
}

enum status access_all(struct call *call, struct failure *f)
{
    struct str *out = &call->rs->body;
    (void)f;
    str_addz(out, call->reader.signed_in ? "{\"canAccessAdmin\":true,\"collections\":{" : "{\"collections\":{");
    for (size_t i = 0; i < ncollections; i++) {
        str_addf(out, "%s\"%s\":", i ? "," : "", collection_at(i)->slug);
        add_collection(out, call, collection_at(i));
    }
    str_addz(out, "}}");
    return OK;
}

enum status access_one(struct call *call, struct failure *f)
{
    (void)f;
    add_collection(&call->rs->body, call, call->collection);
    return OK;
}
