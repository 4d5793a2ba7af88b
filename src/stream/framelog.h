/* A log of ready-made frames: bytes that every reader gets as they are, in one order.
 *
 * A position is a byte offset since the log was opened; readers stand between two frames. The log keeps the newest
 * bytes, in segments that together take no more memory than its cap (or than the newest segment, where a frame is
 * larger), and it knows where each change's frame ends. A segment that has left the log lives on until the last reader
 * that pinned it lets go. One thread adds and publishes (the applier); any thread reads. Nothing is allocated, copied
 * or freed under the lock. */
#ifndef STREAM_FRAMELOG_H
#define STREAM_FRAMELOG_H

#include "parley/attributes.h"
#include "parley/str.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct framelog;
struct segment;

/* What several logs take together. One that publishes while they take more than `most` keeps its newest segment only.
 */
struct framelog_budget {
    uint64_t most;
    atomic_uint_fast64_t taken;
};

/* `cap` in bytes of memory (at least 64 KiB); `budget` may be NULL, and outlives the log; `seq`: the newest change that
 * is older than the log. NULL: no memory. */
MUST_CHECK struct framelog *framelog_new(uint64_t cap, struct framelog_budget *budget, int64_t seq);
/* The same `seq` again, before anybody else knows of the log. */
void framelog_start(struct framelog *log, int64_t seq);
/* No reader may be left. Takes NULL. */
void framelog_free(struct framelog *log);

/* Puts one whole frame behind those that were added; its change `seq` is newer than theirs. Nobody sees it yet. */
void framelog_add(struct framelog *log, struct view frame, int64_t seq);
/* Says that there was no memory to make the frame of that change. */
void framelog_lose(struct framelog *log, int64_t seq);
/* Shows all frames that were added, together, and drops the oldest segments beyond the cap. False: there was no memory
 * for one of them, or it was lost; none is shown, and every position up to now counts as fallen off, so that no reader
 * has a hole. */
bool framelog_publish(struct framelog *log);

/* Behind the last byte. */
uint64_t framelog_end(struct framelog *log);
/* Where a reader goes on who has every change up to `seq`: behind the last frame that is no newer. False: frames behind
 * it have been dropped. That no newer frame is still to be added which is older than `seq` is for the caller to know.
 */
MUST_CHECK bool framelog_find(struct framelog *log, int64_t seq, uint64_t *position);

/* A run of whole frames, pinned. */
struct framelog_run {
    struct segment *segment;
    struct view bytes;    /* from the position asked for to the end of its segment or of the log */
    int64_t seq;          /* the last change in it */
    size_t start, nmarks; /* the log's own */
};

enum framelog_read { FRAMELOG_RUN, FRAMELOG_AT_END, FRAMELOG_FALLEN_OFF };

/* What stands at `position`. FRAMELOG_RUN: `*run` is pinned until framelog_release. FRAMELOG_FALLEN_OFF: older than the
 * oldest byte kept. `position` must be one between two frames. */
enum framelog_read framelog_read(struct framelog *log, uint64_t position, struct framelog_run *run);
void framelog_release(struct framelog *log, struct framelog_run *run);

/* Where the frame ends that holds the n-th byte of the run (n from 1 to its length), as an offset in its bytes; `*seq`:
 * that frame's change. */
size_t framelog_cut(const struct framelog_run *run, size_t n, int64_t *seq);

#endif
