/* Files with a text that stands for them; anyone may read them. */
#include "parley/collection.h"

static const struct field fields[] = {
    FIELD_ID,
    {.name = "alt", .label = "Alt", .column = "alt", .kind = KIND_TEXT, .required = true},
    FIELDS_TIMESTAMPS,
    FIELDS_UPLOAD,
};

extern const struct collection media_collection;
const struct collection media_collection = {
    .slug = "media",
    .singular = "Media",
    .plural = "Media",
    .access = {.read = ACCESS_ANYONE},
    FIELDS(fields),
    .rank = 2,
    .upload = true,
    .stream = true,
};
