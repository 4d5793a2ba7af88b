/* One channel: its subscription, its log, its audience, and what its filters are found by. Who may touch what is
 * channels.c's to say. */
#ifndef BROKER_CHANNEL_H
#define BROKER_CHANNEL_H

#include "broker/interests.h"

struct channel {
    /* fixed */
    struct channels *all;
    struct framelog *log;
    struct audience *audience;
    struct subscription subscription; /* its trees are the channel's */
    struct interest *interests;       /* one a subset */
    size_t unkeyed;                   /* subsets with a filter that has no keys */
    struct str name;
    uint64_t hash;
    /* under lock */
    struct channel *next; /* of its bucket */
    struct list link;     /* newcomers, while it is one */
    struct list idle;     /* while it has no reader, the longest so first */
    size_t readers;
    /* the applier's */
    bool known;          /* its interests are */
    struct list touched; /* in this round */
};

/* Adds a text that names what is asked for: equal ones have the same (schema/filter.h). */
void channel_add_name(struct str *out, const struct subscription *s);
uint64_t channel_hash(struct view name);
/* Copies the subscription, and takes the name, in any case. `budget` NULL: the log keeps `log_bytes` for itself. NULL:
 * no memory. */
MUST_CHECK struct channel *channel_new(struct channels *all, struct delivery *delivery, const struct subscription *s,
    struct str *name, uint64_t log_bytes, struct framelog_budget *budget);
/* Takes NULL. */
void channel_free(struct channel *c);

#endif
