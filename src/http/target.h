/* What a request asks for (RFC 9112, 3.2), in each form in which it may say so. */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "parley/attributes.h"
#include "parley/str.h"
#include <stdbool.h>

/* Views into the text that was read. */
struct target {
    struct view path;  /* as sent, from the first "/" on, or "/" where nothing was sent of it; "*" */
    struct view query; /* as sent, without "?"; at == NULL: there was no "?" */
};

/* "/path?query", "http://host/path?query" (the host may be any: this server knows no name of its own), and, where
 * `options` says that this is the method, "*". False: none of these, or with a byte in it that no address has. */
MUST_CHECK bool target_read(struct target *out, struct view text, bool options);

/* "example.org", "127.0.0.1:3000", "[::1]": a host and perhaps a port (RFC 3986, 3.2; without a user), as in a target
 * and in the header Host. */
bool target_is_authority(struct view text);

#endif
