#include "schema/jsonschema.h"
#include "schema/draft.h"
#include "schema/json.h"
#include "schema/kind.h"
#include "schema/registry.h"
#include "schema/where.h"
#include <string.h>

/* A list's item or a member's name. */
static void add_quoted(struct str *out, const char *name)
{
    json_separate(out);
    str_addf(out, "\"%s\"", name);
}

static void add_noun(struct str *out, const char *noun)
{
    for (; *noun; noun++) {
        char lower = (char)(*noun | 0x20);
        if ((lower >= 'a' && lower <= 'z') || (*noun >= '0' && *noun <= '9')) str_addc(out, *noun);
    }
}

/* The name that a text's start stands for; the length of what stands for it, 0: none. */
static size_t add_name(struct str *out, struct view text, const struct collection *c)
{
    if (text.at[0] != '{' || !c) return 0;
    if (view_starts(text, "{one}")) {
        add_noun(out, c->singular);
        return sizeof "{one}" - 1;
    }
    if (view_starts(text, "{many}")) {
        add_noun(out, c->plural);
        return sizeof "{many}" - 1;
    }
    if (!view_starts(text, "{slug}")) return 0;
    str_addz(out, c->slug);
    return sizeof "{slug}" - 1;
}

void jsonschema_add_text(struct str *out, const char *text, const struct collection *c)
{
    for (struct view rest = view_of(text); rest.len;) {
        size_t step = add_name(out, rest, c);
        if (!step) {
            str_addc(out, *rest.at == '\'' ? '"' : *rest.at);
            step = 1;
        }
        rest.at += step;
        rest.len -= step;
    }
}

/* How a field's value is looked at. */
enum side { SHOWN, SHOWN_SIGNED_IN, SHOWN_STREAMED, WRITTEN };

static void add_relation(struct str *out, const struct field *field, bool nullable, enum side side)
{
    const struct collection *to = collection_find(view_of(field->relation_to));
    jsonschema_add_text(out, "{'anyOf':[{'type':'integer'},", NULL);
    switch (side) {
    case SHOWN:
    case SHOWN_SIGNED_IN: jsonschema_add_text(out, JSONSCHEMA_REF("{one}"), to); break;
    case SHOWN_STREAMED: jsonschema_add_text(out, JSONSCHEMA_REF("{one}Streamed"), to); break;
    case WRITTEN:
        jsonschema_add_text(out, "{'type':'object','required':['id'],'properties':{'id':{'type':'integer'}}}", NULL);
        break;
    }
    jsonschema_add_text(out, nullable ? ",{'type':'null'}]}" : "]}", NULL);
}

static void add_value(struct str *out, const struct field *field, bool nullable, enum side side)
{
    const struct kind_row *kind = kind_row(field->kind);
    if (field->kind == KIND_RELATIONSHIP) {
        add_relation(out, field, nullable, side);
        return;
    }
    str_addf(out, nullable ? "{\"type\":[\"%s\",\"null\"]" : "{\"type\":\"%s\"", kind->type);
    if (kind->format) str_addf(out, ",\"format\":\"%s\"", kind->format);
    if (side == WRITTEN && field->kind == KIND_TEXT) {
        if (field->required) str_addz(out, ",\"minLength\":1");
        str_addf(out, ",\"maxLength\":%u", kind_text_most(field));
    }
    str_addc(out, '}');
}

static bool in_stream(const struct collection *c, const struct field *field)
{
    return !c->auth || field->kind == KIND_ID || field->kind == KIND_EMAIL;
}

static bool is_shown(const struct collection *c, const struct field *field, enum side side)
{
    return field->use != USE_HIDDEN && (side != SHOWN_STREAMED || in_stream(c, field));
}

#define SESSIONS                                                                                                       \
    "'sessions':{'type':'array','items':{'type':'object','required':['id','createdAt','expiresAt'],'properties':{"     \
    "'id':{'type':'string','format':'uuid'},'createdAt':{'type':'string','format':'date-time'},"                       \
    "'expiresAt':{'type':'string','format':'date-time'}}}}"

/* Every field that is shown is there in every answer, with null for none; only select and populate leave one out. */
static void add_document(struct str *out, const struct collection *c, enum side side)
{
    str_addz(out, "{\"type\":\"object\",\"required\":[");
    for (size_t i = 0; i < c->nfields; i++) {
        if (!is_shown(c, &c->fields[i], side)) continue;
        add_quoted(out, c->fields[i].name);
    }
    if (c->auth) str_addz(out, side == SHOWN_STREAMED ? ",\"collection\"" : ",\"sessions\",\"collection\"");
    str_addz(out, "],\"properties\":{");
    for (size_t i = 0; i < c->nfields; i++) {
        const struct field *field = &c->fields[i];
        bool nullable =
            field->kind != KIND_ID && (!field->required || (side == SHOWN_SIGNED_IN && field->use == USE_STAMP));
        if (!is_shown(c, field, side)) continue;
        add_quoted(out, field->name);
        str_addc(out, ':');
        add_value(out, field, nullable, side);
    }
    if (c->auth && side != SHOWN_STREAMED) jsonschema_add_text(out, "," SESSIONS, NULL);
    if (c->auth) jsonschema_add_text(out, ",'collection':{'const':'{slug}'}", c);
    if (side == SHOWN_SIGNED_IN) jsonschema_add_text(out, ",'_strategy':{'type':'string'}", NULL);
    str_addz(out, "}}");
}

static bool is_written(const struct field *field, bool create)
{
    return field->use == USE_OPEN || (field->use == USE_STAMP && (create || strcmp(field->name, "updatedAt")));
}

static void add_body(struct str *out, const struct collection *c, bool create)
{
    str_addz(out, "{\"type\":\"object\"");
    if (create) {
        str_addz(out, ",\"required\":[");
        for (size_t i = 0; i < c->nfields; i++) {
            const struct field *field = &c->fields[i];
            if (field->use != USE_OPEN || !field->required || field->default_now) continue;
            add_quoted(out, field->name);
        }
        if (c->auth) add_quoted(out, "password");
        str_addc(out, ']');
    }
    str_addz(out, ",\"properties\":{");
    for (size_t i = 0; i < c->nfields; i++) {
        if (!is_written(&c->fields[i], create)) continue;
        add_quoted(out, c->fields[i].name);
        str_addc(out, ':');
        add_value(out, &c->fields[i], !c->fields[i].required, WRITTEN);
    }
    if (c->auth) {
        add_quoted(out, "password");
        str_addf(out, ":{\"type\":\"string\",\"minLength\":%d}", DRAFT_PASSWORD_MIN);
    }
    str_addz(out, "}}");
}

static void add_tests_of(struct str *out, const struct field *field, const char *via)
{
    json_separate(out);
    str_addf(out, "\"%s%s%s\":{\"$ref\":\"#/components/schemas/Where%s\"}", via ? via : "", via ? "." : "", field->name,
        kind_row(field->kind)->name);
}

static void add_where(struct str *out, const struct collection *c)
{
    str_addz(out, "{\"type\":\"object\",\"properties\":{");
    for (size_t i = 0; i < c->nfields; i++) {
        const struct field *field = &c->fields[i];
        if (field->use == USE_HIDDEN) continue;
        add_tests_of(out, field, NULL);
        if (field->kind != KIND_RELATIONSHIP) continue;
        const struct collection *to = collection_find(view_of(field->relation_to));
        for (size_t k = 0; k < to->nfields; k++)
            if (to->fields[k].use != USE_HIDDEN) add_tests_of(out, &to->fields[k], field->name);
    }
    jsonschema_add_text(out,
        ",'and':{'type':'array','items':" JSONSCHEMA_REF("{one}Where") "},'or':{'type':'array','items':" JSONSCHEMA_REF(
            "{one}Where") "}},'additionalProperties':false}",
        c);
}

static void add_select(struct str *out, const struct collection *c)
{
    str_addz(out, "{\"type\":\"object\",\"properties\":{");
    for (size_t i = 0; i < c->nfields; i++) {
        if (c->fields[i].use == USE_HIDDEN) continue;
        add_quoted(out, c->fields[i].name);
        str_addz(out, ":{\"type\":\"boolean\"}");
    }
    if (c->auth) str_addz(out, ",\"sessions\":{\"type\":\"boolean\"}");
    str_addz(out, "}}");
}

static void add_populate(struct str *out)
{
    str_addz(out, "{\"type\":\"object\",\"properties\":{");
    for (size_t i = 0; i < ncollections; i++) {
        json_separate(out);
        jsonschema_add_text(out, "'{slug}':" JSONSCHEMA_REF("{one}Select"), collection_at(i));
    }
    str_addz(out, "}}");
}

/* What is in a query is text: null and items of a list are written as they are, `in` also as one text with commas. */
static void add_operators(struct str *out, enum kind kind)
{
    const char *type = kind_row(kind)->type;
    str_addz(out, "{\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < NOPERATORS; i++) {
        const struct operator_row *row = operator_row((enum where_operator)i);
        add_quoted(out, row->name);
        str_addc(out, ':');
        switch (row->operand) {
        case OPERAND_ONE: str_addf(out, "{\"type\":[\"%s\",\"null\"]}", type); break;
        case OPERAND_LIST:
            str_addf(out, "{\"anyOf\":[{\"type\":\"array\",\"items\":{\"type\":\"%s\"}},{\"type\":\"string\"}]}", type);
            break;
        case OPERAND_BOOL: str_addz(out, "{\"type\":\"boolean\"}"); break;
        case OPERAND_PATTERN: str_addz(out, "{\"type\":\"string\"}"); break;
        }
    }
    str_addz(out, "},\"additionalProperties\":false}");
}

/* Has it a stream, or may others show its documents in theirs? */
static bool is_streamed(const struct collection *c)
{
    if (c->stream) return true;
    for (size_t i = 0; i < ncollections; i++)
        for (size_t k = 0; k < collections[i]->nfields; k++)
            if (view_is(view_of(collections[i]->fields[k].relation_to), c->slug)) return true;
    return false;
}

static void add_collection(struct str *out, const struct collection *c)
{
    json_separate(out);
    jsonschema_add_text(out, "'{one}':", c);
    add_document(out, c, SHOWN);
    if (c->auth) {
        jsonschema_add_text(out, ",'{one}SignedIn':", c);
        add_document(out, c, SHOWN_SIGNED_IN);
    }
    if (is_streamed(c)) {
        jsonschema_add_text(out, ",'{one}Streamed':", c);
        add_document(out, c, SHOWN_STREAMED);
    }
    jsonschema_add_text(out, ",'{one}Create':", c);
    add_body(out, c, true);
    jsonschema_add_text(out, ",'{one}Update':", c);
    add_body(out, c, false);
    jsonschema_add_text(out, ",'{one}Where':", c);
    add_where(out, c);
    jsonschema_add_text(out, ",'{one}Select':", c);
    add_select(out, c);
}

void jsonschema_add_all(struct str *out)
{
    for (size_t i = 0; i < ncollections; i++) add_collection(out, collection_at(i));
    str_addz(out, ",\"Populate\":");
    add_populate(out);
    for (size_t i = 0; i < nkinds; i++) {
        str_addf(out, ",\"Where%s\":", kind_row((enum kind)i)->name);
        add_operators(out, (enum kind)i);
    }
}
