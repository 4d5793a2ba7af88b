/* A document's place in the order of a list: by a date or by the id; documents of one date lie the newest id first, as
 * everywhere. Places are kept so that of two of one order the greater comes first, whichever way the list goes. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "base/clock.h"
#include "parley/collection.h"
#include "schema/value.h"
#include <string.h>

struct order {
    const struct field *field; /* a date, or the id */
    bool descending;
};

struct place {
    char at[ISO_LENGTH]; /* the date; its complement in a rising order; of ids zeros */
    int64_t id;          /* negative in a rising order of ids */
};

static inline bool order_by_id(const struct order *o)
{
    return o->field->kind == KIND_ID;
}

static inline void place_turn(const struct order *o, const char *from, char to[ISO_LENGTH])
{
    for (size_t i = 0; i < ISO_LENGTH; i++) to[i] = (char)(o->descending ? from[i] : ~from[i]);
}

/* False: the date is no text of that length, as another program may have left it. */
static inline bool place_of(struct place *out, const struct order *o, const struct value *value, int64_t id)
{
    bool by_id = order_by_id(o);
    *out = (struct place){.id = by_id && !o->descending ? -id : id};
    if (by_id) return true;
    if (value->type != VALUE_TEXT || value->text.len != ISO_LENGTH) return false;
    place_turn(o, value->text.at, out->at);
    return true;
}

static inline int64_t place_id(const struct order *o, const struct place *place)
{
    return order_by_id(o) && !o->descending ? -place->id : place->id;
}

/* Above 0: a comes before b in the list; as SQLite compares the columns. */
static inline int place_compare(const struct place *a, const struct place *b)
{
    int difference = memcmp(a->at, b->at, ISO_LENGTH);
    return difference ? difference : (a->id > b->id) - (a->id < b->id);
}

#endif
