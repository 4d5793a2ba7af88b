/* Standing queries: how many documents a where matches and where they lie in their order, kept from one request to the
 * next. What has changed since is read from the change log, in the reader's own snapshot (store/changes.h): a page and
 * its total cost what has changed and what is shown, not what is stored. A write costs nothing, and nothing of this is
 * in the file.
 *
 * Of each list its newest documents are kept, and of one whose pages are looked at further behind also a ladder, by
 * which any page is found, and the last stretch that was looked at. The first request for a where looks and counts as
 * SQLite does; so does one whose snapshot is older than what is kept, and one after more changes, or more old ones,
 * than there is memory for. Tried and not taken: indexes of each relation with createdAt, which cost a POST a fifth of
 * its speed; counts kept in a table, which serve a single equality alone. */
#ifndef STORE_STANDING_H
#define STORE_STANDING_H

#include "base/arena.h"
#include "schema/find.h"
#include "store/db.h"

struct formers;
struct standings;
struct text;

/* `bytes`: of memory. `formers`: what changed documents were, and `text`: finds what is not kept; each may be NULL, and
 * then costs more. NULL: no memory. */
MUST_CHECK struct standings *standings_new(size_t bytes, struct formers *formers, struct text *text);
/* Takes NULL. */
void standings_free(struct standings *s);

struct standing_page {
    int64_t total;
    bool listed;        /* the page's documents are known: */
    const int64_t *ids; /* in their order, in the arena */
    size_t nids;
};

/* What `find` asks for, as the connection sees it afterwards; it is in a transaction, which may be begun anew, so
 * nothing may have been read in it. Waits while another request makes the same. limit 0: only the total. Any thread. */
MUST_CHECK enum status standings_look(struct standings *s, struct db *db, const struct find *find, int64_t limit,
    int64_t offset, struct arena *arena, struct standing_page *out, struct failure *f);

#endif
