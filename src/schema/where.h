/* The where-grammar: what a query or a JSON text asks for, as a tree, as SQL with bound values.
 *
 * What cannot be understood is a failure, never a wider answer. Payload's operators and their odd cases are followed,
 * but for the two where it lets more through than was asked: wildcards in a value are escaped, and a value that is no
 * list for "in" is refused. */
#ifndef SCHEMA_WHERE_H
#define SCHEMA_WHERE_H

#include "base/arena.h"
#include "parley/collection.h"
#include "parley/status.h"
#include "schema/value.h"
#include <json-c/json.h>

enum where_kind { WHERE_AND, WHERE_OR, WHERE_COMPARE };

enum where_operator {
    OP_EQUALS,
    OP_NOT_EQUALS,
    OP_IN,
    OP_NOT_IN,
    OP_EXISTS,
    OP_LIKE,
    OP_CONTAINS,
    OP_NOT_LIKE,
    OP_GREATER_THAN,
    OP_GREATER_THAN_EQUAL,
    OP_LESS_THAN,
    OP_LESS_THAN_EQUAL,
};

enum where_operand { OPERAND_ONE, OPERAND_LIST, OPERAND_BOOL, OPERAND_PATTERN };

struct where_operator_row {
    const char *name;
    enum where_operand operand;
    const char *sql; /* with one value */
    bool last;       /* Payload looks at no operator behind it on the same field; its recorded answers show that */
};

/* The row of the n-th enum where_operator; NULL beyond the last. */
const struct where_operator_row *where_operator_at(size_t n);

#define WHERE_MAX_NODES  500
#define WHERE_MAX_VALUES 5000
#define WHERE_MAX_LIKE   10000 /* bytes of a text to search for */

struct where {
    enum where_kind kind;
    struct where *first; /* of an AND (none: everything) or an OR */
    struct where *next;  /* beside it */
    /* WHERE_COMPARE */
    enum where_operator op;
    const struct collection *collection;
    const struct field *field;
    const struct field *via; /* the relation that leads to field; NULL: field is the document's own */
    struct value *values;
    size_t nvalues;
};

/* `json`: the parameter `where`, an object or a JSON text or empty. `signed_in`: whether the reader may read what asks
 * for a session. A `*out` that asks for nothing is an empty AND. */
MUST_CHECK enum status where_parse(struct where **out, const struct collection *c, struct json_object *json,
    bool signed_in, struct arena *arena, struct failure *f);

bool where_is_everything(const struct where *w);
/* Does it look at other documents, through a relation? */
bool where_joins(const struct where *w);

/* What an SQL text is bound with, in the order of its question marks. */
struct binds {
    struct value *values;
    size_t count, room;
    struct arena *arena;
    bool failed;
};

void binds_add(struct binds *b, struct value v);

/* An SQL condition over the collection's table. */
void where_add_sql(const struct where *w, struct str *sql, struct binds *binds);

#endif
