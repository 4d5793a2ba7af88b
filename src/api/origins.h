/* A list of web origins (RFC 6454, 7) out of an option: "*", or origins as browsers send them, with commas between
 * them. A "*" within a list is no wildcard, as in Payload's lists. */
#ifndef API_ORIGINS_H
#define API_ORIGINS_H

#include "parley/status.h"
#include "parley/str.h"
#include <stdbool.h>

struct origins {
    bool any;         /* the option is "*" alone */
    struct view list; /* else the option's text */
};

/* `text` is borrowed. INVALID: a piece can be no Origin of a browser; the reason names it and `option`. */
MUST_CHECK enum status origins_read(struct origins *out, const char *option, const char *text, struct failure *f);
/* Is `origin` one of them, byte for byte? Never of those that are `any`: ask for that first. */
bool origins_list(const struct origins *o, struct view origin);

#endif
