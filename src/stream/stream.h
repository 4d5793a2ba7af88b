/* One stream: a socket, its place in the log, and what is on its way to it. It belongs to one delivery thread; only
 * `told` and `told_link` are others', under that thread's lock. There may be many: it is small. */
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

/* The thread's time in milliseconds, which wraps after 49 days: times of a stream lie less than a day apart. */
typedef uint32_t stream_time;

/* Text that goes before the log: whole frames, but for what the first of them has lost. */
struct page {
    struct str text;
    size_t sent;
};

struct group;

struct stream {
    /* fixed */
    struct peer peer;
    struct framelog *log;
    struct source *source;
    struct group *group; /* the delivery's: the streams of one audience and one thread */
    uint8_t crew;        /* whose it is, its number */
    /* the thread's */
    uint8_t state;    /* enum stream_state */
    uint8_t why;      /* enum stream_end, once CLOSING or ending */
    uint8_t heard;    /* of what it was told, what it has not heeded yet */
    bool watched : 1; /* the watcher knows it */
    bool joining : 1; /* the source goes on when `page` has been sent (also while BEHIND) */
    bool ending : 1;  /* close when `page` has been sent */
    struct list link;
    struct page *page; /* NULL: none */
    uint64_t position; /* of the next frame to send; between two */
    int64_t seq; /* every change up to it has been sent, the source need not know that; -1: the source knows best */
    stream_time sent_at, ping_at;
    stream_time well_at; /* when it last was at the log's end, or its source's page was out */
    /* under the crew's lock */
    uint8_t told;
    struct list told_link;
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
MUST_CHECK struct stream *stream_new(struct peer peer, struct framelog *log, struct source *source, stream_time now);
/* Not the peer and not the source. */
void stream_free(struct stream *s);

/* The one door of a stream's state. */
void stream_set(struct stream *s, enum stream_state state);
void stream_close(struct stream *s, enum stream_end why);
/* Does as it was told: goes on, throws away what the client sent, or closes. */
void stream_heed(struct stream *s, unsigned told);
/* Sends what there is, until the log's end, a short send, or the end of its share of a round; true in the last case:
 * call again. */
MUST_CHECK bool stream_advance(struct stream *s, struct looks *looks, stream_time now);
/* Sends a notice between two frames, unless there is no room for it. */
void stream_tell(struct stream *s, struct view frames, stream_time now);
/* Once a second, for one that waits for its log to grow: comment and ping, where due. */
void stream_keep_alive(struct stream *s, stream_time now);
/* Once a second, for one that is BEHIND: closes it where it is too far behind. */
void stream_check_lag(struct stream *s, const struct delivery_options *limits, stream_time now);
/* Nothing but what is on its way and `words` is still sent; stream_advance does that. */
void stream_end(struct stream *s, struct view words, enum stream_end why);

#endif
