#include "api/people.h"
#include "api/envelope.h"
#include "schema/json.h"
#include "schema/registry.h"
#include "store/profile.h"

void people_add(struct str *out, int64_t id, struct view email, struct view name)
{
    str_addf(out, "\"id\":%lld,\"email\":", (long long)id);
    str_add_json(out, email);
    str_addz(out, ",\"name\":");
    if (name.at)
        str_add_json(out, name);
    else
        str_addz(out, "null");
    str_addf(out, ",\"collection\":\"%s\"", collection_auth()->slug);
}

void people_page(const struct call *call, int64_t *limit, int64_t *page)
{
    *limit = find_whole(json_member(call->query, "limit"), 0, PEOPLE_SHOWN);
    if (!*limit || *limit > PEOPLE_MOST) *limit = PEOPLE_MOST;
    *page = find_whole(json_member(call->query, "page"), 1, 1);
}

/* "1,2" as a JSON array. */
static enum status read_ids(struct call *call, struct profile_query *query, struct failure *f)
{
    struct json_object *given = json_member(call->query, "ids");
    int64_t id;
    size_t n = 0;
    if (!given) return OK;
    for (struct view rest = json_text(given); rest.at; n++)
        if (!view_integer(view_trim(view_cut(&rest, ',')), &id) || n == PEOPLE_MOST)
            return fail(f, INVALID, "\"ids\" must be at most %d ids with commas.", PEOPLE_MOST);
    query->ids = view_of(arena_printf(call->arena, "[%.*s]", VIEW_ARGS(json_text(given))));
    return query->ids.at ? OK : fail(f, NO_MEMORY, "Out of memory.");
}

struct listing {
    struct profile_query query;
    struct envelope envelope;
    struct str *out;
};

static enum status add_listed(void *ctx, const struct profile *p)
{
    struct listing *l = ctx;
    json_separate(l->out);
    str_addc(l->out, '{');
    people_add(l->out, p->user, p->email, p->name);
    str_addc(l->out, '}');
    return OK;
}

static enum status list(struct call *call, struct db *db, void *ctx, struct failure *f)
{
    struct listing *l = ctx;
    int64_t before = envelope_before(l->envelope.limit, l->envelope.page);
    (void)call;
    str_addz(l->out, "{\"docs\":[");
    enum status status = profile_list(db, &l->query, l->envelope.limit, before, add_listed, l, f);
    if (!status) status = profile_count(db, &l->query, &l->envelope.total, f);
    if (!status) envelope_add(l->out, &l->envelope);
    return status;
}

enum status people_list(struct call *call, struct failure *f)
{
    struct listing l = {.envelope = {.paged = true}, .out = &call->rs->body};
    struct view text = json_text(json_member(call->query, "search"));
    enum status status = call_signed_in(call, f);
    if (text.len) l.query.text = text;
    if (!status) status = read_ids(call, &l.query, f);
    if (status) return status;
    people_page(call, &l.envelope.limit, &l.envelope.page);
    return call_snapshot(call, list, &l, f);
}
