#include "schema/filter.h"
#include <stdlib.h>
#include <string.h>

/* ---- the text ---- */

/* Texts whose order does not count: sorted, and each of them once, they stand for what they are the members of. */
struct members {
    struct str *texts;
    size_t count, room;
    bool failed;
};

static struct str *members_add(struct members *m)
{
    if (m->count == m->room) {
        size_t room = m->room ? 2 * m->room : 8;
        struct str *texts = realloc(m->texts, room * sizeof *texts);
        if (!texts) {
            m->failed = true;
            return NULL;
        }
        m->texts = texts;
        m->room = room;
    }
    m->texts[m->count] = (struct str){0};
    return &m->texts[m->count++];
}

static int compare(const void *a, const void *b)
{
    const struct str *one = a, *other = b;
    int difference = memcmp(one->at, other->at, one->len < other->len ? one->len : other->len);
    return difference ? difference : (one->len > other->len) - (one->len < other->len);
}

/* Sorts and leaves out what is there already. */
static void members_settle(struct members *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++)
        if (m->texts[i].failed) m->failed = true;
    if (m->failed || !m->count) return;
    qsort(m->texts, m->count, sizeof *m->texts, compare);
    for (size_t i = 1; i < m->count; i++) {
        if (!compare(&m->texts[kept], &m->texts[i]))
            str_release(&m->texts[i]);
        else
            m->texts[++kept] = m->texts[i];
    }
    m->count = kept + 1;
}

static void members_add_to(const struct members *m, struct str *out)
{
    for (size_t i = 0; i < m->count; i++) str_add(out, str_view(&m->texts[i]));
    if (m->failed) out->failed = true;
}

static void members_release(struct members *m)
{
    for (size_t i = 0; i < m->count; i++) str_release(&m->texts[i]);
    free(m->texts);
}

/* Each form ends of itself. */
static void add_value(struct str *out, const struct value *v)
{
    uint64_t bits;
    switch (v->type) {
    case VALUE_NULL: str_addc(out, 'n'); break;
    case VALUE_INTEGER: str_addf(out, "i%lld;", (long long)v->integer); break;
    case VALUE_REAL:
        memcpy(&bits, &v->real, sizeof bits);
        str_addf(out, "r%016llx", (unsigned long long)bits);
        break;
    case VALUE_TEXT:
    case VALUE_BLOB:
        str_addf(out, "t%zu:", v->text.len);
        str_add(out, v->text);
        break;
    }
}

/* "(messages sender>email equals i5;)": no name in the tables holds a space or a bracket. */
static void add_compare(struct str *out, const struct where *w)
{
    struct members values = {0};
    for (size_t i = 0; i < w->nvalues; i++) {
        struct str *text = members_add(&values);
        if (text) add_value(text, &w->values[i]);
    }
    members_settle(&values);
    str_addf(out, "(%s %s%s%s %s ", w->collection->slug, w->via ? w->via->name : "", w->via ? ">" : "", w->field->name,
        operator_row(w->op)->name);
    members_add_to(&values, out);
    str_addc(out, ')');
    members_release(&values);
}

/* A group of one is that one, whichever kind it is. */
static const struct where *bare(const struct where *w)
{
    while (w->kind != WHERE_COMPARE && w->first && !w->first->next) w = w->first;
    return w;
}

/* The members of a group, and of groups of the same kind among them. */
static void gather(struct members *m, const struct where *group)
{
    for (const struct where *one = group->first; one; one = one->next) {
        const struct where *w = bare(one);
        if (w->kind == group->kind) {
            gather(m, w);
            continue;
        }
        struct str *text = members_add(m);
        if (text) where_add_text(text, w);
    }
}

void where_add_text(struct str *out, const struct where *w)
{
    struct members m = {0};
    w = bare(w);
    if (w->kind == WHERE_COMPARE) {
        add_compare(out, w);
        return;
    }
    gather(&m, w);
    members_settle(&m);
    bool group = m.count != 1;
    if (group) str_addz(out, w->kind == WHERE_AND ? "&(" : "|(");
    members_add_to(&m, out);
    if (group) str_addc(out, ')');
    members_release(&m);
}

/* ---- the keys ---- */

static bool integral(const struct field *field)
{
    return field->kind == KIND_ID || field->kind == KIND_RELATIONSHIP;
}

static size_t compare_keys(const struct where *w)
{
    if (w->via || !integral(w->field) || (w->op != OP_EQUALS && w->op != OP_IN)) return 0;
    for (size_t i = 0; i < w->nvalues; i++)
        if (w->values[i].type != VALUE_INTEGER) return 0;
    return w->nvalues;
}

/* How many where_keys would look at; 0: none can be named. `*best`: of an AND, the member to take them from. */
static size_t count_keys(const struct where *w, const struct where **best)
{
    const struct where *ignored;
    size_t count = 0;
    if (w->kind == WHERE_COMPARE) return compare_keys(w);
    for (const struct where *one = w->first; one; one = one->next) {
        size_t n = count_keys(one, &ignored);
        if (w->kind == WHERE_OR) {
            if (!n) return 0;
            count += n;
        } else if (n && (!count || n < count)) {
            count = n;
            *best = one;
        }
    }
    return count;
}

struct keys {
    struct where_key *at;
    size_t count, room;
    bool full;
};

static void add_key(struct keys *k, const struct field *field, int64_t value)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->at[i].field == field && k->at[i].value == value) return;
    if (k->count == k->room)
        k->full = true;
    else
        k->at[k->count++] = (struct where_key){field, value};
}

/* count_keys of it is not 0. */
static void add_keys(struct keys *k, const struct where *w)
{
    const struct where *best = NULL;
    if (w->kind == WHERE_COMPARE) {
        for (size_t i = 0; i < w->nvalues && !k->full; i++) add_key(k, w->field, w->values[i].integer);
    } else if (w->kind == WHERE_AND) {
        count_keys(w, &best);
        add_keys(k, best);
    } else {
        for (const struct where *one = w->first; one; one = one->next) add_keys(k, one);
    }
}

size_t where_keys(const struct where *w, struct where_key *out, size_t room)
{
    struct keys k = {out, 0, room, false};
    const struct where *ignored;
    if (count_keys(w, &ignored)) add_keys(&k, w);
    return k.full ? 0 : k.count;
}

/* ---- the copy ---- */

struct sizes {
    size_t nodes, values, bytes;
};

static void measure(struct sizes *s, const struct where *w)
{
    s->nodes++;
    s->values += w->nvalues;
    for (size_t i = 0; i < w->nvalues; i++) s->bytes += w->values[i].text.len;
    for (const struct where *one = w->first; one; one = one->next) measure(s, one);
}

/* The block's free parts. */
struct block {
    struct where *nodes;
    struct value *values;
    char *bytes;
};

static struct where *copy(struct block *b, const struct where *from)
{
    struct where *to = b->nodes++;
    *to = *from;
    to->next = NULL;
    to->values = b->values;
    b->values += from->nvalues;
    for (size_t i = 0; i < from->nvalues; i++) {
        struct view text = from->values[i].text;
        to->values[i] = from->values[i];
        to->values[i].text.at = b->bytes;
        if (text.len) memcpy(b->bytes, text.at, text.len);
        b->bytes += text.len;
    }
    struct where **tail = &to->first;
    *tail = NULL;
    for (const struct where *one = from->first; one; one = one->next) {
        *tail = copy(b, one);
        tail = &(*tail)->next;
    }
    return to;
}

struct where *where_copy(const struct where *w)
{
    struct sizes s = {0};
    measure(&s, w);
    struct where *nodes = malloc(s.nodes * sizeof *nodes + s.values * sizeof(struct value) + s.bytes);
    if (!nodes) return NULL;
    struct block b = {.nodes = nodes, .values = (struct value *)(void *)(nodes + s.nodes)};
    b.bytes = (char *)(b.values + s.values);
    return copy(&b, w);
}
