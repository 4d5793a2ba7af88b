#include "store/keptlist.h"
#include <stdlib.h>
#include <string.h>

struct keptlist *keptlist_new(int64_t seq, const struct order *order, struct view key)
{
    struct keptlist *k = malloc(sizeof *k + key.len);
    if (!k) return NULL;
    *k = (struct keptlist){.seq = seq, .counted = true, .order = *order, .key_len = key.len};
    list_init(&k->link);
    memcpy(k->key, key.at, key.len);
    return k;
}

void keptlist_free(struct keptlist *k)
{
    if (!k) return;
    ladder_free(k->ladder);
    free(k);
}

size_t keptlist_bytes(const struct keptlist *k)
{
    return sizeof *k + k->key_len + (k->ladder ? ladder_bytes(k->ladder) : 0);
}

bool keptlist_is(const struct keptlist *k, struct view key)
{
    return view_equal((struct view){k->key, k->key_len}, key);
}

const struct window *keptlist_window(const struct keptlist *k)
{
    return k->ladder && !k->window.count ? NULL : &k->window;
}

/* Was a document in the list of which that is not known? It was if it is in the window. */
static void guess(const struct keptlist *k, struct list_change *c)
{
    const struct place *place = window_find(&k->window, c->doc, &k->order);
    if (place) {
        c->was = WAS_IN;
        c->before = *place;
    } else if (!k->ladder && k->window.ends) {
        c->was = WAS_OUT;
    }
}

static void leave(struct keptlist *k, const struct place *place)
{
    k->total--;
    if (keptlist_window(k)) window_remove(&k->window, place);
    if (k->ladder) ladder_remove(k->ladder, place);
}

static void enter(struct keptlist *k, const struct place *place)
{
    k->total++;
    if (keptlist_window(k)) window_add(&k->window, place);
    if (k->ladder) ladder_add(k->ladder, place);
}

bool keptlist_follow(struct keptlist *k, struct list_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        struct list_change *c = &changes->of[i];
        if (c->was == WAS_UNKNOWN) guess(k, c);
        if (c->odd || (c->was == WAS_UNKNOWN && k->ladder)) return false;
        if (c->was == WAS_IN && c->is_in && !place_compare(&c->before, &c->now)) continue;
        if (c->was == WAS_UNKNOWN) k->counted = false; /* it was behind the first ones, or nowhere */
        if (c->was == WAS_IN) leave(k, &c->before);
        if (c->is_in) enter(k, &c->now);
    }
    return k->ladder ? !ladder_worn(k->ladder) : k->window.ends || k->window.count >= WINDOW_MOST / 2;
}
