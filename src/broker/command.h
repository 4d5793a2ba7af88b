/* A command: writes that are applied together, in one place of the order, each in a savepoint of its own. */
#ifndef BROKER_COMMAND_H
#define BROKER_COMMAND_H

#include "base/arena.h"
#include "base/list.h"
#include "base/lock.h"
#include "store/apply.h"

enum command_state {
    COMMAND_NEW,     /* the submitter's */
    COMMAND_QUEUED,  /* waits for the applier */
    COMMAND_APPLIED, /* in the open transaction; nobody may be told yet */
    COMMAND_DONE,    /* committed: each write has its result or its failure */
    COMMAND_REFUSED, /* nothing of it was stored; `*failure` says why */
};

struct command {
    /* the submitter's, not to be touched before it is told */
    struct write *writes;
    size_t nwrites;
    struct arena *arena;     /* the results' texts go here */
    struct failure *failure; /* REFUSED: why */
    /* under the broker's lock */
    struct list link;
    enum command_state state;
    bool posted; /* nobody waits for it */
    struct condition done;
};

#endif
