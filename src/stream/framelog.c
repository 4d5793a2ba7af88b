/* Who may touch a segment's bytes.
 *
 * A segment is filled from both ends: frames from its beginning, the marks of their ends from its end. The applier
 * writes between `used` and the marks; readers read what lay outside of that when they looked, under the lock. Both
 * borders move under the lock, after the bytes are there, so that the lock's order makes them visible. A reader holds a
 * pin (a count under the lock), and a segment is freed by whoever takes away the last of: its place in the log, its
 * pins.
 *
 * A segment is as large as all those before it, within bounds: a log that is little used stays small. */
#include "stream/framelog.h"
#include "base/check.h"
#include "base/list.h"
#include "base/lock.h"
#include <stdlib.h>
#include <string.h>

#define SEGMENT_LEAST ((uint64_t)4 << 10)
#define SEGMENT_MOST  ((uint64_t)256 << 10) /* but for one frame that is larger */
#define SEGMENTS      8 /* at least so many fill a log: what falls off at once is a small part of it */
#define LEAST_CAP     ((uint64_t)64 << 10)

/* Where the frame of a change ends in its segment. */
struct mark {
    int64_t seq;
    size_t end;
};

struct segment {
    struct list link; /* in the log, oldest first */
    uint64_t start;   /* position of its first byte */
    size_t size;
    size_t filled, nfilled; /* the applier's: bytes and marks, published or not */
    size_t used, nmarks;    /* under lock, like the rest: published */
    int pins;
    bool in_log;
    _Alignas(struct mark) char bytes[];
};

struct framelog {
    /* fixed */
    uint64_t cap;
    size_t segment_most;
    struct framelog_budget *budget;
    /* the applier's: what was added and not published */
    struct list added; /* segments that nobody sees yet */
    int64_t last;      /* change */
    bool failed;
    /* under lock */
    struct lock lock;
    struct list segments;
    uint64_t size; /* of the segments, their free room among it: the cap is one of memory */
    uint64_t end;
    int64_t older; /* the newest change that is older than the log: all frames behind it are here */
};

/* The k-th from the segment's beginning. */
static struct mark *mark_at(const struct segment *s, size_t k)
{
    return (struct mark *)(void *)(s->bytes + s->size) - 1 - k;
}

struct framelog *framelog_new(uint64_t cap, struct framelog_budget *budget, int64_t seq)
{
    struct framelog *log = calloc(1, sizeof *log);
    if (!log) return NULL;
    log->cap = cap < LEAST_CAP ? LEAST_CAP : cap;
    log->segment_most = (size_t)(log->cap / SEGMENTS < SEGMENT_MOST ? log->cap / SEGMENTS : SEGMENT_MOST);
    log->budget = budget;
    log->last = log->older = seq;
    lock_init(&log->lock);
    list_init(&log->segments);
    list_init(&log->added);
    return log;
}

void framelog_start(struct framelog *log, int64_t seq)
{
    log->last = log->older = seq;
}

static void segment_free(struct framelog *log, struct segment *s)
{
    if (log->budget) atomic_fetch_sub(&log->budget->taken, s->size);
    free(s);
}

static void free_segments(struct framelog *log, struct list *segments)
{
    while (!list_empty(segments)) {
        struct segment *s = CONTAINER(segments->next, struct segment, link);
        ASSERT(!s->pins);
        list_remove(&s->link);
        segment_free(log, s);
    }
}

void framelog_free(struct framelog *log)
{
    if (!log) return;
    free_segments(log, &log->segments);
    free_segments(log, &log->added);
    lock_destroy(&log->lock);
    free(log);
}

/* The one that frames are added to; NULL: there is none. Only the applier changes the lists: it may look at them
 * without the lock. */
static struct segment *newest(const struct framelog *log)
{
    const struct list *from = list_empty(&log->added) ? &log->segments : &log->added;
    return list_empty(from) ? NULL : CONTAINER(from->prev, struct segment, link);
}

/* With room for a frame of `len` bytes at least. */
static struct segment *add_segment(struct framelog *log, size_t len)
{
    struct segment *last = newest(log);
    size_t size = (size_t)(log->size < SEGMENT_LEAST ? SEGMENT_LEAST : log->size);
    size_t least = len + sizeof(struct mark) + _Alignof(struct mark);
    if (size > log->segment_most) size = log->segment_most;
    if (size < least) size = least;
    size -= size % _Alignof(struct mark);
    struct segment *s = malloc(sizeof *s + size);
    if (!s) return NULL;
    *s = (struct segment){.size = size, .start = last ? last->start + last->filled : log->end, .in_log = true};
    list_insert(&log->added, &s->link);
    if (log->budget) atomic_fetch_add(&log->budget->taken, size);
    return s;
}

void framelog_add(struct framelog *log, struct view frame, int64_t seq)
{
    struct segment *s = newest(log);
    ASSERT(frame.len && seq > log->last);
    log->last = seq;
    if (log->failed) return;
    if (!s || s->size - s->filled - s->nfilled * sizeof(struct mark) < frame.len + sizeof(struct mark))
        s = add_segment(log, frame.len);
    if (!s) {
        log->failed = true;
        return;
    }
    memcpy(s->bytes + s->filled, frame.at, frame.len);
    s->filled += frame.len;
    *mark_at(s, s->nfilled++) = (struct mark){seq, s->filled};
}

void framelog_lose(struct framelog *log, int64_t seq)
{
    log->last = seq;
    log->failed = true;
}

/* Under the lock: takes segments out of the log until it is no larger than `keep`. Those without a pin come into
 * `dropped`; a pinned one is freed by the reader who lets go of it last. */
static void drop_oldest(struct framelog *log, uint64_t keep, struct list *dropped)
{
    while (log->size > keep) {
        struct segment *s = CONTAINER(log->segments.next, struct segment, link);
        list_remove(&s->link);
        log->size -= s->size;
        log->older = mark_at(s, s->nmarks - 1)->seq;
        s->in_log = false;
        if (!s->pins) list_insert(dropped, &s->link);
    }
}

/* How many bytes of segments it may keep beside the newest. */
static uint64_t room_beside(const struct framelog *log, size_t size)
{
    if (log->budget && atomic_load(&log->budget->taken) > log->budget->most) return 0;
    return log->cap > size ? log->cap - size : 0;
}

/* All that there is, and what was added, is gone. One byte that nobody can read makes every position up to now older
 * than the oldest byte kept. */
static void start_over(struct framelog *log)
{
    struct list dropped;
    list_init(&dropped);
    lock_take(&log->lock);
    drop_oldest(log, 0, &dropped);
    log->end++;
    log->older = log->last;
    lock_drop(&log->lock);
    list_splice(&dropped, &log->added);
    free_segments(log, &dropped);
    log->failed = false;
}

/* Under the lock. */
static void show(struct framelog *log, struct segment *s)
{
    s->used = s->filled;
    s->nmarks = s->nfilled;
    log->end = s->start + s->used;
}

bool framelog_publish(struct framelog *log)
{
    struct list dropped;
    list_init(&dropped);
    if (log->failed) {
        start_over(log);
        return false;
    }
    lock_take(&log->lock);
    if (!list_empty(&log->segments)) show(log, CONTAINER(log->segments.prev, struct segment, link));
    while (!list_empty(&log->added)) {
        struct segment *s = CONTAINER(log->added.next, struct segment, link);
        /* The newest stays, however large. */
        drop_oldest(log, room_beside(log, s->size), &dropped);
        list_remove(&s->link);
        list_insert(&log->segments, &s->link);
        log->size += s->size;
        show(log, s);
    }
    lock_drop(&log->lock);
    free_segments(log, &dropped);
    return true;
}

uint64_t framelog_end(struct framelog *log)
{
    lock_take(&log->lock);
    uint64_t end = log->end;
    lock_drop(&log->lock);
    return end;
}

/* How many of the segment's marks are no newer than `seq`. */
static size_t count_until(const struct segment *s, int64_t seq)
{
    size_t low = 0, high = s->nmarks;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mark_at(s, middle)->seq <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool framelog_find(struct framelog *log, int64_t seq, uint64_t *position)
{
    lock_take(&log->lock);
    bool found = seq >= log->older;
    *position = log->end;
    /* Nearly every reader stands near the end. */
    for (struct list *node = log->segments.prev; found && node != &log->segments; node = node->prev) {
        const struct segment *s = CONTAINER(node, struct segment, link);
        size_t n = count_until(s, seq);
        *position = s->start + (n ? mark_at(s, n - 1)->end : 0);
        if (n) break;
    }
    lock_drop(&log->lock);
    return found;
}

/* Under the lock: the segment that holds the byte at `position`, or NULL. */
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
    ASSERT(position <= log->end);
    struct segment *s = find_segment(log, position);
    if (s) {
        size_t start = (size_t)(position - s->start);
        s->pins++;
        *run = (struct framelog_run){.segment = s,
            .bytes = {s->bytes + start, s->used - start},
            .seq = mark_at(s, s->nmarks - 1)->seq,
            .nmarks = s->nmarks,
            .start = start};
        result = FRAMELOG_RUN;
    } else if (position == log->end) {
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
    if (last) segment_free(log, s);
    *run = (struct framelog_run){0};
}

size_t framelog_cut(const struct framelog_run *run, size_t n, int64_t *seq)
{
    const struct segment *s = run->segment;
    size_t low = 0, high = run->nmarks - 1;
    ASSERT(n && n <= run->bytes.len);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mark_at(s, middle)->end < run->start + n)
            low = middle + 1;
        else
            high = middle;
    }
    *seq = mark_at(s, low)->seq;
    return mark_at(s, low)->end - run->start;
}
