/* Looks through an SVG picture: is it one, how large is it, and does it hold anything that acts? Reads with expat,
 * which takes only well-formed XML; nothing outside the file is ever read. */
#ifndef FILES_SVG_H
#define FILES_SVG_H

#include "parley/attributes.h"
#include <stdbool.h>
#include <stdint.h>

#define SVG_MOST ((int64_t)4 << 20) /* bytes; a larger one is not looked through, and so is not safe */

struct svg {
    bool is_svg;      /* its root is <svg> of SVG's namespace, or it declares entities for one */
    bool well_formed; /* to its end, and within the limits; false with declarations of its own */
    bool safe;        /* no script, event handler, foreign content, style from elsewhere, or address that runs code */
    int64_t width, height; /* pixels as its root says them; 0: it does not */
};

/* False: no memory, or the file cannot be read. The file's offset stays. */
MUST_CHECK bool svg_inspect(int fd, int64_t size, struct svg *out);

#endif
