#include "store/window.h"

/* How many in the window lie before the place. */
static size_t rank(const struct window *w, const struct place *place)
{
    size_t low = 0, high = w->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (place_compare(&w->at[middle], place) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void window_add(struct window *w, const struct place *place)
{
    size_t at = rank(w, place);
    if (!at && w->offset) {
        w->offset++;
        return;
    }
    if (at == w->count && (!w->ends || at == WINDOW_MOST)) {
        w->ends = false;
        return;
    }
    if (w->count == WINDOW_MOST) {
        w->count--;
        w->ends = false;
    }
    memmove(&w->at[at + 1], &w->at[at], (w->count - at) * sizeof *w->at);
    w->at[at] = *place;
    w->count++;
}

void window_remove(struct window *w, const struct place *place)
{
    size_t at = rank(w, place);
    if (at < w->count && !place_compare(&w->at[at], place)) {
        w->count--;
        memmove(&w->at[at], &w->at[at + 1], (w->count - at) * sizeof *w->at);
    } else if (!at && w->offset) {
        w->offset--;
    }
}

bool window_holds(const struct window *w, int64_t offset, int64_t limit)
{
    int64_t end = w->offset + (int64_t)w->count;
    return offset >= w->offset && (w->ends || (offset <= end && limit <= end - offset));
}

const struct place *window_find(const struct window *w, int64_t id, const struct order *order)
{
    for (size_t i = 0; i < w->count; i++)
        if (place_id(order, &w->at[i]) == id) return &w->at[i];
    return NULL;
}
