/* Numbers as JavaScript reads and writes them. */
#ifndef SCHEMA_NUMBER_H
#define SCHEMA_NUMBER_H

#include "parley/attributes.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Number(text) (ECMA-262, 7.1.4.1): spaces around it, "", decimal, exponent, 0x, 0o, 0b, Infinity. False: it would be
 * NaN. */
MUST_CHECK bool number_parse(struct view text, double *out);
/* String(n) (ECMA-262, 6.1.6.1.20): the shortest digits that read back as n. NaN, Infinity and -0 ("0") as there. */
void number_add(struct str *out, double n);
/* The length in bytes of the white space or line end (ECMA-262, 12.2 and 12.3) that the UTF-8 text starts with, of one
 * only; 0: it starts with none. It is what number_parse skips. */
size_t number_space(struct view text);

#endif
