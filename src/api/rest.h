/* The operations on the documents of any collection. */
#ifndef API_REST_H
#define API_REST_H

#include "api/call.h"

operation rest_find, rest_find_one, rest_count, rest_create, rest_duplicate, rest_update, rest_update_many, rest_delete,
    rest_delete_many;

#endif
