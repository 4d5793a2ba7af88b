/* What an SQL text is bound with, in the order of its question marks. */
#ifndef SCHEMA_BINDS_H
#define SCHEMA_BINDS_H

#include "base/arena.h"
#include "schema/value.h"

/* {.arena = …} is empty. */
struct binds {
    struct value *values;
    size_t count, room;
    struct arena *arena;
    bool failed; /* without memory; checked once, when the SQL text is complete */
};

void binds_add(struct binds *b, struct value v);

#endif
