/* Messages from one user to another, and they are streamed. Anyone may read and write them, or, where they are private,
 * their sender and receiver alone, and nobody writes in another's name. */
#include "parley/collection.h"

static const struct field fields[] = {
    FIELD_ID,
    {.name = "sender",
        .label = "Sender",
        .column = "sender_id",
        .kind = KIND_RELATIONSHIP,
        .relation_to = "users",
        .role = ROLE_AUTHOR,
        .required = true,
        .indexed = true},
    {.name = "receiver",
        .label = "Receiver",
        .column = "receiver_id",
        .kind = KIND_RELATIONSHIP,
        .relation_to = "users",
        .role = ROLE_MEMBER,
        .required = true,
        .indexed = true},
    {.name = "content", .label = "Content", .column = "content", .kind = KIND_TEXT, .required = true, .searched = true},
    {.name = "timestamp",
        .label = "Timestamp",
        .column = "timestamp",
        .kind = KIND_DATE,
        .required = true,
        .default_now = true},
    FIELDS_TIMESTAMPS,
};

extern const struct collection messages_collection;
const struct collection messages_collection = {
    .slug = "messages",
    .singular = "Message",
    .plural = "Messages",
    .access = {ACCESS_ANYONE, ACCESS_ANYONE, ACCESS_ANYONE, ACCESS_ANYONE},
    .private_access = {.create = ACCESS_AUTHOR, .read = ACCESS_PARTY, .update = ACCESS_AUTHOR, .remove = ACCESS_AUTHOR},
    FIELDS(fields),
    .rank = 3,
    .stream = true,
};
