/* The names that users give themselves: pure text. */
#ifndef SCHEMA_DISPLAYNAME_H
#define SCHEMA_DISPLAYNAME_H

#include "parley/str.h"
#include <stdbool.h>

#define DISPLAYNAME_MOST 64 /* characters */

/* `*out`: the name without what cannot be seen at its ends, a part of `given`; empty: nothing of it can be seen. NULL:
 * it can be one; else what is wrong with it, as a sentence. No name has control characters, line ends, or the controls
 * that turn the direction of a text (Unicode's Bidi_Control but for its marks), which would reach beyond the name. */
const char *displayname_read(struct view given, struct view *out);

#endif
