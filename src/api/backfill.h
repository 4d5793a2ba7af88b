/* What a stream's reader gets from the database before he goes on in the log: for one who is new a first look at the
 * documents as they are at a moment (store/backlog.h), then the changes since; page by page, each in one snapshot. */
#ifndef API_BACKFILL_H
#define API_BACKFILL_H

#include "api/cursor.h"
#include "broker/channels.h"

#define BACKFILL_ALL (-1)

struct look; /* a first look, under way */
struct text;

/* A reader's place. */
struct backfill {
    struct channel *channel;
    struct look *look; /* NULL: changes behind `seq` are next */
    int64_t seq;       /* the reader has what there was up to this change, but for the rest of the look */
    int32_t newest;    /* documents of each collection that a look shows; BACKFILL_ALL: all */
};

void backfill_release(struct backfill *b);
/* From now on: a look at what there is at `seq`; or the rest of one, from the cursor's place. False: no memory. */
MUST_CHECK bool backfill_look(struct backfill *b, int64_t seq);
MUST_CHECK bool backfill_look_on(struct backfill *b, const struct cursor *cursor);
/* Is the look one at something that the channel does not have? */
bool backfill_strange(const struct backfill *b);

/* Writes the next page. `text` may be NULL. `db` is inside a transaction, whose last change is span->head. `*more`:
 * another page must follow before the reader can go on in the log, behind b->seq. After a failure `out` and the place
 * are useless. */
MUST_CHECK enum status backfill_page(struct backfill *b, struct text *text, struct db *db,
    const struct changelog_span *span, struct arena *arena, struct str *out, bool *more, struct failure *f);

#endif
