/* What a where says about the parts, three characters long, of a field's text: a condition on an index of them. Nothing
 * here locks or does I/O; any thread may call. */
#ifndef SCHEMA_TRIGRAMS_H
#define SCHEMA_TRIGRAMS_H

#include "schema/where.h"

/* Adds a condition in the language of SQLite's FTS5, in which every token is one trigram, that is true of every text
 * that `field` may have in a document that matches; of others it may be true as well. False: there is none, since the
 * where asks for nothing of the field, or for something else, or for less than three characters; then `out` is as it
 * was. A text counts up to its first NUL, as it does for LIKE and for the tokenizer. Without memory out->failed. */
bool trigrams_add(struct str *out, const struct where *w, const struct field *field);

#endif
