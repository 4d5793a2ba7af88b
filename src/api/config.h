/* GET /api/parley/config: what a client needs to know of this server before anybody signs in. Anyone may read it. */
#ifndef API_CONFIG_H
#define API_CONFIG_H

#include "api/call.h"

operation config_get;

#endif
