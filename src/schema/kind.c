#include "schema/kind.h"
#include "base/check.h"
#include "base/clock.h"
#include "schema/date.h"
#include "schema/json.h"
#include "schema/number.h"
#include <math.h>
#include <string.h>

#define REQUIRED "This field is required."

static const char no_memory[] = "This value could not be read: out of memory.";

static bool is_number(struct json_object *json)
{
    return json_object_is_type(json, json_type_int) || json_object_is_type(json, json_type_double);
}

static bool empty_array(struct json_object *json)
{
    return json_object_is_type(json, json_type_array) && json_object_array_length(json) == 0;
}

/* String(json), or what the field stores of it, in the arena; at == NULL without memory. */
static struct view arena_text(
    struct arena *arena, struct json_object *json, void (*add)(struct str *out, struct json_object *json))
{
    if (json_object_is_type(json, json_type_string)) return json_text(json);
    struct str text = {0};
    add(&text, json);
    char *copy = text.failed ? NULL : arena_copy(arena, str_view(&text));
    struct view v = {copy, copy ? text.len : 0};
    str_release(&text);
    return v;
}

static size_t utf16_units(struct view text)
{
    size_t units = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if ((c & 0xC0) != 0x80) units += c >= 0xF0 ? 2 : 1;
    }
    return units;
}

static const char *check_text(
    const struct field *field, struct json_object *json, struct arena *arena, struct value *out)
{
    *out = value_null();
    if ((json_falsy(json) || empty_array(json)) && field->required) return REQUIRED;
    if (!json) return NULL;
    struct view text = arena_text(arena, json, json_add);
    if (!text.at) return no_memory;
    unsigned most = kind_text_most(field);
    if (utf16_units(text) > most) {
        const char *message =
            arena_printf(arena, "This value must be shorter than the max length of %u characters.", most);
        return message ? message : no_memory;
    }
    *out = value_text(text);
    return NULL;
}

static const char *check_number(
    const struct field *field, struct json_object *json, struct arena *arena, struct value *out)
{
    (void)arena;
    *out = value_null();
    double n = 0;
    switch (json_object_get_type(json)) {
    case json_type_null: return field->required ? REQUIRED : NULL;
    case json_type_int: *out = value_integer(json_object_get_int64(json)); return NULL;
    case json_type_double: *out = value_real(json_object_get_double(json)); return NULL;
    case json_type_string:
        if (number_parse(json_text(json), &n) && isfinite(n)) {
            *out = value_real(n);
            return NULL;
        }
        return "Please enter a valid number.";
    default: return "Please enter a valid number.";
    }
}

static const char *check_date(
    const struct field *field, struct json_object *json, struct arena *arena, struct value *out)
{
    *out = value_null();
    if (json_falsy(json)) return field->required ? REQUIRED : NULL;
    struct view text = arena_text(arena, json, json_add_plain);
    if (!text.at) return no_memory;
    int64_t ms = 0;
    if (!date_parse(text, &ms)) {
        const char *message = arena_printf(arena, "\"%.*s\" is not a valid date.", VIEW_ARGS(text));
        return message ? message : no_memory;
    }
    /* A number passes when its digits read as a date, "2024", and is stored as the milliseconds it says: as in Payload.
     */
    if (json_object_is_type(json, json_type_int)) ms = json_object_get_int64(json);
    char *iso = arena_alloc(arena, ISO_LENGTH + 1);
    if (!iso) return no_memory;
    clock_iso(ms, iso);
    *out = value_text((struct view){iso, ISO_LENGTH});
    return NULL;
}

static bool one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static bool alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Payload's rule: a local part of letters, digits and !#$%&'*+/=?^_`{|}~.- that neither begins nor ends with a dot;
 * labels of letters, digits and inner hyphens; a last label of two letters or more; no two dots in a row. */
static bool email_valid(struct view email)
{
    struct view domain = email, label = {0};
    struct view local = view_cut(&domain, '@');
    if (!local.len || !domain.len || local.at[0] == '.' || local.at[local.len - 1] == '.') return false;
    for (size_t i = 0; i < local.len; i++)
        if (!alphanumeric(local.at[i]) && !one_of(local.at[i], "_!#$%&'*+/=?^`{|}~.-")) return false;
    for (size_t i = 0; i + 1 < email.len; i++)
        if (email.at[i] == '.' && email.at[i + 1] == '.') return false;
    size_t labels = 0;
    while (domain.at) {
        label = view_cut(&domain, '.');
        if (!label.len || !alphanumeric(label.at[0]) || !alphanumeric(label.at[label.len - 1])) return false;
        for (size_t i = 0; i < label.len; i++)
            if (!alphanumeric(label.at[i]) && label.at[i] != '-') return false;
        labels++;
    }
    if (labels < 2 || label.len < 2) return false;
    for (size_t i = 0; i < label.len; i++)
        if (!alphanumeric(label.at[i]) || (label.at[i] >= '0' && label.at[i] <= '9')) return false;
    return true;
}

static const char *check_email(
    const struct field *field, struct json_object *json, struct arena *arena, struct value *out)
{
    *out = value_null();
    if (!json && !field->required) return NULL;
    struct view text = view_trim(json_text(json));
    char *lower = text.at ? arena_copy(arena, text) : NULL;
    if (!lower || !email_valid(text)) return "Please enter a valid email address.";
    for (size_t i = 0; i < text.len; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z') lower[i] = (char)(lower[i] - 'A' + 'a');
    *out = value_text((struct view){lower, text.len});
    return NULL;
}

static const char *check_relationship(
    const struct field *field, struct json_object *json, struct arena *arena, struct value *out)
{
    *out = value_null();
    struct json_object *id;
    /* A document stands for its id. */
    if (json_object_is_type(json, json_type_object) && json_object_object_get_ex(json, "id", &id)) json = id;
    if (field->required && ((json_falsy(json) && !is_number(json)) || empty_array(json))) return REQUIRED;
    if (!json) return NULL;
    if (json_object_is_type(json, json_type_int)) {
        *out = value_integer(json_object_get_int64(json));
        return NULL;
    }
    struct view text = arena_text(arena, json, json_add_plain);
    const char *message =
        arena_printf(arena, "This relationship field has the following invalid relationships: %.*s 0", VIEW_ARGS(text));
    return message ? message : no_memory;
}

static const char *check_id(const struct field *field, struct json_object *json, struct arena *arena, struct value *out)
{
    (void)field, (void)json, (void)arena;
    *out = value_null();
    return NULL;
}

static bool operand_text(struct json_object *json, struct arena *arena, struct value *out, bool *bad)
{
    if (!json) {
        *out = value_null();
        return true;
    }
    if (json_object_is_type(json, json_type_object) || json_object_is_type(json, json_type_array)) {
        *bad = true;
        return false;
    }
    struct view text = arena_text(arena, json, json_add_plain);
    *bad = !text.at;
    *out = value_text(text);
    return !*bad;
}

static bool operand_number(struct json_object *json, struct arena *arena, struct value *out, bool *bad)
{
    struct value text;
    double n = 0;
    if (json_object_is_type(json, json_type_boolean)) {
        *out = value_integer(json_object_get_boolean(json));
        return true;
    }
    if (!operand_text(json, arena, &text, bad)) return false;
    *out = value_null();
    if (text.type == VALUE_NULL || view_is(text.text, "null")) return true;
    if (!number_parse(text.text, &n) || isnan(n)) return false;
    *out = n >= -9e15 && n <= 9e15 && floor(n) >= n ? value_integer((int64_t)n) : value_real(n);
    return true;
}

static bool operand_date(struct json_object *json, struct arena *arena, struct value *out, bool *bad)
{
    struct value text;
    int64_t ms = 0;
    if (!operand_text(json, arena, &text, bad)) return false;
    *out = value_null();
    if (text.type == VALUE_NULL || !text.text.len || view_is(text.text, "null")) return true;
    *bad = is_number(json) ? !date_from(json_object_get_double(json), &ms) : !date_parse(text.text, &ms);
    if (*bad) return false;
    char *iso = arena_alloc(arena, ISO_LENGTH + 1);
    *bad = !iso;
    if (!iso) return false;
    clock_iso(ms, iso);
    *out = value_text((struct view){iso, ISO_LENGTH});
    return true;
}

static const struct kind_row rows[] = {
    [KIND_ID] = {"integer", check_id, operand_number, "Id", "integer", NULL},
    [KIND_TEXT] = {"text", check_text, operand_text, "Text", "string", NULL},
    [KIND_NUMBER] = {"numeric", check_number, operand_number, "Number", "number", NULL},
    [KIND_DATE] = {"text", check_date, operand_date, "Date", "string", "date-time"},
    [KIND_EMAIL] = {"text", check_email, operand_text, "Email", "string", "email"},
    [KIND_RELATIONSHIP] = {"integer", check_relationship, operand_number, "Relationship", "integer", NULL},
};

const size_t nkinds = COUNT(rows);

const struct kind_row *kind_row(enum kind kind)
{
    ASSERT((size_t)kind < COUNT(rows));
    return &rows[kind];
}

void value_add_json(struct str *out, const struct value *value)
{
    switch (value->type) {
    case VALUE_NULL: str_add(out, VIEW("null")); break;
    case VALUE_INTEGER: str_add_integer(out, value->integer); break;
    case VALUE_REAL: number_add(out, value->real); break;
    case VALUE_TEXT:
    case VALUE_BLOB: str_add_json(out, value->text); break;
    }
}
