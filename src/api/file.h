/* The files of an upload collection, as they are sent. */
#ifndef API_FILE_H
#define API_FILE_H

#include "api/call.h"

/* GET and HEAD /api/<slug>/file/<name>: the whole file, a range of it (RFC 9110, 14), or 304 (13). Only files that
 * belong to a document are sent, to who may read the collection. */
operation file_send;

#endif
