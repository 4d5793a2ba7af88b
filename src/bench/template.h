/* A request's bytes, which are the same for each but for the mark of its message. */
#ifndef BENCH_TEMPLATE_H
#define BENCH_TEMPLATE_H

#include "bench/mark.h"
#include "bench/target.h"
#include <stdbool.h>

struct template
{
    struct str text;
    size_t mark_at; /* 0: there is no mark in it */
};

struct template_options {
    const char *method, *path; /* the path is encoded; "": "/" */
    const char *headers;       /* more lines, CRLF behind each; NULL: none */
    const char *body;          /* JSON; NULL: none */
    bool marked;               /* the body has one '#', where the mark goes */
};

/* INVALID: the body has no '#' or several; otherwise NO_MEMORY. */
MUST_CHECK enum status template_make(
    struct template *t, const struct target *target, const struct template_options *options, struct failure *f);
void template_release(struct template *t);

#endif
