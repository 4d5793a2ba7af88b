/* A message's mark in its text: '#', the run, its number, when it was due, '#'. It is in the content that is posted,
 * and comes back in the data of an event, whatever a server puts around it. */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARK_LENGTH 34 /* 8, 8 and 16 hexadecimal digits between two '#' */

struct mark {
    uint32_t run; /* so that what other runs posted is told apart */
    uint32_t number;
    uint64_t due;
};

void mark_write(char *at, struct mark m);
/* `at` begins with '#'. */
bool mark_read(const char *at, size_t len, struct mark *m);

#endif
