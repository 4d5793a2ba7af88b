#include "stream/stream.h"
#include "base/check.h"
#include "stream/frame.h"
#include <stdlib.h>

#define COMMENT_MS 15000
#define PING_MS    30000
#define RUNS_MOST  4  /* of the log, in a row; so that one who has much to catch up with keeps nobody waiting */
#define DRAIN_MOST 16 /* reads of one draining */

struct stream *stream_new(struct peer peer, struct framelog *log, struct source *source, int64_t now)
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
        .ping_at = now + PING_MS};
    list_init(&s->link);
    list_init(&s->told_link);
    return s;
}

void stream_free(struct stream *s)
{
    if (!s) return;
    str_release(&s->page);
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
    s->state = state;
}

/* How much of `bytes` went out. It goes on until the socket takes nothing: only then does the kernel owe an edge when
 * there is room again. */
static size_t send_some(struct stream *s, struct view bytes, int64_t now)
{
    size_t sent = 0;
    while (sent < bytes.len) {
        ssize_t n = peer_send(&s->peer, (struct view){bytes.at + sent, bytes.len - sent});
        if (n > 0) {
            sent += (size_t)n;
            continue;
        }
        stream_set(s, n == PEER_UNTIL_WRITABLE ? STREAM_BEHIND : STREAM_CLOSING);
        break;
    }
    if (sent) s->sent_at = now;
    return sent;
}

/* True: the page is out, and the stream goes on. */
static bool send_page(struct stream *s, int64_t now)
{
    size_t rest = s->page.len - s->page_sent;
    if (rest) s->page_sent += send_some(s, (struct view){s->page.at + s->page_sent, rest}, now);
    if (s->page_sent < s->page.len) return false;
    str_release(&s->page);
    s->page_sent = 0;
    if (s->ending) stream_set(s, STREAM_CLOSING);
    return !s->ending;
}

static void ask_source(struct stream *s)
{
    uint64_t position = 0;
    switch (s->source->next(s->source, &s->page, &position)) {
    case SOURCE_MORE: break;
    case SOURCE_LIVE:
        s->joining = false;
        s->position = position;
        s->seq = -1;
        stream_set(s, STREAM_LIVE);
        break;
    case SOURCE_END: s->ending = true; break;
    }
    if (s->page.failed) {
        /* Half a page would be a hole. */
        str_release(&s->page);
        s->ending = true;
    }
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
    if (s->inside) {
        stream_set(s, STREAM_CLOSING);
        return;
    }
    if (s->seq >= 0) s->source->fallen(s->source, s->seq);
    s->joining = true;
    stream_set(s, STREAM_JOINING);
}

/* False: it is at the log's end. */
static bool send_log(struct stream *s, struct looks *looks, int64_t now)
{
    const struct look *look = look_at(looks, s->log, s->position);
    if (look->found == FRAMELOG_AT_END) return false;
    if (look->found == FRAMELOG_FALLEN_OFF) {
        fall(s);
        return true;
    }
    size_t sent = send_some(s, look->run.bytes, now);
    s->position += sent;
    if (sent == look->run.bytes.len) {
        s->inside = false;
        s->seq = look->run.seq;
    } else if (sent || s->peer.tls) {
        /* With TLS also when nothing was sent: a record that holds some of it may have been, in part. */
        s->inside = true;
    }
    return true;
}

bool stream_advance(struct stream *s, struct looks *looks, int64_t now)
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
    stream_set(s, STREAM_CLOSING);
}

void stream_heed(struct stream *s, unsigned told)
{
    if (told & TOLD_GONE) {
        stream_set(s, STREAM_CLOSING);
        return;
    }
    /* TLS may have to read before it writes and the other way round. */
    if (told && s->peer.tls) told |= TOLD_WRITABLE | TOLD_READABLE;
    if (told & TOLD_WRITABLE && s->state == STREAM_BEHIND) stream_set(s, s->joining ? STREAM_JOINING : STREAM_LIVE);
    if (told & TOLD_READABLE) drain(s);
}

/* Between two frames, nothing on its way. */
static bool idle(const struct stream *s)
{
    return s->state == STREAM_LIVE && !s->inside && !s->page.len;
}

void stream_keep_alive(struct stream *s, int64_t now)
{
    if (!idle(s)) return;
    if (now >= s->ping_at) {
        frame_add_ping(&s->page);
        s->ping_at += (now - s->ping_at) / PING_MS * PING_MS + PING_MS;
    } else if (now >= s->sent_at + COMMENT_MS) {
        frame_add_comment(&s->page);
    }
    if (s->page.failed) str_release(&s->page);
    send_page(s, now);
}

void stream_check_behind(struct stream *s, struct looks *looks)
{
    if (!s->inside) return;
    if (look_at(looks, s->log, s->position)->found == FRAMELOG_FALLEN_OFF) fall(s);
}

void stream_last_words(struct stream *s, struct view words)
{
    ssize_t n = idle(s) && words.len ? peer_send(&s->peer, words) : 0;
    (void)n; /* what does not go at once does not go */
}
