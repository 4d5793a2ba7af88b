/* Streams of changes: GET /api/<collection>/sse for one collection, GET /api/parley/stream for several. */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include "api/call.h"

operation events_open;
operation events_open_named;

#endif
