/* Turns: of the requests under one key one is answered at a time, and those that are the same wait for it. Any thread.
 */
#ifndef API_TURN_H
#define API_TURN_H

#include "base/list.h"
#include "parley/status.h"
#include "parley/str.h"
#include <stdint.h>

struct turns;

/* A request's, from turns_take to turns_give; it lies where the request does. */
struct turn {
    struct list link;
    int64_t scope; /* with the key: what there is one turn at a time of */
    struct view key;
    uint8_t fingerprint[32];
};

/* A request waits at most `wait_ms`, and at most `most` wait at once, as each holds a thread. NULL: no memory. */
MUST_CHECK struct turns *turns_new(int64_t wait_ms, int most);
/* No turn may be taken. Takes NULL. */
void turns_free(struct turns *t);

/* Waits until no other request has the turn. MISMATCH, at once: one with another fingerprint has it. CONFLICT: one
 * still has it after the longest wait; or too many wait already. */
MUST_CHECK enum status turns_take(struct turns *t, struct turn *turn, struct failure *f);
void turns_give(struct turns *t, struct turn *turn);

#endif
