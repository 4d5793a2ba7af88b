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

struct broker_options {
    const char *database;
    int64_t keep_changes;      /* rows of the change log */
    struct delivery *delivery; /* outlived by the broker */
    uint64_t log_bytes;        /* of each collection's frames, and of all filtered ones together */
    size_t max_filters;        /* of streams, that can only be tried one by one */
};

/* Opens the database (making and migrating it) and starts the applier. */
MUST_CHECK enum status broker_open(struct broker **out, const struct broker_options *options, struct failure *f);
/* Applies what waits, then ends. No submitter may be left. Takes NULL. */
void broker_close(struct broker *b);

/* Queues the command; broker_wait must follow. Any thread. */
void broker_submit(struct broker *b, struct command *c);
/* Waits until it is DONE (OK) or REFUSED (its failure's status). */
enum status broker_wait(struct broker *b, struct command *c);
/* Submits the writes as one command and waits. OK: look at each write's own failure. */
MUST_CHECK enum status broker_run(
    struct broker *b, struct write *writes, size_t nwrites, struct arena *arena, struct failure *f);

struct channels *broker_channels(struct broker *b);

#endif
