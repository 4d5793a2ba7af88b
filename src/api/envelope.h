/* What stands around the documents of a page, as Payload writes it. */
#ifndef API_ENVELOPE_H
#define API_ENVELOPE_H

#include "parley/str.h"
#include <stdbool.h>
#include <stdint.h>

struct envelope {
    int64_t limit, page, total;
    bool paged; /* else it is all on one page */
};

/* How many documents lie before the page; INT64_MAX: so many or more. limit 0: there is one page. */
int64_t envelope_before(int64_t limit, int64_t page);
/* Follows `{"docs":[…`. */
void envelope_add(struct str *out, const struct envelope *e);

#endif
