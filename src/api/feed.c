/* No hole, no repeat. Where the log still knows the reader's cursor, it goes on there. Else pages are read from the
 * database (api/backfill.h), each in one snapshot, which also tells the last change it holds. A channel's log knows
 * where it goes on behind any change that it reaches back to, so the stream goes on exactly behind the last page's. A
 * snapshot may be a moment ahead of the log, between the commit and the frames' publishing; then channel_place waits
 * for the applier, which has nothing else to do first. */
#include "api/feed.h"
#include "api/cors.h"
#include "api/presence.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "store/account.h"
#include "stream/frame.h"
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define PAGE_ARENA ((size_t)64 << 20)
#define RETRY_MS   2000 /* and as much again at random: not all come back at once */

const char feed_headers[] = "Content-Type: text/event-stream\r\n"
                            "Cache-Control: no-cache, no-store, no-transform\r\n"
                            "X-Accel-Buffering: no\r\n"
                            "Access-Control-Allow-Origin: *\r\n"
                            "Access-Control-Allow-Methods: GET, OPTIONS\r\n"
                            "Access-Control-Allow-Headers: Content-Type\r\n";

/* What is needed until the stream is in the log for the first time. */
struct opening {
    bool credentials, resumes, readable, http_1_0;
    char epoch[EPOCH_LENGTH + 1]; /* the cursor's … */
    int64_t head;                 /* … and how far the log went when it was given out */
    int64_t user;
    struct view session; /* owned; at == NULL: the reader is nobody */
};

struct feed {
    struct source source;
    struct app *app;
    struct quota_place *place;
    struct opening *opening; /* NULL: the head has been written */
    struct backfill at;
};

/* One that takes notices too: his reader is online. The others are smaller. */
struct attended {
    struct feed feed;
    struct listener listener;
};

uint64_t feed_session(struct view session)
{
    return session.at ? XXH3_64bits(session.at, session.len) | 1 : 0;
}

static void add_head(struct str *out, const struct opening *opening)
{
    str_addz(out, "HTTP/1.1 200 OK\r\n");
    str_addz(out, opening->http_1_0 ? "Connection: close\r\n" : "Connection: keep-alive\r\n");
    str_addz(out, feed_headers);
    if (opening->credentials) str_addz(out, "Access-Control-Allow-Credentials: true\r\n");
    str_addz(out, "\r\n");
    frame_add_retry(out, RETRY_MS + (int)(crypt_dice() % RETRY_MS));
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

/* Why the cursor is none that was given out for this log. NULL: it is one, or is no longer needed. */
static const char *why_strange(const struct feed *feed, const struct changelog_span *span)
{
    const struct opening *opening = feed->opening;
    int64_t end = span->head;
    if (opening && !opening->readable) return "unknown";
    if (opening && !epochs_end(broker_epochs(feed->app->broker), view_of(opening->epoch), span->head, &end))
        return "foreign";
    return (opening ? opening->head : feed->at.seq) > end || backfill_strange(&feed->at) ? "unknown" : NULL;
}

static const char *why_not(const struct feed *feed, const struct changelog_span *span)
{
    const char *reason = why_strange(feed, span);
    return reason || feed->at.seq >= span->oldest - 1 ? reason : "trimmed";
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

/* What every stream begins with. */
static void begin(struct feed *feed, struct str *out, const struct changelog_span *span)
{
    add_head(out, feed->opening);
    add_hello(out, "hello", span, NULL);
    end_opening(feed);
}

static enum status add_page(
    struct feed *feed, struct db *db, struct arena *arena, struct str *out, bool *more, struct failure *f)
{
    struct changelog_span span;
    enum status status = changelog_span(db, &span, f);
    if (status) return status;
    bool fresh = feed->opening && !feed->opening->resumes;
    const char *reason = fresh ? NULL : why_not(feed, &span);
    if (feed->opening) begin(feed, out, &span);
    if (reason) add_hello(out, "reset", &span, reason);
    if ((fresh || reason) && !backfill_look(&feed->at, span.head)) return fail(f, NO_MEMORY, "Out of memory.");
    return backfill_page(&feed->at, feed->app->text, db, &span, arena, out, more, f);
}

static enum source_result read_page(struct feed *feed, struct str *out, uint64_t *position)
{
    struct arena arena;
    struct failure f = {0}, end;
    bool more = false;
    arena_init(&arena, PAGE_ARENA);
    struct db *db = pool_take(feed->app->pool);
    enum status status = db_run(db, "BEGIN", NULL, 0, &f);
    if (!status) {
        status = add_page(feed, db, &arena, out, &more, &f);
        if (db_run(db, "COMMIT", NULL, 0, &end) && !status) status = end.status;
    }
    pool_give(feed->app->pool, db);
    arena_release(&arena);
    /* Half a page would be a hole: end, and the reader comes back with its cursor. */
    if (status || out->failed) {
        log_error("a stream was ended, what it missed cannot be read: %s", status ? f.reason : "out of memory");
        str_reset(out);
        return SOURCE_END;
    }
    return more || !channel_place(feed->at.channel, feed->at.seq, position) ? SOURCE_MORE : SOURCE_LIVE;
}

/* Without the database, where the log knows the cursor, or where nothing of what there is was asked for. */
static bool begin_in_log(struct feed *feed, struct str *out, uint64_t *position)
{
    const struct opening *opening = feed->opening;
    struct changelog_span span;
    channels_span(broker_channels(feed->app->broker), &span);
    if (opening->resumes) {
        if (feed->at.look || opening->head > feed->at.seq || why_strange(feed, &span)) return false;
    } else {
        if (feed->at.newest) return false;
        feed->at.seq = span.head;
    }
    if (!channel_place(feed->at.channel, feed->at.seq, position)) return false;
    const struct frame_id id = {.epoch = view_of(span.epoch), .seq = feed->at.seq};
    bool fresh = !opening->resumes;
    begin(feed, out, &span);
    if (fresh) frame_add_id(out, &id);
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
    feed->at.seq = seq;
}

/* Readers of few documents must not fall behind what the change log keeps: an id shows how far they are. */
static void feed_ping(struct source *source, struct str *page, uint64_t position)
{
    struct feed *feed = CONTAINER(source, struct feed, source);
    struct changelog_span span;
    int64_t reached = channel_reached(feed->at.channel, position);
    channels_span(broker_channels(feed->app->broker), &span);
    const struct frame_id id = {.epoch = view_of(span.epoch), .seq = reached};
    if (reached) frame_add_id(page, &id);
    frame_add_ping(page);
}

static void feed_close(struct source *source, enum stream_end why)
{
    struct feed *feed = CONTAINER(source, struct feed, source);
    counter_add(&feed->app->metrics.streams_closed[why], 1);
    /* A reader who is too slow cannot be told; the operator can. */
    if (why == STREAM_END_LAG_BYTES || why == STREAM_END_LAG_SECONDS)
        log_warning("a stream was closed: %s", stream_end_name(why));
    feed_drop(source);
}

static struct listener *feed_listener(struct source *source)
{
    return &CONTAINER(source, struct attended, feed.source)->listener;
}

static const struct source_type plain_type = {feed_next, feed_fallen, feed_ping, feed_close, NULL};
static const struct source_type attended_type = {feed_next, feed_fallen, feed_ping, feed_close, feed_listener};

/* False: no memory. */
static bool attend(struct feed *feed, unsigned notices)
{
    if (!presence_enter(feed->app->presence, (int64_t)feed->source.owner)) return false;
    CONTAINER(feed, struct attended, feed)->listener.kinds = notices;
    feed->source.type = &attended_type;
    return true;
}

void feed_drop(struct source *source)
{
    struct feed *feed = CONTAINER(source, struct feed, source);
    if (source->type == &attended_type) presence_leave(feed->app->presence, (int64_t)source->owner);
    channel_leave(feed->at.channel);
    quota_drop(feed->place);
    end_opening(feed);
    backfill_release(&feed->at);
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
    opening->head = options->cursor.head;
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
    struct feed *feed = calloc(1, options->notices ? sizeof(struct attended) : sizeof(struct feed));
    if (!feed) {
        channel_leave(options->channel);
        quota_drop(options->place);
        return NULL;
    }
    *feed = (struct feed){.source = {.type = &plain_type},
        .app = call->app,
        .place = options->place,
        .opening = opening_new(call, options),
        .at = {.channel = options->channel, .seq = options->cursor.seq, .newest = options->newest}};
    if (call->reader.signed_in) {
        feed->source.owner = (uint64_t)call->reader.id;
        feed->source.session = feed_session(call->reader.session);
        feed->source.until = clock_monotonic() + call->reader.expires * 1000 - clock_wall();
    }
    bool looks = options->resumes && options->readable && options->cursor.inside;
    bool ok = feed->opening && (!looks || backfill_look_on(&feed->at, &options->cursor));
    if (ok && options->notices) ok = attend(feed, options->notices);
    if (ok) return &feed->source;
    feed_drop(&feed->source);
    return NULL;
}
