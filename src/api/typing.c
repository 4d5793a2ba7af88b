#include "api/typing.h"
#include "base/clock.h"
#include "base/lock.h"
#include <stdlib.h>

struct slot {
    int64_t from, to;
    int64_t at; /* of the last beginning that was passed on */
    bool types;
};

struct typing {
    struct lock lock;
    struct slot slots[TYPING_SLOTS];
};

struct typing *typing_new(void)
{
    struct typing *t = calloc(1, sizeof *t);
    if (t) lock_init(&t->lock);
    return t;
}

void typing_free(struct typing *t)
{
    if (!t) return;
    lock_destroy(&t->lock);
    free(t);
}

/* The product spreads the low bits of both ids (Knuth's multiplicative hashing). */
static struct slot *slot_of(struct typing *t, int64_t from, int64_t to)
{
    uint64_t mixed = ((uint64_t)from << 32 ^ (uint64_t)to) * UINT64_C(0x9e3779b97f4a7c15);
    return &t->slots[(mixed >> 32) % TYPING_SLOTS];
}

bool typing_passes(struct typing *t, int64_t from, int64_t to, bool types)
{
    int64_t now = clock_monotonic();
    struct slot *slot = slot_of(t, from, to);
    lock_take(&t->lock);
    bool known = slot->from == from && slot->to == to;
    bool passes = types ? !known || now - slot->at >= TYPING_MS : known && slot->types;
    if (passes) *slot = (struct slot){from, to, types ? now : slot->at, types};
    lock_drop(&t->lock);
    return passes;
}
