#include "store/ladder.h"
#include <stdlib.h>

#define RUNGS      2048 /* of a new one, at most */
#define SPARE      64   /* more that it can get, or half as many as it has */
#define LEAST_STEP 128  /* documents of a rung: as many are passed over in the index in some microseconds */
#define WORN       8    /* times as many */

struct rung {
    struct place top;
    int64_t docs;
};

struct ladder {
    int64_t step;
    bool worn;
    struct place bottom; /* of all documents that were ever added */
    size_t count, room;
    struct rung rungs[]; /* the list's last first */
};

struct ladder *ladder_new(int64_t docs)
{
    int64_t step = docs / RUNGS + 1;
    if (step < LEAST_STEP) step = LEAST_STEP;
    size_t room = (size_t)(docs / step) + 1;
    room += room / 2 > SPARE ? room / 2 : SPARE;
    struct ladder *l = malloc(sizeof *l + room * sizeof *l->rungs);
    if (l) *l = (struct ladder){.step = step, .room = room};
    return l;
}

void ladder_free(struct ladder *l)
{
    free(l);
}

size_t ladder_bytes(const struct ladder *l)
{
    return sizeof *l + l->room * sizeof *l->rungs;
}

/* The lowest rung whose top is not behind the place in the list; count: none. */
static size_t rung_of(const struct ladder *l, const struct place *place)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (place_compare(&l->rungs[middle].top, place) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct ladder *l, size_t at, const struct place *top)
{
    memmove(&l->rungs[at + 1], &l->rungs[at], (l->count - at) * sizeof *l->rungs);
    l->rungs[at] = (struct rung){*top, 1};
    l->count++;
}

void ladder_add(struct ladder *l, const struct place *place)
{
    size_t at = rung_of(l, place);
    bool first = at == l->count, last = !l->count || place_compare(place, &l->bottom) < 0;
    if (last) l->bottom = *place;
    if (l->count < l->room && (!l->count || (last && l->rungs[0].docs >= l->step))) {
        insert(l, 0, place);
        return;
    }
    if (l->count < l->room && first && l->rungs[at - 1].docs >= l->step) {
        insert(l, at, place);
        return;
    }
    if (first) l->rungs[--at].top = *place;
    if (++l->rungs[at].docs > WORN * l->step) l->worn = true;
}

void ladder_remove(struct ladder *l, const struct place *place)
{
    size_t at = rung_of(l, place);
    if (at == l->count || !l->rungs[at].docs) {
        l->worn = true; /* it does not know the document */
        return;
    }
    l->rungs[at].docs--;
}

bool ladder_worn(const struct ladder *l)
{
    return l->worn;
}

bool ladder_find(const struct ladder *l, int64_t offset, struct place *place, int64_t *skip)
{
    for (size_t i = l->count; i--;) {
        if (offset < l->rungs[i].docs) {
            *place = l->rungs[i].top;
            *skip = offset;
            return true;
        }
        offset -= l->rungs[i].docs;
    }
    return false;
}
