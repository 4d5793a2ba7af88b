/* What is kept of one list: its first documents, or a ladder over all of them and a stretch anywhere. These are two,
 * each with a change of its own that it knows: a ladder takes so long to make that meanwhile other readers are further.
 * A value: nothing here locks or does I/O. */
#ifndef STORE_KEPTLIST_H
#define STORE_KEPTLIST_H

#include "base/list.h"
#include "store/changes.h"
#include "store/ladder.h"
#include "store/window.h"

struct keptlist {
    struct list link; /* the owner's */
    int64_t seq;      /* of the last change that it knows */
    int64_t total;
    bool counted; /* always, where there is a ladder */
    struct order order;
    struct window window;  /* beside a ladder it may be empty: then there is none */
    struct ladder *ladder; /* NULL: it is of the first documents */
    size_t key_len;
    char key[]; /* the owner's: which of the two, and of which list */
};

/* Nothing is in it yet; copies the key. NULL: no memory. */
MUST_CHECK struct keptlist *keptlist_new(int64_t seq, const struct order *order, struct view key);
/* With its ladder. Takes NULL. */
void keptlist_free(struct keptlist *k);
size_t keptlist_bytes(const struct keptlist *k);
bool keptlist_is(const struct keptlist *k, struct view key);
/* NULL: none. */
const struct window *keptlist_window(const struct keptlist *k);

/* Makes it what it is behind the changes that follow k->seq; the caller sets that. False: it cannot be, and is to be
 * made anew. */
MUST_CHECK bool keptlist_follow(struct keptlist *k, struct list_changes *changes);

#endif
