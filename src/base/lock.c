#define _GNU_SOURCE 1
#include "base/lock.h"
#include "base/check.h"
#include <errno.h>
#include <time.h>

/* How many this thread holds. A wait gives the lock up and comes back with it, and the thread does nothing in between:
 * the count may stay. */
static _Thread_local int held;

void lock_init(struct lock *l)
{
    ASSERT(!pthread_mutex_init(&l->mutex, NULL));
}

void lock_destroy(struct lock *l)
{
    ASSERT(!pthread_mutex_destroy(&l->mutex));
}

void lock_take(struct lock *l)
{
    ASSERT(held == 0);
    ASSERT(!pthread_mutex_lock(&l->mutex));
    held++;
}

void lock_drop(struct lock *l)
{
    ASSERT(held == 1);
    held--;
    ASSERT(!pthread_mutex_unlock(&l->mutex));
}

void condition_init(struct condition *c)
{
    pthread_condattr_t attributes;
    ASSERT(!pthread_condattr_init(&attributes));
    ASSERT(!pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    ASSERT(!pthread_cond_init(&c->cond, &attributes));
    pthread_condattr_destroy(&attributes);
}

void condition_destroy(struct condition *c)
{
    ASSERT(!pthread_cond_destroy(&c->cond));
}

void condition_wait(struct condition *c, struct lock *l)
{
    ASSERT(held == 1);
    ASSERT(!pthread_cond_wait(&c->cond, &l->mutex));
}

bool condition_wait_until(struct condition *c, struct lock *l, int64_t deadline)
{
    if (deadline < 0) deadline = 0; /* a negative nanosecond is an error and no time */
    struct timespec at = {.tv_sec = (time_t)(deadline / 1000), .tv_nsec = (long)(deadline % 1000) * 1000000};
    ASSERT(held == 1);
    int code = pthread_cond_timedwait(&c->cond, &l->mutex, &at);
    ASSERT(code == 0 || code == ETIMEDOUT);
    return code == 0;
}

void condition_signal(struct condition *c)
{
    pthread_cond_signal(&c->cond);
}

void condition_broadcast(struct condition *c)
{
    pthread_cond_broadcast(&c->cond);
}
