/* Payload tells a collection's rights by asking its rules, then shortens: a right that is not there is left out, a
 * field with all of its rights is true, and when all fields are, "fields" is true. A field has the rights of its
 * collection but for what its own rules take away. */
#include "api/access.h"
#include "base/check.h"
#include "schema/kind.h"
#include "schema/match.h"
#include "schema/registry.h"

#define FIELD_RIGHTS RIGHT_REMOVE /* a field cannot be deleted */

static const char *const names[NRIGHTS] = {"create", "read", "update", "delete"};

/* What the reader has. */
struct grant {
    bool given;
    const struct where *where; /* with these documents; NULL: with any */
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

/* `doc`: the document that is asked about; NULL: none in particular. A right to some documents then is one to this, or
 * is none. Which ones is not told of creating: Payload's rules for that are no queries. */
static enum status find_grants(const struct call *call, const struct collection *c, const struct doc *doc,
    struct grant grants[NRIGHTS], struct failure *f)
{
    for (unsigned i = 0; i < NRIGHTS; i++) {
        struct where *where;
        grants[i] = (struct grant){0};
        if (!rights_allow(call, c, i)) continue;
        enum status status = rights_where(call, c, i, &where, f);
        if (status) return status;
        grants[i].given = !where || !doc || match(where, doc, NULL);
        if (i != RIGHT_CREATE) grants[i].where = where;
    }
    return OK;
}

/* What a collection is shown with. */
struct showing {
    const struct collection *collection;
    struct grant grants[NRIGHTS];
    int64_t reader; /* 0: nobody */
    int64_t id;     /* the document that is asked about; 0: none in particular */
};

/* The field's rights as bits. */
static unsigned field_bits(const struct showing *s, const field_rules rules)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < FIELD_RIGHTS; i++) {
        /* The original compares the document's id with the reader's, and nothing is equal to nothing. */
        bool has = rules[i] == RULE_SELF ? s->id == s->reader : rules[i] == RULE_COLLECTION && s->grants[i].given;
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
        add_name(out, names[i]);
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

static void add_fields(struct str *out, const struct showing *s)
{
    const struct collection *c = s->collection;
    unsigned all = (1u << FIELD_RIGHTS) - 1, common = all;
    for (size_t i = 1; i < c->nfields; i++) common &= field_bits(s, rules_of(&c->fields[i]));
    if (c->auth) common &= field_bits(s, sessions_field);
    if (common == all) {
        str_addz(out, "true");
        return;
    }
    str_addc(out, '{');
    for (size_t i = 1; i < c->nfields; i++) add_field(out, c->fields[i].name, field_bits(s, rules_of(&c->fields[i])));
    if (c->auth) add_sessions(out, field_bits(s, sessions_field));
    str_addc(out, '}');
}

/* As a query would ask for it. */
static void add_where(struct str *out, const struct where *w)
{
    if (w->kind == WHERE_COMPARE) {
        ASSERT(!w->via && w->nvalues == 1);
        str_addf(out, "{\"%s\":{\"%s\":", w->field->name, operator_row(w->op)->name);
        value_add_json(out, &w->values[0]);
        str_addz(out, "}}");
        return;
    }
    str_addz(out, w->kind == WHERE_AND ? "{\"and\":[" : "{\"or\":[");
    for (const struct where *one = w->first; one; one = one->next) {
        add_where(out, one);
        if (one->next) str_addc(out, ',');
    }
    str_addz(out, "]}");
}

static void add_grant(struct str *out, const struct grant *grant)
{
    if (!grant->where) {
        str_addz(out, "true");
        return;
    }
    str_addz(out, "{\"permission\":true,\"where\":");
    add_where(out, grant->where);
    str_addc(out, '}');
}

static void add_collection(struct str *out, const struct showing *s)
{
    str_addz(out, "{\"fields\":");
    add_fields(out, s);
    for (unsigned i = 0; i < NRIGHTS; i++) {
        if (!s->grants[i].given) continue;
        str_addf(out, ",\"%s\":", names[i]);
        add_grant(out, &s->grants[i]);
    }
    if (s->collection->auth && s->reader) str_addz(out, ",\"unlock\":true");
    str_addc(out, '}');
}

/* Where nothing is allowed of a collection, not even a field, it is not listed. */
static bool any_given(const struct showing *s)
{
    for (unsigned i = 0; i < NRIGHTS; i++)
        if (s->grants[i].given) return true;
    return s->collection->auth && field_bits(s, sessions_field);
}

static void add_internal(struct str *out, const struct call *call, const struct internal *internal)
{
    str_addz(out, "{\"fields\":true");
    for (unsigned i = 0; i < NRIGHTS; i++) {
        str_addf(out, ",\"%s\":", names[i]);
        if (!internal->own || i == RIGHT_CREATE)
            str_addz(out, "true");
        else
            str_addf(out,
                "{\"permission\":true,\"where\":{\"and\":[{\"user.value\":{\"equals\":%lld}},"
                "{\"user.relationTo\":{\"equals\":\"%s\"}}]}}",
                (long long)call->reader.id, collection_auth()->slug);
    }
    str_addc(out, '}');
}

static enum status begin_showing(
    struct showing *s, const struct call *call, const struct collection *c, const struct doc *doc, struct failure *f)
{
    s->collection = c;
    s->reader = call->reader.signed_in ? call->reader.id : 0;
    s->id = doc ? doc_id(doc) : 0;
    return find_grants(call, c, doc, s->grants, f);
}

enum status access_all(struct call *call, struct failure *f)
{
    struct str *out = &call->rs->body;
    call->caching = CACHING_CHECKED;
    str_addz(out, "{\"collections\":{");
    for (size_t i = 0; i < ncollections; i++) {
        struct showing s;
        enum status status = begin_showing(&s, call, collection_at(i), NULL, f);
        if (status) return status;
        if (!any_given(&s)) continue;
        add_name(out, collection_at(i)->slug);
        add_collection(out, &s);
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
    struct showing s;
    struct doc doc;
    int64_t id = 0;
    enum status status = call_body(call, true, &body, f);
    if (!status && call->id.at) {
        status = call_id(call, &id, f);
        if (status) return status;
        /* Whoever it is: that there is such a document is not kept from anybody, as in Payload. */
        struct db *db = pool_take(call->app->pool);
        status = call_read(call, db, NULL, id, &doc, f);
        pool_give(call->app->pool, db);
    }
    if (!status) status = begin_showing(&s, call, call->collection, id ? &doc : NULL, f);
    if (!status) add_collection(&call->rs->body, &s);
    return status;
}
