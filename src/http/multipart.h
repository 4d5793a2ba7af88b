/* multipart/form-data (RFC 7578), pushed in as it arrives: memory stays bounded whatever the parts' size.
 * One parser belongs to one thread. */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include "parley/status.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stddef.h>

struct multipart_part {
    struct view name;     /* of the field */
    struct view filename; /* as the client gave it, never to be used as a path; at == NULL: not a file */
    struct view type;     /* Content-Type of the part; at == NULL: none */
};

/* Each returns OK to go on; anything else ends the parse with that status and the failure the callee filled. */
struct multipart_events {
    enum status (*begin)(void *ctx, const struct multipart_part *part, struct failure *f);
    enum status (*data)(void *ctx, struct view bytes, struct failure *f);
    enum status (*end)(void *ctx, struct failure *f);
};

struct multipart;

/* The boundary of a Content-Type header, quoted or not; at == NULL: it is not multipart/form-data, or has no usable
 * boundary (1 to 70 characters, RFC 2046, 5.1.1). Borrowed from `content_type`. */
struct view multipart_boundary(struct view content_type);

/* NULL: no memory. `events` and `ctx` must outlive the parser. */
MUST_CHECK struct multipart *multipart_new(struct view boundary, const struct multipart_events *events, void *ctx);
/* INVALID for malformed input (a part's head over 8 KiB among it); after anything but OK only multipart_free may
 * follow. */
MUST_CHECK enum status multipart_feed(struct multipart *m, struct view bytes, struct failure *f);
/* The input has ended: INVALID unless the closing boundary was seen. */
MUST_CHECK enum status multipart_finish(struct multipart *m, struct failure *f);
void multipart_free(struct multipart *m);

#endif
