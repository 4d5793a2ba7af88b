/* One stream: a socket, its place in the log, and what is on its way to it. It belongs to one delivery thread; only
 * `told` and `told_link` are others', under that thread's lock. */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include "base/list.h"
#include "stream/delivery.h"

enum stream_state {
    STREAM_JOINING, /* its source is asked for text, page by page, until the source says where in the log it goes on */
    STREAM_LIVE,    /* at the end of the log, or on the way there; the socket takes what is sent */
    STREAM_BEHIND,  /* a send was short; waits until it is told that the socket is writable */
    STREAM_CLOSING, /* closed and freed at the end of the round */
};

/* What the watcher tells a stream. */
enum stream_told {
    TOLD_WRITABLE = 1,
    TOLD_READABLE = 2,
    TOLD_GONE = 4,
    TOLD_NO_MORE = 8, /* by its own thread: it is not to be put on the list again */
};

struct crew; /* a delivery thread */

struct stream {
    /* fixed */
    struct peer peer;
    struct framelog *log;
    struct source *source;
    struct crew *crew;
    /* the thread's */
    struct list link;
    enum stream_state state;
    unsigned heard;    /* of what it was told, what it has not heeded yet */
    bool watched;      /* the watcher knows it */
    bool joining;      /* the source goes on when `page` has been sent (also while BEHIND) */
    bool ending;       /* close when `page` has been sent */
    bool inside;       /* bytes of the frame at `position` may be on their way */
    uint64_t position; /* of the next byte to send */
    int64_t seq;     /* every change up to it has been sent, the source need not know that; -1: the source knows best */
    struct str page; /* text that goes before the log */
    size_t page_sent;
    int64_t sent_at, ping_at; /* monotonic ms */
    /* under the crew's lock */
    struct list told_link;
    unsigned told;
};

/* What stands at a few places of logs, remembered for one round: streams at one position share one look, and one pin.
 */
struct look {
    struct framelog *log;
    uint64_t position;
    enum framelog_read found;
    struct framelog_run run;
};

struct looks {
    struct look at[4];
    unsigned next; /* to be replaced */
};

void looks_release(struct looks *looks);

/* JOINING. Leaves the peer and the source with the caller when it fails. NULL: no memory. */
MUST_CHECK struct stream *stream_new(struct peer peer, struct framelog *log, struct source *source, int64_t now);
/* Not the peer and not the source. */
void stream_free(struct stream *s);

/* The one door of a stream's state. */
void stream_set(struct stream *s, enum stream_state state);
/* Does as it was told: goes on, throws away what the client sent, or closes. */
void stream_heed(struct stream *s, unsigned told);
/* Sends what there is, until the log's end, a short send, or the end of its share of a round; true in the last case:
 * call again. */
MUST_CHECK bool stream_advance(struct stream *s, struct looks *looks, int64_t now);
/* Once a second: comment and ping, where due. */
void stream_keep_alive(struct stream *s, int64_t now);
/* Once a second, for one that is BEHIND: closes it if it can no longer end the frame that it is inside. */
void stream_check_behind(struct stream *s, struct looks *looks);
/* Sends `words` if it stands between two frames and the socket takes them at once. */
void stream_last_words(struct stream *s, struct view words);

#endif
