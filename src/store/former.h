/* What documents were before they were last changed or deleted, for as many changes as there is memory for. The log of
 * changes (store/changelog.h) tells that a document is another now; here stands what it was, which is in no file. Any
 * thread may call. */
#ifndef STORE_FORMER_H
#define STORE_FORMER_H

#include "schema/doc.h"

struct formers;

struct former {
    int64_t seq; /* of the change */
    struct doc doc;
};

/* `bytes`: of memory. NULL: no memory. */
MUST_CHECK struct formers *formers_new(size_t bytes);
/* Everything that was found has been given back. Takes NULL. */
void formers_free(struct formers *f);

/* After the commit of the change; seqs rise. Copies the document; without memory it is not kept. `f` may be NULL. */
void formers_keep(struct formers *f, int64_t seq, const struct doc *doc);
/* NULL: it is not known. */
const struct former *formers_find(struct formers *f, int64_t seq);
void formers_give(struct formers *f, const struct former *former);

#endif
