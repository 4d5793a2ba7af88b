/* The file of a text index: of each searched field, which documents ever had each trigram in their text. It holds
 * nothing that cannot be made anew from the database, and no text.
 *
 *     parley_text       name: of the field's table, <slug>_<column>; seq: the last change that is in it; epoch, head:
 * of the database's change log, when its texts were last read there, which is not before seq; filled: of the documents
 * that are older than the file those up to this id are in it; stale: the changes since that left something behind
 *     <slug>_<column>   FTS5, a document's text by its id
 *
 * Nothing is ever taken out: a document goes on to be found by a text that it had, and who asks looks at the document
 * itself. So nobody needs to know what a text was before, and the file is half as large. */
#ifndef STORE_TEXTFILE_H
#define STORE_TEXTFILE_H

#include "parley/collection.h"
#include "store/changelog.h"

#define TEXTFILE_PARTS  8 /* searched fields, of all collections */
#define TEXTFILE_FILLED INT64_MAX

struct textpart {
    const struct collection *collection;
    const struct field *field;
    int64_t seq, head, filled, stale;
};

/* The searched fields, and how many there are. */
size_t textfile_parts(struct textpart out[TEXTFILE_PARTS]);

/* Opens it for writing; where there is none makes one that knows nothing older than the log's head, and that those may
 * read who may read the database. Reads what it says of the parts. CONFLICT: it is of another version, or of a log that
 * this one does not go on with. */
MUST_CHECK enum status textfile_open(struct db **out, const char *path, const char *database,
    const struct epochs *epochs, const struct changelog_span *span, struct textpart *parts, size_t nparts,
    struct failure *f);
/* Removes it, if it is there; nobody may have it open. */
MUST_CHECK enum status textfile_remove(const char *path, struct failure *f);

/* Reads all its numbers. */
MUST_CHECK enum status textfile_read(struct db *db, struct textpart *part, struct failure *f);
/* In a transaction: a document's text more; rising ids are quickest. */
MUST_CHECK enum status textfile_add(
    struct db *db, const struct textpart *part, int64_t id, struct view text, struct failure *f);
/* In the same: its numbers. */
MUST_CHECK enum status textfile_write(struct db *db, const struct textpart *part, struct failure *f);

/* Calls each(ctx, row), with an id in the row, for at most `limit` documents that ever had a text of which `trigrams`
 * (schema/trigrams.h) is true. */
MUST_CHECK enum status textfile_search(struct db *db, const struct textpart *part, struct view trigrams, int64_t limit,
    enum status (*each)(void *ctx, const struct row *row), void *ctx, struct failure *f);

#endif
