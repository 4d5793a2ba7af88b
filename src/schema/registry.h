/* Finding collections and fields by name. All are constant; any thread may call. */
#ifndef SCHEMA_REGISTRY_H
#define SCHEMA_REGISTRY_H

#include "parley/collection.h"
#include "parley/str.h"

/* The collection with the n-th lowest rank; NULL beyond the last. Collections that others refer to come before them. */
const struct collection *collection_at(size_t n);
/* NULL: none of that name; case matters. */
const struct collection *collection_find(struct view slug);
/* Its place in collection_at's order. */
size_t collection_index(const struct collection *c);
/* The collection whose documents sign in. */
const struct collection *collection_auth(void);

/* The collection whose documents go from one user to another, as messages do: a field of each role says to whom. NULL:
 * there is none. */
const struct collection *collection_exchanged(void);

/* The place of the field of that name in c->fields, hidden ones too; -1: none. */
int field_find(const struct collection *c, struct view name);
/* The place of the first field with that role; -1: none. */
int field_of_role(const struct collection *c, enum role role);

#define MAX_COLLECTIONS 16

#endif
