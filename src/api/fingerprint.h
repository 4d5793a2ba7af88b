/* What tells two requests apart: SHA-256 over the method, the path, the query and the body. A body of
 * multipart/form-data counts by its parts (name, filename, type, content), since every retry has another boundary.
 *
 * It takes its body in pieces, so that an operation which reads a body as it comes can feed it meanwhile. It fails
 * sticky, and {0} takes nothing: without a key there is nothing to be told apart. One thread at a time. */
#ifndef API_FINGERPRINT_H
#define API_FINGERPRINT_H

#include "base/crypt.h"
#include "http/request.h"

struct fingerprint {
    struct crypt_hash hash;
    uint64_t lengths[4]; /* of the part that has been begun: its three texts and its content */
};

/* The method, the path and the query are in it then; the body is to follow. */
void fingerprint_init(struct fingerprint *fp, const struct request *rq);
/* One part of the body: begin, its content in pieces of any size, end. A text may be absent (at == NULL), which is not
 * the same as empty. */
void fingerprint_begin(struct fingerprint *fp, struct view name, struct view filename, struct view type);
void fingerprint_add(struct fingerprint *fp, struct view bytes);
void fingerprint_end(struct fingerprint *fp);
/* All of a body that lies in memory. INVALID: it is multipart/form-data, and malformed. */
MUST_CHECK enum status fingerprint_body(
    struct fingerprint *fp, struct view content_type, struct view body, struct failure *f);
/* False: it has failed. Releases it too. */
MUST_CHECK bool fingerprint_final(struct fingerprint *fp, uint8_t out[32]);
void fingerprint_release(struct fingerprint *fp);

#endif
