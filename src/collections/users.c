/* The people who sign in. Any of them may change the others, as in Payload; but where messages are private each changes
 * himself alone: who sets another's password reads another's messages. */
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
    .private_access = {.update = ACCESS_AUTHOR, .remove = ACCESS_AUTHOR},
    FIELDS(fields),
    .rank = 1,
    .auth = true,
};
