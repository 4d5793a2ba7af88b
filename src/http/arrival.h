/* How much of a request is there? Asked of bytes that nobody has parsed yet, so that no worker has to wait for the
 * rest. */
#ifndef HTTP_ARRIVAL_H
#define HTTP_ARRIVAL_H

#include "parley/str.h"
#include <stdbool.h>
#include <stddef.h>

#define ARRIVAL_MOST 16384 /* bytes of a request that are waited for */

struct arrival {
    bool head;      /* it is whole */
    bool long_body; /* behind it comes what is not waited for here, so that a worker may have to wait for it */
    size_t wanted;  /* bytes in all before there is more to say; no more than there are: a worker can go on now */
};

/* A worker can go on: with a head whose body, if it has one, is there as well, or is longer than ARRIVAL_MOST with the
 * head, or comes in chunks, or waits for a word first; and with what will never be a head. */
struct arrival arrival_of(struct view bytes);

#endif
