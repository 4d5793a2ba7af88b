#include "store/former.h"
#include "base/check.h"
#include "base/lock.h"
#include <stdlib.h>
#include <string.h>

#define MOST 4096 /* changes */

struct kept {
    struct former former; /* first */
    unsigned users;       /* under lock: the ring is one of them */
    size_t bytes;
};

struct formers {
    /* fixed after open */
    size_t most;
    /* under lock */
    struct lock lock;
    size_t bytes;
    size_t first, count;
    struct kept *ring[MOST]; /* from `first` on, the oldest first */
};

struct formers *formers_new(size_t bytes)
{
    struct formers *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    f->most = bytes;
    lock_init(&f->lock);
    return f;
}

static struct kept *at(const struct formers *f, size_t i)
{
    return f->ring[(f->first + i) % MOST];
}

void formers_free(struct formers *f)
{
    if (!f) return;
    for (size_t i = 0; i < f->count; i++) {
        ASSERT(at(f, i)->users == 1);
        free(at(f, i));
    }
    lock_destroy(&f->lock);
    free(f);
}

/* In one block. */
static struct kept *copy(int64_t seq, const struct doc *doc)
{
    size_t bytes = sizeof(struct kept);
    for (size_t i = 0; i < doc->collection->nfields; i++) bytes += doc->values[i].text.len;
    struct kept *k = malloc(bytes);
    if (!k) return NULL;
    char *to = (char *)(k + 1);
    *k = (struct kept){.former = {.seq = seq, .doc = *doc}, .users = 1, .bytes = bytes};
    k->former.doc.sessions = (struct view){0};
    for (size_t i = 0; i < doc->collection->nfields; i++) {
        struct view *text = &k->former.doc.values[i].text;
        if (text->len) memcpy(to, text->at, text->len);
        text->at = to;
        to += text->len;
    }
    return k;
}

/* Under lock: the oldest leaves the ring. It, if nobody uses it any more. */
static struct kept *forget(struct formers *f)
{
    struct kept *k = at(f, 0);
    f->first = (f->first + 1) % MOST;
    f->count--;
    f->bytes -= k->bytes;
    return --k->users ? NULL : k;
}

void formers_keep(struct formers *f, int64_t seq, const struct doc *doc)
{
    struct kept *k = f ? copy(seq, doc) : NULL;
    for (bool kept = !k; !kept;) {
        struct kept *gone = NULL;
        lock_take(&f->lock);
        if (f->count && (f->count == MOST || f->bytes + k->bytes > f->most)) {
            gone = forget(f);
        } else {
            f->ring[(f->first + f->count++) % MOST] = k;
            f->bytes += k->bytes;
            kept = true;
        }
        lock_drop(&f->lock);
        free(gone);
    }
}

const struct former *formers_find(struct formers *f, int64_t seq)
{
    struct kept *found = NULL;
    size_t low = 0;
    if (!f) return NULL;
    lock_take(&f->lock);
    for (size_t high = f->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (at(f, middle)->former.seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < f->count && at(f, low)->former.seq == seq) {
        found = at(f, low);
        found->users++;
    }
    lock_drop(&f->lock);
    return found ? &found->former : NULL;
}

void formers_give(struct formers *f, const struct former *former)
{
    struct kept *k = CONTAINER(former, struct kept, former);
    lock_take(&f->lock);
    bool last = !--k->users;
    lock_drop(&f->lock);
    if (last) free(k);
}
