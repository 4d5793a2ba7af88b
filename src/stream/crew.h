/* A crew: one delivery thread and its streams.
 *
 * Its streams are in lists, by what they wait for: `live`, one list a group, for that group's log to grow; `behind` for
 * their socket; `ready` for nothing, in turn. So a wake-up costs only those whom it concerns. (One epoll in each crew,
 * with an eventfd to say that the log grew, costs a system call for each commit and crew on the applier's path.)
 *
 * Why no edge is lost: what happened to a socket is kept in the stream's `told` under the crew's lock, always, whatever
 * the stream's state; the crew takes it under the lock and turns BEHIND into LIVE. After a send that took nothing the
 * kernel owes an edge; if it comes before the state is BEHIND, it waits in `told` until the next round. TLS changes
 * nothing in this: it says "until writable" only when the socket took nothing, and "until readable" only when the
 * socket is empty (base/peer.c). What a call of it leaves undone for want of the other direction is done at the next
 * edge of either kind, for both are tried (stream_heed). What it needs of a stream that is BEHIND is to be offered the
 * same bytes again: they stand at the beginning of its page.
 *
 * Why no growth is lost: a stream is counted among its group's members, under the crew's lock, before it first looks at
 * the log; the appender publishes and then looks for members. Either it finds the member and tells the crew, or the
 * member's look comes behind the publishing. That the appender reads the number without the crew's lock changes
 * nothing: a look that came before the publishing is ordered before it by the log's lock, and so is the counting. A
 * round takes `grown` away before it looks at a log: what it did not see comes with the next.
 *
 * Why a group is not freed under its crew: it lives as long as any source of its streams, and sources are closed at the
 * end of a round, when nothing that it found in the groups is needed any more. */
#ifndef STREAM_CREW_H
#define STREAM_CREW_H

#include "base/lock.h"
#include "base/multimap.h"
#include "stream/watcher.h"

/* The streams of one audience in one crew. */
struct group {
    struct list live;      /* streams by link; the thread's */
    struct list of_crew;   /* in `groups`, while it has members; the thread's */
    struct list of_round;  /* in one round's work; the thread's */
    struct list of_grown;  /* in `grown`; under lock */
    atomic_size_t members; /* changed under lock */
};

/* Streams that are to end. */
struct ending {
    struct list link;
    uint64_t owner, session; /* 0: every one of the owner's */
};

struct notice {
    struct list link;
    uint64_t owner;
    unsigned kinds;
    size_t len;
    char text[];
};

/* How many streams there are, in all crews. */
struct census {
    atomic_size_t count;
    struct lock lock;
    struct condition empty; /* the count is 0 again */
};

struct crew {
    /* fixed */
    struct watcher *watcher;
    struct census *census;
    const struct delivery_options *options;
    void (*every_second)(void *ctx); /* NULL: nothing */
    void *ctx;
    pthread_t thread;
    bool started;
    /* the thread's; streams by link */
    struct list ready, behind;
    struct list dead; /* of this round */
    struct list groups;
    struct multimap listeners; /* by their streams' owner */
    unsigned dice;
    int64_t tick_at, draw_at; /* draw_at: 0 unless it drains */
    atomic_size_t nlisteners; /* it writes, anybody reads */
    /* under lock */
    struct lock lock;
    struct condition bell;
    struct list inbox; /* streams by link */
    struct list told;  /* streams by told_link */
    struct list grown; /* groups by of_grown */
    struct list endings;
    struct list notices;
    size_t nnotices;
    struct view last_words;
    int64_t drained_at; /* when all streams are to have gone; 0: it does not drain */
    bool closing;
};

void group_init(struct group *group);

/* Its every_second and ctx are set. False: no thread. */
MUST_CHECK bool crew_start(
    struct crew *crew, struct watcher *watcher, struct census *census, const struct delivery_options *options);
/* The thread has ended when it returns; `crew_release` follows when nobody can call any more. */
void crew_stop(struct crew *crew);
void crew_release(struct crew *crew);

/* ---- any thread ---- */

/* A new stream, of the group. */
void crew_take(struct crew *crew, struct stream *s, struct group *group);
void crew_tell(struct crew *crew, struct stream *s, unsigned told);
void crew_notify(struct crew *crew, struct group *group);
/* Takes the ending. */
void crew_end(struct crew *crew, struct ending *ending);
/* Copies the notice, unless nobody takes any. */
void crew_send(struct crew *crew, uint64_t owner, unsigned kinds, struct view frames);
/* Ends all streams with these words, the last at that moment (monotonic ms). */
void crew_drain(struct crew *crew, int64_t at, struct view last_words);
/* Ends all streams, and then the thread. */
void crew_close(struct crew *crew, struct view last_words);

#endif
