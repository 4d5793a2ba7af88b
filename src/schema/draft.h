/* A draft: the values that a write is going to store, read and checked from what a client sent. */
#ifndef SCHEMA_DRAFT_H
#define SCHEMA_DRAFT_H

#include "base/arena.h"
#include "parley/collection.h"
#include "parley/status.h"
#include "schema/value.h"
#include <json-c/json.h>

#define DRAFT_PASSWORD_MIN 3 /* UTF-16 units; bytes are at least as many */

struct draft {
    const struct collection *collection;
    struct value values[MAX_FIELDS]; /* by the field's place; texts borrowed */
    bool given[MAX_FIELDS];          /* these are stored */
    /* Auth collections: a new password, checked, not yet hashed. at == NULL: none. */
    struct view password;
};

enum draft_for { DRAFT_CREATE, DRAFT_UPDATE };

/* Checks the fields of `body` (an object, or an array, which holds none; both as Payload takes them) that clients may
 * write, all of them, and gathers every flaw. For DRAFT_CREATE absent fields count as null, times get `now` (ISO text,
 * borrowed). For DRAFT_UPDATE only given fields are checked and stored, and updatedAt is `now`. `id` names the document
 * in the failure. */
MUST_CHECK enum status draft_read(struct draft *out, const struct collection *c, enum draft_for purpose,
    struct json_object *body, struct view now, long long id, struct arena *arena, struct failure *f);

/* Sets a field by its name, which must exist. */
void draft_set(struct draft *d, const char *name, struct value v);

#endif
