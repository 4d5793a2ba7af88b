#include "base/check.h"
#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "parley: %s:%d: this cannot happen: %s\n", file, line, condition);
    abort();
}
