/* Payload tells a collection's rights by asking its rules, then shortens: a right that is not there is left out, a
 * field with all of its rights is true, and when all fields are, "fields" is true. A field has the rights of its
 * collection but for what its own rules take away. */
#include "api/access.h"
#include "schema/registry.h"
#include "store/read.h"

enum right { CREATE, READ, UPDATE, DELETE, NRIGHTS };
#define FIELD_RIGHTS DELETE /* a field cannot be deleted */

static const struct {
    const char *name;
    size_t offset;
} rights[NRIGHTS] = {
    [CREATE] = {"create", offsetof(struct collection, access.create)},
    [READ] = {"read", offsetof(struct collection, access.read)},
    [UPDATE] = {"update", offsetof(struct collection, access.update)},
    [DELETE] = {"delete", offsetof(struct collection, access.remove)},
};

/* A field's own rule for a right. */
enum rule {
    RULE_COLLECTION, /* none: as the collection */
    RULE_NOBODY,
    RULE_SELF, /* whoever the document is, whatever the collection says */
};

typedef enum rule field_rules[FIELD_RIGHTS];

static const field_rules open_field = {RULE_COLLECTION, RULE_COLLECTION, RULE_COLLECTION};
static const field_rules hidden_field = {RULE_NOBODY, RULE_COLLECTION, RULE_NOBODY};
static const field_rules sessions_field = {RULE_COLLECTION, RULE_SELF, RULE_NOBODY};
static const char *const session_fields[] = {"id", "createdAt", "expiresAt"};

/* Payload's own collections with rights for those who are signed in; payload-kv has none. */
static const struct internal {
    const char *slug;
    bool own; /* its documents belong to users: all but creating is for the reader's own */
} internals[] = {
    {"payload-locked-documents", false},
    {"payload-preferences", true},
    {"payload-migrations", false},
};

static bool allowed(const struct call *call, const struct collection *c, enum right right)
{
    return call_allows(call, *(const enum access *)(const void *)((const char *)c + rights[right].offset));
}

/* The field's rights as bits. `id`: the document that is asked about; 0: none in particular. */
static unsigned field_bits(const struct call *call, const struct collection *c, const field_rules rules, int64_t id)
{
    /* The original compares the document's id with the reader's, and nothing is equal to nothing. */
    int64_t reader = call->reader.signed_in ? call->reader.id : 0;
    unsigned bits = 0;
    for (unsigned i = 0; i < FIELD_RIGHTS; i++) {
        bool has = rules[i] == RULE_SELF ? id == reader : rules[i] == RULE_COLLECTION && allowed(call, c, i);
        bits |= (unsigned)has << i;
    }
    return bits;
}

static const enum rule *rules_of(const struct field *field)
{
    return field->use == USE_HIDDEN ? hidden_field : open_field;
}

static void add_name(struct str *out, const char *name)
{
    if (out->len && out->at[out->len - 1] != '{') str_addc(out, ',');
    str_addf(out, "\"%s\":", name);
}

/* {"create":true,"read":true without its end */
static void add_bits(struct str *out, unsigned bits)
{
    str_addc(out, '{');
    for (unsigned i = 0; i < FIELD_RIGHTS; i++) {
        if (!(bits >> i & 1)) continue;
        add_name(out, rights[i].name);
        str_addz(out, "true");
    }
}

static void add_field(struct str *out, const char *name, unsigned bits)
{
    if (!bits) return;
    add_name(out, name);
    if (bits == (1u << FIELD_RIGHTS) - 1) {
        str_addz(out, "true");
    } else {
        add_bits(out, bits);
        str_addc(out, '}');
    }
}

static void add_sessions(struct str *out, unsigned bits)
{
    if (!bits) return;
    add_name(out, "sessions");
    add_bits(out, bits);
    add_name(out, "fields");
    str_addc(out, '{');
    for (size_t i = 0; i < sizeof session_fields / sizeof *session_fields; i++) add_field(out, session_fields[i], bits);
    str_addz(out, "}}");
}

static void add_fields(struct str *out, const struct call *call, const struct collection *c, int64_t id)
{
    unsigned all = (1u << FIELD_RIGHTS) - 1, common = all;
    for (size_t i = 1; i < c->nfields; i++) common &= field_bits(call, c, rules_of(&c->fields[i]), id);
    if (c->auth) common &= field_bits(call, c, sessions_field, id);
    if (common == all) {
        str_addz(out, "true");
        return;
    }
    str_addc(out, '{');
    for (size_t i = 1; i < c->nfields; i++)
        add_field(out, c->fields[i].name, field_bits(call, c, rules_of(&c->fields[i]), id));
    if (c->auth) add_sessions(out, field_bits(call, c, sessions_field, id));
    str_addc(out, '}');
}

static void add_collection(struct str *out, const struct call *call, const struct collection *c, int64_t id)
{
    str_addz(out, "{\"fields\":");
    add_fields(out, call, c, id);
    for (unsigned i = 0; i < NRIGHTS; i++)
        if (allowed(call, c, i)) str_addf(out, ",\"%s\":true", rights[i].name);
    if (c->auth && call->reader.signed_in) str_addz(out, ",\"unlock\":true");
    str_addc(out, '}');
}

/* Where nothing is allowed of a collection, not even a field, it is not listed. */
static bool any_allowed(const struct call *call, const struct collection *c)
{
    for (unsigned i = 0; i < NRIGHTS; i++)
        if (allowed(call, c, i)) return true;
    return c->auth && field_bits(call, c, sessions_field, 0);
}

static void add_internal(struct str *out, const struct call *call, const struct internal *internal)
{
    str_addz(out, "{\"fields\":true");
    for (unsigned i = 0; i < NRIGHTS; i++) {
        str_addf(out, ",\"%s\":", rights[i].name);
        if (!internal->own || i == CREATE)
            str_addz(out, "true");
        else
            str_addf(out,
                "{\"permission\":true,\"where\":{\"and\":[{\"user.value\":{\"equals\":%lld}},"
                "{\"user.relationTo\":{\"equals\":\"%s\"}}]}}",
                (long long)call->reader.id, collection_auth()->slug);
    }
    str_addc(out, '}');
}

enum status access_all(struct call *call, struct failure *f)
{
    struct str *out = &call->rs->body;
    (void)f;
    call->caching = CACHING_CHECKED;
    str_addz(out, "{\"collections\":{");
    for (size_t i = 0; i < ncollections; i++) {
        if (!any_allowed(call, collection_at(i))) continue;
        add_name(out, collection_at(i)->slug);
        add_collection(out, call, collection_at(i), 0);
    }
    for (size_t i = 0; call->reader.signed_in && i < sizeof internals / sizeof *internals; i++) {
        add_name(out, internals[i].slug);
        add_internal(out, call, &internals[i]);
    }
    str_addz(out, call->reader.signed_in ? "},\"canAccessAdmin\":true}" : "}}");
    return OK;
}

enum status access_one(struct call *call, struct failure *f)
{
    struct json_object *body;
    struct doc doc;
    int64_t id = 0;
    enum status status = call_body(call, true, &body, f);
    if (!status && call->id.at) {
        status = call_id(call, &id, f);
        if (status) return status;
        struct db *db = pool_take(call->app->pool);
        status = read_one(db, call->collection, id, call->arena, &doc, f);
        pool_give(call->app->pool, db);
    }
    if (!status) add_collection(&call->rs->body, call, call->collection, id);
    return status;
}
