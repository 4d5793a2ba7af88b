/* Delivery: a few threads that send frames to many sockets.
 *
 * Each thread owns its streams. It sleeps on its condition variable, at most one second; it wakes when the log grew
 * (delivery_notify), when a socket of its became writable or hung up (one watcher thread sits in epoll for all of them
 * and tells the owner through the same condition), when a stream was handed to it, and at its end. On waking it sends
 * each stream that it concerns everything from its position to the end of the log. Those that join or have much to
 * catch up with get a page or some runs in turn, a few streams at a time, so that the others' news waits for nobody's
 * past.
 *
 * A reader that takes nothing costs its stream, the page it is in, and some 16 KiB in the kernel (with TCP); it pins
 * nothing of the log; with TLS 17 KiB more, the record that is on its way. What clients send is read and thrown away;
 * one that sends more than 64 KiB or 16 records of TLS at once is closed.
 *
 * A stream's life:
 *   JOINING  its source is asked for text, page by page, until the source says where in the log it goes on
 *   LIVE     at the end of the log, or on the way there; the socket takes what is sent
 *   BEHIND   a send was short; waits for the watcher to say "writable"; costs nothing meanwhile
 *   CLOSING  hung up, failed, asked to end, or too far behind; closed and freed at the end of the thread's round
 * A stream whose position has fallen off the log goes back to JOINING when it has sent a whole run; one that stands
 * inside a run is closed (BEHIND too, within a second), and its reader comes back with its cursor.
 *
 * Every 15 s without a byte sent a stream gets a comment line, every 30 s since its start an `event: ping`. */
#ifndef STREAM_DELIVERY_H
#define STREAM_DELIVERY_H

#include "base/peer.h"
#include "parley/attributes.h"
#include "parley/str.h"
#include "stream/framelog.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delivery;

enum source_result {
    SOURCE_MORE, /* `page` holds text; ask again when it has been sent */
    SOURCE_LIVE, /* `page` holds the last text (or none); go on in the log at `*position` */
    SOURCE_END,  /* send `page`, then close */
};

/* Where a joining stream's text comes from: the HTTP head and the backlog, from the database. Called by a delivery
 * thread, never two at once for one source. */
struct source {
    enum source_result (*next)(struct source *s, struct str *page, uint64_t *position);
    /* The stream has fallen off the log; its reader has been sent every change up to `seq`. Called before next(); not
     * when no whole run was sent since SOURCE_LIVE, for then the source itself knows best. */
    void (*fallen)(struct source *s, int64_t seq);
    void (*close)(struct source *s); /* frees it */
};

struct delivery_options {
    int threads;
    size_t max_streams; /* in all */
};

/* NULL: no memory, no descriptors or no threads. At least one thread. Each log that streams read must outlive the
 * delivery. */
MUST_CHECK struct delivery *delivery_new(const struct delivery_options *options);
/* Tells every thread that a log grew. Cheap; holds one lock at a time. Any thread. */
void delivery_notify(struct delivery *d);
/* Takes a connected peer and a source; both are the delivery's from now on, also when it fails (they are closed then).
 * False: too many streams, or no memory. Any thread. */
MUST_CHECK bool delivery_add(struct delivery *d, struct peer peer, struct framelog *log, struct source *source);
size_t delivery_count(struct delivery *d);
/* Ends every stream, sending `last_words` first where the socket takes them at once and the stream stands between two
 * frames; then ends the threads and frees all. Takes NULL. */
void delivery_free(struct delivery *d, struct view last_words);

#endif
