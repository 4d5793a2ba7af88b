/* Addresses to listen on: from the option's text to what can be bound. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "parley/status.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stdint.h>

/* Begins with "https://". */
bool listen_secure(const char *text);

/* Reads "127.0.0.1:3000", "[::1]:3000", "localhost:3000" (127.0.0.1 and ::1) or "*:3000" (every address of both
 * families; the second is left out where the machine has no IPv6), tries each by binding it, and appends the exact
 * addresses to `list`, comma-separated, as civetweb takes them, with its "s" behind those that stood behind "https://".
 * Port 0 becomes one that is free now; `*port` is the port. INVALID: not understood. UNAVAILABLE: cannot be listened
 * on; the failure says which, why, and what to do. */
MUST_CHECK enum status listen_resolve(const char *text, struct str *list, uint16_t *port, struct failure *f);

#endif
