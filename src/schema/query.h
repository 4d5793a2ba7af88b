/* Query strings with brackets, as the npm package qs reads them for Payload: "where[content][equals]=x" becomes
 * {"where":{"content":{"equals":"x"}}}. */
#ifndef SCHEMA_QUERY_H
#define SCHEMA_QUERY_H

#include "base/arena.h"
#include "parley/status.h"
#include "parley/str.h"
#include <json-c/json.h>

#define QUERY_MAX_PARAMETERS 1000
#define QUERY_MAX_DEPTH      10 /* brackets behind a name; what is deeper stays one name, as in qs */

/* The query as an object whose leaves are strings; it lives as long as the arena. "a[]=1&a[]=2", "a=1&a=2" and
 * "a[0]=1&a[1]=2" are lists. INVALID: too many parameters, one name both a value and an object, U+0000 or bytes that
 * are no UTF-8. */
MUST_CHECK enum status query_parse(struct arena *arena, struct view text, struct json_object **out, struct failure *f);

#endif
