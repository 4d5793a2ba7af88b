/* Who is interested in a change: the subsets of channels, by the values that their filters ask for. One thread's. */
#ifndef BROKER_INTERESTS_H
#define BROKER_INTERESTS_H

#include "base/list.h"
#include "broker/channels.h"

struct interest;

/* A value of an own field that a document of interest has, or one of several. */
struct interest_key {
    struct interest_key *next; /* in its bucket */
    struct interest *interest;
    struct where_key key;
};

/* A channel's part. The caller's memory. */
struct interest {
    struct list link;
    struct channel *channel;
    const struct subset *subset;
    struct interest_key *keys; /* an array; none: every change of the collection is looked at */
    size_t nkeys;
    int64_t seen; /* the change that it was last told of */
};

struct interests {
    struct list unkeyed[MAX_COLLECTIONS]; /* interests by link */
    struct interest_key **buckets;
    size_t nbuckets; /* a power of two */
    size_t nkeys;
};

/* False: no memory. */
MUST_CHECK bool interests_init(struct interests *all);
void interests_release(struct interests *all);
void interests_add(struct interests *all, struct interest *one);
void interests_remove(struct interests *all, struct interest *one);
/* Calls told(ctx, interest) once for each whose filter could match the document before or after the change. */
void interests_tell(
    struct interests *all, const struct doc_change *change, void (*told)(void *ctx, struct interest *one), void *ctx);

#endif
