/* Entity tags (RFC 9110, 8.8.3). */
#ifndef HTTP_ETAG_H
#define HTTP_ETAG_H

#include "parley/str.h"
#include <stdbool.h>

/* Does the value of If-None-Match hold the tag, or "*"? Weak and strong ones count as equal, as they do there
 * (RFC 9110, 13.1.2). `etag` with its quotes. */
bool etag_listed(struct view if_none_match, const char *etag);

#endif
