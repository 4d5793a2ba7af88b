/* Of SQL's three values two are enough: no operator of the grammar negates a group, so that what is not true need not
 * be told from what is false.
 *
 * Texts are searched by Knuth's, Morris's and Pratt's way, whose cost is the sum of both lengths: who chooses a filter
 * and a message must not choose how long a thread stands still that works for others. */
#include "schema/match.h"
#include "base/check.h"
#include <stdio.h>
#include <string.h>

#define DIGITS 40 /* room for a number's text */

static unsigned order_of(bool before, bool behind)
{
    return before ? ORDER_BEFORE : behind ? ORDER_BEHIND : ORDER_SAME;
}

/* Exactly; neither need fit into the other's type. */
static unsigned order_mixed(int64_t n, double r)
{
    const double end = 9223372036854775808.0; /* 2^63 */
    if (r >= end) return ORDER_BEFORE;
    if (r < -end) return ORDER_BEHIND;
    int64_t whole = (int64_t)r;
    double fraction = r - (double)whole;
    if (n != whole) return order_of(n < whole, true);
    return order_of(fraction > 0, fraction < 0);
}

static unsigned order_texts(struct view a, struct view b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int difference = len ? memcmp(a.at, b.at, len) : 0;
    if (difference) return order_of(difference < 0, true);
    return order_of(a.len < b.len, b.len < a.len);
}

/* As SQLite orders what is not null: numbers, then texts by their bytes. */
static unsigned order(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_TEXT && b->type == VALUE_TEXT) return order_texts(a->text, b->text);
    if (a->type == VALUE_TEXT || b->type == VALUE_TEXT) return order_of(b->type == VALUE_TEXT, true);
    if (a->type == VALUE_INTEGER && b->type == VALUE_INTEGER)
        return order_of(a->integer < b->integer, b->integer < a->integer);
    if (a->type == VALUE_INTEGER) return order_mixed(a->integer, b->real);
    if (b->type == VALUE_REAL) return order_of(a->real < b->real, b->real < a->real);
    unsigned reverse = order_mixed(b->integer, a->real);
    return order_of(reverse == ORDER_BEHIND, reverse == ORDER_BEFORE);
}

/* The text that SQLite's LIKE sees: a number's digits, a text up to its first NUL. */
static struct view searchable(const struct value *v, char digits[DIGITS])
{
    if (v->type == VALUE_TEXT) return (struct view){v->text.at, v->text.len ? strnlen(v->text.at, v->text.len) : 0};
    if (v->type == VALUE_INTEGER)
        return (struct view){digits, (size_t)snprintf(digits, DIGITS, "%lld", (long long)v->integer)};
    size_t len = (size_t)snprintf(digits, DIGITS, "%.15g", v->real);
    if (strpbrk(digits, ".n")) return (struct view){digits, len};
    /* "1e+21" is "1.0e+21" to SQLite. */
    size_t whole = strcspn(digits, "e");
    memmove(digits + whole + 2, digits + whole, len - whole);
    memcpy(digits + whole, ".0", 2);
    return (struct view){digits, len + 2};
}

/* A byte as SQLite's LIKE compares it: ASCII letters without their case, and U+FFFE and U+FFFF, which it does not take
 * for characters, as U+FFFD. */
static unsigned char folded(struct view text, size_t i)
{
    const unsigned char *c = (const unsigned char *)text.at + i;
    if (*c >= 'A' && *c <= 'Z') return (unsigned char)(*c - 'A' + 'a');
    if (*c >= 0xbe && i >= 2 && c[-1] == 0xbf && c[-2] == 0xef) return 0xbd;
    return *c;
}

static bool contains(struct view text, struct view part)
{
    uint16_t border[WHERE_MAX_LIKE]; /* of each start of the part: how much of its start it ends with */
    size_t held = 0;
    ASSERT(part.len <= COUNT(border));
    if (!part.len || part.len > text.len) return !part.len;
    border[0] = 0;
    for (size_t i = 1; i < part.len; i++) {
        while (held && folded(part, i) != folded(part, held)) held = border[held - 1];
        if (folded(part, i) == folded(part, held)) held++;
        border[i] = (uint16_t)held;
    }
    held = 0;
    for (size_t i = 0; i < text.len && held < part.len; i++) {
        while (held && folded(text, i) != folded(part, held)) held = border[held - 1];
        if (folded(text, i) == folded(part, held)) held++;
    }
    return held == part.len;
}

static bool match_one(const struct where *w, const struct value *v)
{
    bool differs = w->op == OP_NOT_EQUALS;
    if (!w->nvalues) return differs;
    if (w->values[0].type == VALUE_NULL)
        return w->op == OP_EQUALS ? v->type == VALUE_NULL : differs && v->type != VALUE_NULL;
    if (v->type == VALUE_NULL) return differs;
    return order(v, &w->values[0]) & operator_row(w->op)->orders;
}

/* As in Payload, not_in takes a relation that is null, but no other null; of no values at all it takes everything. */
static bool match_list(const struct where *w, const struct value *v)
{
    bool in = w->op == OP_IN, null = false;
    for (size_t i = 0; i < w->nvalues; i++) {
        if (w->values[i].type == VALUE_NULL)
            null = true;
        else if (v->type != VALUE_NULL && order(v, &w->values[i]) == ORDER_SAME)
            return in;
    }
    if (v->type != VALUE_NULL) return !in;
    return in ? null : !w->nvalues || (!null && w->field->kind == KIND_RELATIONSHIP);
}

static bool match_pattern(const struct where *w, const struct value *v)
{
    char digits[DIGITS];
    if (!w->nvalues || v->type == VALUE_NULL) return false;
    struct view text = searchable(v, digits);
    for (size_t i = 0; i < w->nvalues; i++)
        if (contains(text, w->values[i].text) == (w->op == OP_NOT_LIKE)) return false;
    return true;
}

bool match_value(const struct where *compare, const struct value *v)
{
    switch (operator_row(compare->op)->operand) {
    case OPERAND_ONE: return match_one(compare, v);
    case OPERAND_LIST: return match_list(compare, v);
    case OPERAND_PATTERN: return match_pattern(compare, v);
    case OPERAND_BOOL: break;
    }
    return (v->type != VALUE_NULL) == (compare->values[0].integer != 0);
}

static bool match_compare(const struct where *w, const struct doc *doc, const struct relation_reader *relations)
{
    const struct value null = value_null();
    if (!w->via) return match_value(w, doc_value(doc, w->field));
    const struct value *id = doc_value(doc, w->via);
    const struct doc *other = NULL;
    if (id->type == VALUE_INTEGER) other = relations->find(relations->ctx, w->collection, id->integer);
    return match_value(w, other ? doc_value(other, w->field) : &null);
}

bool match(const struct where *w, const struct doc *doc, const struct relation_reader *relations)
{
    if (w->kind == WHERE_COMPARE) return match_compare(w, doc, relations);
    bool all = w->kind == WHERE_AND;
    for (const struct where *one = w->first; one; one = one->next)
        if (match(one, doc, relations) != all) return !all;
    return all;
}
