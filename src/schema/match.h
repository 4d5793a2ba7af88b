/* Does a document match a where? The answer is that of the SQL condition (schema/condition.h) on the document's row, in
 * every case but one: where a text is searched in a real number, SQLite may write its fifteenth digit otherwise.
 *
 * Nothing here locks, allocates or does I/O; any thread may call. The cost is the sum of the lengths of the texts that
 * are compared; a text is gone through once for each word that is searched in it. */
#ifndef SCHEMA_MATCH_H
#define SCHEMA_MATCH_H

#include "schema/doc.h"
#include "schema/where.h"

/* How the documents are found that a document's relations lead to. */
struct relation_reader {
    /* The document of `c` with that id, good until the next call; NULL: there is none, and all its fields are null. */
    const struct doc *(*find)(void *ctx, const struct collection *c, int64_t id);
    void *ctx;
};

/* `doc` is of the collection that the where was parsed for. Its texts are UTF-8. `relations` may be NULL where
 * where_joins() says no. */
bool match(const struct where *w, const struct doc *doc, const struct relation_reader *relations);

/* Does a value match one comparison? */
bool match_value(const struct where *compare, const struct value *v);

#endif
