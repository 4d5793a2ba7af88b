/* No hole, no repeat. Where the log still knows the reader's cursor, it goes on there. Else pages are read from the
 * database, each in one snapshot, which also tells the last change it holds: first, for one who is new, the documents
 * as they were at a moment (store/backlog.h), then the changes since. A channel's log knows where it goes on behind any
 * change that it reaches back to, so the stream goes on exactly behind the last page's. A snapshot may be a moment
 * ahead of the log, between the commit and the frames' publishing; then channel_place waits for the applier, which has
 * nothing else to do first. */
#include "api/feed.h"
#include "api/cors.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "schema/json.h"
#include "store/account.h"
#include "store/read.h"
#include "store/relations.h"
#include "stream/frame.h"
#include <stdlib.h>
#include <string.h>

#define EVENT_DOCS   100 /* of a first look, in one event */
#define PAGE_CHANGES 100 /* read at a time by one that comes back */
#define PAGE_ARENA   ((size_t)64 << 20)
#define RETRY_MS     2000 /* and as much again at random: not all come back at once */

const char feed_headers[] = "Content-Type: text/event-stream\r\n"
                            "Cache-Control: no-cache, no-store, no-transform\r\n"
                            "X-Accel-Buffering: no\r\n"
                            "Access-Control-Allow-Origin: *\r\n"
                            "Access-Control-Allow-Methods: GET, OPTIONS\r\n"
                            "Access-Control-Allow-Headers: Content-Type\r\n";

/* What is needed until the stream is in the log for the first time. */
struct opening {
    bool credentials, resumes, readable, http_1_0;
    char epoch[EPOCH_LENGTH + 1]; /* the cursor's */
    int64_t user;
    struct view session; /* owned; at == NULL: the reader is nobody */
};

/* A first look at what there is, under way. */
struct look {
    bool started; /* `place` is where the part begins */
    size_t part;
    struct backlog_place place;
};

struct feed {
    struct source source;
    struct app *app;
    struct channel *channel;
    struct opening *opening; /* NULL: the head has been written */
    struct look *look;       /* NULL: changes behind `seq` are next */
    int64_t seq;             /* the reader has what there was up to this change, but for the rest of the look */
    int32_t newest;
};

uint64_t feed_session(struct view session)
{
    uint64_t mark = 0;
    for (size_t i = 0; i < session.len; i++) mark = mark * UINT64_C(0x100000001b3) + (unsigned char)session.at[i];
    return session.at && !mark ? 1 : mark;
}

static void add_head(struct str *out, const struct opening *opening)
{
    uint16_t random = 0;
    if (!crypt_random(&random, sizeof random)) random = 0;
    str_addz(out, "HTTP/1.1 200 OK\r\n");
    str_addz(out, opening->http_1_0 ? "Connection: close\r\n" : "Connection: keep-alive\r\n");
    str_addz(out, feed_headers);
    if (opening->credentials) str_addz(out, "Access-Control-Allow-Credentials: true\r\n");
    str_addz(out, "\r\n");
    frame_add_retry(out, RETRY_MS + random % RETRY_MS);
}

static void add_hello(struct str *out, const char *event, const struct changelog_span *span, const char *reason)
{
    struct str data = {0};
    str_addf(&data, "{\"epoch\":\"%s\",\"head\":%lld,\"oldest\":%lld", span->epoch, (long long)span->head,
        (long long)span->oldest);
    if (reason) str_addf(&data, ",\"reason\":\"%s\"", reason);
    str_addc(&data, '}');
    frame_add(out, NULL, event, str_view(&data));
    if (data.failed) out->failed = true;
    str_release(&data);
}

/* One page being made: a snapshot, and what is written into it. */
struct page {
    struct feed *feed;
    struct db *db;
    struct str *out;
    struct arena arena;
    struct populator populator;
    struct relations relations;
    struct changelog_span span;
    const struct collection *collection; /* of the documents in `docs` */
    struct str docs;
    size_t count;
    struct failure f;
};

/* ---- events ---- */

static void add_doc(struct page *p, const struct doc *doc)
{
    struct doc_style style = {.select = SELECT_ALL, .relations = &p->populator.writer};
    str_addc(&p->docs, p->count++ ? ',' : '[');
    doc_add_json(&p->docs, doc, &style);
}

static void add_event(struct page *p, const struct frame_id *id, const char *event)
{
    struct str named = {0};
    str_addc(&p->docs, ']');
    if (channel_subscription(p->feed->channel)->named) {
        str_addf(&named, "{\"collection\":\"%s\",\"docs\":", p->collection->slug);
        str_add(&named, str_view(&p->docs));
        str_addc(&named, '}');
    }
    frame_add(p->out, id, event, str_view(named.at ? &named : &p->docs));
    if (p->docs.failed || named.failed) p->out->failed = true;
    str_release(&named);
    str_reset(&p->docs);
    p->count = 0;
}

/* ---- the first look ---- */

static enum status take_newest(void *ctx, const struct doc *doc)
{
    add_doc(ctx, doc);
    return OK;
}

static enum status start_part(struct page *p, const struct backlog *backlog)
{
    struct feed *feed = p->feed;
    struct look *look = feed->look;
    if (look->started) return OK;
    look->started = true;
    look->place = (struct backlog_place){0};
    if (feed->newest == FEED_ALL) return OK;
    return backlog_start(p->db, backlog, feed->newest, &p->arena, &look->place, &p->f);
}

/* The next event of the look. Its id leads back here, but for the last one's, which leads to the changes behind. */
static enum status add_look(struct page *p)
{
    struct feed *feed = p->feed;
    struct look *look = feed->look;
    const struct subscription *s = channel_subscription(feed->channel);
    const struct subset *subset = &s->subsets[look->part];
    struct backlog backlog = {.collection = subset->collection, .filter = subset->filter, .seq = feed->seq};
    struct str place = {0};
    bool end = true;
    p->collection = subset->collection;
    enum status status = feed->newest ? start_part(p, &backlog) : OK;
    if (!status && feed->newest) {
        status = backlog_read(p->db, &backlog, &look->place, EVENT_DOCS, &p->arena, take_newest, p, &p->f);
        end = p->count < EVENT_DOCS;
    }
    if (status) return status;
    bool last = end && look->part + 1 == s->nsubsets;
    struct frame_id id = {.epoch = view_of(p->span.epoch), .seq = feed->seq};
    if (!last) cursor_add_place(&place, look->part, &look->place);
    id.rest = str_view(&place);
    if (p->count)
        add_event(p, &id, "message");
    else if (last)
        frame_add_id(p->out, &id);
    if (place.failed) p->out->failed = true;
    str_release(&place);
    if (last) {
        free(look);
        feed->look = NULL;
    } else if (end) {
        look->part++;
        look->started = false;
    }
    return OK;
}

/* Of what there is at the page's snapshot. */
static enum status start_look(struct page *p)
{
    struct feed *feed = p->feed;
    feed->seq = p->span.head;
    if (!feed->look) feed->look = malloc(sizeof *feed->look);
    if (!feed->look) return fail(&p->f, NO_MEMORY, "Out of memory.");
    *feed->look = (struct look){0};
    return OK;
}

/* ---- the changes behind ---- */

static const struct subset *subset_of(const struct page *p, const struct collection *c)
{
    const struct subscription *s = channel_subscription(p->feed->channel);
    for (size_t i = 0; i < s->nsubsets; i++)
        if (s->subsets[i].collection == c) return &s->subsets[i];
    return NULL;
}

/* Might the reader have been shown a document that was of those? One whose parties are not known counts as his. */
static bool was_his(struct page *p, const struct subset *subset, struct view parties)
{
    struct doc doc = {.collection = subset->collection};
    struct json_object *json = NULL;
    if (!subset->rights || !parties.at) return true;
    if (json_read(&p->arena, parties, &json, &p->f)) return true;
    for (size_t i = 0; i < subset->collection->nfields; i++) {
        const struct field *field = &subset->collection->fields[i];
        struct json_object *id = field->role ? json_member(json, field->name) : NULL;
        if (id) doc.values[i] = value_integer(json_object_get_int64(id));
    }
    return match(subset->rights, &doc, NULL);
}

static enum status take_missed(void *ctx, const struct change *change)
{
    struct page *p = ctx;
    struct doc doc;
    const struct subset *subset = subset_of(p, change->collection);
    const struct frame_id id = {.epoch = view_of(p->span.epoch), .seq = change->seq};
    enum status status = change->op == CHANGE_DELETE ? NOT_FOUND : OK;
    if (!status) status = read_one(p->db, change->collection, change->doc, &p->arena, &doc, &p->f);
    if (status && status != NOT_FOUND) return status;
    p->collection = change->collection;
    if (!status && (!subset->filter || match(subset->filter, &doc, &p->relations.reader))) {
        add_doc(p, &doc);
        add_event(p, &id, "message");
    } else if (change->op != CHANGE_CREATE && was_his(p, subset, change->parties)) {
        str_addf(&p->docs, "[{\"id\":%lld}", (long long)change->doc);
        add_event(p, &id, "delete");
    }
    return OK;
}

/* A page without an event moves the reader all the same: what he came through he need not come through again. */
static enum status add_missed(struct page *p, bool *more)
{
    const struct subscription *s = channel_subscription(p->feed->channel);
    const struct collection *of[MAX_COLLECTIONS];
    size_t before = p->out->len;
    int64_t from = p->feed->seq;
    for (size_t i = 0; i < s->nsubsets; i++) of[i] = s->subsets[i].collection;
    enum status status =
        changelog_read(p->db, of, s->nsubsets, from, PAGE_CHANGES, take_missed, p, &p->feed->seq, more, &p->f);
    if (status) return status;
    if (!*more) p->feed->seq = p->span.head;
    const struct frame_id id = {.epoch = view_of(p->span.epoch), .seq = p->feed->seq};
    if (p->out->len == before && p->feed->seq > from) frame_add_id(p->out, &id);
    return OK;
}

/* ---- pages ---- */

static const char *why_not(const struct page *p)
{
    const struct feed *feed = p->feed;
    if (feed->opening && !feed->opening->readable) return "unknown";
    if (feed->opening && strcmp(feed->opening->epoch, p->span.epoch)) return "foreign";
    if (feed->seq > p->span.head) return "unknown";
    if (feed->look && feed->look->part >= channel_subscription(feed->channel)->nsubsets) return "unknown";
    if (feed->seq < p->span.oldest - 1) return "trimmed";
    return NULL;
}

static void opening_free(struct opening *opening)
{
    if (opening) free((void *)(uintptr_t)opening->session.at);
    free(opening);
}

static void end_opening(struct feed *feed)
{
    opening_free(feed->opening);
    feed->opening = NULL;
}

static enum status add_page(struct page *p, bool *more)
{
    struct feed *feed = p->feed;
    enum status status = changelog_span(p->db, &p->span, &p->f);
    *more = false;
    if (status) return status;
    bool fresh = feed->opening && !feed->opening->resumes;
    const char *reason = fresh ? NULL : why_not(p);
    if (feed->opening) {
        add_head(p->out, feed->opening);
        add_hello(p->out, "hello", &p->span, NULL);
        end_opening(feed);
    }
    if (reason) add_hello(p->out, "reset", &p->span, reason);
    if (fresh || reason) status = start_look(p);
    if (!status && feed->look)
        status = add_look(p);
    else if (!status)
        return add_missed(p, more);
    /* Only one who has the whole look can go on in the log; and what was behind is read first. */
    *more = feed->look || p->span.head > feed->seq;
    return status;
}

static enum source_result read_page(struct feed *feed, struct str *out, uint64_t *position)
{
    struct failure end;
    bool more = false;
    struct page p = {.feed = feed, .db = pool_take(feed->app->pool), .out = out};
    arena_init(&p.arena, PAGE_ARENA);
    populator_init_stream(&p.populator, p.db, &p.arena);
    relations_init(&p.relations, p.db, &p.arena);
    enum status status = db_run(p.db, "BEGIN", NULL, 0, &p.f);
    if (!status) {
        status = add_page(&p, &more);
        if (db_run(p.db, "COMMIT", NULL, 0, &end) && !status) status = end.status;
    }
    pool_give(feed->app->pool, p.db);
    str_release(&p.docs);
    arena_release(&p.arena);
    /* Half a page would be a hole: end, and the reader comes back with its cursor. */
    if (status || out->failed || p.populator.failure.status || p.relations.failure.status) {
        str_reset(out);
        return SOURCE_END;
    }
    if (more || !channel_place(feed->channel, feed->seq, position)) return SOURCE_MORE;
    return SOURCE_LIVE;
}

/* Without the database, where the log knows the cursor, or where nothing of what there is was asked for. */
static bool begin_in_log(struct feed *feed, struct str *out, uint64_t *position)
{
    const struct opening *opening = feed->opening;
    struct changelog_span span;
    channels_span(broker_channels(feed->app->broker), &span);
    if (opening->resumes) {
        if (!opening->readable || feed->look || feed->seq > span.head || strcmp(opening->epoch, span.epoch))
            return false;
    } else {
        if (feed->newest) return false;
        feed->seq = span.head;
    }
    if (!channel_place(feed->channel, feed->seq, position)) return false;
    add_head(out, opening);
    add_hello(out, "hello", &span, NULL);
    const struct frame_id id = {.epoch = view_of(span.epoch), .seq = feed->seq};
    if (!opening->resumes) frame_add_id(out, &id);
    end_opening(feed);
    return true;
}

/* The stream is among those that delivery_end finds by now: a session that is alive here is not missed by it. */
static bool session_over(const struct feed *feed)
{
    const struct opening *opening = feed->opening;
    char now[ISO_LENGTH + 1];
    struct failure f;
    bool alive = false;
    if (!opening->session.at) return false;
    clock_iso(clock_wall(), now);
    struct db *db = pool_take(feed->app->pool);
    enum status status = account_has_session(
        db, collection_auth(), opening->user, opening->session, (struct view){now, ISO_LENGTH}, &alive, &f);
    pool_give(feed->app->pool, db);
    return status || !alive;
}

static enum source_result feed_next(struct source *source, struct str *out, uint64_t *position)
{
    struct feed *feed = CONTAINER(source, struct feed, source);
    if (feed->opening && session_over(feed)) {
        add_head(out, feed->opening);
        str_addz(out, FEED_OVER);
        return SOURCE_END;
    }
    if (feed->opening && begin_in_log(feed, out, position)) return SOURCE_LIVE;
    return read_page(feed, out, position);
}

static void feed_fallen(struct source *source, int64_t seq)
{
    struct feed *feed = CONTAINER(source, struct feed, source);
    feed->seq = seq;
}

/* Readers of few documents must not fall behind what the change log keeps: an id shows how far they are. */
static void feed_ping(struct source *source, struct str *page, uint64_t position)
{
    struct feed *feed = CONTAINER(source, struct feed, source);
    struct changelog_span span;
    int64_t reached = channel_reached(feed->channel, position);
    channels_span(broker_channels(feed->app->broker), &span);
    const struct frame_id id = {.epoch = view_of(span.epoch), .seq = reached};
    if (reached) frame_add_id(page, &id);
    frame_add_ping(page);
}

static void feed_close(struct source *source, enum stream_end why)
{
    (void)why;
    feed_drop(source);
}

void feed_drop(struct source *source)
{
    struct feed *feed = CONTAINER(source, struct feed, source);
    channel_leave(feed->channel);
    end_opening(feed);
    free(feed->look);
    free(feed);
}

static struct opening *opening_new(const struct call *call, const struct feed_options *options)
{
    struct opening *opening = calloc(1, sizeof *opening);
    if (!opening) return NULL;
    opening->credentials = options->credentials;
    opening->resumes = options->resumes;
    opening->readable = options->readable;
    opening->http_1_0 = call->rq->http_1_0;
    memcpy(opening->epoch, options->cursor.epoch, sizeof opening->epoch);
    if (!call->reader.signed_in) return opening;
    opening->user = call->reader.id;
    opening->session.len = call->reader.session.len;
    opening->session.at = strndup(call->reader.session.at, call->reader.session.len);
    if (opening->session.at) return opening;
    opening_free(opening);
    return NULL;
}

struct source *feed_new(const struct call *call, const struct feed_options *options)
{
    static const struct source_type type = {feed_next, feed_fallen, feed_ping, feed_close};
    struct feed *feed = calloc(1, sizeof *feed);
    struct opening *opening = opening_new(call, options);
    bool looks = options->resumes && options->readable && options->cursor.inside;
    struct look *look = looks ? malloc(sizeof *look) : NULL;
    if (!feed || !opening || (looks && !look)) {
        channel_leave(options->channel);
        opening_free(opening);
        free(look);
        free(feed);
        return NULL;
    }
    if (look) *look = (struct look){true, options->cursor.part, options->cursor.place};
    *feed = (struct feed){.source = {.type = &type},
        .app = call->app,
        .channel = options->channel,
        .opening = opening,
        .look = look,
        .seq = options->cursor.seq,
        .newest = options->newest};
    if (!call->reader.signed_in) return &feed->source;
    feed->source.owner = (uint64_t)call->reader.id;
    feed->source.session = feed_session(call->reader.session);
    feed->source.until = clock_monotonic() + call->reader.expires * 1000 - clock_wall();
    return &feed->source;
}
