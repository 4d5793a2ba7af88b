/* The watcher: one thread in epoll for all streams' sockets, which tells what happened to them.
 *
 * Why it never touches a freed stream: who is done with a stream removes it, and then buries it; only the watcher
 * frees, and it empties the graveyard between two epoll_waits. Events fetched before the removal are worked off before
 * the graveyard is looked at; events fetched afterwards cannot name the stream. */
#ifndef STREAM_WATCHER_H
#define STREAM_WATCHER_H

#include "base/lock.h"
#include "stream/stream.h"
#include <stdatomic.h>

struct watcher {
    /* fixed */
    int epoll, wake; /* wake: an eventfd */
    void (*tell)(void *ctx, struct stream *s, unsigned told);
    void *ctx;
    pthread_t thread;
    bool started;
    /* atomic */
    atomic_bool stopping;
    /* under lock */
    struct lock lock;
    struct list graveyard; /* streams by link */
};

/* tell(ctx, stream, …) is called on the watcher's thread with what happened since, as edges: also for a stream that has
 * been removed meanwhile. False: no descriptors or no thread. */
MUST_CHECK bool watcher_start(struct watcher *w, void (*tell)(void *ctx, struct stream *s, unsigned told), void *ctx);
/* Ends the thread and frees whom it has. Also after a start that failed. */
void watcher_stop(struct watcher *w);
/* False: the system refuses. Any thread, like the rest. */
MUST_CHECK bool watcher_add(struct watcher *w, struct stream *s);
void watcher_remove(struct watcher *w, struct stream *s);
/* Frees the streams of the list, sooner or later; the list is empty afterwards. */
void watcher_bury(struct watcher *w, struct list *streams);

#endif
