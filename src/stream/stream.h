/* One stream: a socket, its place, and what is on its way to it. It belongs to one delivery thread; only `told` and
 * `told_link` are others', under that thread's lock. */
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

enum stream_told { TOLD_WRITABLE = 1, TOLD_READABLE = 2, TOLD_GONE = 4 };

struct crew; /* a delivery thread */

struct stream {
    /* fixed */
    int socket;
    struct framelog *log;
    struct source *source;
    struct crew *crew;
    /* the thread's */
    struct list link;
    enum stream_state state;
    bool joining;      /* the source goes on when `page` has been sent (also while BEHIND) */
    bool ending;       /* close when `page` has been sent */
    bool inside;       /* `position` is inside a run: bytes of a frame may be on their way */
    uint64_t position; /* of the next byte to send */
    int64_t seq;       /* every change up to it has been sent; -1: not known yet */
    struct str page;   /* text that goes before the log */
    size_t page_sent;
    int64_t sent_at, ping_at; /* monotonic ms */
    /* under the crew's lock */
    struct list told_link;
    unsigned told;
};

/* A run that several streams at one position share in one round. */
struct shared_run {
    struct framelog *log;
    uint64_t position;
    struct framelog_run run;
    struct framelog_end end; /* of the log, when the round began to look at it */
    bool end_known;
};

void shared_run_release(struct shared_run *shared);

/* The one door of a stream's state. */
void stream_set(struct stream *s, enum stream_state state);
/* Sends what there is, until the log's end or a short send. */
void stream_advance(struct stream *s, struct shared_run *shared, int64_t now);
/* Throws away what the client sent; closes the stream when the client has gone. */
void stream_drain(struct stream *s);
/* Once a second: comment and ping, where due. */
void stream_keep_alive(struct stream *s, int64_t now);
/* Between two frames, nothing on its way: a text may be sent now. */
bool stream_idle(const struct stream *s);
/* Sends `words` if it is idle and the socket takes them at once. */
void stream_last_words(struct stream *s, struct view words);

#endif
