/* What a declaration can tell the compiler about its contract. */
#ifndef PARLEY_ATTRIBUTES_H
#define PARLEY_ATTRIBUTES_H

#if defined(__GNUC__)
#define MUST_CHECK           __attribute__((warn_unused_result))
#define PRINTF(text, values) __attribute__((format(printf, text, values)))
#define NORETURN             __attribute__((noreturn))
#else
#define MUST_CHECK
#define PRINTF(text, values)
#define NORETURN
#endif

#endif
