/* A model of the where-grammar: rows, queries as they are meant, and which rows a query matches, by the rules of
 * Payload's recorded answers and of the README's last table. It knows nothing of the program's code, and how a query is
 * written is not its business (where_text.h). */
#ifndef TEST_WHERE_MODEL_H
#define TEST_WHERE_MODEL_H

#include "parley/str.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What a row holds. */
struct cell {
    enum { CELL_NULL, CELL_INTEGER, CELL_REAL, CELL_TEXT } type;
    int64_t integer;
    double real;
    struct view text; /* a real's too: as SQLite writes it */
};

#define NONE                                                                                                           \
    {                                                                                                                  \
        .type = CELL_NULL                                                                                              \
    }
#define INT(n)                                                                                                         \
    {                                                                                                                  \
        .type = CELL_INTEGER, .integer = (n)                                                                           \
    }
#define REAL(n)                                                                                                        \
    {                                                                                                                  \
        .type = CELL_REAL, .real = (n), .text = VIEW(#n)                                                               \
    }
#define TEXT(lit)                                                                                                      \
    {                                                                                                                  \
        .type = CELL_TEXT, .text = VIEW(lit)                                                                           \
    }
#define MAX_CELLS 16

enum shape { SHAPE_NUMBER, SHAPE_RELATION, SHAPE_TEXT, SHAPE_DATE };

struct column {
    const char *path; /* in queries */
    enum shape shape;
    int cell;     /* its place in the row */
    int via;      /* the place of the relation that leads to the row of users that holds it, plus one; 0: none */
    bool guarded; /* only for those who are signed in */
};

struct table {
    const char *slug;
    const char *columns; /* in SQL, in the cells' order */
    const struct column *fields;
    size_t nfields;
    const struct cell (*rows)[MAX_CELLS];
    size_t nrows;
};

/* A value as it is meant. */
struct item {
    enum {
        ITEM_NULL,
        ITEM_NOTHING, /* equal to nothing: a word for a number */
        ITEM_NUMBER,
        ITEM_TEXT,   /* a date's ISO text too */
        ITEM_REFUSED /* cannot be understood */
    } type;
    double number;
    struct view text; /* what contains looks for: a number's digits too */
};

enum op { EQUALS, NOT_EQUALS, IN, NOT_IN, EXISTS, LIKE, CONTAINS, NOT_LIKE, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL };

static const char *const op_names[] = {"equals", "not_equals", "in", "not_in", "exists", "like", "contains", "not_like",
    "greater_than", "greater_than_equal", "less_than", "less_than_equal"};

#define MAX_ITEMS 5

/* One operator on one field. */
struct test {
    struct test *next; /* on the same field, in their order */
    const char *name;  /* as it is written */
    enum op op;
    const struct item *items[MAX_ITEMS];
    size_t nitems;
    bool yes;     /* of exists */
    bool refused; /* the query is */
};

struct group;

/* An object of the grammar: fields and groups, all of which must match. */
struct object {
    struct object *next; /* beside it in a group */
    struct clause {
        struct clause *next;
        const char *name;
        const struct column *column; /* of a field; NULL: of a group, or a field there is none of */
        struct test *tests;
        struct object *members; /* of a group */
        bool any;               /* a group of which one member is enough */
        bool refused;
    } * clauses;
};

static const struct cell null_cell = NONE;

static const struct table users_table;

static inline const struct cell *cell_of(const struct table *t, size_t row, const struct column *c)
{
    if (!c->via) return &t->rows[row][c->cell];
    const struct cell *id = &t->rows[row][c->via - 1];
    for (size_t i = 0; id->type == CELL_INTEGER && i < users_table.nrows; i++)
        if (users_table.rows[i][0].integer == id->integer) return &users_table.rows[i][c->cell];
    return &null_cell;
}

/* -1, 0, 1. A long double holds every integer and every double. */
static inline int compare_numbers(const struct cell *c, const struct item *item)
{
    long double a = c->type == CELL_REAL ? (long double)c->real : (long double)c->integer, b = item->number;
    return (a > b) - (a < b);
}

static inline int compare_cell(const struct cell *c, const struct item *item)
{
    if (item->type == ITEM_NUMBER) return compare_numbers(c, item);
    size_t i = 0;
    while (i < c->text.len && i < item->text.len && c->text.at[i] == item->text.at[i]) i++;
    if (i == c->text.len || i == item->text.len) return (i < c->text.len) - (i < item->text.len);
    return (unsigned char)c->text.at[i] < (unsigned char)item->text.at[i] ? -1 : 1;
}

static inline char lower_case(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool holds(struct view text, struct view part)
{
    for (size_t at = 0; at + part.len <= text.len; at++) {
        size_t i = 0;
        while (i < part.len && lower_case(text.at[at + i]) == lower_case(part.at[i])) i++;
        if (i == part.len) return true;
    }
    return false;
}

static inline bool cell_holds(const struct cell *c, struct view part)
{
    char digits[32];
    if (c->type != CELL_INTEGER) return holds(c->text, part);
    int len = snprintf(digits, sizeof digits, "%lld", (long long)c->integer);
    return holds((struct view){digits, (size_t)len}, part);
}

/* Every word between spaces. */
static inline bool holds_words(const struct cell *c, struct view words)
{
    size_t from = 0;
    for (size_t i = 0; i <= words.len; i++) {
        if (i < words.len && words.at[i] != ' ') continue;
        if (!cell_holds(c, (struct view){words.at + from, i - from})) return false;
        from = i + 1;
    }
    return true;
}

static inline bool equals_item(const struct cell *c, const struct item *item)
{
    if (item->type == ITEM_NULL || c->type == CELL_NULL) return item->type == ITEM_NULL && c->type == CELL_NULL;
    return item->type != ITEM_NOTHING && compare_cell(c, item) == 0;
}

static inline bool in_items(const struct test *t, const struct cell *c)
{
    for (size_t i = 0; i < t->nitems; i++)
        if (equals_item(c, t->items[i])) return true;
    return false;
}

/* Null is in a list that names it; a list of nothing leaves out nothing; else only a relation's null is let through. */
static inline bool not_in_items(const struct test *t, enum shape shape, const struct cell *c)
{
    size_t something = 0;
    for (size_t i = 0; i < t->nitems; i++) something += t->items[i]->type != ITEM_NOTHING;
    if (in_items(t, c)) return false;
    return c->type != CELL_NULL || !something || shape == SHAPE_RELATION;
}

static inline bool test_matches(const struct test *t, enum shape shape, const struct cell *c)
{
    bool number = shape == SHAPE_NUMBER || shape == SHAPE_RELATION;
    const struct item *item = t->nitems ? t->items[0] : NULL;
    bool some = item && item->type != ITEM_NULL && item->type != ITEM_NOTHING && c->type != CELL_NULL;
    switch (t->op) {
    case EQUALS: return equals_item(c, item);
    case NOT_EQUALS: return !equals_item(c, item);
    case IN: return in_items(t, c);
    case NOT_IN: return not_in_items(t, shape, c);
    case EXISTS: return t->yes == (c->type != CELL_NULL);
    case LIKE: return number ? equals_item(c, item) : some && holds_words(c, item->text);
    case CONTAINS: return some && cell_holds(c, item->text);
    case NOT_LIKE: return some && !cell_holds(c, item->text);
    case GREATER: return some && compare_cell(c, item) > 0;
    case GREATER_EQUAL: return some && compare_cell(c, item) >= 0;
    case LESS: return some && compare_cell(c, item) < 0;
    case LESS_EQUAL: return some && compare_cell(c, item) <= 0;
    }
    abort();
}

static inline bool object_refused(const struct object *o)
{
    for (const struct clause *c = o->clauses; c; c = c->next) {
        if (c->refused) return true;
        for (const struct test *t = c->tests; t; t = t->next) {
            if (t->refused) return true;
            for (size_t i = 0; i < t->nitems; i++)
                if (t->items[i]->type == ITEM_REFUSED) return true;
        }
        for (const struct object *m = c->members; m; m = m->next)
            if (object_refused(m)) return true;
    }
    return false;
}

/* Does it ask for anything at all? */
static inline bool object_asks(const struct object *o)
{
    for (const struct clause *c = o->clauses; c; c = c->next) {
        if (c->tests) return true;
        for (const struct object *m = c->members; m; m = m->next)
            if (object_asks(m)) return true;
    }
    return false;
}

static inline bool object_matches(const struct object *o, const struct table *t, size_t row);

/* A member that asks for nothing is none, and a group without members asks for nothing. */
static inline bool group_matches(const struct clause *c, const struct table *t, size_t row)
{
    size_t asked = 0, matched = 0;
    for (const struct object *m = c->members; m; m = m->next) {
        if (!object_asks(m)) continue;
        asked++;
        matched += object_matches(m, t, row);
    }
    return !asked || (c->any ? matched > 0 : matched == asked);
}

/* Operators behind a like of a text are not looked at. */
static inline bool field_matches(const struct clause *c, const struct table *t, size_t row)
{
    bool number = c->column->shape == SHAPE_NUMBER || c->column->shape == SHAPE_RELATION;
    for (const struct test *test = c->tests; test; test = test->next) {
        if (!test_matches(test, c->column->shape, cell_of(t, row, c->column))) return false;
        if (test->op == LIKE && !number) break;
    }
    return true;
}

static inline bool object_matches(const struct object *o, const struct table *t, size_t row)
{
    for (const struct clause *c = o->clauses; c; c = c->next)
        if (c->column ? !field_matches(c, t, row) : !group_matches(c, t, row)) return false;
    return true;
}

#endif
