#include "base/multimap.h"
#include <stdlib.h>

#define FIRST_CHAINS 64

static size_t place_of(const struct multimap *m, uint64_t key)
{
    /* Numbers that were given in a row, as ids are, lie one in each chain. */
    return m->nchains ? (size_t)key & (m->nchains - 1) : 0;
}

static struct multimap_node **chain_at(const struct multimap *m, size_t place)
{
    return m->nchains ? &m->chains[place] : (struct multimap_node **)(uintptr_t)&m->one;
}

static void push(struct multimap *m, struct multimap_node *node)
{
    struct multimap_node **chain = chain_at(m, place_of(m, node->key));
    node->next = *chain;
    node->link = chain;
    if (node->next) node->next->link = &node->next;
    *chain = node;
}

void multimap_put(struct multimap *m, struct multimap_node *node, uint64_t key)
{
    node->key = key;
    push(m, node);
    m->count++;
}

void multimap_take_out(struct multimap *m, struct multimap_node *node)
{
    if (!node->link) return;
    *node->link = node->next;
    if (node->next) node->next->link = node->link;
    node->next = NULL;
    node->link = NULL;
    m->count--;
}

static struct multimap_node *with_key(struct multimap_node *node, uint64_t key)
{
    while (node && node->key != key) node = node->next;
    return node;
}

struct multimap_node *multimap_find(const struct multimap *m, uint64_t key)
{
    return with_key(*chain_at(m, place_of(m, key)), key);
}

struct multimap_node *multimap_find_next(const struct multimap_node *node)
{
    return with_key(node->next, node->key);
}

/* The first in the chain of that place or of one behind it. */
static struct multimap_node *first_from(const struct multimap *m, size_t place)
{
    size_t n = m->nchains ? m->nchains : 1;
    while (place < n && !*chain_at(m, place)) place++;
    return place < n ? *chain_at(m, place) : NULL;
}

struct multimap_node *multimap_first(const struct multimap *m)
{
    return first_from(m, 0);
}

struct multimap_node *multimap_next(const struct multimap *m, const struct multimap_node *node)
{
    return node->next ? node->next : first_from(m, place_of(m, node->key) + 1);
}

size_t multimap_wants(const struct multimap *m)
{
    if (m->count <= m->nchains) return 0;
    return m->nchains ? 2 * m->nchains : FIRST_CHAINS;
}

struct multimap_node **multimap_room(size_t nchains)
{
    return calloc(nchains, sizeof(struct multimap_node *));
}

struct multimap_node **multimap_spread(struct multimap *m, struct multimap_node **chains, size_t nchains)
{
    struct multimap old = *m;
    if (nchains <= old.nchains) return chains;
    m->chains = chains;
    m->nchains = nchains;
    for (size_t i = 0; i < (old.nchains ? old.nchains : 1); i++) {
        for (struct multimap_node *node = *chain_at(&old, i), *next; node; node = next) {
            next = node->next;
            push(m, node);
        }
    }
    m->one = NULL;
    return old.chains;
}
