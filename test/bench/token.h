/* A message's mark in its text: '#', its number, when it was due, '#'. It is in the content that is posted, and comes
 * back in the data of an event, whatever a server puts around it. */
#ifndef BENCH_TOKEN_H
#define BENCH_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_LENGTH 26 /* 8 and 16 hexadecimal digits between two '#' */

struct token {
    uint32_t number;
    uint64_t due;
};

void token_write(char *at, struct token t);
/* `at` begins with '#'. */
bool token_read(const char *at, size_t len, struct token *t);

#endif
