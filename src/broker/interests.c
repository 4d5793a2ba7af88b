#include "broker/interests.h"
#include <stdlib.h>

#define BUCKETS 64

static size_t bucket_of(const struct interests *all, const struct where_key *key)
{
    uint64_t hash = ((uint64_t)key->value ^ (uint64_t)(uintptr_t)key->field) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 32) & (all->nbuckets - 1);
}

bool interests_init(struct interests *all)
{
    *all = (struct interests){.nbuckets = BUCKETS};
    for (size_t i = 0; i < MAX_COLLECTIONS; i++) list_init(&all->unkeyed[i]);
    all->buckets = calloc(BUCKETS, sizeof *all->buckets);
    return all->buckets;
}

void interests_release(struct interests *all)
{
    free(all->buckets);
}

static void put(struct interests *all, struct interest_key *key)
{
    struct interest_key **bucket = &all->buckets[bucket_of(all, &key->key)];
    key->next = *bucket;
    *bucket = key;
}

/* Without memory it stays as it is, and slower. */
static void grow(struct interests *all)
{
    struct interests old = *all;
    struct interest_key **buckets = calloc(2 * old.nbuckets, sizeof *buckets);
    if (!buckets) return;
    all->buckets = buckets;
    all->nbuckets *= 2;
    for (size_t i = 0; i < old.nbuckets; i++)
        for (struct interest_key *key = old.buckets[i], *next; key; key = next) {
            next = key->next;
            put(all, key);
        }
    free(old.buckets);
}

void interests_add(struct interests *all, struct interest *one)
{
    if (!one->nkeys) list_insert(&all->unkeyed[collection_index(one->subset->collection)], &one->link);
    all->nkeys += one->nkeys;
    if (all->nkeys > all->nbuckets) grow(all);
    for (size_t i = 0; i < one->nkeys; i++) put(all, &one->keys[i]);
}

void interests_remove(struct interests *all, struct interest *one)
{
    list_remove(&one->link);
    all->nkeys -= one->nkeys;
    for (size_t i = 0; i < one->nkeys; i++) {
        struct interest_key **at = &all->buckets[bucket_of(all, &one->keys[i].key)];
        while (*at != &one->keys[i]) at = &(*at)->next;
        *at = one->keys[i].next;
    }
}

struct telling {
    const struct doc_change *change;
    void (*told)(void *ctx, struct interest *one);
    void *ctx;
};

static void tell(const struct telling *t, struct interest *one)
{
    if (one->seen == t->change->seq) return;
    one->seen = t->change->seq;
    t->told(t->ctx, one);
}

static void tell_keyed(const struct interests *all, const struct telling *t, const struct doc *doc)
{
    const struct collection *c = t->change->collection;
    for (size_t i = 0; doc && i < c->nfields; i++) {
        if (doc->values[i].type != VALUE_INTEGER) continue;
        struct where_key wanted = {&c->fields[i], doc->values[i].integer};
        for (struct interest_key *key = all->buckets[bucket_of(all, &wanted)], *next; key; key = next) {
            next = key->next;
            if (key->key.field == wanted.field && key->key.value == wanted.value) tell(t, key->interest);
        }
    }
}

/* An update of which it is not known what was before. */
static void tell_every_keyed(const struct interests *all, const struct telling *t)
{
    for (size_t i = 0; i < all->nbuckets; i++)
        for (struct interest_key *key = all->buckets[i], *next; key; key = next) {
            next = key->next;
            if (key->interest->subset->collection == t->change->collection) tell(t, key->interest);
        }
}

void interests_tell(
    struct interests *all, const struct doc_change *change, void (*told)(void *ctx, struct interest *one), void *ctx)
{
    struct telling t = {change, told, ctx};
    struct list *unkeyed = &all->unkeyed[collection_index(change->collection)];
    for (struct list *node = unkeyed->next; node != unkeyed; node = node->next)
        tell(&t, CONTAINER(node, struct interest, link));
    if (!all->nkeys) return;
    if (change->op == CHANGE_UPDATE && !change->before) {
        tell_every_keyed(all, &t);
        return;
    }
    tell_keyed(all, &t, change->before);
    tell_keyed(all, &t, change->after);
}
