/* Parley's own tables: what it needs beside Payload's. (Others are described in store/account.h, store/answers.h,
 * store/claim.h, store/conversation.h and store/profile.h.)
 *
 *     parley_meta     name, value: the file's version; the epoch, a random word that cursors carry
 *     parley_log      seq, collection, doc, op ('c', 'u', 'd'): every change of a document, in commit order; parties:
 *                     whose it was before the change, as {"sender":1,"receiver":2}; NULL: new, nobody's, or not known;
 *                     made: its createdAt before a change that takes it away or sets another; NULL: none such, or not
 *                     known
 *     parley_ids      collection, last: the highest id ever given, so that none is used again; docs, written: how many
 *                     documents there were after the last write, and when that was, so that another program's shows
 *
 * Writing calls run on the applier's connection, inside its transaction. */
#ifndef STORE_CHANGELOG_H
#define STORE_CHANGELOG_H

#include "parley/collection.h"
#include "store/epochs.h"

/* How far the log goes, as one snapshot sees it, and its newest epoch. Changes oldest..head are kept; an empty log has
 * oldest == head + 1. */
struct changelog_span {
    char epoch[EPOCH_LENGTH + 1];
    int64_t head, oldest;
};

enum change_op { CHANGE_CREATE = 'c', CHANGE_UPDATE = 'u', CHANGE_DELETE = 'd' };

struct change {
    const struct collection *collection; /* changelog_append is told it otherwise */
    int64_t seq, doc;
    enum change_op op;
    struct view parties; /* at == NULL: none, or not known, as of what another program changed */
    struct value made;   /* of changelog_append alone */
};

/* CONFLICT: the file was written by a newer program. Changes nothing. */
MUST_CHECK enum status changelog_check(struct db *db, struct failure *f);
/* Makes what is missing, and of a file of an older version one of this. Begins an epoch. */
MUST_CHECK enum status changelog_prepare(struct db *db, struct failure *f);
MUST_CHECK enum status changelog_span(struct db *db, struct changelog_span *out, struct failure *f);
MUST_CHECK enum status changelog_append(
    struct db *db, const struct collection *c, const struct change *change, struct failure *f);
/* Drops all but the newest `keep` changes. */
MUST_CHECK enum status changelog_trim(struct db *db, int64_t head, int64_t keep, struct failure *f);

/* The changes of the `n` collections after `after`, in order, at most `limit` of them looked at; a document's change is
 * passed over when a later one of the same document follows, since that one will show it. With `by_parties` not when
 * it may have taken the document from somebody who may not be among the later one's parties; so the document of a
 * change may be gone. `*last` is the seq up to which the log has been read; `*more`: there may be further ones. */
MUST_CHECK enum status changelog_read(struct db *db, const struct collection *const *of, size_t n, bool by_parties,
    int64_t after, int limit, enum status (*each)(void *ctx, const struct change *change), void *ctx, int64_t *last,
    bool *more, struct failure *f);

/* What was known of a collection after the last write of this program. */
struct ledger {
    int64_t last; /* the highest id that its documents ever had */
    int64_t docs; /* how many there are */
};

/* Zeros where nothing is known yet. */
MUST_CHECK enum status ledger_read(struct db *db, const struct collection *c, struct ledger *out, struct failure *f);
/* `now`: ISO time. */
MUST_CHECK enum status ledger_write(
    struct db *db, const struct collection *c, const struct ledger *ledger, struct view now, struct failure *f);

/* Gives changes that another program made since ledger_write their place in the log: new rows, rows whose updatedAt is
 * later, rows that are gone or are back under an id that was deleted. Where these do not account for the number of
 * rows, as when one is gone that is older than the log, all epochs but the newest are forgotten. A collection without a
 * ledger gets one, and no changes: nobody has a cursor from before. `*wrote`: another program has written. Costs a
 * count of the rows when nothing has changed. */
MUST_CHECK enum status changelog_adopt(
    struct db *db, const struct collection *c, struct view now, bool *wrote, struct failure *f);

#endif
