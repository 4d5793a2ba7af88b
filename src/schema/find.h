/* What a request asks of a collection: the parameters of a list, and of every answer that shows documents. */
#ifndef SCHEMA_FIND_H
#define SCHEMA_FIND_H

#include "schema/select.h"
#include "schema/where.h"

#define MAX_SORT_TERMS 8

struct sort_term {
    const struct field *field;
    const struct collection *collection; /* of field */
    const struct field *via;             /* the relation that leads to it; NULL: own */
    bool descending;
};

struct find {
    const struct collection *collection;
    struct where *where;
    const struct where *rights; /* the part of `where` that is the reader's rights, not the query's; NULL: none */
    struct view among;          /* "[1,2]": ids of documents among which all are that match; at == NULL: any may */
    bool where_given;           /* a bulk write without one is refused */
    struct sort_term sort[MAX_SORT_TERMS];
    size_t nsort;  /* at least 1: the default is newest first */
    int64_t limit; /* 0: all */
    int64_t page;  /* from 1 */
    bool pagination;
    int depth; /* 0 to 10 */
    struct select select;
    struct populate populate;
};

/* Reads the query object's where, sort, limit, page, pagination, depth, select and populate; ignores what it does not
 * know. */
MUST_CHECK enum status find_parse(struct find *out, const struct collection *c, struct json_object *query,
    const struct readable *readable, struct arena *arena, struct failure *f);

/* Number(json) where that is a whole number from `least` to 10^15; otherwise `fallback`. */
int64_t find_whole(struct json_object *json, int64_t least, int64_t fallback);

#endif
