/* An intrusive doubly linked list with a sentinel. A node lies inside the struct it links; CONTAINER finds the struct.
 * Nothing is allocated, nothing is locked: the owner of the list sees to that. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/check.h"
#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

/* Puts `node` before `where`; with the sentinel as `where`: at the end. */
static inline void list_insert(struct list *where, struct list *node)
{
    node->prev = where->prev;
    node->next = where;
    where->prev->next = node;
    where->prev = node;
}

/* Leaves the node linked to itself, so that a second removal does no harm. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Moves all of `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_splice(struct list *to, struct list *from)
{
    if (list_empty(from)) return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#endif
