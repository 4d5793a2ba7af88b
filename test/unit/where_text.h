/* Random queries as they are written: in brackets or as JSON, each in any of the ways that say the same. */
#ifndef TEST_WHERE_TEXT_H
#define TEST_WHERE_TEXT_H

#include "where_random.h"

static inline void put_hex(struct generator *g, struct str *out, unsigned char c)
{
    str_addf(out, chance(g, 50) ? "%%%02X" : "%%%02x", c);
}

/* Percent-encoded: what need not be, sometimes. `plain`: what may stand for itself. */
static inline void put_encoded(struct generator *g, struct str *out, struct view text, const char *plain)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (c == ' ' && chance(g, 50))
            str_addc(out, '+');
        else if ((word && !chance(g, 3)) || (c && strchr(plain, c) && chance(g, 70)) || (c >= 0x80 && chance(g, 30)))
            str_addc(out, (char)c);
        else
            put_hex(g, out, c);
    }
}

/* A value: sometimes with a bare '%', which is a character where no escape can be meant. */
static inline void put_value(struct generator *g, struct str *out, struct view text)
{
    bool bare = text.len && memchr(text.at, '%', text.len) && chance(g, 30);
    for (size_t i = 0; bare && i < text.len; i++) {
        char c = text.at[i];
        if (c == '%' && i + 1 < text.len && strchr("0123456789abcdefABCDEF", text.at[i + 1])) bare = false;
        if (!c || strchr("&+=#", c)) bare = false;
    }
    if (!bare) {
        put_encoded(g, out, text, "-_.~!*'()=:,/;@$[]\"\\");
        return;
    }
    for (size_t i = 0; i < text.len; i++) str_addc(out, (char)(text.at[i] == ' ' ? '+' : text.at[i]));
}

static inline void put_segment(struct generator *g, struct str *out, const char *name)
{
    str_addz(out, g->encode_brackets ? "%5B" : "[");
    put_encoded(g, out, view_of(name), "-_.");
    str_addz(out, g->encode_brackets ? "%5d" : "]");
}

static inline void put_parameter(
    struct generator *g, struct str *out, const char *prefix, const char *name, const char *index, struct view value)
{
    if (out->len) str_addc(out, '&');
    str_addz(out, prefix);
    put_segment(g, out, name);
    if (index) put_segment(g, out, index);
    str_addc(out, '=');
    put_value(g, out, value);
}

static inline void put_test(struct generator *g, struct str *out, const char *prefix, const struct asked *a)
{
    char index[8];
    size_t n = a->test.nitems;
    struct str text = {0};
    switch (a->manner) {
    case ALONE: put_parameter(g, out, prefix, a->test.name, NULL, a->values[0].raw); break;
    case COMMAS:
        for (size_t i = 0; i < n; i++) {
            if (i) str_addc(&text, ',');
            str_add(&text, a->values[i].raw);
        }
        put_parameter(g, out, prefix, a->test.name, NULL, str_view(&text));
        break;
    case ARRAY:
        for (size_t i = 0; i < n; i++) put_parameter(g, out, prefix, a->test.name, "", a->values[i].raw);
        break;
    case INDEXED:
        for (size_t i = n; i--;) {
            snprintf(index, sizeof index, "%zu", i * 7);
            put_parameter(g, out, prefix, a->test.name, index, a->values[i].raw);
        }
        break;
    case REPEATED:
        for (size_t i = 0; i < n; i++) put_parameter(g, out, prefix, a->test.name, NULL, a->values[i].raw);
        break;
    case NESTED: put_parameter(g, out, prefix, a->test.name, "x", a->values[0].raw); break;
    }
    str_release(&text);
}

static inline void put_object(struct generator *g, const char *prefix, const struct object *o);

static inline struct str *new_block(struct generator *g)
{
    if (g->nblocks == COUNT_OF(g->blocks)) abort();
    return &g->blocks[g->nblocks++];
}

static inline void put_clause(struct generator *g, const char *prefix, const struct clause *c)
{
    struct str path = {0};
    if (!c->name) {
        const struct refused *r = (const struct refused *)c;
        struct str *out = new_block(g);
        str_addz(out, prefix);
        for (const char *at = r->brackets; *at; at++) {
            if (*at == '[' || *at == ']')
                str_addz(out, !g->encode_brackets ? (*at == '[' ? "[" : "]") : *at == '[' ? "%5B" : "%5D");
            else
                put_encoded(g, out, (struct view){at, 1}, ".");
        }
        str_addz(out, "=1");
        return;
    }
    str_addz(&path, prefix);
    put_segment(g, &path, c->name);
    if (c->column) {
        struct str *out = new_block(g);
        for (const struct test *t = c->tests; t; t = t->next) put_test(g, out, path.at, (const struct asked *)t);
    }
    size_t len = path.len, index = below(g, 3), gap = 1 + below(g, 3);
    bool only = c->members && !c->members->next && chance(g, 30);
    for (const struct object *m = c->members; m; m = m->next, index += gap) {
        char number[24] = "";
        if (!only) snprintf(number, sizeof number, "%zu", index);
        path.len = len;
        put_segment(g, &path, number);
        put_object(g, path.at, m);
    }
    str_release(&path);
}

static inline void put_object(struct generator *g, const char *prefix, const struct object *o)
{
    for (const struct clause *c = o->clauses; c; c = c->next) put_clause(g, prefix, c);
}

static inline void put_space(struct generator *g, struct str *out)
{
    if (chance(g, 5)) str_addc(out, " \t\n\r"[below(g, 4)]);
}

/* The text as a JSON string, characters escaped that must be, and others. Bytes that are no text stay as they are. */
static inline void put_string(struct generator *g, struct str *out, struct view text)
{
    str_addc(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '\n' && chance(g, 50))
            str_addz(out, "\\n");
        else if (c == '/' && chance(g, 50))
            str_addz(out, "\\/");
        else if (c < 0x20 || (c < 0x80 && chance(g, 3)))
            str_addf(out, chance(g, 50) ? "\\u%04x" : "\\u%04X", c);
        else if (c == 0xc3 && i + 1 < text.len && chance(g, 50))
            str_addf(out, "\\u%04x", 0xc0 + ((unsigned char)text.at[++i] & 0x3f));
        else if (text.len - i >= 4 && !memcmp(text.at + i, "\xF0\x9F\x98\x80", 4) && chance(g, 50)) {
            str_addz(out, "\\ud83d\\uDE00");
            i += 3;
        } else {
            if (c == '"' || c == '\\') str_addc(out, '\\');
            str_addc(out, (char)c);
        }
    }
    str_addc(out, '"');
}

static inline void json_test(struct generator *g, struct str *out, const struct asked *a)
{
    struct str text = {0};
    put_string(g, out, view_of(a->test.name));
    str_addc(out, ':');
    put_space(g, out);
    if (a->manner == COMMAS) {
        for (size_t i = 0; i < a->test.nitems; i++) {
            if (i) str_addc(&text, ',');
            str_add(&text, a->values[i].raw);
        }
        put_string(g, out, str_view(&text));
        str_release(&text);
        return;
    }
    size_t n = a->manner == ARRAY ? a->test.nitems : 1;
    if (a->manner == ARRAY) str_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i) str_addc(out, ',');
        if (a->values[i].literal)
            str_addz(out, a->values[i].literal);
        else
            put_string(g, out, a->values[i].raw);
    }
    if (a->manner == ARRAY) str_addc(out, ']');
}

static inline void json_of(struct generator *g, struct str *out, const struct object *o)
{
    str_addc(out, '{');
    for (const struct clause *c = o->clauses; c; c = c->next) {
        if (c != o->clauses) str_addc(out, ',');
        put_space(g, out);
        if (!c->name) {
            str_addz(out, ((const struct refused *)c)->json);
            continue;
        }
        put_string(g, out, view_of(c->name));
        str_addc(out, ':');
        str_addc(out, c->column ? '{' : '[');
        for (const struct test *t = c->tests; t; t = t->next) {
            if (t != c->tests) str_addc(out, ',');
            json_test(g, out, (const struct asked *)t);
        }
        for (const struct object *m = c->members; m; m = m->next) {
            if (m != c->members) str_addc(out, ',');
            json_of(g, out, m);
        }
        str_addc(out, c->column ? '}' : ']');
        put_space(g, out);
    }
    str_addc(out, '}');
}

/* Parameters that a where has nothing to do with. */
static inline void put_noise(struct generator *g, struct str *out)
{
    static const char *const noise[] = {
        "limit=0", "depth=1", "sort=-id", "nope", "x[y][]=1", "&", "select[id]=true", "page=2"};
    if (!chance(g, 10)) return;
    if (out->len) str_addc(out, '&');
    str_addz(out, PICK(g, noise));
}

static inline void put_query(struct generator *g, struct str *out, const struct object *o)
{
    put_noise(g, out);
    if (g->json) {
        struct str json = {0};
        json_of(g, &json, o);
        str_addz(out, out->len ? "&where=" : "where=");
        put_encoded(g, out, str_view(&json), "-_.~!*'(),:/;=@$[]{}\"");
        str_release(&json);
    } else {
        g->nblocks = 0;
        put_object(g, "where", o);
        for (size_t left = g->nblocks; left; left--) {
            size_t i = below(g, left);
            struct str block = g->blocks[i];
            g->blocks[i] = g->blocks[left - 1];
            if (out->len) str_addc(out, '&');
            str_add(out, str_view(&block));
            str_reset(&block);
            g->blocks[left - 1] = block;
        }
    }
    put_noise(g, out);
}

/* A query's meaning and its text. */
static inline struct object *some_query(struct generator *g, uint64_t seed, struct str *out)
{
    static const char *const everything[] = {
        "", "where=", "where={}", "where=%7B%7D", "where={%22or%22:[]}", "limit=1"};
    static const char *const nothing[] = {"where=abc", "where=%20", "where=+", "where=[1]", "where=null", "where=5",
        "where=true", "where=%22x%22", "where={", "where={}{}", "where[]=1", "where[0][id][equals]=1",
        "where={}&where={}", "where[id][equals]=1&where={}", "where[id]=1&where[id][equals]=1",
        "where[id][equals]=1&where[id][equals][x]=1", "where=%00", "where[%00][equals]=1", "where=%FF", "where=[]"};
    const struct table *const tables[] = {&messages_table, &messages_table, &media_table, &users_table};
    g->state = seed;
    g->used = g->objects = 0;
    g->json = chance(g, 45);
    g->signed_in = chance(g, 85);
    g->encode_brackets = chance(g, 40);
    g->table = PICK(g, tables);
    str_reset(out);
    if (chance(g, 2)) {
        struct object *o = NEW(g, struct object);
        bool refused = chance(g, 60);
        str_addz(out, refused ? PICK(g, nothing) : PICK(g, everything));
        if (refused) o->clauses = some_refused(g);
        return o;
    }
    struct object *o = some_object(g, g->json ? 5 : 3);
    put_query(g, out, o);
    return o;
}

#endif
