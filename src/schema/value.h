/* One value of a document's field, as SQLite stores it. No field is a blob; it is for binding bytes that are no text.
 */
#ifndef SCHEMA_VALUE_H
#define SCHEMA_VALUE_H

#include "parley/str.h"
#include <stdint.h>

enum value_type { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_BLOB };

struct value {
    enum value_type type;
    int64_t integer;
    double real;
    struct view text; /* borrowed */
};

static inline struct value value_null(void)
{
    return (struct value){.type = VALUE_NULL};
}

static inline struct value value_integer(int64_t n)
{
    return (struct value){.type = VALUE_INTEGER, .integer = n};
}

static inline struct value value_real(double n)
{
    return (struct value){.type = VALUE_REAL, .real = n};
}

static inline struct value value_text(struct view text)
{
    return (struct value){.type = VALUE_TEXT, .text = text};
}

static inline struct value value_blob(struct view bytes)
{
    return (struct value){.type = VALUE_BLOB, .text = bytes};
}

#endif
