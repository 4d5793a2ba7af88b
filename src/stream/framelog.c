/* Who may touch a segment's bytes.
 *
 * The appender writes behind `used`; readers read before the `used` they saw under the lock. `used` moves under the
 * lock, after the bytes are there, so that the lock's order makes them visible. A reader holds a pin (a count under the
 * lock), and a segment is freed by whoever takes away the last of: its place in the log, its pins. */
#include "stream/framelog.h"
#include "base/check.h"
#include "base/list.h"
#include "base/lock.h"
#include <stdlib.h>
#include <string.h>

#define SEGMENT_MOST ((uint64_t)256 << 10) /* but for one append that is larger */
#define SEGMENTS     8 /* at least so many fill a log: what falls off at once is a small part of it */
#define LEAST_CAP    ((uint64_t)64 << 10)
#define MARKS        8192 /* appends whose ends are remembered */

struct segment {
    struct list link; /* in the log, oldest first */
    uint64_t start;   /* position of its first byte */
    size_t size, used;
    int64_t seq; /* last change in it */
    int pins;
    bool in_log;
    char bytes[];
};

struct mark {
    int64_t seq;
    uint64_t position;
};

struct framelog {
    /* fixed */
    uint64_t cap;
    size_t segment_size;
    /* under lock */
    struct lock lock;
    struct list segments;
    uint64_t size; /* of the log's segments, their free room among it: the cap is one of memory */
    struct framelog_end end;
    struct mark marks[MARKS]; /* a ring, in the order of seq */
    size_t first_mark, nmarks;
};

/* The n-th oldest. */
static struct mark *mark_at(struct framelog *log, size_t n)
{
    return &log->marks[(log->first_mark + n) % MARKS];
}

static void add_mark(struct framelog *log)
{
    if (log->nmarks == MARKS) {
        log->first_mark = (log->first_mark + 1) % MARKS;
        log->nmarks--;
    }
    *mark_at(log, log->nmarks++) = (struct mark){log->end.seq, log->end.position};
}

struct framelog *framelog_new(uint64_t cap, int64_t seq)
{
    struct framelog *log = calloc(1, sizeof *log);
    if (!log) return NULL;
    log->cap = cap < LEAST_CAP ? LEAST_CAP : cap;
    log->segment_size = (size_t)(log->cap / SEGMENTS < SEGMENT_MOST ? log->cap / SEGMENTS : SEGMENT_MOST);
    log->end.seq = seq;
    lock_init(&log->lock);
    list_init(&log->segments);
    add_mark(log);
    return log;
}

void framelog_free(struct framelog *log)
{
    if (!log) return;
    while (!list_empty(&log->segments)) {
        struct segment *s = CONTAINER(log->segments.next, struct segment, link);
        ASSERT(!s->pins);
        list_remove(&s->link);
        free(s);
    }
    lock_destroy(&log->lock);
    free(log);
}

static struct segment *segment_new(size_t size, uint64_t start)
{
    struct segment *s = malloc(sizeof *s + size);
    if (s) *s = (struct segment){.size = size, .start = start, .in_log = true};
    return s;
}

/* Under the lock: takes segments out of the log until it is no larger than `keep`. Those without a pin come into
 * `dropped`; a pinned one is freed by the reader who lets go of it last. */
static void drop_oldest(struct framelog *log, uint64_t keep, struct list *dropped)
{
    while (log->size > keep) {
        struct segment *s = CONTAINER(log->segments.next, struct segment, link);
        list_remove(&s->link);
        log->size -= s->size;
        s->in_log = false;
        if (!s->pins) list_insert(dropped, &s->link);
    }
}

static void free_dropped(struct list *dropped)
{
    while (!list_empty(dropped)) {
        struct segment *s = CONTAINER(dropped->next, struct segment, link);
        list_remove(&s->link);
        free(s);
    }
}

bool framelog_append(struct framelog *log, struct view frames, int64_t seq)
{
    struct list dropped;
    list_init(&dropped);
    /* Only this thread changes the list, a segment's free room and the end: it may look at them without the lock. */
    struct segment *last = list_empty(&log->segments) ? NULL : CONTAINER(log->segments.prev, struct segment, link);
    bool fresh = frames.len && (!last || last->size - last->used < frames.len);
    if (fresh) {
        last = segment_new(frames.len > log->segment_size ? frames.len : log->segment_size, log->end.position);
        if (!last) return false;
    }
    if (frames.len) memcpy(last->bytes + last->used, frames.at, frames.len);
    lock_take(&log->lock);
    if (frames.len) {
        last->used += frames.len;
        last->seq = seq;
    }
    log->end.position += frames.len;
    log->end.seq = seq;
    add_mark(log);
    if (fresh) {
        /* The newest segment stays, however large. */
        drop_oldest(log, log->cap > last->size ? log->cap - last->size : 0, &dropped);
        list_insert(&log->segments, &last->link);
        log->size += last->size;
    }
    lock_drop(&log->lock);
    free_dropped(&dropped);
    return true;
}

void framelog_skip(struct framelog *log, int64_t seq)
{
    struct list dropped;
    list_init(&dropped);
    lock_take(&log->lock);
    drop_oldest(log, 0, &dropped);
    /* One byte that nobody can read: every position up to now is older than the oldest byte kept. */
    log->end.position++;
    log->end.seq = seq;
    log->nmarks = 0;
    add_mark(log);
    lock_drop(&log->lock);
    free_dropped(&dropped);
}

struct framelog_end framelog_end(struct framelog *log)
{
    lock_take(&log->lock);
    struct framelog_end end = log->end;
    lock_drop(&log->lock);
    return end;
}

bool framelog_find(struct framelog *log, int64_t seq, uint64_t *position)
{
    bool found = false;
    lock_take(&log->lock);
    /* The last append up to `seq`: of several with one seq, the one behind which all of it has been said. */
    size_t low = 0, high = log->nmarks;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mark_at(log, middle)->seq <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    if (low && mark_at(log, low - 1)->seq == seq) {
        *position = mark_at(log, low - 1)->position;
        found = true;
    }
    lock_drop(&log->lock);
    return found;
}

/* Under the lock: the segment that holds the byte at `position`, or NULL. Nearly every reader stands near the end. */
static struct segment *find_segment(struct framelog *log, uint64_t position)
{
    for (struct list *node = log->segments.prev; node != &log->segments; node = node->prev) {
        struct segment *s = CONTAINER(node, struct segment, link);
        if (position >= s->start) return position < s->start + s->used ? s : NULL;
    }
    return NULL;
}

enum framelog_read framelog_read(struct framelog *log, uint64_t position, struct framelog_run *run)
{
    enum framelog_read result = FRAMELOG_FALLEN_OFF;
    *run = (struct framelog_run){0};
    lock_take(&log->lock);
    ASSERT(position <= log->end.position);
    struct segment *s = find_segment(log, position);
    if (s) {
        size_t from = (size_t)(position - s->start);
        s->pins++;
        *run = (struct framelog_run){.segment = s, .bytes = {s->bytes + from, s->used - from}, .seq = s->seq};
        result = FRAMELOG_RUN;
    } else if (position == log->end.position) {
        result = FRAMELOG_AT_END;
    }
    lock_drop(&log->lock);
    return result;
}

void framelog_release(struct framelog *log, struct framelog_run *run)
{
    struct segment *s = run->segment;
    if (!s) return;
    lock_take(&log->lock);
    bool last = --s->pins == 0 && !s->in_log;
    lock_drop(&log->lock);
    if (last) free(s);
    *run = (struct framelog_run){0};
}
