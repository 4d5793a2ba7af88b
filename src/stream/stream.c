#include "stream/stream.h"
#include "base/check.h"
#include "stream/frame.h"
#include <stdlib.h>

#define COMMENT_MS 15000
#define PING_MS    30000
#define RUNS_MOST  4  /* of the log, in a row; so that one who has much to catch up with keeps nobody waiting */
#define DRAIN_MOST 16 /* reads of one draining */
#define RECORD     ((size_t)16 << 10) /* of TLS, at most: so many bytes that were not sent may be on their way */

struct stream *stream_new(struct peer peer, struct framelog *log, struct source *source, stream_time now)
{
    struct stream *s = malloc(sizeof *s);
    if (!s) return NULL;
    *s = (struct stream){.peer = peer,
        .log = log,
        .source = source,
        .state = STREAM_JOINING,
        .joining = true,
        .seq = -1,
        .sent_at = now,
        .ping_at = now + PING_MS,
        .well_at = now};
    list_init(&s->link);
    list_init(&s->told_link);
    return s;
}

static void drop_page(struct stream *s)
{
    if (s->page) str_release(&s->page->text);
    free(s->page);
    s->page = NULL;
}

void stream_free(struct stream *s)
{
    if (!s) return;
    drop_page(s);
    free(s);
}

void stream_set(struct stream *s, enum stream_state state)
{
    static const unsigned to[] = {
        [STREAM_JOINING] = 1u << STREAM_LIVE | 1u << STREAM_BEHIND | 1u << STREAM_CLOSING,
        [STREAM_LIVE] = 1u << STREAM_JOINING | 1u << STREAM_BEHIND | 1u << STREAM_CLOSING,
        [STREAM_BEHIND] = 1u << STREAM_JOINING | 1u << STREAM_LIVE | 1u << STREAM_CLOSING,
        [STREAM_CLOSING] = 0,
    };
    ASSERT(to[s->state] >> state & 1);
    s->state = (uint8_t)state;
}

void stream_close(struct stream *s, enum stream_end why)
{
    /* One that was ending had its reason before. */
    if (!s->ending) s->why = (uint8_t)why;
    stream_set(s, STREAM_CLOSING);
}

/* The page, a new one where there is none. NULL: no memory, and the stream is CLOSING: half of it would be a hole. */
static struct page *page_of(struct stream *s)
{
    if (!s->page) s->page = calloc(1, sizeof *s->page);
    if (!s->page) stream_close(s, STREAM_END_ERROR);
    return s->page;
}

/* How much of `bytes` went out. It goes on until the socket takes nothing: only then does the kernel owe an edge when
 * there is room again. */
static size_t send_some(struct stream *s, struct view bytes, stream_time now)
{
    size_t sent = 0;
    while (sent < bytes.len) {
        ssize_t n = peer_send(&s->peer, (struct view){bytes.at + sent, bytes.len - sent});
        if (n > 0) {
            sent += (size_t)n;
            continue;
        }
        if (n == PEER_UNTIL_WRITABLE)
            stream_set(s, STREAM_BEHIND);
        else
            stream_close(s, STREAM_END_CLIENT);
        break;
    }
    if (sent) s->sent_at = now;
    return sent;
}

/* True: there is no page any more, and the stream goes on. */
static bool send_page(struct stream *s, stream_time now)
{
    struct page *page = s->page;
    if (page) {
        struct view rest = {page->text.at + page->sent, page->text.len - page->sent};
        if (rest.len) page->sent += send_some(s, rest, now);
        if (page->sent < page->text.len) return false;
        drop_page(s);
        if (s->joining) s->well_at = now;
    }
    if (s->ending) stream_close(s, s->why);
    return !s->ending;
}

static void ask_source(struct stream *s)
{
    uint64_t position = 0;
    struct page *page = page_of(s);
    if (!page) return;
    switch (s->source->type->next(s->source, &page->text, &position)) {
    case SOURCE_MORE: break;
    case SOURCE_LIVE:
        s->joining = false;
        s->position = position;
        s->seq = -1;
        stream_set(s, STREAM_LIVE);
        break;
    case SOURCE_END:
        s->why = STREAM_END_SOURCE;
        s->ending = true;
        break;
    }
    if (page->text.failed) stream_close(s, STREAM_END_ERROR);
}

void looks_release(struct looks *looks)
{
    for (size_t i = 0; i < COUNT(looks->at); i++) framelog_release(looks->at[i].log, &looks->at[i].run);
    *looks = (struct looks){0};
}

static const struct look *look_at(struct looks *looks, struct framelog *log, uint64_t position)
{
    for (size_t i = 0; i < COUNT(looks->at); i++)
        if (looks->at[i].log == log && looks->at[i].position == position) return &looks->at[i];
    struct look *look = &looks->at[looks->next++ % COUNT(looks->at)];
    framelog_release(look->log, &look->run);
    look->log = log;
    look->position = position;
    look->found = framelog_read(log, position, &look->run);
    return look;
}

static void fall(struct stream *s)
{
    if (s->seq >= 0) s->source->type->fallen(s->source, s->seq);
    s->joining = true;
    stream_set(s, STREAM_JOINING);
}

/* A send was short: what must still follow the `sent` bytes of the run becomes the page, and the stream stands behind
 * that. With TLS it is all that may be on its way in a record, for that must be offered again. */
static void keep_rest(struct stream *s, const struct framelog_run *run, size_t sent)
{
    size_t n = sent + (s->peer.tls ? RECORD : 0);
    if (!n) return;
    size_t end = framelog_cut(run, n < run->bytes.len ? n : run->bytes.len, &s->seq);
    s->position += end;
    struct page *page = end > sent ? page_of(s) : NULL;
    if (end == sent || !page) return;
    str_add(&page->text, (struct view){run->bytes.at + sent, end - sent});
    if (page->text.failed) stream_close(s, STREAM_END_ERROR);
}

/* False: it is at the log's end. */
static bool send_log(struct stream *s, struct looks *looks, stream_time now)
{
    const struct look *look = look_at(looks, s->log, s->position);
    if (look->found == FRAMELOG_AT_END) {
        s->well_at = now;
        return false;
    }
    if (look->found == FRAMELOG_FALLEN_OFF) {
        fall(s);
        return true;
    }
    size_t sent = send_some(s, look->run.bytes, now);
    if (sent == look->run.bytes.len) {
        s->position += sent;
        s->seq = look->run.seq;
    } else if (s->state == STREAM_BEHIND) {
        keep_rest(s, &look->run, sent);
    }
    return true;
}

bool stream_advance(struct stream *s, struct looks *looks, stream_time now)
{
    bool asked = false;
    int runs = 0;
    while (s->state == STREAM_JOINING || s->state == STREAM_LIVE) {
        if (!send_page(s, now)) return false;
        if (s->joining) {
            if (asked) return true;
            asked = true;
            ask_source(s);
        } else {
            if (runs++ == RUNS_MOST) return true;
            if (!send_log(s, looks, now)) return false;
        }
    }
    return false;
}

static void drain(struct stream *s)
{
    char waste[4096];
    for (int i = 0; i < DRAIN_MOST; i++) {
        ssize_t n = peer_receive(&s->peer, waste, sizeof waste);
        if (n > 0 || n == PEER_AGAIN) continue;
        if (n != PEER_GONE) return;
        break;
    }
    /* Gone, or talking so much that it can hardly listen. */
    stream_close(s, STREAM_END_CLIENT);
}

void stream_heed(struct stream *s, unsigned told)
{
    if (told & TOLD_GONE) {
        stream_close(s, STREAM_END_CLIENT);
        return;
    }
    /* TLS may have to read before it writes and the other way round. */
    if (told && s->peer.tls) told |= TOLD_WRITABLE | TOLD_READABLE;
    if (told & TOLD_WRITABLE && s->state == STREAM_BEHIND) stream_set(s, s->joining ? STREAM_JOINING : STREAM_LIVE);
    if (told & TOLD_READABLE) drain(s);
}

static bool passed(stream_time now, stream_time due)
{
    return (int32_t)(now - due) >= 0;
}

void stream_keep_alive(struct stream *s, stream_time now)
{
    bool ping = passed(now, s->ping_at);
    if (s->state != STREAM_LIVE || s->page) return;
    s->well_at = now;
    if (!ping && !passed(now, s->sent_at + COMMENT_MS)) return;
    struct page *page = page_of(s);
    if (!page) return;
    if (ping) {
        s->source->type->ping(s->source, &page->text, s->position);
        s->ping_at += (now - s->ping_at) / PING_MS * PING_MS + PING_MS;
    } else {
        frame_add_comment(&page->text);
    }
    if (page->text.failed)
        drop_page(s);
    else
        send_page(s, now);
}

static void add_to_page(struct stream *s, struct view frames)
{
    struct page *page = page_of(s);
    if (!page) return;
    str_add(&page->text, frames);
    if (page->text.failed) stream_close(s, STREAM_END_ERROR);
}

void stream_tell(struct stream *s, struct view frames, stream_time now)
{
    if (s->state == STREAM_CLOSING || s->ending) return;
    size_t waiting = s->page ? s->page->text.len - s->page->sent : 0;
    if (s->page || s->state == STREAM_BEHIND) {
        if (waiting + frames.len <= NOTICE_ROOM) add_to_page(s, frames);
        return;
    }
    size_t sent = send_some(s, frames, now);
    if (s->state == STREAM_BEHIND) add_to_page(s, (struct view){frames.at + sent, frames.len - sent});
}

void stream_check_lag(struct stream *s, const struct delivery_options *limits, stream_time now)
{
    if (s->ending && s->why != STREAM_END_SOURCE)
        stream_close(s, s->why);
    else if (limits->lag_ms && (int32_t)(now - s->well_at) > limits->lag_ms)
        stream_close(s, STREAM_END_LAG_SECONDS);
    else if (limits->lag_bytes && !s->joining && framelog_end(s->log) - s->position > (uint64_t)limits->lag_bytes)
        stream_close(s, STREAM_END_LAG_BYTES);
}

void stream_end(struct stream *s, struct view words, enum stream_end why)
{
    if (s->state == STREAM_CLOSING || s->ending) return;
    struct page *page = page_of(s);
    if (!page) return;
    s->why = (uint8_t)why;
    s->ending = true;
    str_add(&page->text, words);
    if (page->text.failed) stream_close(s, why);
}
