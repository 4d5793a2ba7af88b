/* The model's rows as documents, by hand: no database has written or read them. */
#ifndef TEST_WHERE_DOCS_H
#define TEST_WHERE_DOCS_H

#include "schema/match.h"
#include "schema/registry.h"
#include "where_rows.h"

#define MAX_ROWS 64

struct known {
    struct doc docs[MAX_ROWS];
    size_t ndocs;
};

static inline struct value value_of(const struct cell *c)
{
    switch (c->type) {
    case CELL_INTEGER: return value_integer(c->integer);
    case CELL_REAL: return value_real(c->real);
    case CELL_TEXT: return value_text(c->text);
    case CELL_NULL: break;
    }
    return value_null();
}

static inline void learn(struct known *k, const struct table *t)
{
    const struct collection *c = collection_find(view_of(t->slug));
    for (size_t row = 0; row < t->nrows; row++) {
        struct doc *d = &k->docs[k->ndocs++];
        struct view names = view_of(t->columns);
        d->collection = c;
        for (size_t cell = 0; names.at; cell++) {
            struct view column = view_trim(view_cut(&names, ','));
            for (size_t i = 0; i < c->nfields; i++)
                if (view_is(column, c->fields[i].column)) d->values[i] = value_of(&t->rows[row][cell]);
        }
    }
}

/* A relation_reader's, of the users that are known. */
static inline const struct doc *find_known(void *users, const struct collection *c, int64_t id)
{
    struct known *k = users;
    (void)c;
    for (size_t i = 0; i < k->ndocs; i++)
        if (doc_id(&k->docs[i]) == id) return &k->docs[i];
    return NULL;
}

#endif
