/* A table of chains and one list by last use. An entry's bytes are copied outside the lock: it is counted who holds
 * it. */
#include "api/cache.h"
#include "base/crypt.h"
#include "base/list.h"
#include "base/lock.h"
#include "schema/registry.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define CHAINS 1024
#define SHARE  8 /* one answer takes at most this part of the memory */

struct entry {
    struct list used, chain;
    atomic_uint holders; /* the table is one */
    uint64_t version;
    uint64_t hash;
    size_t key_len, len;
    char bytes[]; /* the key, the answer */
};

struct cache {
    /* fixed after open */
    size_t most;
    uint64_t seed;
    /* under lock */
    struct lock lock;
    size_t bytes;
    struct list used; /* the last one used first */
    struct list chains[CHAINS];
};

struct cache *cache_new(size_t bytes)
{
    struct cache *c = malloc(sizeof *c);
    if (!c) return NULL;
    c->most = bytes;
    c->seed = crypt_dice();
    c->bytes = 0;
    lock_init(&c->lock);
    list_init(&c->used);
    for (size_t i = 0; i < CHAINS; i++) list_init(&c->chains[i]);
    return c;
}

static void drop(struct entry *e)
{
    if (e && atomic_fetch_sub(&e->holders, 1) == 1) free(e);
}

static size_t size_of(const struct entry *e)
{
    return sizeof *e + e->key_len + e->len;
}

/* Under lock; the table's hold goes to the caller. */
static void take_out(struct cache *c, struct entry *e)
{
    list_remove(&e->used);
    list_remove(&e->chain);
    c->bytes -= size_of(e);
}

void cache_free(struct cache *c)
{
    if (!c) return;
    while (!list_empty(&c->used)) {
        struct entry *e = CONTAINER(c->used.next, struct entry, used);
        take_out(c, e);
        drop(e);
    }
    lock_destroy(&c->lock);
    free(c);
}

/* The collections, as bits by collection_index, that documents of `c` lead to. */
static uint32_t shown(const struct collection *c, uint32_t seen)
{
    uint32_t own = UINT32_C(1) << collection_index(c);
    if (seen & own) return seen;
    seen |= own;
    for (size_t i = 0; i < c->nfields; i++)
        if (c->fields[i].kind == KIND_RELATIONSHIP)
            seen = shown(collection_find(view_of(c->fields[i].relation_to)), seen);
    return seen;
}

/* Each only grows: the sum is the same as long as they all are. */
uint64_t cache_version(const struct broker *b, const struct collection *c)
{
    uint64_t sum = 0;
    uint32_t all = shown(c, 0);
    for (size_t i = 0; i < ncollections; i++)
        if (all >> i & 1) sum += broker_version(b, i);
    return sum;
}

/* With a seed: who chooses the keys cannot choose those of one chain. */
static uint64_t hash_of(const struct cache *c, struct view key)
{
    return XXH3_64bits_withSeed(key.at, key.len, c->seed);
}

/* Under lock. */
static struct entry *find(struct cache *c, struct view key, uint64_t hash)
{
    struct list *chain = &c->chains[hash % CHAINS];
    for (struct list *node = chain->next; node != chain; node = node->next) {
        struct entry *e = CONTAINER(node, struct entry, chain);
        if (e->hash == hash && view_equal((struct view){e->bytes, e->key_len}, key)) return e;
    }
    return NULL;
}

bool cache_show(struct cache *c, struct view key, uint64_t version, struct str *out)
{
    if (!c->most) return false;
    uint64_t hash = hash_of(c, key);
    lock_take(&c->lock);
    struct entry *e = find(c, key, hash);
    if (e && e->version != version) e = NULL;
    if (e) {
        atomic_fetch_add(&e->holders, 1);
        list_remove(&e->used);
        list_insert(c->used.next, &e->used);
    }
    lock_drop(&c->lock);
    if (!e) return false;
    str_add(out, (struct view){e->bytes + e->key_len, e->len});
    drop(e);
    return true;
}

static struct entry *entry_new(struct view key, uint64_t hash, uint64_t version, struct view answer)
{
    struct entry *e = malloc(sizeof *e + key.len + answer.len);
    if (!e) return NULL;
    list_init(&e->used);
    list_init(&e->chain);
    atomic_init(&e->holders, 1);
    e->version = version;
    e->hash = hash;
    e->key_len = key.len;
    e->len = answer.len;
    memcpy(e->bytes, key.at, key.len);
    memcpy(e->bytes + key.len, answer.at, answer.len);
    return e;
}

void cache_keep(struct cache *c, struct view key, uint64_t version, struct view answer)
{
    uint64_t hash = hash_of(c, key);
    struct list gone;
    if (!key.len || !answer.len || sizeof(struct entry) + key.len + answer.len > c->most / SHARE) return;
    struct entry *e = entry_new(key, hash, version, answer);
    if (!e) return;
    list_init(&gone);
    lock_take(&c->lock);
    struct entry *old = find(c, key, hash);
    /* Who was slow does not push out what is newer. */
    if (old && old->version > version) {
        list_insert(&gone, &e->used);
    } else {
        if (old) {
            take_out(c, old);
            list_insert(&gone, &old->used);
        }
        c->bytes += size_of(e);
        list_insert(c->used.next, &e->used);
        list_insert(&c->chains[hash % CHAINS], &e->chain);
        while (c->bytes > c->most) {
            struct entry *last = CONTAINER(c->used.prev, struct entry, used);
            take_out(c, last);
            list_insert(&gone, &last->used);
        }
    }
    lock_drop(&c->lock);
    while (!list_empty(&gone)) {
        struct entry *one = CONTAINER(gone.next, struct entry, used);
        list_remove(&one->used);
        drop(one);
    }
}
