/* What the parts of the API's description have in common: OpenAPI's components. */
#ifndef API_COMPONENTS_H
#define API_COMPONENTS_H

#include "api/route.h"

/* The value of "components". */
void components_add(struct str *out);

/* A reference to a parameter as a list's item; {one} in the component's name is the collection's noun. */
void components_add_parameter(struct str *out, const char *name, const struct collection *c);
/* The same for all parameters of these groups of enum route_asks. */
void components_add_parameters(struct str *out, unsigned asks, const struct collection *c);

/* The statuses of failures that have a response among the components, which is named after it; 0 beyond the last.
 * One more response is called "default". */
int components_failure(size_t n);

/* Schemas, in jsonschema_add_text's form. */
#define STRING                       "{'type':'string'}"
#define INTEGER                      "{'type':'integer'}"
#define BOOLEAN                      "{'type':'boolean'}"
#define OBJECT(required, properties) "{'type':'object','required':[" required "],'properties':{" properties "}}"
#define LIST(items)                  "{'type':'array','items':" items "}"

#endif
