/* Which fields of a document are shown: the parameters select and populate. */
#ifndef SCHEMA_SELECT_H
#define SCHEMA_SELECT_H

#include "parley/collection.h"
#include "schema/registry.h"
#include <json-c/json.h>
#include <stdint.h>

struct select {
    uint32_t fields; /* bit i: c->fields[i] is shown */
    bool sessions;   /* so are an auth collection's sessions */
};

#define SELECT_ALL ((struct select){UINT32_MAX, true})

/* {"content":"true"} shows id and content, whatever the value is but "false"; one "false" makes the whole a list of
 * what is left out; anything but an object shows the id alone. NULL or "": all. */
struct select select_parse(const struct collection *c, struct json_object *json);

/* One select for each collection, by collection_index. */
struct populate {
    struct select select[MAX_COLLECTIONS];
};

/* {"users":{"email":"true"}}: of each collection a select, as above. */
void populate_parse(struct populate *out, struct json_object *json);

#endif
