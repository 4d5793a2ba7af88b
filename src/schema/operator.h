/* The operators that a where compares with, as a table. */
#ifndef SCHEMA_OPERATOR_H
#define SCHEMA_OPERATOR_H

#include <stdbool.h>

enum where_operator {
    OP_EQUALS,
    OP_NOT_EQUALS,
    OP_IN,
    OP_NOT_IN,
    OP_EXISTS,
    OP_LIKE,
    OP_CONTAINS,
    OP_NOT_LIKE,
    OP_GREATER_THAN,
    OP_GREATER_THAN_EQUAL,
    OP_LESS_THAN,
    OP_LESS_THAN_EQUAL,
    NOPERATORS
};

enum operand {
    OPERAND_ONE,     /* a value */
    OPERAND_LIST,    /* any number of values */
    OPERAND_BOOL,    /* the integer 0 or 1 */
    OPERAND_PATTERN, /* texts to search for */
};

/* How a document's value stands to the operator's. */
enum { ORDER_BEFORE = 1, ORDER_SAME = 2, ORDER_BEHIND = 4 };

struct operator_row {
    const char *name;
    enum operand operand;
    const char *sql; /* between a column and one value */
    unsigned orders; /* those that match */
    bool last;       /* Payload looks at no operator behind it on the same field; its recorded answers show that */
};

const struct operator_row *operator_row(enum where_operator op);
/* The operator of that name; -1: none. */
int operator_find(const char *name);
/* Is it one of Payload's, though it asks for what no field here is? */
bool operator_unused(const char *name);

#endif
