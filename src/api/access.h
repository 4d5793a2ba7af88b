/* What the reader may do, as the admin panel asks for it. */
#ifndef API_ACCESS_H
#define API_ACCESS_H

#include "api/call.h"

operation access_all, access_one;

#endif
