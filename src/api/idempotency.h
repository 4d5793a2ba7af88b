/* The header Idempotency-Key (as in the IETF's draft-ietf-httpapi-idempotency-key-header): a POST that is sent again
 * with its key is not done again, and gets the first answer, its status, body and headers.
 *
 *     the key     1 to 255 printable ASCII characters, taken as they are (quotes too); anything else: 400
 *     whose       of the user whose signed token is sent, even when the token or its session is over (a logout that is
 *                 sent again is the same user's); without one, of all anonymous callers together
 *     the same    method, path, query and body (api/fingerprint.h); another one under the key: 422
 *     how long    ANSWER_DAYS (store/answers.h), through restarts
 *     meanwhile   the second waits for the first, WAIT_MS at most, then 409
 *
 * Kept is what is below 500, but for what depends on the moment or on who asks, where a later try may fare better and
 * nothing was done: 401, 403, 408, 413, 429. (A refused login counts, each time.) An answer to a write of a document is
 * committed with it; others by themselves, before they are sent: a process that dies in between does such a request
 * again, which is a new session or a refusal, never a second document. An answer larger than ANSWER_KEPT_MOST is not
 * kept, only that there was one: the second gets a 409.
 *
 * Answers hold tokens and fingerprints hold passwords' traces, so that both are sealed under a key made of the app's
 * secret. When that has changed, a kept answer cannot be opened: 409, since doing it again might do it twice. */
#ifndef API_IDEMPOTENCY_H
#define API_IDEMPOTENCY_H

#include "api/call.h"
#include "api/fingerprint.h"

#define ANSWER_KEPT_MOST ((size_t)1 << 20)

/* `waiting`: requests at most that wait for others with their keys, each in a thread. NULL: no memory. */
MUST_CHECK struct idempotency *idempotency_new(struct view secret, int waiting);
/* No call may be under way. Takes NULL. */
void idempotency_free(struct idempotency *i);

/* Reads the header and sets call->keyed; it stays NULL without one, and then the calls below do nothing. After
 * cors_headers and reader_find. INVALID: it is no key. */
MUST_CHECK enum status idempotency_begin(struct call *call, struct failure *f);

/* Is the request to be done? idempotency_replayed: no, call->rs holds the first answer. A failure: no, and that is the
 * answer. Else yes, and others with the key wait until idempotency_end. Takes `fp`. Nothing may be written before it;
 * an operation that reads its body itself calls it when the body is at its end. What never comes so far is not kept. */
MUST_CHECK enum status idempotency_decide(struct call *call, struct fingerprint *fp, struct failure *f);
bool idempotency_replayed(const struct call *call);
/* The same for all other operations: reads the body first (call_bytes). A second time it does nothing. */
MUST_CHECK enum status idempotency_decide_body(struct call *call, struct failure *f);

/* For a write's `make` (store/apply.h): call->rs is its answer; `*out` lies in the call's arena. */
MUST_CHECK enum status idempotency_seal(struct call *call, struct answer *out, struct failure *f);
/* That write is committed. */
void idempotency_kept(struct call *call);

/* call->rs is the answer: keeps it, unless a write did. One that cannot be kept, because the disk has failed, is sent
 * all the same: the operation is done. Always to be called after idempotency_begin. */
void idempotency_end(struct call *call);

#endif
