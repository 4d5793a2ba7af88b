/* The people who sign in. */
#include "parley/collection.h"

static const struct field fields[] = {
    FIELD_ID,
    FIELDS_TIMESTAMPS,
    FIELDS_AUTH,
};

extern const struct collection users_collection;
const struct collection users_collection = {
    .slug = "users",
    .singular = "User",
    .plural = "Users",
    FIELDS(fields),
    .rank = 1,
    .auth = true,
};
