/* What the main thread does while a load runs: a line each second on standard error, and a look at whether somebody
 * wants it to end. On a terminal the line is written over the last one. */
#ifndef BENCH_WATCH_H
#define BENCH_WATCH_H

#include "parley/attributes.h"
#include <stdbool.h>

/* SIGINT and SIGTERM are noted from now on, the first of them; a second one ends the program. */
void watch_begin(bool quiet);
bool watch_interrupted(void);
/* True once in each second: there is a line to write. */
MUST_CHECK bool watch_due(void);
/* The seconds since watch_begin stand before the text. */
void watch_line(const char *format, ...) PRINTF(1, 2);
/* There are no more lines. */
void watch_end(void);

#endif
