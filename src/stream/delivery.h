/* Delivery: a few threads that send frames to many sockets.
 *
 * An audience is a log and those who read it; each stream belongs to one audience and one thread. A thread sleeps on
 * its condition variable, at most one second; it wakes when the log of an audience of its streams grew
 * (audience_notify), when a socket of its became writable or hung up (one watcher thread sits in epoll for all of them
 * and tells the owner through the same condition), when a stream was handed to it, and when streams are to end. On
 * waking it sends each stream that it concerns everything from its position to the end of its log, and looks at no
 * other. Those that join or have much to catch up with get a page or some runs in turn, a few streams at a time, so
 * that the others' news waits for nobody's past.
 *
 * A reader that takes nothing costs its stream, the rest of the page or frame it is in, and some 16 KiB in the kernel
 * (with TCP); it pins nothing of the log; with TLS some 17 KiB more, the record that is on its way. What clients send
 * is read and thrown away; one that sends more than 64 KiB or 16 records of TLS at once is closed.
 *
 * A stream's life:
 *   JOINING  its source is asked for text, page by page, until the source says where in the log it goes on
 *   LIVE     at the end of the log, or on the way there; the socket takes what is sent
 *   BEHIND   a send was short; waits for the watcher to say "writable"; costs nothing meanwhile
 *   CLOSING  hung up, failed, ended, or too far behind; closed and freed at the end of the thread's round
 * A stream stands between two frames of its log: what a short send left of a frame is kept beside it. One whose
 * position has fallen off the log goes back to JOINING.
 *
 * A notice is a frame that stands in no log: it is sent to the streams that there are, between two frames, and never
 * again. It may be lost: to one who has not been sent his answer's head yet, or is so far behind that NOTICE_ROOM bytes
 * do not hold what waits for his socket; where NOTICES_MOST of them wait for a thread; without memory. So it is for
 * what soon means nothing, or can be asked for. It costs those streams alone that take it.
 *
 * Every 15 s without a byte sent a stream gets a comment line, every 30 s since its start an `event: ping`. */
#ifndef STREAM_DELIVERY_H
#define STREAM_DELIVERY_H

#include "base/multimap.h"
#include "base/peer.h"
#include "parley/attributes.h"
#include "parley/str.h"
#include "stream/end.h"
#include "stream/framelog.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOTICE_ROOM  ((size_t)8 << 10) /* bytes that wait for one stream's socket */
#define NOTICES_MOST 4096              /* that wait for one thread */

struct delivery;
struct audience;
struct stream;

enum source_result {
    SOURCE_MORE, /* `page` holds text; ask again when it has been sent */
    SOURCE_LIVE, /* `page` holds the last text (or none); go on in the log at `*position` */
    SOURCE_END,  /* send `page`, then close */
};

struct source;

/* What a stream takes of notices; in the memory of its source. */
struct listener {
    unsigned kinds; /* bits, the caller's */
    /* the delivery's, zero to begin with */
    struct multimap_node by_owner;
    struct stream *stream;
};

/* Where a joining stream's text comes from: the HTTP head and the backlog, from the database. Called by the stream's
 * thread, never two at once for one source. */
struct source_type {
    enum source_result (*next)(struct source *s, struct str *page, uint64_t *position);
    /* The stream has fallen off the log; its reader has been sent every change up to `seq`. Called before next(); not
     * when no frame was sent since SOURCE_LIVE, for then the source itself knows best. */
    void (*fallen)(struct source *s, int64_t seq);
    /* Writes a ping; the stream has been sent all of the log up to `position`. */
    void (*ping)(struct source *s, struct str *page, uint64_t position);
    void (*close)(struct source *s, enum stream_end why); /* frees it */
    struct listener *(*listener)(struct source *s);       /* NULL, or answers it: it takes no notices */
};

struct source {
    const struct source_type *type;
    uint64_t owner, session; /* whose it is, for delivery_end; 0: nobody's */
    int64_t until;           /* when the reader's rights end (monotonic ms); 0: never */
};

struct delivery_options {
    int threads;       /* 1 to 64 */
    int64_t lag_bytes; /* of its log that a stream may leave unsent before it is closed; 0: any number */
    int64_t lag_ms;    /* that a stream may be behind, or its socket take nothing of what there is; 0: for ever */
    struct view over;  /* what a stream is told whose reader's rights end; lives for ever */
    /* Called about once a second, always on the same thread of the delivery's. NULL: not wanted. */
    void (*tick)(void *ctx, struct delivery *d);
    void *ctx;
};

/* NULL: no memory, no descriptors or no threads. */
MUST_CHECK struct delivery *delivery_new(const struct delivery_options *options);
size_t delivery_count(struct delivery *d);

/* `log` stays the caller's and outlives the audience. NULL: no memory. */
MUST_CHECK struct audience *audience_new(struct delivery *d, struct framelog *log);
/* No stream of it may be left: all their sources are closed. Also when the delivery is gone. Takes NULL. */
void audience_free(struct audience *a);
/* Says that its log grew. Cheap where nobody listens; holds one lock at a time. Any thread. */
void audience_notify(struct audience *a);
/* Takes a connected peer and a source; both are the delivery's from now on, also when it fails: then they are closed,
 * and the client tries again. False: no memory, or the delivery drains. Any thread. */
bool audience_add(struct audience *a, struct peer peer, struct source *source);

/* Ends the streams of that owner, or of one session of his (0: all), for the reason RIGHTS. They get nothing more of
 * the log. A stream that was added before the call is ended
 * within a second and a half, also when its reader takes nothing. Any thread. */
void delivery_end(struct delivery *d, uint64_t owner, uint64_t session);
/* Sends the notice, whole frames, to the streams of that owner (0: to all) that take one of these kinds. Any thread. */
void delivery_tell(struct delivery *d, uint64_t owner, unsigned kinds, struct view frames);
/* From now on takes no further streams, and ends those that there are, each with `words` (which live for ever) at a
 * random moment of the next `ms`. Once. */
void delivery_drain(struct delivery *d, int64_t ms, struct view words);
bool delivery_draining(const struct delivery *d);
/* Waits until there is no stream, at most `ms`; whether there is none. */
bool delivery_wait_empty(struct delivery *d, int64_t ms);
/* Ends every stream, sending `words` first where the socket takes them at once and the stream stands between two
 * frames; then ends the threads and frees all but the audiences. Takes NULL. */
void delivery_free(struct delivery *d, struct view words);

#endif
