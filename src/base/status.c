#include "parley/status.h"
#include "base/check.h"
#include <stdarg.h>
#include <stdio.h>

enum status fail(struct failure *f, enum status status, const char *format, ...)
{
    va_list values;
    f->status = status;
    f->shape = FAILURE_PLAIN;
    f->slug = NULL;
    f->id = 0;
    f->retry_after = 0;
    f->nflaws = 0;
    va_start(values, format);
    if (vsnprintf(f->reason, sizeof f->reason, format, values) < 0) f->reason[0] = 0;
    va_end(values);
    return status;
}

enum status fail_flaw(struct failure *f, enum failure_shape shape, struct flaw flaw)
{
    f->status = INVALID;
    f->shape = shape;
    f->reason[0] = 0;
    if (f->nflaws < MAX_FLAWS) f->flaws[f->nflaws++] = flaw;
    return INVALID;
}

const char *status_name(enum status status)
{
    static const char *const names[] = {
        [OK] = "OK",
        [INVALID] = "INVALID",
        [UNAUTHORIZED] = "UNAUTHORIZED",
        [FORBIDDEN] = "FORBIDDEN",
        [NOT_FOUND] = "NOT_FOUND",
        [CONFLICT] = "CONFLICT",
        [TOO_LARGE] = "TOO_LARGE",
        [MISMATCH] = "MISMATCH",
        [TOO_MANY] = "TOO_MANY",
        [UNAVAILABLE] = "UNAVAILABLE",
        [NO_SPACE] = "NO_SPACE",
        [NO_MEMORY] = "NO_MEMORY",
        [IO_ERROR] = "IO_ERROR",
    };
    ASSERT((size_t)status < COUNT(names));
    return names[status];
}
