/* A document's place in the default order of a list: by createdAt, then by id. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "base/clock.h"
#include "schema/value.h"
#include <stdbool.h>
#include <string.h>

struct place {
    char at[ISO_LENGTH];
    int64_t id;
};

/* False: createdAt is no text of that length, as another program may have left it. */
static inline bool place_of(struct place *out, const struct value *created_at, int64_t id)
{
    if (created_at->type != VALUE_TEXT || created_at->text.len != ISO_LENGTH) return false;
    memcpy(out->at, created_at->text.at, ISO_LENGTH);
    out->id = id;
    return true;
}

/* Below 0: a is older; as SQLite compares the columns. */
static inline int place_compare(const struct place *a, const struct place *b)
{
    int difference = memcmp(a->at, b->at, ISO_LENGTH);
    return difference ? difference : (a->id > b->id) - (a->id < b->id);
}

#endif
