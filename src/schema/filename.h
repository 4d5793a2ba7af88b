/* The names of uploaded files, by Payload's rules (REST.md, "Media"): pure text, nothing here touches a disk. */
#ifndef SCHEMA_FILENAME_H
#define SCHEMA_FILENAME_H

#include "base/arena.h"
#include "parley/status.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stdint.h>

#define FILENAME_MOST 255 /* bytes: what file systems take */

/* The name a file gets for what a client called it: the last piece of a path, without control characters and what some
 * system forbids (<>:"|?* and the names of devices), never longer than FILENAME_MOST, never "", "." or "..".
 * In the arena, with a NUL behind it. INVALID: it is no UTF-8. */
MUST_CHECK enum status filename_clean(struct view sent, struct arena *arena, struct view *out, struct failure *f);
/* Can a folder have a file of that name? Rows of other programs may name anything. */
bool filename_possible(struct view name);
/* "png" of "red.png"; what stands behind a "?" or "#" is no part of it. Empty: it has none. */
struct view filename_extension(struct view name);
/* The `n`-th other name when one is taken: "red-1.png", "red-2.png" for "red.png"; "red-6.png" for "red-5.png" and 1.
 */
MUST_CHECK enum status filename_other(
    struct view name, int64_t n, struct arena *arena, struct view *out, struct failure *f);
/* "/api/media/file/two%20words.png" (encodeURIComponent of ECMAScript). */
void filename_add_url(struct str *out, const char *slug, struct view name);

#endif
