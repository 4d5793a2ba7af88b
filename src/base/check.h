/* What cannot happen. ASSERT stays on in release: a wrong answer is worse than none. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include "parley/attributes.h"

NORETURN void check_failed(const char *condition, const char *file, int line);

#define ASSERT(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds this member. */
#define CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
