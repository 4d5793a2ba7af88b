/* The options of a command line, from a constant table: the defaults, the environment, the arguments, the errors, and
 * what --help tells of them. Values are written into the caller's struct at the place that their row names; texts are
 * borrowed from where they were found. */
#ifndef BASE_FLAG_H
#define BASE_FLAG_H

#include "parley/attributes.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flag_type {
    FLAG_TEXT,   /* const char *; not empty */
    FLAG_TEXTS,  /* struct flag_texts: may be given `most` times */
    FLAG_NUMBER, /* int64_t, from `least` to `most` */
    FLAG_CHOICE, /* const char *, one of those in `argument`, with "|" between them */
    FLAG_SWITCH, /* bool: given without a value */
};

#define FLAG_TEXTS_MOST 8

struct flag_texts {
    const char *at[FLAG_TEXTS_MOST];
    size_t n;
    bool stale; /* they go when another is given: they are from a place that counts less */
};

struct flag {
    const char *name;        /* "--listen" */
    const char *environment; /* NULL: none */
    enum flag_type type;
    const char *fallback; /* as text; "": none */
    int64_t least, most;
    const char *argument; /* "DIR" */
    const char *help;     /* NULL: it is not listed */
    size_t offset;        /* FLAG_AT */
};

/* Where a member lies; it does not compile when the member has another type. */
#define FLAG_AT(type, whole, member) (offsetof(whole, member) + 0 * _Generic(((whole *)0)->member, type : (size_t)1))

struct flags {
    const struct flag *rows;
    size_t n;
};

/* What a table says itself must be right: a default that is not aborts. */
void flags_default(const struct flags *flags, void *into);
/* Of FLAG_TEXTS, those of the environment stand instead of the defaults, and those of the arguments instead of both.
 * False: `reason` says what is wrong, in one sentence. */
MUST_CHECK bool flags_environment(const struct flags *flags, void *into, char *reason, size_t size);
/* "--flag value" and "--flag=value". `word`: what takes the one argument that is no option; NULL: there is none. */
MUST_CHECK bool flags_arguments(
    const struct flags *flags, void *into, int argc, char **argv, const char **word, char *reason, size_t size);

/* Two lines an option, for --help. */
void flags_print(const struct flags *flags);
/* A Markdown table's rows: option, environment, default, what it is. */
void flags_print_markdown(const struct flags *flags);

#endif
