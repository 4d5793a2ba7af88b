#include "base/table.h"
#include <stdlib.h>

#define FIRST_CHAINS 64

static size_t place_of(const struct table *t, uint64_t key)
{
    /* Numbers that were given in a row, as ids are, lie one in each chain. */
    return t->nchains ? (size_t)key & (t->nchains - 1) : 0;
}

static struct table_node **chain_at(const struct table *t, size_t place)
{
    return t->nchains ? &t->chains[place] : (struct table_node **)(uintptr_t)&t->one;
}

static void push(struct table *t, struct table_node *node)
{
    struct table_node **chain = chain_at(t, place_of(t, node->key));
    node->next = *chain;
    node->link = chain;
    if (node->next) node->next->link = &node->next;
    *chain = node;
}

void table_put(struct table *t, struct table_node *node, uint64_t key)
{
    node->key = key;
    push(t, node);
    t->count++;
}

void table_take_out(struct table *t, struct table_node *node)
{
    if (!node->link) return;
    *node->link = node->next;
    if (node->next) node->next->link = node->link;
    node->next = NULL;
    node->link = NULL;
    t->count--;
}

static struct table_node *with_key(struct table_node *node, uint64_t key)
{
    while (node && node->key != key) node = node->next;
    return node;
}

struct table_node *table_find(const struct table *t, uint64_t key)
{
    return with_key(*chain_at(t, place_of(t, key)), key);
}

struct table_node *table_find_next(const struct table_node *node)
{
    return with_key(node->next, node->key);
}

/* The first in the chain of that place or of one behind it. */
static struct table_node *first_from(const struct table *t, size_t place)
{
    size_t n = t->nchains ? t->nchains : 1;
    while (place < n && !*chain_at(t, place)) place++;
    return place < n ? *chain_at(t, place) : NULL;
}

struct table_node *table_first(const struct table *t)
{
    return first_from(t, 0);
}

struct table_node *table_next(const struct table *t, const struct table_node *node)
{
    return node->next ? node->next : first_from(t, place_of(t, node->key) + 1);
}

size_t table_wants(const struct table *t)
{
    if (t->count <= t->nchains) return 0;
    return t->nchains ? 2 * t->nchains : FIRST_CHAINS;
}

struct table_node **table_room(size_t nchains)
{
    return calloc(nchains, sizeof(struct table_node *));
}

struct table_node **table_spread(struct table *t, struct table_node **chains, size_t nchains)
{
    struct table old = *t;
    if (nchains <= old.nchains) return chains;
    t->chains = chains;
    t->nchains = nchains;
    for (size_t i = 0; i < (old.nchains ? old.nchains : 1); i++) {
        for (struct table_node *node = *chain_at(&old, i), *next; node; node = next) {
            next = node->next;
            push(t, node);
        }
    }
    t->one = NULL;
    return old.chains;
}
