/* A collection's documents as they were at one change of the log, in the order of their updatedAt, page by page.
 *
 * Each page is a look of its own, at what is there then: a document that has changed since that moment is left out, for
 * its change comes behind. So who reads all pages, and then the changes, has seen each document once in the state that
 * it had, and each change once. */
#ifndef STORE_BACKLOG_H
#define STORE_BACKLOG_H

#include "base/arena.h"
#include "schema/doc.h"
#include "schema/where.h"
#include "store/db.h"

#define BACKLOG_TIME 32

struct backlog {
    const struct collection *collection; /* with updatedAt */
    const struct where *filter;          /* NULL: all documents */
    struct view among;                   /* as struct find has it */
    int64_t seq;                         /* the moment */
};

/* Behind the document with that updatedAt and id; the zero: before all. */
struct backlog_place {
    char time[BACKLOG_TIME];
    int64_t id;
};

/* The place before the newest `newest` (at least 1) documents. */
MUST_CHECK enum status backlog_start(struct db *db, const struct backlog *backlog, int64_t newest, struct arena *arena,
    struct backlog_place *out, struct failure *f);
/* Calls each(ctx, doc) for the next documents behind `*place`, at most `limit`, the oldest first; `*place` is behind
 * the last for which it returned OK. None: that was all. */
MUST_CHECK enum status backlog_read(struct db *db, const struct backlog *backlog, struct backlog_place *place,
    int64_t limit, struct arena *arena, enum status (*each)(void *ctx, const struct doc *doc), void *ctx,
    struct failure *f);

#endif
