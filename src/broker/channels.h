/* Channels: which change goes to whom.
 *
 * A channel is what some streams ask for in common: collections, a filter for each, and the form of the events; with a
 * log of the frames that this makes, and the audience that reads it. Streams that ask for the same share one. A change
 * is made into a frame once for each form, and copied to the logs of the channels that it concerns. Those are found
 * through the change's own values where a filter says that one of a few values must be there (a message's sender, its
 * receiver, the id), so that a message between two people is no work for the channels of all the others; the other
 * filters are tried one by one, and there may be no more of them than `max_filters`.
 *
 * A change that makes a document match is a `message`; one that ends that, and a deletion of one that matched, is a
 * `delete`.
 *
 * A collection's plain channel is always there and keeps `log_bytes`; the others together keep as much. The last few
 * that nobody asks for any more stay, for readers that come back. */
#ifndef BROKER_CHANNELS_H
#define BROKER_CHANNELS_H

#include "schema/filter.h"
#include "schema/match.h"
#include "schema/registry.h"
#include "store/changelog.h"
#include "stream/delivery.h"

struct channel;
struct channels;

/* A collection's documents in a stream. NULL: all. */
struct subset {
    const struct collection *collection;
    const struct where *rights; /* what the reader may see of them */
    const struct where *filter; /* what he asked for, and may see */
};

struct subscription {
    struct subset subsets[MAX_COLLECTIONS];
    size_t nsubsets;
    bool named; /* an event's data is {"collection", "docs"}, not the documents alone */
};

struct channels_options {
    struct delivery *delivery; /* outlived by the channels */
    uint64_t log_bytes;
    size_t max_filters;
    /* Asks for an empty round of the applier; any thread, with no lock held. */
    void (*sweep)(void *ctx);
    void *ctx;
};

/* `span`: what the database holds. NULL: no memory. */
MUST_CHECK struct channels *channels_new(const struct channels_options *options, const struct changelog_span *span);
/* No stream may be left. Takes NULL. */
void channels_free(struct channels *all);

/* ---- any thread ---- */

/* The channel for it, which stays until channel_leave. Copies what it needs. UNAVAILABLE: too many filters. */
MUST_CHECK enum status channel_join(
    struct channel **out, struct channels *all, const struct subscription *subscription, struct failure *f);
void channel_leave(struct channel *c);
const struct subscription *channel_subscription(const struct channel *c);
struct audience *channel_audience(const struct channel *c);

/* What has been published: frames of all changes up to `head` are in the logs. */
void channels_span(struct channels *all, struct changelog_span *out);
/* Where the channel's log goes on behind the change `seq`, which is committed; waits for it to be published. False: the
 * log does not reach back that far. */
MUST_CHECK bool channel_place(struct channel *c, int64_t seq, uint64_t *position);
/* The last change that a stream at `position` has been sent or that is not for it; 0: it has not been sent all, or more
 * than is told of. */
int64_t channel_reached(struct channel *c, uint64_t position);

/* ---- the applier ---- */

/* A change of a document, with the document. */
struct doc_change {
    const struct collection *collection;
    enum change_op op;
    int64_t seq, id;
    const struct doc *before, *after; /* NULL: there was or is none; of an update: it is not known what was before */
};

/* How the applier's frames show documents. */
struct frame_style {
    const struct relation_writer *writer;    /* the relations of a document */
    const struct relation_reader *relations; /* for filters that look through one */
};

/* Does any channel want to know what a document of that collection was before a change? */
bool channels_filter(struct channels *all, const struct collection *c);
/* All changes up to `seq` are committed; those that no channels_end has told of are offered next, in their order. */
void channels_begin(struct channels *all, int64_t seq);
void channels_offer(struct channels *all, const struct doc_change *change, const struct frame_style *style);
/* Publishes what was offered and wakes the audiences. False: there was no memory for a log, whose streams go on from
 * the database. */
bool channels_end(struct channels *all, const struct changelog_span *span);

#endif
