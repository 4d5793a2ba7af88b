#include "schema/binds.h"
#include <string.h>

void binds_add(struct binds *b, struct value v)
{
    if (b->count == b->room) {
        size_t room = b->room ? 2 * b->room : 16;
        struct value *more = ARENA_ARRAY(b->arena, struct value, room);
        if (!more) {
            b->failed = true;
            return;
        }
        if (b->count) memcpy(more, b->values, b->count * sizeof *more);
        b->values = more;
        b->room = room;
    }
    b->values[b->count++] = v;
}
