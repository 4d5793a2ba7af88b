#include "schema/trigrams.h"
#include "base/utf8.h"
#include <string.h>

#define OF_TEXT 16  /* trigrams that are looked for of one text */
#define OF_ALL  128 /* and of all of them; each is a cursor into the index */
#define DEEPEST 16  /* groups within groups: FTS5's parser has a stack of a hundred */

struct writing {
    struct str *out;
    const struct field *field;
    size_t room; /* trigrams that may still be added */
    int depth;
};

/* Where the next character starts. */
static size_t step(struct view text, size_t at)
{
    size_t bad;
    return at + utf8_character((struct view){text.at + at, text.len - at}, &bad);
}

/* "abc", a quotation mark doubled */
static void add_token(struct str *out, struct view token)
{
    str_addc(out, '"');
    for (size_t i = 0; i < token.len; i++) {
        if (token.at[i] == '"') str_addc(out, '"');
        str_addc(out, token.at[i]);
    }
    str_addc(out, '"');
}

/* Of many trigrams some, evenly over the text: those that are left out would only find less. */
static bool add_text(struct writing *w, struct view text)
{
    text.len = text.len ? strnlen(text.at, text.len) : 0;
    if (!utf8_valid(text)) return false;
    size_t characters = 0, added = 0, at = 0;
    for (size_t i = 0; i < text.len; i = step(text, i)) characters++;
    if (characters < 3 || !w->room) return false;
    size_t count = characters - 2, most = count < OF_TEXT ? count : OF_TEXT;
    if (most > w->room) most = w->room;
    for (size_t i = 0; i < count; i++, at = step(text, at)) {
        if (i < (count - 1) * added / (most > 1 ? most - 1 : 1)) continue;
        if (added) str_addz(w->out, " AND ");
        add_token(w->out, (struct view){text.at + at, step(text, step(text, step(text, at))) - at});
        if (++added == most) break;
    }
    w->room -= added;
    return true;
}

static void cut(struct str *out, size_t len)
{
    if (out->failed || !out->at) return;
    out->len = len;
    out->at[len] = 0;
}

/* What members say together: of an AND those that say something, of an OR all, or nothing is said. */
struct joining {
    struct writing *writing;
    size_t start, count;
    bool all;  /* AND */
    bool none; /* a member of an OR says nothing */
};

static struct joining join_start(struct writing *w, bool all)
{
    struct joining j = {.writing = w, .start = w->out->len, .all = all};
    str_addc(w->out, '(');
    return j;
}

static size_t join_before(struct joining *j)
{
    size_t len = j->writing->out->len;
    if (j->count) str_addz(j->writing->out, j->all ? " AND " : " OR ");
    return len;
}

static void join_after(struct joining *j, size_t len, bool added)
{
    if (added) {
        j->count++;
        return;
    }
    cut(j->writing->out, len);
    if (!j->all) j->none = true;
}

static bool join_end(struct joining *j)
{
    bool some = j->count && !j->none;
    if (some)
        str_addc(j->writing->out, ')');
    else
        cut(j->writing->out, j->start);
    return some;
}

/* A pattern's texts must all be there, one of a list's. */
static bool add_compare(struct writing *w, const struct where *compare)
{
    bool list = compare->op == OP_IN;
    if (compare->via || compare->field != w->field) return false;
    if (!list && compare->op != OP_EQUALS && compare->op != OP_LIKE && compare->op != OP_CONTAINS) return false;
    struct joining j = join_start(w, !list);
    for (size_t i = 0; i < compare->nvalues; i++) {
        size_t len = join_before(&j);
        join_after(&j, len, compare->values[i].type == VALUE_TEXT && add_text(w, compare->values[i].text));
    }
    return join_end(&j);
}

static bool add(struct writing *w, const struct where *where)
{
    if (where->kind == WHERE_COMPARE) return add_compare(w, where);
    if (w->depth == DEEPEST) return false;
    w->depth++;
    struct joining j = join_start(w, where->kind == WHERE_AND);
    for (const struct where *one = where->first; one; one = one->next) {
        size_t len = join_before(&j);
        join_after(&j, len, add(w, one));
    }
    w->depth--;
    return join_end(&j);
}

bool trigrams_add(struct str *out, const struct where *w, const struct field *field)
{
    struct writing writing = {.out = out, .field = field, .room = OF_ALL};
    return add(&writing, w);
}
