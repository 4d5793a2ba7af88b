/* Locks and conditions. The law: no thread ever holds two locks, so there is no lock order to remember; lock_take
 * aborts when a thread breaks it, in release too. Conditions count in monotonic time, so that a stepped clock wakes
 * nobody early or late. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct lock {
    pthread_mutex_t mutex;
};

struct condition {
    pthread_cond_t cond;
};

void lock_init(struct lock *l);
void lock_destroy(struct lock *l);
void lock_take(struct lock *l);
void lock_drop(struct lock *l);

void condition_init(struct condition *c);
void condition_destroy(struct condition *c);
/* With `l` held. Wake-ups without a reason happen: the caller looks at its own state in a loop. */
void condition_wait(struct condition *c, struct lock *l);
/* As condition_wait, at most until `deadline` (clock_monotonic's milliseconds); false when it has passed. */
bool condition_wait_until(struct condition *c, struct lock *l, int64_t deadline);
void condition_signal(struct condition *c);
void condition_broadcast(struct condition *c);

#endif
