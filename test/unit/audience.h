/* The test is the delivery: audience_new and its like are defined here, so that stream/delivery.c is not linked, and a
 * reader goes through its channel's log by itself. */
#ifndef TEST_AUDIENCE_H
#define TEST_AUDIENCE_H

#include "stream/delivery.h"
#include <stdatomic.h>
#include <stdlib.h>

struct audience {
    struct framelog *log;
    atomic_int notified;
};

struct audience *audience_new(struct delivery *d, struct framelog *log)
{
    struct audience *a = calloc(1, sizeof *a);
    (void)d;
    if (a) a->log = log;
    return a;
}

void audience_free(struct audience *a)
{
    free(a);
}

void audience_notify(struct audience *a)
{
    a->notified++;
}

#endif
