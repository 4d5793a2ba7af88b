/* Populating: writing the documents that a document's relations lead to, with the reader's rights. A populator
 * remembers what it wrote, so that a list of messages between two people reads each of them once. */
#ifndef STORE_POPULATE_H
#define STORE_POPULATE_H

#include "base/arena.h"
#include "schema/doc.h"
#include "schema/where.h"
#include "store/db.h"

#define POPULATED 64

struct populator {
    struct relation_writer writer; /* give &writer to a doc_style */
    struct db *db;
    struct arena *arena; /* what was written is kept here; the populator ends with it */
    int depth;           /* 0: bare ids */
    bool everything;     /* read rights do not count (the stream shows users to all, as the original does) */
    struct readable readable;
    const struct collection *own; /* the reader's own document, whose sessions are shown to it */
    int64_t own_id;
    struct populate populate;
    bool personal; /* sessions were written */
    struct {
        const struct collection *collection;
        int64_t id;
        int depth;
        struct view json;
    } kept[POPULATED];
    struct failure failure; /* the first that was met while writing; such a relation is left a bare id */
};

/* Everything but these is zero: bare ids until depth is set. */
void populator_init(struct populator *p, struct db *db, struct arena *arena);
/* As the stream shows relations: {id, email, collection}, for every reader. */
void populator_init_stream(struct populator *p, struct db *db, struct arena *arena);
/* A document was written: what is remembered of it may be old. */
void populator_forget(struct populator *p);

#endif
