#include "schema/registry.h"
#include "base/check.h"

const struct collection *collection_at(size_t n)
{
    for (size_t i = 0; i < ncollections; i++) {
        size_t before = 0;
        for (size_t j = 0; j < ncollections; j++)
            if (collections[j]->rank < collections[i]->rank || (collections[j]->rank == collections[i]->rank && j < i))
                before++;
        if (before == n) return collections[i];
    }
    return NULL;
}

const struct collection *collection_find(struct view slug)
{
    for (size_t i = 0; i < ncollections; i++)
        if (view_is(slug, collections[i]->slug)) return collections[i];
    return NULL;
}

size_t collection_index(const struct collection *c)
{
    size_t place = 0;
    ASSERT(ncollections <= MAX_COLLECTIONS);
    while (place < ncollections && collection_at(place) != c) place++;
    ASSERT(place < ncollections); /* else it is not in the registry */
    return place;
}

const struct collection *collection_auth(void)
{
    for (size_t i = 0; i < ncollections; i++)
        if (collections[i]->auth) return collections[i];
    return NULL;
}

const struct collection *collection_exchanged(void)
{
    for (size_t i = 0; i < ncollections; i++)
        if (field_of_role(collections[i], ROLE_AUTHOR) >= 0 && field_of_role(collections[i], ROLE_MEMBER) >= 0)
            return collections[i];
    return NULL;
}

int field_find(const struct collection *c, struct view name)
{
    for (size_t i = 0; i < c->nfields; i++)
        if (view_is(name, c->fields[i].name)) return (int)i;
    return -1;
}

int field_of_role(const struct collection *c, enum role role)
{
    for (size_t i = 0; i < c->nfields; i++)
        if (c->fields[i].role == role) return (int)i;
    return -1;
}
