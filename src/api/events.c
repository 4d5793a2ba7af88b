#include "api/events.h"
#include "api/cors.h"
#include "api/feed.h"
#include "api/notices.h"
#include "api/rights.h"
#include "base/crypt.h"
#include "schema/json.h"
#include "schema/registry.h"

#define FIRST_DOCS  10 /* of a fresh connection, as the original */
#define RETRY_LEAST 2  /* seconds, for one that is turned away */
#define RETRY_MOST  10

/* What a stream is asked for. */
struct asked {
    struct subscription subscription;
    struct feed_options feed;
};

static enum status ask_subset(
    struct call *call, struct asked *asked, const struct collection *c, struct json_object *where, struct failure *f)
{
    struct subset *subset = &asked->subscription.subsets[asked->subscription.nsubsets++];
    struct readable readable;
    struct where *filter;
    *subset = (struct subset){.collection = c};
    if (!rights_allow(call, c, RIGHT_READ)) return call_forbidden(f);
    rights_readable(call, &readable);
    enum status status = where_parse(&filter, c, where, &readable, call->arena, f);
    if (!status) status = rights_restrict(call, c, RIGHT_READ, &filter, &subset->rights, f);
    if (!status && !where_is_everything(filter)) subset->filter = filter;
    return status;
}

/* limit=N: so many documents at the start; from=start: all. */
static enum status ask_newest(struct call *call, struct asked *asked, struct failure *f)
{
    struct json_object *limit = json_member(call->query, "limit"), *from = json_member(call->query, "from");
    int64_t newest = FIRST_DOCS;
    if (limit && (!view_integer(json_text(limit), &newest) || newest < 0 || newest > INT32_MAX))
        return fail(f, INVALID, "The limit of a stream must be a whole number from 0 to %d.", INT32_MAX);
    if (from && !view_is(json_text(from), "start"))
        return fail(f, INVALID, "A stream can be read from=start, or without from.");
    if (from && limit) return fail(f, INVALID, "A stream can have a limit or be read from=start, not both.");
    asked->feed.newest = from ? BACKFILL_ALL : (int32_t)newest;
    return OK;
}

static void ask_cursor(struct call *call, struct asked *asked)
{
    struct view cursor = request_header(call->rq, "Last-Event-ID");
    struct json_object *since = json_member(call->query, "since");
    /* EventSource keeps the address it was opened with: the header it adds on coming back is the newer of the two. */
    asked->feed.resumes = cursor.at || since;
    asked->feed.readable =
        asked->feed.resumes && cursor_read(&asked->feed.cursor, cursor.at ? cursor : json_text(since));
}

static enum status give_head(struct call *call)
{
    call->caching = CACHING_OWN;
    str_reset(&call->rs->headers);
    str_addz(&call->rs->headers, feed_headers);
    return OK;
}

/* Those that are turned away are not to come back all at once. */
static enum status come_back_later(struct failure *f)
{
    f->retry_after = RETRY_LEAST + (int)(crypt_dice() % (RETRY_MOST - RETRY_LEAST + 1));
    return f->status;
}

static enum status turn_away(struct failure *f, const char *reason)
{
    fail(f, UNAVAILABLE, "%s", reason);
    return come_back_later(f);
}

static enum status refuse(enum quota_result why, struct failure *f)
{
    switch (why) {
    case QUOTA_OK: return OK;
    case QUOTA_FULL: return turn_away(f, "Too many streams. Come back later, or read the list instead.");
    case QUOTA_ADDRESS_FULL:
        return turn_away(f, "Too many streams. Close another stream of this address, or read the list instead.");
    case QUOTA_NO_MEMORY: break;
    }
    return fail(f, NO_MEMORY, "Out of memory.");
}

static enum status take_place(struct call *call, struct quota_place **place, struct failure *f)
{
    if (delivery_draining(call->app->delivery)) return turn_away(f, "The server is stopping.");
    enum quota_result taken = quota_take(call->app->quota, call->rq->remote, place);
    if (taken == QUOTA_OK) return OK;
    if (call->rq->method != METHOD_HEAD) counter_add(&call->app->metrics.streams_refused[taken], 1);
    return refuse(taken, f);
}

static enum status open_stream(struct call *call, struct asked *asked, struct failure *f)
{
    enum status status = ask_newest(call, asked, f);
    if (!status) status = take_place(call, &asked->feed.place, f);
    if (status) return status;
    if (call->rq->method == METHOD_HEAD) {
        quota_drop(asked->feed.place);
        return give_head(call);
    }
    ask_cursor(call, asked);
    asked->feed.credentials = cors_listed(call->app, call->rq);
    status = channel_join(&asked->feed.channel, broker_channels(call->app->broker), &asked->subscription, f);
    if (status) {
        quota_drop(asked->feed.place);
        return status == UNAVAILABLE ? come_back_later(f) : status;
    }
    struct audience *audience = channel_audience(asked->feed.channel);
    struct source *source = feed_new(call, &asked->feed);
    if (!source) return fail(f, NO_MEMORY, "Out of memory.");
    struct peer peer;
    if (!request_detach(call->rq, &peer)) {
        feed_drop(source);
        return fail(f, INVALID, "A stream must be the last request of its connection.");
    }
    call->detached = true;
    counter_add(&call->app->metrics.streams_opened, 1);
    audience_add(audience, peer, source);
    return OK;
}

enum status events_open(struct call *call, struct failure *f)
{
    struct asked asked = {0};
    enum status status = ask_subset(call, &asked, call->collection, json_member(call->query, "where"), f);
    return status ? status : open_stream(call, &asked, f);
}

/* "messages,media"; without it: whatever the reader may read. */
static enum status ask_collections(struct call *call, struct asked *asked, struct json_object *where, struct failure *f)
{
    struct json_object *names = json_member(call->query, "collections");
    struct subscription *s = &asked->subscription;
    enum status status = OK;
    if (!names) {
        for (size_t i = 0; i < ncollections && !status; i++) {
            const struct collection *c = collection_at(i);
            if (!c->stream || !rights_allow(call, c, RIGHT_READ)) continue;
            status = ask_subset(call, asked, c, json_member(where, c->slug), f);
        }
        return status || s->nsubsets ? status : call_forbidden(f);
    }
    for (struct view rest = json_text(names); rest.at && !status;) {
        struct view name = view_trim(view_cut(&rest, ','));
        const struct collection *c = collection_find(name);
        if (!c || !c->stream) return fail(f, INVALID, "There is no stream of \"%.*s\".", VIEW_ARGS(name));
        for (size_t i = 0; i < s->nsubsets; i++)
            if (s->subsets[i].collection == c) return fail(f, INVALID, "\"%s\" is named twice.", c->slug);
        status = ask_subset(call, asked, c, json_member(where, c->slug), f);
    }
    return status;
}

/* A filter of a collection that the stream does not carry would be silently wider than what was asked. */
static enum status check_filters(const struct asked *asked, struct json_object *where, struct failure *f)
{
    int found = 0;
    if (!where) return OK;
    for (size_t i = 0; i < asked->subscription.nsubsets; i++)
        if (json_member(where, asked->subscription.subsets[i].collection->slug)) found++;
    if (json_object_is_type(where, json_type_object) && found == json_object_object_length(where)) return OK;
    return fail(
        f, INVALID, "The where of this stream is one for each of its collections: where[messages][sender][equals]=1.");
}

/* "read,typing" */
static enum status ask_notices(struct call *call, struct asked *asked, struct failure *f)
{
    struct json_object *names = json_member(call->query, "events");
    if (!names) return OK;
    for (struct view rest = json_text(names); rest.at;) {
        struct view name = view_trim(view_cut(&rest, ','));
        unsigned kind = notice_find(name);
        if (!kind) return fail(f, INVALID, "There is no event \"%.*s\" that can be asked for.", VIEW_ARGS(name));
        if (asked->feed.notices & kind) return fail(f, INVALID, "\"%.*s\" is named twice.", VIEW_ARGS(name));
        asked->feed.notices |= kind;
    }
    return call_signed_in(call, f);
}

enum status events_open_named(struct call *call, struct failure *f)
{
    struct asked asked = {.subscription = {.named = true}};
    struct json_object *where = json_member(call->query, "where");
    enum status status = OK;
    if (json_object_is_type(where, json_type_string)) status = json_read(call->arena, json_text(where), &where, f);
    if (!status) status = ask_collections(call, &asked, where, f);
    if (!status) status = check_filters(&asked, where, f);
    if (!status) status = ask_notices(call, &asked, f);
    return status ? status : open_stream(call, &asked, f);
}
