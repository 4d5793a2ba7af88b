/* The text index: which documents may match a where that searches a text, found without looking at all of them.
 *
 * It lies in a file of its own beside the database, <database>-text (store/textfile.h), since Payload does not know
 * tables of that kind and would not have them in its own. A thread of its own, of the lowest priority, brings it up to
 * date from the change log: a write waits for nothing, and what the index does not know yet, a reader adds from the
 * log. The file may be missing, damaged, of another database or on a disk that is full: then it is made anew, and
 * meanwhile everything is found as it would be without it. */
#ifndef STORE_TEXT_H
#define STORE_TEXT_H

#include "base/arena.h"
#include "schema/where.h"
#include "store/db.h"

struct text;

/* Starts the thread. `database` has been migrated. */
MUST_CHECK enum status text_open(struct text **out, const char *database, struct failure *f);
/* Takes NULL. Nobody may be within text_narrow. */
void text_close(struct text *t);

/* Ids of documents among which are all that match, as struct find wants them; `at` is NULL where none can be named, or
 * too many, which is no failure. They are those of the connection's snapshot, if it is in a transaction, else of the
 * moment of the call. Any thread. `t` may be NULL. */
MUST_CHECK enum status text_narrow(struct text *t, struct db *db, const struct collection *c, const struct where *w,
    struct arena *arena, struct view *among, struct failure *f);

#endif
