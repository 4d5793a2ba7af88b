/* Dates as JavaScript's Date reads them from text. */
#ifndef SCHEMA_DATE_H
#define SCHEMA_DATE_H

#include "parley/attributes.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since 1970 of what `new Date(text)` gives on V8 with the time zone UTC: the format of
 * ECMA-262, 21.4.1.32, and V8's looser reading of everything else ("May 6, 2024 10:00", "6 May 2024 10:00 GMT+0200",
 * "2024/05/06", "05/06/2024", RFC 5322, …). False: it would be an Invalid Date, or a year outside 0000-9999 (which
 * Payload's ISO text cannot hold). The text is UTF-8; bytes that are none count as unknown letters. */
MUST_CHECK bool date_parse(struct view text, int64_t *out);
/* The same of `new Date(ms)`, which drops a fraction. */
MUST_CHECK bool date_from(double ms, int64_t *out);

#endif
