/* Who is there: a user is online while a stream of his asks for notices, and PRESENCE_GRACE_MS longer, so that loading
 * a page again is no news. When he was last here is remembered of the PRESENCE_KEPT who left last. Nothing of it is
 * stored.
 *
 * Changes are told once a second, and no more than PRESENCE_MOST of them at once: when thousands come back together,
 * each stream is sent a little a second instead of everybody's coming at once, and presence_get knows it all
 * meanwhile. */
#ifndef API_PRESENCE_H
#define API_PRESENCE_H

#include "api/call.h"

#define PRESENCE_GRACE_MS 5000
#define PRESENCE_MOST     50
#define PRESENCE_KEPT     10000

struct presence;

/* NULL: no memory. */
MUST_CHECK struct presence *presence_new(void);
/* Everybody has left. Takes NULL. */
void presence_free(struct presence *p);

/* A stream of that user's begins, and ends. False: no memory, and it has not begun. Any thread. */
MUST_CHECK bool presence_enter(struct presence *p, int64_t user);
void presence_leave(struct presence *p, int64_t user);
/* How many users are online. Any thread. */
size_t presence_count(struct presence *p);
/* Is that user online, and if not, when was he last here (milliseconds since 1970)? `*seen` 0: that is not known. Any
 * thread. */
bool presence_look(struct presence *p, int64_t user, int64_t *seen);
/* Once a second, from one thread: tells what has changed. */
void presence_tell(struct presence *p, struct delivery *d);

operation presence_get, presence_of;

#endif
