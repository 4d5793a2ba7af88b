/* A writer: documents as JSON, as the reader of this call sees them, behind each other in the answer's body. */
#ifndef API_WRITER_H
#define API_WRITER_H

#include "api/call.h"

struct writer {
    struct call *call;
    struct str *out;
    struct populator populator;
    struct doc_style style;
    size_t count; /* documents written */
    struct failure *f;
};

/* `db` is borrowed until writer_end: relations are read through it. */
void writer_init(struct writer *w, struct call *call, struct db *db, const struct find *find, struct failure *f);
void writer_add(struct writer *w, const struct doc *doc);
/* The same with a comma before all but the first, as read_many's callback (`ctx` is the writer). TOO_LARGE: the answer
 * grew beyond its limit. */
enum status writer_add_listed(void *ctx, const struct doc *doc);
/* OK, or the first failure met while reading relations. */
MUST_CHECK enum status writer_end(struct writer *w);

#endif
