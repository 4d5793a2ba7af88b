/* The sessions of whoever is signed in: where and since when, and ending one of them. */
#ifndef API_SESSIONS_H
#define API_SESSIONS_H

#include "api/call.h"

#define SESSIONS_SHOWN 100 /* at most: the newest */
#define AGENT_MOST     256 /* bytes that are kept of a User-Agent */

operation sessions_list, sessions_end;

#endif
