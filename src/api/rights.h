/* Rights: what a reader may do with a collection's documents, and with which of them. Every operation asks here, most
 * of them through call_find; nobody else looks at the rules in the collections' tables. */
#ifndef API_RIGHTS_H
#define API_RIGHTS_H

#include "parley/collection.h"
#include "parley/status.h"
#include "schema/where.h"

struct app;
struct call;

enum right { RIGHT_CREATE, RIGHT_READ, RIGHT_UPDATE, RIGHT_REMOVE, NRIGHTS };

/* The rule of this server: the collection's own or that for private messages (option --messages). */
enum access rights_rule(const struct app *app, const struct collection *c, enum right right);
/* May the reader do it with any document at all? */
bool rights_allow(const struct call *call, const struct collection *c, enum right right);
/* With which ones: a where over the collection's own fields, in the call's arena; NULL: with all of them. For
 * RIGHT_CREATE it is the new document that must match, for RIGHT_UPDATE the old one and what becomes of it. FORBIDDEN:
 * with none. */
MUST_CHECK enum status rights_where(
    const struct call *call, const struct collection *c, enum right right, struct where **out, struct failure *f);
/* Makes of `*where` what matches it and is among the reader's documents; `*rights` is the latter alone, NULL: all of
 * them. FORBIDDEN: there are none. */
MUST_CHECK enum status rights_restrict(const struct call *call, const struct collection *c, enum right right,
    struct where **where, const struct where **rights, struct failure *f);
/* What a query of the reader may look through relations into, and what is shown of them. */
void rights_readable(const struct call *call, struct readable *out);

#endif
