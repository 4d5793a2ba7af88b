#include "store/ladder.h"
#include <stdlib.h>

#define LEAST_STEP 128 /* documents of a rung: as many are passed over in the index in some microseconds */
#define WORN       8   /* times as many */

struct rung {
    struct place top;
    int64_t docs;
};

struct ladder {
    int64_t step;
    bool worn;
    size_t count;
    struct rung rungs[2 * LADDER_RUNGS]; /* oldest first */
};

struct ladder *ladder_new(int64_t docs)
{
    struct ladder *l = malloc(sizeof *l);
    if (!l) return NULL;
    l->step = docs / LADDER_RUNGS + 1;
    if (l->step < LEAST_STEP) l->step = LEAST_STEP;
    l->worn = false;
    l->count = 0;
    return l;
}

void ladder_free(struct ladder *l)
{
    free(l);
}

/* The lowest rung whose top is not older than the place; count: none. */
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

void ladder_add(struct ladder *l, const struct place *place)
{
    size_t last = l->count - 1;
    if (l->count && place_compare(place, &l->rungs[last].top) <= 0) {
        struct rung *rung = &l->rungs[rung_of(l, place)];
        if (++rung->docs > WORN * l->step) l->worn = true;
        return;
    }
    if (l->count && (l->rungs[last].docs < l->step || l->count == 2 * LADDER_RUNGS)) {
        l->rungs[last].top = *place;
        if (++l->rungs[last].docs > WORN * l->step) l->worn = true;
        return;
    }
    l->rungs[l->count++] = (struct rung){*place, 1};
}

void ladder_remove(struct ladder *l, const struct place *place)
{
    size_t at = rung_of(l, place);
    if (at == l->count || !l->rungs[at].docs)
        l->worn = true; /* it does not know the document */
    else
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
