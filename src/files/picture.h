/* The size of a picture, from its head alone: its pixels are never decoded. */
#ifndef FILES_PICTURE_H
#define FILES_PICTURE_H

#include "parley/attributes.h"
#include <stdbool.h>
#include <stdint.h>

struct picture {
    int64_t width, height; /* pixels; 0: not known for this type */
    bool focal;            /* it has a focal point: a picture of pixels */
};

/* Is this a type of picture? Then browsers show it, and its size is asked for. */
bool picture_type(const char *mime);
/* False: the file is no picture of that type, or a broken one. The file's offset stays. */
MUST_CHECK bool picture_read(const char *mime, int fd, int64_t size, struct picture *out);

#endif
