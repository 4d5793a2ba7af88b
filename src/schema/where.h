/* The where-grammar: what a query or a JSON text asks for, as a tree.
 *
 * What cannot be understood is a failure, never a wider answer. Payload's operators and their odd cases are followed,
 * but for the two where it lets more through than was asked: wildcards in a value are escaped, and a value that is no
 * list for "in" is refused. */
#ifndef SCHEMA_WHERE_H
#define SCHEMA_WHERE_H

#include "base/arena.h"
#include "parley/collection.h"
#include "parley/status.h"
#include "schema/operator.h"
#include "schema/registry.h"
#include "schema/value.h"
#include <json-c/json.h>

enum where_kind { WHERE_AND, WHERE_OR, WHERE_COMPARE };

#define WHERE_MAX_NODES  500 /* each word of a like is one; SQLite takes expressions up to 1,000 deep */
#define WHERE_MAX_VALUES 5000
#define WHERE_MAX_LIKE   10000 /* bytes of a text to search for */

/* The collections, by collection_index, of which the reader may read every document: a query looks through a relation
 * into no others but for the id, which is the document's own. */
struct readable {
    bool all[MAX_COLLECTIONS];
};

struct where {
    enum where_kind kind;
    struct where *first; /* of an AND (none: everything) or an OR (one at least) */
    struct where *next;  /* beside it */
    /* WHERE_COMPARE */
    enum where_operator op;
    const struct collection *collection;
    const struct field *field;
    const struct field *via; /* the relation that leads to field; NULL: field is the document's own */
    struct value *values;    /* what cannot be equal to anything is none; a pattern's are the texts to search for */
    size_t nvalues;
};

/* `json`: the parameter `where`, an object or a JSON text or empty. A `*out` that asks for nothing is an empty AND. The
 * tree lives in the arena and borrows texts of `json`. */
MUST_CHECK enum status where_parse(struct where **out, const struct collection *c, struct json_object *json,
    const struct readable *readable, struct arena *arena, struct failure *f);

bool where_is_everything(const struct where *w);
/* Does it look at other documents, through a relation? */
bool where_joins(const struct where *w);

#endif
