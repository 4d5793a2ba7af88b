/* One condition serves all keys: a request with a key seldom meets another, and at most `most` threads are woken in
 * vain when it does. */
#include "api/turn.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/lock.h"
#include <stdlib.h>
#include <string.h>

#define BUCKETS 256 /* a turn is held until the commit, and many may be under way */

struct turns {
    /* fixed after open */
    int64_t wait_ms;
    int most;
    /* under lock */
    struct lock lock;
    struct condition given;
    struct list taken[BUCKETS];
    int waiting;
};

struct turns *turns_new(int64_t wait_ms, int most)
{
    struct turns *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->wait_ms = wait_ms;
    t->most = most;
    lock_init(&t->lock);
    condition_init(&t->given);
    for (size_t i = 0; i < BUCKETS; i++) list_init(&t->taken[i]);
    return t;
}

void turns_free(struct turns *t)
{
    if (!t) return;
    for (size_t i = 0; i < BUCKETS; i++) ASSERT(list_empty(&t->taken[i]));
    condition_destroy(&t->given);
    lock_destroy(&t->lock);
    free(t);
}

static struct list *bucket(struct turns *t, const struct turn *turn)
{
    uint32_t hash = 2166136261; /* FNV-1a */
    for (size_t i = 0; i < turn->key.len; i++) hash = (hash ^ (uint8_t)turn->key.at[i]) * 16777619;
    return &t->taken[hash % BUCKETS];
}

static const struct turn *find(const struct list *taken, const struct turn *like)
{
    for (const struct list *node = taken->next; node != taken; node = node->next) {
        const struct turn *turn = CONTAINER(node, struct turn, link);
        if (turn->scope == like->scope && view_equal(turn->key, like->key)) return turn;
    }
    return NULL;
}

enum status turns_take(struct turns *t, struct turn *turn, struct failure *f)
{
    const struct turn *other;
    int64_t deadline = clock_monotonic() + t->wait_ms;
    bool same = true, in_time = true;
    struct list *taken = bucket(t, turn);
    lock_take(&t->lock);
    while ((other = find(taken, turn))) {
        same = !memcmp(other->fingerprint, turn->fingerprint, sizeof turn->fingerprint);
        if (!same || !in_time || t->waiting == t->most) break;
        t->waiting++;
        in_time = condition_wait_until(&t->given, &t->lock, deadline);
        t->waiting--;
    }
    if (!other) list_insert(taken, &turn->link);
    lock_drop(&t->lock);
    if (!other) return OK;
    if (!same) return fail(f, MISMATCH, "This Idempotency-Key was sent with another request.");
    return fail(f, CONFLICT, "The first request with this Idempotency-Key is still under way; send it again later.");
}

void turns_give(struct turns *t, struct turn *turn)
{
    lock_take(&t->lock);
    list_remove(&turn->link);
    if (t->waiting) condition_broadcast(&t->given);
    lock_drop(&t->lock);
}
