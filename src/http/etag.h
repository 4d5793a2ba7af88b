/* Entity tags and what a client that holds some asks for (RFC 9110, 8.8.3 and 13.1.2). */
#ifndef HTTP_ETAG_H
#define HTTP_ETAG_H

#include "parley/str.h"
#include <stdbool.h>

#define ETAG_LENGTH 34

/* A strong tag over all of the body's bytes, with its quotes and a NUL: the same for the same bytes, on any machine. */
void etag_of(struct view body, char out[ETAG_LENGTH + 1]);

/* Does the header If-None-Match, `wanted`, hold this tag? Weak ones count, "*" is any; at == NULL: no. */
bool etag_held(struct view wanted, const char *etag);

#endif
