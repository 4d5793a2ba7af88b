/* What each kind of field is: its column's type, what a client may send for it, how it is compared, how it is written.
 */
#ifndef SCHEMA_KIND_H
#define SCHEMA_KIND_H

#include "base/arena.h"
#include "parley/collection.h"
#include "parley/status.h"
#include "schema/value.h"
#include <json-c/json.h>

#define KIND_TEXT_MAX 40000 /* UTF-16 units, where a text field names no other length */

struct kind_row {
    const char *sql; /* the column's type */
    /* What a document of this field would hold for `json` (NULL: null or absent). Returns Payload's message when the
     * field may not hold it; the message lives as long as the arena or for ever. */
    const char *(*check)(const struct field *field, struct json_object *json, struct arena *arena, struct value *out);
    /* The value to compare with, from a query. False: nothing can be equal to it (a word for an id); INVALID values
     * that must not widen a query make it fail through `*bad`. */
    bool (*operand)(struct json_object *json, struct arena *arena, struct value *out, bool *bad);
    const char *name;   /* of the kind, in names of schemas */
    const char *type;   /* JSON Schema's, of a value in JSON */
    const char *format; /* JSON Schema's; NULL: none */
};

/* UTF-16 units that a text may have. */
static inline unsigned kind_text_most(const struct field *field)
{
    return field->max_length ? field->max_length : KIND_TEXT_MAX;
}

const struct kind_row *kind_row(enum kind kind);
extern const size_t nkinds;

/* The value as JSON text. */
void value_add_json(struct str *out, const struct value *value);

#endif
