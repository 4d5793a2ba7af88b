/* Entity tags and what a client that holds some asks for (RFC 9110, 8.8.3 and 13.1.2). */
#ifndef HTTP_ETAG_H
#define HTTP_ETAG_H

#include "parley/str.h"
#include <stdbool.h>

/* Does the header If-None-Match, `wanted`, hold this tag? Weak ones count, "*" is any; at == NULL: no. */
bool etag_held(struct view wanted, const char *etag);

#endif
