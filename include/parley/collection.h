/* Collections as constant tables. A collection is one file in src/collections; the build finds it. From its table come
 * the database's table and indexes, checks, the where-grammar, JSON, routes and access: nothing else knows a field's
 * name. */
#ifndef PARLEY_COLLECTION_H
#define PARLEY_COLLECTION_H

#include <stdbool.h>
#include <stddef.h>

enum kind {
    KIND_ID,
    KIND_TEXT,
    KIND_NUMBER,
    KIND_DATE,
    KIND_EMAIL,
    KIND_RELATIONSHIP, /* the id of a document of `relation_to` */
};

enum field_use {
    USE_OPEN,    /* written by clients, shown to them */
    USE_STAMP,   /* updatedAt, createdAt: the server's, unless a client that creates gives them */
    USE_DERIVED, /* shown to clients, written by the server alone */
    USE_HIDDEN,  /* never leaves the server, cannot be queried */
};

/* What a relation makes of the user that it leads to. */
enum role {
    ROLE_NONE,
    ROLE_MEMBER, /* the document is that user's too */
    ROLE_AUTHOR, /* it is the user's who made it: a member as well */
};

struct field {
    const char *name;        /* in JSON */
    const char *label;       /* in errors */
    const char *column;      /* in SQL */
    const char *relation_to; /* slug */
    const char *fallback;    /* SQL of the column's DEFAULT; NULL: none */
    unsigned max_length;     /* UTF-16 units; 0: 40,000 */
    enum kind kind;
    enum field_use use;
    enum role role; /* of a relation to the auth collection */
    bool required;
    bool unique;
    bool indexed;
    bool default_now; /* a date that is the time of writing when the client gives none */
    bool searched;    /* a text in which words are looked for: there is an index of its parts (store/text.h) */
};

#define MAX_FIELDS 32

/* Who may. The zero is Payload's default. */
enum access {
    ACCESS_SIGNED_IN,
    ACCESS_ANYONE,
    ACCESS_NOBODY,
    /* Whoever is signed in, with the documents that name the reader in a relation with a role; of an auth collection,
     * with the one that is the reader. */
    ACCESS_PARTY,
    ACCESS_AUTHOR, /* the same for the role of the author alone */
};

struct access_rules {
    enum access create, read, update, remove;
};

struct collection {
    const char *slug;
    const char *singular, *plural; /* in messages: "Message", "Messages" */
    struct access_rules access;
    struct access_rules private_access; /* on a server whose messages are private */
    const struct field *fields;         /* the first is FIELD_ID */
    size_t nfields;
    int rank;    /* place among the collections where they are listed; tables are made in this order */
    bool auth;   /* its documents sign in: email and password, sessions, the auth routes */
    bool upload; /* its documents are files */
    bool stream; /* GET /api/<slug>/sse, and in /api/parley/stream; it has FIELDS_TIMESTAMPS */
};

#define ISO_NOW "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"

#define FIELD_ID                                                                                                       \
    {                                                                                                                  \
        .name = "id", .label = "ID", .column = "id", .kind = KIND_ID, .use = USE_DERIVED                               \
    }

#define FIELDS_TIMESTAMPS                                                                                              \
    {.name = "updatedAt",                                                                                              \
        .label = "Updated At",                                                                                         \
        .column = "updated_at",                                                                                        \
        .kind = KIND_DATE,                                                                                             \
        .use = USE_STAMP,                                                                                              \
        .required = true,                                                                                              \
        .indexed = true,                                                                                               \
        .fallback = ISO_NOW},                                                                                          \
    {                                                                                                                  \
        .name = "createdAt", .label = "Created At", .column = "created_at", .kind = KIND_DATE, .use = USE_STAMP,       \
        .required = true, .indexed = true, .fallback = ISO_NOW                                                         \
    }

/* What Payload's `auth: true` adds. */
#define FIELDS_AUTH                                                                                                    \
    {.name = "email", .label = "Email", .column = "email", .kind = KIND_EMAIL, .required = true, .unique = true},      \
        {.name = "resetPasswordToken", .column = "reset_password_token", .kind = KIND_TEXT, .use = USE_HIDDEN},        \
        {.name = "resetPasswordExpiration",                                                                            \
            .column = "reset_password_expiration",                                                                     \
            .kind = KIND_DATE,                                                                                         \
            .use = USE_HIDDEN},                                                                                        \
        {.name = "salt", .column = "salt", .kind = KIND_TEXT, .use = USE_HIDDEN},                                      \
        {.name = "hash", .column = "hash", .kind = KIND_TEXT, .use = USE_HIDDEN},                                      \
        {.name = "resetPasswordRequestedAt",                                                                           \
            .column = "reset_password_requested_at",                                                                   \
            .kind = KIND_DATE,                                                                                         \
            .use = USE_HIDDEN},                                                                                        \
        {.name = "loginAttempts",                                                                                      \
            .column = "login_attempts",                                                                                \
            .kind = KIND_NUMBER,                                                                                       \
            .use = USE_HIDDEN,                                                                                         \
            .fallback = "0"},                                                                                          \
    {                                                                                                                  \
        .name = "lockUntil", .column = "lock_until", .kind = KIND_DATE, .use = USE_HIDDEN                              \
    }

/* What Payload's `upload: true` adds. */
#define FIELDS_UPLOAD                                                                                                  \
    {.name = "url", .label = "URL", .column = "url", .kind = KIND_TEXT, .use = USE_DERIVED},                           \
        {.name = "thumbnailURL",                                                                                       \
            .label = "Thumbnail URL",                                                                                  \
            .column = "thumbnail_u_r_l",                                                                               \
            .kind = KIND_TEXT,                                                                                         \
            .use = USE_DERIVED},                                                                                       \
        {.name = "filename",                                                                                           \
            .label = "File Name",                                                                                      \
            .column = "filename",                                                                                      \
            .kind = KIND_TEXT,                                                                                         \
            .use = USE_DERIVED,                                                                                        \
            .unique = true},                                                                                           \
        {.name = "mimeType", .label = "MIME Type", .column = "mime_type", .kind = KIND_TEXT, .use = USE_DERIVED},      \
        {.name = "filesize", .label = "File Size", .column = "filesize", .kind = KIND_NUMBER, .use = USE_DERIVED},     \
        {.name = "width", .label = "Width", .column = "width", .kind = KIND_NUMBER, .use = USE_DERIVED},               \
        {.name = "height", .label = "Height", .column = "height", .kind = KIND_NUMBER, .use = USE_DERIVED},            \
        {.name = "focalX", .label = "Focal X", .column = "focal_x", .kind = KIND_NUMBER},                              \
    {                                                                                                                  \
        .name = "focalY", .label = "Focal Y", .column = "focal_y", .kind = KIND_NUMBER                                 \
    }

#define FIELDS(array) .fields = (array), .nfields = sizeof(array) / sizeof((array)[0])

/* Every collection, in the order of the file names; the array is made by the build. schema/registry.h finds and sorts.
 */
extern const struct collection *const collections[];
extern const size_t ncollections;

#endif
