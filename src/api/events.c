/* A feed is what the delivery asks for a joining stream's text: first the head of the answer, `hello` and what the
 * cursor leads to, then pages of missed changes until the log's frames can take over.
 *
 * No hole, no repeat. Each page is read in one snapshot of the database, which also tells the last change it holds. The
 * log remembers where each commit's frames ended, so the stream goes on exactly behind that change. A snapshot may be a
 * moment ahead of the log, between the commit and the frames' append; then the feed waits for the applier, which has
 * nothing else to do first. */
#include "api/events.h"
#include "api/cors.h"
#include "base/crypt.h"
#include "schema/json.h"
#include "schema/registry.h"
#include "store/changelog.h"
#include "store/read.h"
#include "stream/frame.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_DOCS   10  /* of a fresh connection, as the original */
#define PAGE_CHANGES 100 /* read at a time by one that comes back */
#define PAGE_ARENA   ((size_t)64 << 20)
#define RETRY_MS     2000 /* and as much again at random: not all come back at once */
#define CURSOR_MAX   64   /* bytes of a cursor that can be one */
#define RETRY_LEAST  2    /* seconds, for one that is turned away */
#define RETRY_MOST   10

#define STREAM_HEADERS                                                                                                 \
    "Content-Type: text/event-stream\r\n"                                                                              \
    "Cache-Control: no-cache, no-store, no-transform\r\n"                                                              \
    "X-Accel-Buffering: no\r\n"                                                                                        \
    "Access-Control-Allow-Origin: *\r\n"                                                                               \
    "Access-Control-Allow-Methods: GET, OPTIONS\r\n"                                                                   \
    "Access-Control-Allow-Headers: Content-Type\r\n"

enum feed_stage { FEED_HEAD, FEED_REPLAY };

struct feed {
    struct source source;
    struct app *app;
    struct quota_place *place;
    const struct collection *collection;
    enum feed_stage stage;
    bool credentials; /* the origin may send cookies */
    bool resumes;     /* the client sent a cursor */
    bool readable;    /* it has a cursor's form */
    char epoch[EPOCH_LENGTH + 1];
    int64_t cursor;
    struct arena arena;
};

/* "<epoch>-<seq>" */
static bool read_cursor(struct feed *feed, struct view text)
{
    struct view seq = text;
    struct view epoch = view_cut(&seq, '-');
    if (text.len > CURSOR_MAX || epoch.len != EPOCH_LENGTH) return false;
    if (!view_integer(seq, &feed->cursor) || feed->cursor < 0) return false;
    memcpy(feed->epoch, epoch.at, EPOCH_LENGTH);
    return true;
}

static void add_head(struct str *out, const struct feed *feed)
{
    uint16_t random = 0;
    if (!crypt_random(&random, sizeof random)) random = 0;
    str_addz(out, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n" STREAM_HEADERS);
    if (feed->credentials) str_addz(out, "Access-Control-Allow-Credentials: true\r\n");
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
    frame_add(out, (struct view){0}, 0, event, str_view(&data));
    if (data.failed) out->failed = true;
    str_release(&data);
}

/* One page being made: a snapshot, and what is written into it. */
struct page {
    struct feed *feed;
    struct db *db;
    struct str *out;
    struct populator populator;
    struct changelog_span span;
    struct str docs;
    size_t count;
    struct failure f;
};

static void add_doc(struct page *p, struct str *out, const struct doc *doc)
{
    struct doc_style style = {.select = SELECT_ALL, .relations = &p->populator.writer};
    doc_add_json(out, doc, &style);
}

static enum status take_newest(void *ctx, const struct doc *doc)
{
    struct page *p = ctx;
    str_addc(&p->docs, p->count++ ? ',' : '[');
    add_doc(p, &p->docs, doc);
    return OK;
}

/* The newest documents as one event; its id is the snapshot's last change, so that a reader who was cut off inside it
 * comes back as new. */
static enum status add_newest(struct page *p)
{
    const struct collection *c = p->feed->collection;
    struct where everything = {.kind = WHERE_AND};
    int i = field_find(c, VIEW("updatedAt"));
    struct find find = {.collection = c, .where = &everything, .nsort = 1};
    find.sort[0] = (struct sort_term){.field = &c->fields[i < 0 ? 0 : i], .collection = c, .descending = true};
    enum status status = read_many(p->db, &find, FIRST_DOCS, 0, &p->feed->arena, take_newest, p, &p->f);
    if (status) return status;
    if (p->count) {
        str_addc(&p->docs, ']');
        frame_add(p->out, view_of(p->span.epoch), p->span.head, "message", str_view(&p->docs));
    } else {
        frame_add_id(p->out, view_of(p->span.epoch), p->span.head);
    }
    if (p->docs.failed) p->out->failed = true;
    p->feed->cursor = p->span.head;
    return OK;
}

static enum status take_missed(void *ctx, const struct change *change)
{
    struct page *p = ctx;
    struct doc doc;
    bool gone = change->op == CHANGE_DELETE;
    str_reset(&p->docs);
    if (gone) {
        str_addf(&p->docs, "[{\"id\":%lld}]", (long long)change->doc);
    } else {
        enum status status = read_one(p->db, p->feed->collection, change->doc, &p->feed->arena, &doc, &p->f);
        if (status == NOT_FOUND) return OK; /* removed behind the log's back, by another program */
        if (status) return status;
        str_addc(&p->docs, '[');
        add_doc(p, &p->docs, &doc);
        str_addc(&p->docs, ']');
    }
    frame_add(p->out, view_of(p->span.epoch), change->seq, gone ? "delete" : "message", str_view(&p->docs));
    if (p->docs.failed) p->out->failed = true;
    return OK;
}

static enum status add_missed(struct page *p, bool *more)
{
    enum status status = changelog_read(
        p->db, p->feed->collection, p->feed->cursor, PAGE_CHANGES, take_missed, p, &p->feed->cursor, more, &p->f);
    if (!status && !*more) p->feed->cursor = p->span.head;
    return status;
}

static const char *why_not(const struct page *p)
{
    const struct feed *feed = p->feed;
    if (!feed->readable) return "unknown";
    if (strcmp(feed->epoch, p->span.epoch)) return "foreign";
    if (feed->cursor > p->span.head) return "unknown";
    if (feed->cursor < p->span.oldest - 1) return "trimmed";
    return NULL;
}

static enum status add_page(struct page *p, bool *more)
{
    struct feed *feed = p->feed;
    const char *reason = NULL;
    *more = false;
    enum status status = changelog_span(p->db, &p->span, &p->f);
    if (status) return status;
    bool fresh = false;
    if (feed->stage == FEED_HEAD) {
        add_head(p->out, feed);
        add_hello(p->out, "hello", &p->span, NULL);
        if (feed->resumes) reason = why_not(p);
        fresh = !feed->resumes || reason;
        memcpy(feed->epoch, p->span.epoch, sizeof feed->epoch);
        feed->stage = FEED_REPLAY;
    } else if (why_not(p)) {
        /* The changes were trimmed while this reader was on its way through them. */
        reason = "trimmed";
        fresh = true;
    }
    if (reason) add_hello(p->out, "reset", &p->span, reason);
    return fresh ? add_newest(p) : add_missed(p, more);
}

/* Where the log goes on behind the snapshot's last change. False: it does not know that change any more. */
static bool find_place(struct feed *feed, int64_t seq, uint64_t *position)
{
    struct framelog *log = broker_log(feed->app->broker, feed->collection);
    while (framelog_end(log).seq < seq) nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    return framelog_find(log, seq, position);
}

static enum source_result feed_next(struct source *source, struct str *out, uint64_t *position)
{
    struct feed *feed = CONTAINER(source, struct feed, source);
    struct failure end;
    bool more = false;
    arena_reset(&feed->arena);
    struct page p = {.feed = feed, .db = pool_take(feed->app->pool), .out = out};
    populator_init_stream(&p.populator, p.db, &feed->arena);
    enum status status = db_run(p.db, "BEGIN", NULL, 0, &p.f);
    if (!status) {
        status = add_page(&p, &more);
        if (db_run(p.db, "COMMIT", NULL, 0, &end) && !status) status = end.status;
    }
    pool_give(feed->app->pool, p.db);
    str_release(&p.docs);
    /* Half a page would be a hole: end, and the reader comes back with its cursor. */
    if (status || out->failed || p.populator.failure.status) {
        str_reset(out);
        return SOURCE_END;
    }
    if (more || !find_place(feed, p.span.head, position)) return SOURCE_MORE;
    arena_release(&feed->arena);
    return SOURCE_LIVE;
}

static void feed_fallen(struct source *source, int64_t seq)
{
    struct feed *feed = CONTAINER(source, struct feed, source);
    feed->cursor = seq;
}

static void feed_close(struct source *source)
{
    struct feed *feed = CONTAINER(source, struct feed, source);
    arena_release(&feed->arena);
    quota_drop(feed->place);
    free(feed);
}

/* Those that are turned away are not to come back all at once. */
static enum status refuse(enum quota_result why, struct failure *f)
{
    uint8_t random = 0;
    if (!crypt_random(&random, sizeof random)) random = 0;
    if (why == QUOTA_NO_MEMORY) return fail(f, NO_MEMORY, "Out of memory.");
    fail(f, UNAVAILABLE, "Too many streams. %s",
        why == QUOTA_FULL ? "Come back later, or read the list instead."
                          : "Close another stream of this address, or read the list instead.");
    f->retry_after = RETRY_LEAST + random % (RETRY_MOST - RETRY_LEAST + 1);
    return f->status;
}

enum status events_open(struct call *call, struct failure *f)
{
    struct view cursor = request_header(call->rq, "Last-Event-ID");
    struct json_object *since = json_member(call->query, "since");
    if (!call_allows(call, call->collection->access.read)) return call_forbidden(f);
    if (call->rq->method == METHOD_HEAD) {
        call->caching = CACHING_OWN;
        str_reset(&call->rs->headers);
        str_addz(&call->rs->headers, STREAM_HEADERS);
        return OK;
    }
    struct quota_place *place;
    enum quota_result taken = quota_take(call->app->quota, call->rq->remote, &place);
    if (taken != QUOTA_OK) {
        counter_add(&call->app->metrics.streams_refused[taken], 1);
        return refuse(taken, f);
    }
    struct feed *feed = calloc(1, sizeof *feed);
    if (!feed) {
        quota_drop(place);
        return fail(f, NO_MEMORY, "Out of memory.");
    }
    feed->place = place;
    feed->source = (struct source){feed_next, feed_fallen, feed_close};
    feed->app = call->app;
    feed->collection = call->collection;
    feed->credentials = cors_listed(call->app, call->rq);
    arena_init(&feed->arena, PAGE_ARENA);
    /* EventSource keeps the address it was opened with: the header it adds on coming back is the newer of the two. */
    feed->resumes = cursor.at || since;
    feed->readable = feed->resumes && read_cursor(feed, cursor.at ? cursor : json_text(since));
    struct peer peer;
    if (!request_detach(call->rq, &peer)) {
        feed_close(&feed->source);
        return fail(f, INVALID, "A stream must be the last request of its connection.");
    }
    call->detached = true;
    counter_add(&call->app->metrics.streams_opened, 1);
    if (!delivery_add(call->app->delivery, peer, broker_log(call->app->broker, call->collection), &feed->source))
        return OK; /* closed by the delivery: the client tries again */
    return OK;
}
