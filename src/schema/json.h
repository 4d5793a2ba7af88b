/* JSON texts from clients (RFC 8259), read by json-c, and the JavaScript texts of what they hold. */
#ifndef SCHEMA_JSON_H
#define SCHEMA_JSON_H

#include "base/arena.h"
#include "parley/status.h"
#include "parley/str.h"
#include <json-c/json.h>

#define JSON_MAX_DEPTH 64

/* Reads one JSON value; it lives as long as the arena. `*out` is NULL for the text "null". INVALID, beyond broken JSON:
 * nested deeper than JSON_MAX_DEPTH, bytes that are no UTF-8, U+0000 (raw or escaped), a name twice in one object. */
MUST_CHECK enum status json_read(struct arena *arena, struct view text, struct json_object **out, struct failure *f);

/* A comma, unless what `out` ends with is an opening bracket: between the members of what is being written. */
void json_separate(struct str *out);

/* Gives the value to the arena, which lets go of it at its reset. NULL: there was none, or no memory. */
MUST_CHECK struct json_object *json_keep(struct arena *arena, struct json_object *value);

/* JSON.stringify(value). */
void json_add(struct str *out, struct json_object *value);
/* String(value): text without quotes, "[object Object]", an array's items joined by commas. */
void json_add_plain(struct str *out, struct json_object *value);
struct view json_text(struct json_object *string);

/* What JavaScript counts as false: null, false, 0, NaN, "". */
bool json_falsy(struct json_object *value);

/* object[name]; NULL when it is no object, has no such name, or holds null. */
struct json_object *json_member(struct json_object *object, const char *name);

#endif
