/* The documents that relations lead to, read for schema/match.h. */
#ifndef STORE_RELATIONS_H
#define STORE_RELATIONS_H

#include "base/arena.h"
#include "schema/match.h"
#include "store/db.h"

struct relations {
    struct relation_reader reader; /* for match() */
    struct db *db;
    struct arena *arena; /* of the documents' texts */
    struct doc doc;      /* that was read last; collection == NULL: none */
    int64_t id;
    bool found;
    struct failure failure; /* the first; a document that could not be read matches nothing */
};

/* On the caller's connection, and thread. */
void relations_init(struct relations *r, struct db *db, struct arena *arena);
/* Documents have changed: reads again. */
void relations_forget(struct relations *r);

#endif
