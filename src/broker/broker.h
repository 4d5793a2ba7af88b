/* The broker: commands in, one order, one thread that applies them.
 *
 * The applier takes all commands that wait, applies them in one transaction, commits (one fsync for all), gives the
 * changes to the channels, which tell the streams, and only then tells the submitters. While it works the next ones
 * gather: the more wait, the fewer commits a command costs. */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "broker/channels.h"
#include "broker/command.h"

struct broker;

struct formers;

struct broker_options {
    const char *database;
    int64_t keep_changes;      /* rows of the change log */
    struct delivery *delivery; /* outlived by the broker */
    uint64_t log_bytes;        /* of each collection's frames, and of all filtered ones together */
    size_t max_filters;        /* of streams, that can only be tried one by one */
    struct formers *formers;   /* gets what changed documents were; outlives the broker; may be NULL */
};

/* Opens the database (making and migrating it) and starts the applier. */
MUST_CHECK enum status broker_open(struct broker **out, const struct broker_options *options, struct failure *f);
/* Calls ended(ctx, …) on the applier's thread for each committed write that takes rights from a user of the auth
 * collection c: for each session that was signed out, that a new password ended, or that had expired and was cleared
 * away at a sign-in; with session.at == NULL for all that the user had, at a reset, a sign-out everywhere and the
 * user's end. A session may be named that was over already; one that expires by itself is named late or never. It is
 * called after the commit, before the batch's frames are in the logs and before the submitters are told; the text is
 * good until it returns. Before the first submit. */
void broker_on_end(struct broker *b,
    void (*ended)(void *ctx, const struct collection *c, int64_t user, struct view session), void *ctx);
/* Calls renamed(ctx, profile) on the applier's thread for each committed write that gives a user another name: after
 * the commit, so that they are told in its order, and before the submitters are told; the texts are good until it
 * returns. Before the first submit. */
void broker_on_rename(struct broker *b, void (*renamed)(void *ctx, const struct profile *profile), void *ctx);
/* Calls done(ctx, commands) on the applier's thread with the commands (by their `link`) of a batch that were posted and
 * are DONE or REFUSED now: after the commit, when the batch's frames are in the logs. They are the callee's, and the
 * next batch waits until it returns. Before the first post. */
void broker_on_done(struct broker *b, void (*done)(void *ctx, struct list *commands), void *ctx);
/* Applies what waits, then ends. No submitter may be left. Takes NULL. */
void broker_close(struct broker *b);

/* Queues the command, for which nobody waits: broker_on_done tells of it. Any thread. */
void broker_post(struct broker *b, struct command *c);
/* Queues the command; broker_wait must follow. Any thread. */
void broker_submit(struct broker *b, struct command *c);
/* Waits until it is DONE (OK) or REFUSED (its failure's status). */
enum status broker_wait(struct broker *b, struct command *c);
/* Submits the writes as one command and waits. OK: look at each write's own failure. */
MUST_CHECK enum status broker_run(
    struct broker *b, struct write *writes, size_t nwrites, struct arena *arena, struct failure *f);

/* The broker's; they live as long. */
struct channels *broker_channels(struct broker *b);
const struct epochs *broker_epochs(const struct broker *b);

/* A number that grows with each commit that writes to the collection (by collection_index) or to what belongs to its
 * documents: after the commit, and before anybody is told of it. Any thread. */
uint64_t broker_version(const struct broker *b, size_t collection);

#endif
