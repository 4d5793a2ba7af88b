/* Byte ranges (RFC 9110, 14.2). */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include "parley/str.h"
#include <stdbool.h>
#include <stdint.h>

enum range_answer {
    RANGE_WHOLE,         /* no range was asked for */
    RANGE_PART,          /* 206: `len` bytes from `from` on */
    RANGE_UNSATISFIABLE, /* 416: none of the ranges meets the `size` bytes, or what was sent is no byte range */
};

/* Of several ranges the first that can be satisfied counts, as in Payload. */
enum range_answer range_read(struct view header, int64_t size, int64_t *from, int64_t *len);

#endif
