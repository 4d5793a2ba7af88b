/* Random queries: what they mean (where_model.h) and, as the meaning of a value hangs on it, how each value is written.
 */
#ifndef TEST_WHERE_RANDOM_H
#define TEST_WHERE_RANDOM_H

#include "where_rows.h"
#include <math.h>
#include <stddef.h>

/* How an operator's value is written. */
enum manner {
    ALONE,
    COMMAS,   /* one text, cut at commas */
    ARRAY,    /* [op][]=a&[op][]=b, or a JSON array */
    INDEXED,  /* [op][3]=b&[op][1]=a */
    REPEATED, /* [op]=a&[op]=b */
    NESTED,   /* [op][x]=a */
};

struct written {
    struct item item; /* first */
    struct view raw;
    const char *literal; /* in JSON; NULL: raw as a string */
};

struct asked {
    struct test test; /* first */
    enum manner manner;
    struct written values[MAX_ITEMS];
};

/* A clause that no one can understand; its other fields mean nothing. */
struct refused {
    struct clause clause; /* first */
    const char *json;     /* a member of an object */
    const char *brackets; /* NULL: it can be said in JSON alone */
};

#define MAX_OBJECTS 60 /* and the groups under way go on to their ends */

struct generator {
    uint64_t state;
    bool json;
    bool signed_in;
    bool encode_brackets;
    const struct table *table;
    size_t used; /* of memory */
    size_t objects;
    size_t nblocks;
    struct str blocks[2 * MAX_OBJECTS + 32]; /* parameters that belong together */
    _Alignas(max_align_t) char memory[1 << 18];
};

/* splitmix64 */
static inline uint64_t next(struct generator *g)
{
    uint64_t z = g->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline size_t below(struct generator *g, size_t n)
{
    return (size_t)(next(g) % n);
}

static inline bool chance(struct generator *g, size_t percent)
{
    return below(g, 100) < percent;
}

#define PICK(g, array) ((array)[below((g), COUNT_OF(array))])

static inline void *take(struct generator *g, size_t size)
{
    void *at = g->memory + g->used;
    g->used += (size + 15) / 16 * 16;
    if (g->used > sizeof g->memory) abort();
    return memset(at, 0, size);
}

#define NEW(g, type) ((type *)take((g), sizeof(type)))

/* Values */

struct number_form {
    const char *text;
    double number;
    const char *digits;
};

static const struct number_form number_texts[] = {{"1", 1, "1"}, {"01", 1, "1"}, {"+1", 1, "1"}, {"1.0", 1, "1"},
    {" 1", 1, "1"}, {"1\t", 1, "1"}, {"1e0", 1, "1"}, {"10e-1", 1, "1"}, {"0x1", 1, "1"}, {"0B1", 1, "1"},
    {"1.", 1, "1"},
    {"\xC2\xA0"
     "1",
        1, "1"},
    {"2", 2, "2"}, {"0o2", 2, "2"}, {"2.5", 2.5, "2.5"}, {"25e-1", 2.5, "2.5"}, {"3", 3, "3"}, {"5", 5, "5"},
    {"-5", -5, "-5"}, {"7", 7, "7"}, {"0X7", 7, "7"}, {"10", 10, "10"}, {"99", 99, "99"}, {"100", 100, "100"},
    {"1e2", 100, "100"}, {"0x64", 100, "100"}, {"144", 144, "144"}, {"0144", 144, "144"}, {"0", 0, "0"}, {"-0", 0, "0"},
    {"0.0", 0, "0"}, {"-1", -1, "-1"}, {"50", 50, "50"}, {"50.5", 50.5, "50.5"}, {".1", 0.1, "0.1"},
    {"-.5", -0.5, "-0.5"}, {"0.0000001", 1e-7, "1e-7"}, {"1e21", 1e21, "1e+21"},
    {"1000000000000000000000", 1e21, "1e+21"}, {"9007199254740992", 9007199254740992.0, "9007199254740992"},
    {"9007199254740993", 9007199254740992.0, "9007199254740992"},
    {"9007199254740994", 9007199254740994.0, "9007199254740994"},
    {"9223372036854775807", 9223372036854775808.0, "9223372036854776000"},
    {"-9223372036854775808", -9223372036854775808.0, "-9223372036854776000"}, {"1e300", 1e300, "1e+300"},
    {"Infinity", INFINITY, "Infinity"}, {"-Infinity", -INFINITY, "-Infinity"}, {"1e400", INFINITY, "Infinity"},
    {"1e-400", 0, "0"}, {"123456789012345680000", 123456789012345680000.0, "123456789012345680000"}};

static const struct number_form number_literals[] = {{"1", 1, "1"}, {"1.0", 1, "1"}, {"1e0", 1, "1"}, {"2", 2, "2"},
    {"20E-1", 2, "2"}, {"2.5", 2.5, "2.5"}, {"3", 3, "3"}, {"5", 5, "5"}, {"-5", -5, "-5"}, {"0", 0, "0"},
    {"-0", 0, "0"}, {"-0.0", 0, "0"}, {"7", 7, "7"}, {"99", 99, "99"}, {"100", 100, "100"}, {"144", 144, "144"},
    {"50.5", 50.5, "50.5"}, {"0.1", 0.1, "0.1"}, {"-0.5", -0.5, "-0.5"}, {"1e-7", 1e-7, "1e-7"},
    {"1e21", 1e21, "1e+21"}, {"9007199254740993", 9007199254740992.0, "9007199254740992"},
    {"9223372036854775808", 9223372036854775808.0, "9223372036854776000"},
    {"12345678901234567890", 12345678901234567890.0, "12345678901234567000"},
    {"-12345678901234567890", -12345678901234567890.0, "-12345678901234567000"},
    {"100000000000000000000000", 1e23, "1e+23"}, {"1e400", INFINITY, "Infinity"}, {"-1e400", -INFINITY, "-Infinity"}};

static const char *const no_numbers[] = {"abc", "1x", "0x", "1e", "--1", "1 2", "1_000", "NaN", "infinity", "+0x1",
    "0x1.8", "\xC2\xBD", "\xD9\xA1", "[object Object]", "true", "NULL", "1n"};

struct date_form {
    const char *text;
    const char *iso;
};

#define ISO_D1 "2024-01-01T00:00:00.000Z"
#define ISO_D3 "2024-01-03T00:00:00.000Z"

/* What `new Date(text)` says on V8 with TZ=UTC. */
static const struct date_form date_texts[] = {{"2024-01-03", ISO_D3}, {"2024-01-03T00:00:00.000Z", ISO_D3},
    {"2024-01-03T01:00:00+01:00", ISO_D3}, {"2024-01-02T22:30:00-01:30", ISO_D3}, {"2024-01-03T00:00Z", ISO_D3},
    {"2024-01-03T00:00", ISO_D3}, {"Jan 3 2024", ISO_D3}, {"3 January 2024", ISO_D3}, {"2024/01/03", ISO_D3},
    {"1/3/2024", ISO_D3}, {"Wed Jan 03 2024 01:00:00 GMT+0100 (CET)", ISO_D3}, {"2024-1-3", ISO_D3},
    {"2024-01-03 00:00Z", ISO_D3}, {" 2024-01-03", ISO_D3}, {"Jan 3 2024 12:00 AM", ISO_D3}, {"+002024-01-03", ISO_D3},
    {"2024", ISO_D1}, {"2024-01", ISO_D1}, {"2024-01-01T00:00:00.0004Z", ISO_D1}, {"Jan 2024", ISO_D1},
    {"2024-01-03T00:00:00.001Z", "2024-01-03T00:00:00.001Z"}, {"2024-01-03 00:00:00.001", "2024-01-03T00:00:00.001Z"},
    {"2024-01-03T24:00:00Z", "2024-01-04T00:00:00.000Z"}, {"2024-02-29", "2024-02-29T00:00:00.000Z"},
    {"2024-02-30", "2024-03-01T00:00:00.000Z"}, {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
    {"0000-01-01", "0000-01-01T00:00:00.000Z"}, {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
    {"5", "2001-05-01T00:00:00.000Z"}, {"0", "2000-01-01T00:00:00.000Z"}, {"-1", "2001-01-01T00:00:00.000Z"}};

static const struct date_form date_literals[] = {{"1704240000000", ISO_D3}, {"1.70424e12", ISO_D3},
    {"1704240000000.7", ISO_D3}, {"1704240000001", "2024-01-03T00:00:00.001Z"}, {"0", "1970-01-01T00:00:00.000Z"},
    {"-1", "1969-12-31T23:59:59.999Z"}, {"-0.5", "1970-01-01T00:00:00.000Z"},
    {"253402300799999", "9999-12-31T23:59:59.999Z"}};

static const char *const no_dates[] = {"garbage", "2024-13-01", "2024-01-32", "2024-01-03T25:00", "24:00", "Foo 3 2024",
    "1704240000000", "true", "2024-01-03T", "NaN", "now", "20240103", "10000-01-01", "NULL"};
static const char *const no_date_literals[] = {"true", "false", "1e18", "-1e300", "253402300800000", "{}"};

static const char *const odd_texts[] = {"", " ", "  ", "%", "_", "\\", "%%", "a%b", "a_b", "\\%", "'", "\"", "';--",
    "null", "NULL", "true", "5", "05", "0", "\xC3\xA9", "\xC3\x9C", "\xF0\x9F\x98\x80", "\xE2\x84\xAA", "k", "K", "a,b",
    ",", "+", "&", "=", "#", "[x]", "]=", "%41", "a b", "b a", "two beta", " two", "\t", "\n", "aaab", "abcabd", "zzz",
    "[object Object]", "\xEF\xBF\xBD", "\x7F"};

static inline struct view copied(struct generator *g, struct view text)
{
    char *copy = take(g, text.len + 1);
    if (text.len) memcpy(copy, text.at, text.len);
    return (struct view){copy, text.len};
}

static inline bool inside_character(struct view text, size_t at)
{
    return at < text.len && ((unsigned char)text.at[at] & 0xc0) == 0x80;
}

/* A text out of the column, whole, a part, or with its case changed. */
static inline struct view some_text(struct generator *g, const struct column *column)
{
    const struct table *t = column->via ? &users_table : g->table;
    struct view text = t->rows[below(g, t->nrows)][column->cell].text;
    if (!text.len || chance(g, 25)) return view_of(PICK(g, odd_texts));
    if (chance(g, 50)) {
        size_t from = below(g, text.len), len = 1 + below(g, text.len - from);
        while (inside_character(text, from)) from--;
        if (from + len > text.len) len = text.len - from;
        while (inside_character(text, from + len)) len++;
        text = (struct view){text.at + from, len};
    }
    text = copied(g, text);
    char *at = (char *)(uintptr_t)text.at;
    if (chance(g, 30))
        for (size_t i = 0; i < text.len; i++)
            if ((at[i] >= 'a' && at[i] <= 'z') || (at[i] >= 'A' && at[i] <= 'Z')) at[i] ^= 0x20;
    return text;
}

/* Where a value stands. */
enum place { IN_ONE, IN_LIST, IN_PATTERN };

static inline void write_number(struct generator *g, struct written *w, enum place place)
{
    bool literal = g->json && chance(g, 50);
    const struct number_form *form = literal ? &PICK(g, number_literals) : &PICK(g, number_texts);
    w->item = (struct item){ITEM_NUMBER, form->number, view_of(form->digits)};
    w->raw = view_of(form->text);
    if (literal) w->literal = form->text;
    if (chance(g, 90)) return;
    switch (below(g, 4)) {
    case 0:
        w->item.type = ITEM_NOTHING;
        w->raw = view_of(PICK(g, no_numbers));
        w->literal = NULL;
        break;
    case 1:
        w->item.type = ITEM_NULL;
        w->raw = VIEW("null");
        if (literal) w->literal = "null";
        break;
    case 2: /* Number("") is 0 */
        w->item = (struct item){place == IN_LIST ? ITEM_NOTHING : ITEM_NUMBER, 0, VIEW("0")};
        w->raw = VIEW("");
        w->literal = NULL;
        break;
    case 3:
        if (!literal) break;
        w->item = (struct item){place == IN_PATTERN ? ITEM_NOTHING : ITEM_NUMBER, chance(g, 50), {0}};
        w->literal = w->item.number > 0 ? "true" : "false";
        break;
    }
}

static inline void write_date(struct generator *g, struct written *w, enum place place)
{
    bool literal = g->json && chance(g, 25);
    const struct date_form *form = literal ? &PICK(g, date_literals) : &PICK(g, date_texts);
    w->item = (struct item){ITEM_TEXT, 0, view_of(form->iso)};
    w->raw = view_of(form->text);
    if (literal) w->literal = form->text;
    if (chance(g, 92)) return;
    if (chance(g, 50)) {
        w->item.type = ITEM_NULL;
        w->raw = chance(g, 50) ? VIEW("null") : VIEW("");
        if (literal) w->literal = "null";
    } else if (literal) {
        w->item.type = ITEM_REFUSED;
        w->literal = PICK(g, no_date_literals);
    } else {
        w->item.type = place == IN_LIST ? ITEM_NOTHING : ITEM_REFUSED;
        w->raw = view_of(PICK(g, no_dates));
    }
}

static inline void write_text(struct generator *g, struct written *w, const struct column *column)
{
    static const char *const simple[] = {"true", "false"};
    w->raw = some_text(g, column);
    if (g->json && chance(g, 15)) {
        const struct number_form *form = &PICK(g, number_literals);
        bool word = chance(g, 30);
        w->literal = word ? PICK(g, simple) : form->text;
        w->raw = view_of(word ? w->literal : form->digits);
    }
    w->item = (struct item){ITEM_TEXT, 0, w->raw};
    if (g->json && chance(g, 4)) {
        w->item.type = ITEM_NULL;
        w->literal = "null";
    }
}

static inline void write_value(
    struct generator *g, struct written *w, const struct column *column, enum op op, enum place place)
{
    static const struct view broken[] = {{"\0", 1}, {"a\0b", 3}, {"\xFF", 1}, {"\xED\xA0\x80", 3}, {"\xC0\xAF", 2}};
    if (column->shape == SHAPE_TEXT || (column->shape == SHAPE_DATE && op == LIKE))
        write_text(g, w, column);
    else if (column->shape == SHAPE_DATE)
        write_date(g, w, place);
    else
        write_number(g, w, op == LIKE ? IN_ONE : place);
    if (!chance(g, 1)) return;
    w->item.type = ITEM_REFUSED;
    w->raw = PICK(g, broken);
    w->literal = NULL;
    if (g->json && chance(g, 50)) w->literal = "{\"a\":1}";
}

/* Operators */

static inline void write_exists(struct generator *g, struct asked *a)
{
    static const char *const others[] = {"false", "TRUE", "1", "", "no", "null", " true"};
    static const char *const literals[] = {"false", "null", "1", "{}", "[true]", "\"false\""};
    a->test.yes = chance(g, 50);
    a->values[0].raw = view_of(a->test.yes ? "true" : PICK(g, others));
    if (!g->json) {
        if (!a->test.yes && chance(g, 20)) a->manner = NESTED;
    } else if (chance(g, 60)) {
        a->values[0].literal = a->test.yes ? "true" : PICK(g, literals);
    }
    a->test.nitems = 0;
}

static inline bool has_comma(const struct asked *a)
{
    for (size_t i = 0; i < a->test.nitems; i++)
        if (a->values[i].raw.len && memchr(a->values[i].raw.at, ',', a->values[i].raw.len)) return true;
    return false;
}

static inline void write_list(struct generator *g, struct asked *a, const struct column *column)
{
    bool split = a->test.op == IN || a->test.op == NOT_IN; /* at commas */
    size_t n = chance(g, 10) ? 0 : 1 + below(g, MAX_ITEMS - 1);
    if (!split && n == 0 && !g->json) n = 1;
    a->test.nitems = n;
    for (size_t i = 0; i < n; i++) write_value(g, &a->values[i], column, a->test.op, IN_LIST);
    bool one_text = split && !has_comma(a) && !(n == 1 && !a->values[0].raw.len);
    for (size_t i = 0; i < n; i++)
        if (a->values[i].literal) one_text = false;
    if (g->json)
        a->manner = one_text && chance(g, 40) ? COMMAS : ARRAY;
    else if (!n || (one_text && chance(g, 40)))
        a->manner = COMMAS;
    else
        a->manner = n > 1 && chance(g, 25) ? REPEATED : chance(g, 50) ? ARRAY : INDEXED;
    if (g->json && split && n == 1 && a->values[0].literal && strchr("-0123456789", a->values[0].literal[0]) &&
        chance(g, 30))
        a->manner = ALONE;
    if (a->test.op == EQUALS) a->test.op = IN;
    if (a->test.op == NOT_EQUALS) a->test.op = NOT_IN;
}

static inline void write_one(struct generator *g, struct asked *a, const struct column *column)
{
    bool pattern = a->test.op == LIKE || a->test.op == CONTAINS || a->test.op == NOT_LIKE;
    a->test.nitems = 1;
    write_value(g, &a->values[0], column, a->test.op, pattern ? IN_PATTERN : IN_ONE);
    bool list = column->shape == SHAPE_RELATION && (a->test.op == EQUALS || a->test.op == NOT_EQUALS);
    if (list || !chance(g, 1)) return;
    a->test.refused = true;
    a->manner = g->json || chance(g, 50) ? ARRAY : NESTED;
}

static inline struct asked *some_test(struct generator *g, const struct column *column, enum op op)
{
    struct asked *a = NEW(g, struct asked);
    bool list = op == IN || op == NOT_IN;
    a->test.op = op;
    a->test.name = op_names[op];
    if (column->shape == SHAPE_RELATION && (op == EQUALS || op == NOT_EQUALS)) list = chance(g, 25);
    if (op == EXISTS)
        write_exists(g, a);
    else if (list)
        write_list(g, a, column);
    else
        write_one(g, a, column);
    for (size_t i = 0; i < a->test.nitems; i++) a->test.items[i] = &a->values[i].item;
    return a;
}

/* Clauses */

static const struct refused refusals[] = {
    {.json = "\"nope\":{\"equals\":1}", .brackets = "[nope][equals]"},
    {.json = "\"ID\":{\"equals\":1}", .brackets = "[ID][equals]"},
    {.json = "\"id \":{\"equals\":1}", .brackets = "[id ][equals]"},
    {.json = "\"hash\":{\"like\":\"a\"}", .brackets = "[hash][like]"},
    {.json = "\"sender.hash\":{\"exists\":true}", .brackets = "[sender.hash][exists]"},
    {.json = "\"sender.nope\":{\"equals\":1}", .brackets = "[sender.nope][equals]"},
    {.json = "\"sender.email.x\":{\"equals\":1}", .brackets = "[sender.email.x][equals]"},
    {.json = "\"sender.\":{\"equals\":1}", .brackets = "[sender.][equals]"},
    {.json = "\".id\":{\"equals\":1}", .brackets = "[.id][equals]"},
    {.json = "\"id.id\":{\"equals\":1}", .brackets = "[id.id][equals]"},
    {.json = "\"\":{\"equals\":1}", .brackets = "[][equals]"},
    {.json = "\"sender\":{\"email\":{\"equals\":\"x\"}}", .brackets = "[sender][email][equals]"},
    {.json = "\"id\":{\"bogus\":1}", .brackets = "[id][bogus]"},
    {.json = "\"id\":{\"EQUALS\":1}", .brackets = "[id][EQUALS]"},
    {.json = "\"id\":{\"equals \":1}", .brackets = "[id][equals ]"},
    {.json = "\"id\":{\"\":1}", .brackets = "[id][]"},
    {.json = "\"id\":{\"near\":\"1,2\"}", .brackets = "[id][near]"},
    {.json = "\"id\":{\"all\":[1]}", .brackets = "[id][all][]"},
    {.json = "\"id\":{\"equals\":1,\"within\":{}}", .brackets = "[id][within][type]"},
    {.json = "\"id\":5", .brackets = "[id]"},
    {.json = "\"id\":null"},
    {.json = "\"id\":[]"},
    {.json = "\"id\":\"x\""},
    {.json = "\"id\":{\"equals\":1,\"equals\":2}"},
    {.json = "\"id\":{\"equals\":01}"},
    {.json = "\"id\":{\"equals\":1,}"},
    {.json = "\"id\" {}"},
    {.json = "id:{}"},
    {.json = "\"or\":5", .brackets = "[or]"},
    {.json = "\"or\":null"},
    {.json = "\"and\":{\"id\":{\"equals\":1}}", .brackets = "[and][id][equals]"},
    {.json = "\"or\":{\"0\":{\"id\":{\"equals\":1}}}", .brackets = "[or][x][id][equals]"},
    {.json = "\"or\":[5]", .brackets = "[or][0]"},
    {.json = "\"AND\":[null]"},
    {.json = "\"and\":[[{\"id\":{\"equals\":1}}]]", .brackets = "[and][0][0][id][equals]"},
    {.json = "\"nor\":[{\"id\":{\"equals\":1}}]", .brackets = "[nor][0][id][equals]"},
};

static inline struct clause *some_refused(struct generator *g)
{
    struct refused *r = NEW(g, struct refused);
    do *r = PICK(g, refusals);
    while (!g->json && !r->brackets);
    r->clause.refused = true;
    return &r->clause;
}

static inline struct clause *some_field(struct generator *g, const struct column *column)
{
    struct clause *c = NEW(g, struct clause);
    struct test **tail = &c->tests;
    unsigned said = 0;
    size_t n = chance(g, 70) ? 1 : g->json && chance(g, 10) ? 0 : 1 + below(g, 3);
    c->column = column;
    c->name = column->path;
    c->refused = n && column->guarded && !g->signed_in;
    while (n--) {
        enum op op = (enum op)below(g, COUNT_OF(op_names));
        if (said >> op & 1) continue;
        said |= 1u << op;
        *tail = &some_test(g, column, op)->test;
        tail = &(*tail)->next;
    }
    return c;
}

static inline struct object *some_object(struct generator *g, int depth);

static inline struct clause *some_group(struct generator *g, int depth, unsigned *said)
{
    static const char *const names[] = {"and", "AND", "And", "or", "OR", "oR"};
    size_t name = below(g, COUNT_OF(names));
    if (*said >> name & 1) return NULL;
    *said |= 1u << name;
    struct clause *c = NEW(g, struct clause);
    struct object **tail = &c->members;
    c->name = names[name];
    c->any = name >= 3;
    for (size_t n = g->json && chance(g, 5) ? 0 : 1 + below(g, 3); n; n--) {
        *tail = some_object(g, depth - 1);
        tail = &(*tail)->next;
    }
    return c;
}

static inline struct object *some_object(struct generator *g, int depth)
{
    struct object *o = NEW(g, struct object);
    struct clause **tail = &o->clauses;
    g->objects++;
    unsigned fields = 0, groups = 0;
    for (size_t n = g->json && chance(g, 5) ? 0 : 1 + below(g, 2); n; n--) {
        struct clause *c = NULL;
        size_t field = below(g, g->table->nfields);
        if (g->table->fields[field].guarded && !g->signed_in && chance(g, 80)) field = 0;
        if (chance(g, 2)) {
            c = some_refused(g);
        } else if (depth > 0 && g->objects < MAX_OBJECTS && chance(g, 40)) {
            c = some_group(g, depth, &groups);
        } else if (!(fields >> field & 1)) {
            fields |= 1u << field;
            c = some_field(g, &g->table->fields[field]);
        }
        if (!c) continue;
        *tail = c;
        tail = &c->next;
    }
    return o;
}

#endif
