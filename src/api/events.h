/* GET /api/<collection>/sse: the stream of a collection's changes. */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include "api/call.h"

operation events_open;

#endif
