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

#define SEGMENT_BYTES ((size_t)256 << 10)
#define LEAST_CAP     ((uint64_t)64 << 10)
#define MARKS         8192 /* appends whose ends are remembered */

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
    uint64_t cap; /* fixed */
    struct lock lock;
    /* under lock */
    struct list segments;
    uint64_t bytes; /* in the log's segments */
    struct framelog_end end;
    struct mark marks[MARKS]; /* a ring, in the order of seq */
    size_t first_mark, nmarks;
};

static void add_mark(struct framelog *log)
{
    if (log->nmarks == MARKS) {
        log->first_mark = (log->first_mark + 1) % MARKS;
        log->nmarks--;
    }
    log->marks[(log->first_mark + log->nmarks) % MARKS] = (struct mark){log->end.seq, log->end.position};
    log->nmarks++;
}

struct framelog *framelog_new(uint64_t cap, int64_t seq)
{
    struct framelog *log = calloc(1, sizeof *log);
    if (!log) return NULL;
    log->cap = cap < LEAST_CAP ? LEAST_CAP : cap;
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

/* Under the lock: moves what need not be kept to `dropped`; pinned segments leave the log and are freed later. */
static void drop_oldest(struct framelog *log, uint64_t keep, struct list *dropped)
{
    while (log->bytes > keep && !list_empty(&log->segments)) {
        struct segment *s = CONTAINER(log->segments.next, struct segment, link);
        list_remove(&s->link);
        log->bytes -= s->used;
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
    /* Only this thread changes the list's end and a segment's free room: they may be looked at without the lock. */
    struct segment *last = list_empty(&log->segments) ? NULL : CONTAINER(log->segments.prev, struct segment, link);
    bool fresh = frames.len && (!last || last->size - last->used < frames.len);
    if (fresh) {
        last = segment_new(frames.len > SEGMENT_BYTES ? frames.len : SEGMENT_BYTES, log->end.position);
        if (!last) return false;
    }
    if (frames.len) memcpy(last->bytes + last->used, frames.at, frames.len);
    lock_take(&log->lock);
    if (fresh) list_insert(&log->segments, &last->link);
    if (frames.len) {
        last->used += frames.len;
        last->seq = seq;
    }
    log->bytes += frames.len;
    log->end.position += frames.len;
    log->end.seq = seq;
    add_mark(log);
    /* The newest segment stays, however large. */
    if (log->segments.next != log->segments.prev) {
        uint64_t newest = last ? last->used : 0;
        drop_oldest(log, log->cap > newest ? log->cap : newest, &dropped);
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
    size_t low = 0, high = log->nmarks;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct mark *m = &log->marks[(log->first_mark + middle) % MARKS];
        if (m->seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < log->nmarks) {
        const struct mark *m = &log->marks[(log->first_mark + low) % MARKS];
        found = m->seq == seq;
        if (found) *position = m->position;
    }
    lock_drop(&log->lock);
    return found;
}

enum framelog_read framelog_read(struct framelog *log, uint64_t position, struct framelog_run *run)
{
    enum framelog_read result = FRAMELOG_FALLEN_OFF;
    *run = (struct framelog_run){0};
    lock_take(&log->lock);
    if (position == log->end.position) result = FRAMELOG_AT_END;
    for (struct list *node = log->segments.prev; result == FRAMELOG_FALLEN_OFF && node != &log->segments;
         node = node->prev) {
        struct segment *s = CONTAINER(node, struct segment, link);
        if (position < s->start || position >= s->start + s->used) continue;
        size_t from = (size_t)(position - s->start);
        s->pins++;
        *run = (struct framelog_run){.segment = s, .bytes = {s->bytes + from, s->used - from}, .seq = s->seq};
        result = FRAMELOG_RUN;
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
