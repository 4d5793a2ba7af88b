/* What the tables say of documents, as JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1). */
#ifndef SCHEMA_JSONSCHEMA_H
#define SCHEMA_JSONSCHEMA_H

#include "parley/collection.h"
#include "parley/str.h"

/* A text of JSON that is easy to read in C: ' is written as ", so there is no apostrophe in it; {one}, {many} and
 * {slug} become the collection's names, the first two without what is no ASCII letter or digit, as names of schemas
 * must be. `c` may be NULL where there is none of them. */
void jsonschema_add_text(struct str *out, const char *text, const struct collection *c);

/* The members of OpenAPI's components.schemas, without the braces and, after members that are there already,
 * with a comma before them:
 *
 *     Message           a document as answers show it; relations are ids or documents
 *     MessageSignedIn   the same as the auth routes show it (auth collections)
 *     MessageStreamed   the same as streams show it (of those that have one, and those that others refer to)
 *     MessageCreate     the body that makes one
 *     MessageUpdate     the body that changes one
 *     MessageWhere      what the parameter where may ask
 *     MessageSelect     what the parameter select may name
 *     Populate          what the parameter populate may name
 *     WhereText, …      the operators on a field, for each kind */
void jsonschema_add_all(struct str *out);

#define JSONSCHEMA_REF(name) "{'$ref':'#/components/schemas/" name "'}"

#endif
