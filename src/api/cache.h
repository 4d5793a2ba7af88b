/* Answers that are kept to be given again: lists, counts and documents, for as long as nothing is written that they
 * could show. Any thread. */
#ifndef API_CACHE_H
#define API_CACHE_H

#include "broker/broker.h"
#include "parley/attributes.h"
#include "parley/collection.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;

/* At most so many bytes, of keys and answers and what holds them; 0: nothing is kept. NULL: no memory. */
MUST_CHECK struct cache *cache_new(size_t bytes);
/* Takes NULL. */
void cache_free(struct cache *c);

/* Which state of the database answers about a collection show: its own documents and those that relations lead to.
 * Read before the answer's snapshot is taken: what is committed in between makes the answer newer than its version,
 * never older. */
uint64_t cache_version(const struct broker *b, const struct collection *c);

/* Adds the answer that is kept under this key, if it is of this version. The key names all that the answer depends on
 * besides the documents, the reader among it. */
bool cache_show(struct cache *c, struct view key, uint64_t version, struct str *out);
/* In place of an older one; those that were used least make room. Large ones, and all where there is no memory, are not
 * kept. */
void cache_keep(struct cache *c, struct view key, uint64_t version, struct view answer);

#endif
