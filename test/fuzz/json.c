/* JSON texts, and the drafts of documents that are read from them. */
#include "schema/json.h"
#include "fuzz.h"
#include "schema/draft.h"
#include "schema/registry.h"

#define NOW VIEW("2026-01-02T03:04:05.678Z")

static void check_draft(
    const struct collection *c, enum draft_for purpose, struct json_object *body, struct arena *arena)
{
    struct draft d;
    struct failure f = {0};
    enum status status = draft_read(&d, c, purpose, body, NOW, 1, arena, &f);
    ASSERT(status ? f.status == status && f.nflaws <= MAX_FLAWS : !f.status);
    for (size_t i = 0; !status && i < c->nfields; i++) {
        const struct value *v = &d.values[i];
        if (!d.given[i] || v->type != VALUE_TEXT) continue;
        ASSERT(utf8_valid(v->text) && (!v->text.len || !memchr(v->text.at, 0, v->text.len)));
        ASSERT(c->fields[i].kind != KIND_DATE || v->text.len == NOW.len);
    }
}

/* A text as JSON says the same, but that a bad byte is U+FFFD. */
static void check_text(struct view text, struct arena *arena)
{
    struct str json = {0};
    struct json_object *value;
    struct failure f;
    str_add_json(&json, text);
    enum status status = json_read(arena, str_view(&json), &value, &f);
    ASSERT(status == (text.len && memchr(text.at, 0, text.len) ? INVALID : OK));
    if (!status) ASSERT(utf8_valid(json_text(value)) && (!utf8_valid(text) || view_equal(json_text(value), text)));
    str_release(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = input_of(data, size);
    struct arena *arena = fresh_arena();
    struct json_object *value, *again;
    struct failure f;
    check_text(text, arena);
    if (json_read(arena, text, &value, &f)) return 0;
    /* What is written is read as the same. */
    struct str first = {0}, second = {0};
    json_add(&first, value);
    ASSERT(!json_read(arena, str_view(&first), &again, &f));
    json_add(&second, again);
    ASSERT(view_equal(str_view(&first), str_view(&second)));
    str_reset(&first);
    json_add_plain(&first, value);
    for (size_t i = 0; i < ncollections; i++) {
        check_draft(collection_at(i), DRAFT_CREATE, value, arena);
        check_draft(collection_at(i), DRAFT_UPDATE, value, arena);
    }
    str_release(&first);
    str_release(&second);
    return 0;
}
