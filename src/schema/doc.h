/* A document as it was read: one value a field, and its JSON text. */
#ifndef SCHEMA_DOC_H
#define SCHEMA_DOC_H

#include "parley/collection.h"
#include "schema/select.h"
#include "schema/value.h"

struct doc {
    const struct collection *collection;
    struct value values[MAX_FIELDS]; /* by the field's place; hidden ones stay null */
    /* Auth collections: the sessions as a JSON array's text; at == NULL: it has none. */
    struct view sessions;
};

/* How a document's relations are written. */
struct relation_writer {
    /* Writes the document of `c` with that id; false: write its bare id. */
    bool (*write)(void *ctx, struct str *out, const struct collection *c, int64_t id);
    void *ctx;
};

struct doc_style {
    struct select select;
    const struct relation_writer *relations; /* NULL: bare ids */
    bool sessions_shown;  /* else an empty list stands for them, as nobody but their owner asks for them */
    bool sessions_first;  /* before "collection" even when there are none (in answers to PATCH) */
    const char *strategy; /* "_strategy" of the signed-in user; NULL: left out */
};

/* The value of one of its collection's fields. */
const struct value *doc_value(const struct doc *d, const struct field *field);

static inline int64_t doc_id(const struct doc *d)
{
    return d->values[0].integer;
}

/* The document as a JSON object, keys in Payload's order. */
void doc_add_json(struct str *out, const struct doc *d, const struct doc_style *style);

#endif
