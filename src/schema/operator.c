#include "schema/operator.h"
#include "base/check.h"
#include <string.h>

static const struct operator_row rows[] = {
    [OP_EQUALS] = {"equals", OPERAND_ONE, "=", ORDER_SAME, false},
    [OP_NOT_EQUALS] = {"not_equals", OPERAND_ONE, "<>", ORDER_BEFORE | ORDER_BEHIND, false},
    [OP_IN] = {"in", OPERAND_LIST, "IN", ORDER_SAME, false},
    [OP_NOT_IN] = {"not_in", OPERAND_LIST, "NOT IN", ORDER_BEFORE | ORDER_BEHIND, false},
    [OP_EXISTS] = {"exists", OPERAND_BOOL, NULL, 0, false},
    [OP_LIKE] = {"like", OPERAND_PATTERN, "LIKE", 0, true},
    [OP_CONTAINS] = {"contains", OPERAND_PATTERN, "LIKE", 0, false},
    [OP_NOT_LIKE] = {"not_like", OPERAND_PATTERN, "NOT LIKE", 0, false},
    [OP_GREATER_THAN] = {"greater_than", OPERAND_ONE, ">", ORDER_BEHIND, false},
    [OP_GREATER_THAN_EQUAL] = {"greater_than_equal", OPERAND_ONE, ">=", ORDER_SAME | ORDER_BEHIND, false},
    [OP_LESS_THAN] = {"less_than", OPERAND_ONE, "<", ORDER_BEFORE, false},
    [OP_LESS_THAN_EQUAL] = {"less_than_equal", OPERAND_ONE, "<=", ORDER_BEFORE | ORDER_SAME, false},
};

static const char *const unused[] = {"all", "near", "within", "intersects"};

const struct operator_row *operator_row(enum where_operator op)
{
    ASSERT((size_t)op < COUNT(rows));
    return &rows[op];
}

int operator_find(const char *name)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!strcmp(rows[i].name, name)) return (int)i;
    return -1;
}

bool operator_unused(const char *name)
{
    for (size_t i = 0; i < COUNT(unused); i++)
        if (!strcmp(unused[i], name)) return true;
    return false;
}
