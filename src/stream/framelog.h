/* A log of ready-made frames: bytes that every reader gets as they are, in one order.
 *
 * A position is a byte offset since the log was opened. What one append brought lies in one segment, and a run always
 * ends where an append ended. The log keeps the newest bytes, in segments that together take no more memory than its
 * cap (or than its newest append, where that is larger); a segment that has left the log lives on until the last reader
 * that pinned it lets go. One thread appends (the applier); any thread reads. Nothing is allocated, copied or freed
 * under the lock. */
#ifndef STREAM_FRAMELOG_H
#define STREAM_FRAMELOG_H

#include "parley/attributes.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stdint.h>

struct framelog;
struct segment;

/* The end of the log, read in one look: what was appended so far ends at `position`, its last change is `seq`. */
struct framelog_end {
    uint64_t position;
    int64_t seq;
};

/* `cap` in bytes (at least 64 KiB); `seq`: the newest change that is older than the log. NULL: no memory. */
MUST_CHECK struct framelog *framelog_new(uint64_t cap, int64_t seq);
/* No reader may be left. Takes NULL. */
void framelog_free(struct framelog *log);

/* Appends whole frames, whose last change is `seq`; they become visible together with the new end. Drops the oldest
 * segments beyond the cap. False: no memory; nothing was appended, and the caller must call framelog_skip, or its
 * readers would have a hole. */
MUST_CHECK bool framelog_append(struct framelog *log, struct view frames, int64_t seq);
/* Says that changes up to `seq` are not in the log: every position up to now counts as fallen off. */
void framelog_skip(struct framelog *log, int64_t seq);

struct framelog_end framelog_end(struct framelog *log);

/* Where the append ended whose last change is `seq`; false when no append that the log remembers (the newest 8,192, and
 * its own beginning) ended with that change. An append of no bytes is one too: it moves the end's seq alone. */
MUST_CHECK bool framelog_find(struct framelog *log, int64_t seq, uint64_t *position);

/* A run of bytes, pinned. */
struct framelog_run {
    struct segment *segment;
    struct view bytes; /* from the position asked for to the end of its segment or of the log */
    int64_t seq;       /* the last change in it */
};

enum framelog_read { FRAMELOG_RUN, FRAMELOG_AT_END, FRAMELOG_FALLEN_OFF };

/* What stands at `position`. FRAMELOG_RUN: `*run` is pinned until framelog_release. FRAMELOG_FALLEN_OFF: older than the
 * oldest byte kept. `position` must be one that framelog_end gave, plus bytes taken from runs since. */
enum framelog_read framelog_read(struct framelog *log, uint64_t position, struct framelog_run *run);
void framelog_release(struct framelog *log, struct framelog_run *run);

#endif
