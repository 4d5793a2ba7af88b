/* Paths in pieces, and patterns over them. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "base/arena.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stddef.h>

#define MAX_SEGMENTS 8

/* "/api/messages/5/" is {"api","messages","5"}: cut at "/", one trailing "/" ignored, then each piece percent-decoded
 * ("1%2F2" is one piece, "1/2"). */
struct path {
    struct view segments[MAX_SEGMENTS];
    size_t count;
};

/* False: more than MAX_SEGMENTS pieces, an empty piece inside, a bad escape, an escaped NUL, bad UTF-8, or no memory.
 */
MUST_CHECK bool path_parse(struct path *out, struct view raw, struct arena *arena);

/* Does `path` match `pattern` ("/api/:collection/:id/duplicate")? ":name" takes any one piece and puts it into the next
 * of `params`; any other piece must be equal, case and all. */
bool path_match(const struct path *path, const char *pattern, struct view params[MAX_SEGMENTS]);

#endif
