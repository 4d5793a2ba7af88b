/* One request and its answer, waited for: what must be known before there is a load. */
#ifndef BENCH_ASK_H
#define BENCH_ASK_H

#include "bench/target.h"
#include "bench/template.h"

/* Signs in, and from then on every request to the target says so. INVALID: the server does not let in. */
MUST_CHECK enum status ask_for_token(struct target *t, const char *email, const char *password, struct failure *f);
/* Who may send messages to whom: the one who is signed in and another user, or the same. INVALID: the server does not
 * tell. */
MUST_CHECK enum status ask_for_users(const struct target *t, int64_t *sender, int64_t *receiver, struct failure *f);
/* Does the server speak as the URL says? UNAVAILABLE: no, and why. */
MUST_CHECK enum status ask_for_life(const struct target *t, struct failure *f);

#endif
