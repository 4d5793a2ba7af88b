#include "broker/channel.h"
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define KEYS_MOST 64 /* values that a filter is found by */

void channel_add_name(struct str *out, const struct subscription *s)
{
    str_addc(out, s->named ? '+' : '-');
    for (size_t i = 0; i < s->nsubsets; i++) {
        struct str text[2] = {0};
        if (s->subsets[i].rights) where_add_text(&text[0], s->subsets[i].rights);
        if (s->subsets[i].filter) where_add_text(&text[1], s->subsets[i].filter);
        str_addf(out, "%s %zu %zu ", s->subsets[i].collection->slug, text[0].len, text[1].len);
        for (size_t k = 0; k < COUNT(text); k++) {
            str_add(out, str_view(&text[k]));
            if (text[k].failed) out->failed = true;
            str_release(&text[k]);
        }
    }
}

uint64_t channel_hash(struct view name)
{
    return XXH3_64bits(name.at, name.len);
}

void channel_free(struct channel *c)
{
    if (!c) return;
    for (size_t i = 0; i < c->subscription.nsubsets; i++) {
        free((void *)(uintptr_t)c->subscription.subsets[i].rights);
        free((void *)(uintptr_t)c->subscription.subsets[i].filter);
        if (c->interests) free(c->interests[i].keys);
    }
    free(c->interests);
    audience_free(c->audience);
    framelog_free(c->log);
    str_release(&c->name);
    free(c);
}

static bool copy_tree(const struct where **tree)
{
    if (*tree) *tree = where_copy(*tree);
    return *tree;
}

static bool make_interest(struct channel *c, size_t i, const struct subset *subset)
{
    struct subset *own = &c->subscription.subsets[i];
    struct interest *one = &c->interests[i];
    struct where_key keys[KEYS_MOST];
    *own = (struct subset){.collection = subset->collection, .rights = subset->rights};
    if (subset->rights && !copy_tree(&own->rights)) return false;
    own->filter = subset->filter;
    if (subset->filter && !copy_tree(&own->filter)) return false;
    *one = (struct interest){.channel = c, .subset = own};
    list_init(&one->link);
    if (!own->filter) return true;
    size_t n = where_keys(own->filter, keys, KEYS_MOST);
    if (!n) c->unkeyed++;
    if (n) one->keys = calloc(n, sizeof *one->keys);
    if (n && !one->keys) return false;
    for (one->nkeys = 0; one->nkeys < n; one->nkeys++)
        one->keys[one->nkeys] = (struct interest_key){.interest = one, .key = keys[one->nkeys]};
    return true;
}

struct channel *channel_new(struct channels *all, struct delivery *delivery, const struct subscription *s,
    struct str *name, uint64_t log_bytes, struct framelog_budget *budget)
{
    struct channel *c = calloc(1, sizeof *c);
    if (!c) {
        str_release(name);
        return NULL;
    }
    c->all = all;
    c->name = *name;
    *name = (struct str){0};
    c->hash = channel_hash(str_view(&c->name));
    c->subscription.named = s->named;
    list_init(&c->link);
    list_init(&c->idle);
    list_init(&c->touched);
    c->log = framelog_new(log_bytes, budget, 0);
    c->audience = c->log ? audience_new(delivery, c->log) : NULL;
    c->interests = calloc(s->nsubsets, sizeof *c->interests);
    bool ok = c->audience && c->interests && !c->name.failed;
    while (ok && c->subscription.nsubsets < s->nsubsets) {
        size_t i = c->subscription.nsubsets++;
        ok = make_interest(c, i, &s->subsets[i]);
    }
    if (ok) return c;
    channel_free(c);
    return NULL;
}
