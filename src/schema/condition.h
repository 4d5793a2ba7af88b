/* A where as an SQL condition. */
#ifndef SCHEMA_CONDITION_H
#define SCHEMA_CONDITION_H

#include "schema/binds.h"
#include "schema/where.h"

/* Adds a condition over the collection's table, and what it is bound with. */
void condition_add(struct str *sql, const struct where *w, struct binds *binds);

#endif
