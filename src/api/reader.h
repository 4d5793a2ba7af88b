/* Who asks: from the token in `Authorization: JWT …`, `Authorization: Bearer …` or the cookie payload-token, in this
 * order; from the cookie only where the option --csrf lets it count. */
#ifndef API_READER_H
#define API_READER_H

#include "api/call.h"

/* Fills call->reader. A bad token is as none; a failure means that the database could not be asked. */
MUST_CHECK enum status reader_find(struct call *call, struct failure *f);

#endif
