/* What a user says of himself: his name, which all are told who listen (api/notices.h), and whether others may know
 * when he was last here. */
#ifndef API_PROFILE_H
#define API_PROFILE_H

#include "api/call.h"

operation profile_get, profile_change;

#endif
