/* Is a head that civetweb has parsed to be trusted? */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>

struct mg_request_info;

/* The first line alone: 400 for what is none, 505 for a version that is not spoken here, 501 for a method that nobody
 * knows; 0: all right. */
int head_line_fault(const struct mg_request_info *ri, bool method_known);

/* All behind that line. The status to refuse the request with; 0: all right. `end` is the byte behind the head in the
 * connection's buffer, in which all of `*ri` must lie; `chunked`: civetweb has understood the body to be so. To be
 * asked before the handler runs. */
int head_fault(const struct mg_request_info *ri, const char *end, bool chunked);

#endif
