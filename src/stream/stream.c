#include "stream/stream.h"
#include "base/check.h"
#include "stream/frame.h"
#include <errno.h>
#include <sys/socket.h>

#define COMMENT_MS 15000
#define PING_MS    30000
#define DRAIN_MOST 16 /* reads of one draining */

void stream_set(struct stream *s, enum stream_state state)
{
    static const unsigned to[] = {
        [STREAM_JOINING] = 1u << STREAM_LIVE | 1u << STREAM_BEHIND | 1u << STREAM_CLOSING,
        [STREAM_LIVE] = 1u << STREAM_JOINING | 1u << STREAM_BEHIND | 1u << STREAM_CLOSING,
        [STREAM_BEHIND] = 1u << STREAM_JOINING | 1u << STREAM_LIVE | 1u << STREAM_CLOSING,
        [STREAM_CLOSING] = 1u << STREAM_CLOSING,
    };
    ASSERT(to[s->state] >> state & 1);
    s->state = state;
}

/* How much of `bytes` went out. A short send leaves the stream BEHIND: after EAGAIN the next edge comes when there is
 * room again, also when that happens before the thread looks. */
static size_t send_some(struct stream *s, struct view bytes, int64_t now)
{
    size_t sent = 0;
    while (sent < bytes.len) {
        ssize_t n = send(s->socket, bytes.at + sent, bytes.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            sent += (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR) continue;
        stream_set(s, n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? STREAM_BEHIND : STREAM_CLOSING);
        break;
    }
    if (sent) s->sent_at = now;
    return sent;
}

/* True: the page is out. */
static bool send_page(struct stream *s, int64_t now)
{
    struct view rest = {s->page.at + s->page_sent, s->page.len - s->page_sent};
    if (rest.len) s->page_sent += send_some(s, rest, now);
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
        s->inside = false;
        s->position = position;
        break;
    case SOURCE_END: s->ending = true; break;
    }
    if (s->page.failed) {
        /* Half a page would be a hole. */
        str_reset(&s->page);
        s->ending = true;
    }
}

void shared_run_release(struct shared_run *shared)
{
    if (shared->log) framelog_release(shared->log, &shared->run);
    *shared = (struct shared_run){0};
}

/* Makes `shared` hold what stands at the stream's position. */
static enum framelog_read look(struct stream *s, struct shared_run *shared)
{
    if (shared->log == s->log && shared->run.segment && shared->position == s->position) return FRAMELOG_RUN;
    if (shared->log == s->log && shared->end_known && shared->end.position == s->position) return FRAMELOG_AT_END;
    if (shared->log != s->log)
        shared_run_release(shared);
    else
        framelog_release(s->log, &shared->run);
    shared->log = s->log;
    shared->position = s->position;
    enum framelog_read found = framelog_read(s->log, s->position, &shared->run);
    if (found == FRAMELOG_AT_END) {
        shared->end.position = s->position;
        shared->end_known = true;
    }
    return found;
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

static void send_log(struct stream *s, struct shared_run *shared, int64_t now)
{
    switch (look(s, shared)) {
    case FRAMELOG_AT_END: return;
    case FRAMELOG_FALLEN_OFF: fall(s); return;
    case FRAMELOG_RUN: break;
    }
    size_t sent = send_some(s, shared->run.bytes, now);
    s->position += sent;
    if (sent == shared->run.bytes.len) {
        s->inside = false;
        s->seq = shared->run.seq;
    } else if (sent) {
        s->inside = true;
    }
}

void stream_advance(struct stream *s, struct shared_run *shared, int64_t now)
{
    while (s->state == STREAM_JOINING || s->state == STREAM_LIVE) {
        if (!send_page(s, now)) return;
        if (s->joining) {
            ask_source(s);
            if (!s->joining && s->state == STREAM_JOINING) stream_set(s, STREAM_LIVE);
            continue;
        }
        uint64_t before = s->position;
        send_log(s, shared, now);
        if (s->position == before && !s->joining) return;
    }
}

void stream_drain(struct stream *s)
{
    char waste[4096];
    for (int i = 0; i < DRAIN_MOST && s->state != STREAM_CLOSING; i++) {
        ssize_t n = recv(s->socket, waste, sizeof waste, MSG_DONTWAIT);
        if (n > 0) continue;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        stream_set(s, STREAM_CLOSING);
    }
    /* Who goes on talking to a stream is not listening to it. */
    if (s->state != STREAM_CLOSING) stream_set(s, STREAM_CLOSING);
}

bool stream_idle(const struct stream *s)
{
    return s->state == STREAM_LIVE && !s->joining && !s->inside && !s->page.len;
}

void stream_keep_alive(struct stream *s, int64_t now)
{
    bool ping = now >= s->ping_at;
    if (ping) s->ping_at = now + PING_MS;
    if (!stream_idle(s)) return;
    if (ping)
        frame_add_ping(&s->page);
    else if (now >= s->sent_at + COMMENT_MS)
        frame_add_comment(&s->page);
    else
        return;
    if (s->page.failed) str_reset(&s->page);
    send_page(s, now);
}

void stream_last_words(struct stream *s, struct view words)
{
    if (stream_idle(s) && words.len) send(s->socket, words.at, words.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}
