/* What a where is good for beyond its request: a key that names it, the documents it can be found by, and a copy that
 * stays. Nothing here locks or does I/O; any thread may call. */
#ifndef SCHEMA_FILTER_H
#define SCHEMA_FILTER_H

#include "schema/where.h"

/* Adds a text that names the filter among those of its collection. Different conditions never share one, and filters
 * have the same that differ only in the order of a group's members or an operator's values, in groups of one member,
 * and in groups within their like. Costs a sort of the nodes and values. Without memory out->failed. */
void where_add_text(struct str *out, const struct where *w);

/* An own field (the id, or a relation) and what it is equal to. */
struct where_key {
    const struct field *field;
    int64_t value;
};

/* Fills `out` with equalities of which one holds, at least, of every document that matches, and returns how many; each
 * stands there once. 0: nothing like that can be said, or not within `room`. */
size_t where_keys(const struct where *w, struct where_key *out, size_t room);

/* A copy that borrows from nothing but the collections' tables, in one block: free() it. NULL: no memory. */
MUST_CHECK struct where *where_copy(const struct where *w);

#endif
