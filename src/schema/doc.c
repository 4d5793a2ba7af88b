#include "schema/doc.h"
#include "base/check.h"
#include "base/clock.h"
#include "schema/date.h"
#include "schema/kind.h"

const struct value *doc_value(const struct doc *d, const struct field *field)
{
    size_t place = (size_t)(field - d->collection->fields);
    ASSERT(place < d->collection->nfields);
    return &d->values[place];
}

static void add_name(struct str *out, const char *name, bool first)
{
    str_addz(out, first ? "\"" : ",\"");
    str_addz(out, name);
    str_addz(out, "\":");
}

/* Payload keeps a date as it was sent, and shows it as ISO text. */
static void add_date(struct str *out, struct view text)
{
    char iso[ISO_LENGTH + 1];
    int64_t ms = 0;
    bool shown = text.len == ISO_LENGTH && text.at[10] == 'T' && text.at[ISO_LENGTH - 1] == 'Z';
    if (!shown && date_parse(text, &ms)) {
        clock_iso(ms, iso);
        text = (struct view){iso, ISO_LENGTH};
    }
    str_add_json(out, text);
}

static void add_value(struct str *out, const struct field *field, const struct value *v, const struct doc_style *style)
{
    if (field->kind == KIND_RELATIONSHIP && v->type == VALUE_INTEGER && style->relations) {
        const struct collection *c = collection_find(view_of(field->relation_to));
        if (style->relations->write(style->relations->ctx, out, c, v->integer)) return;
    }
    if (field->kind == KIND_DATE && v->type == VALUE_TEXT)
        add_date(out, v->text);
    else
        value_add_json(out, v);
}

static void add_auth(struct str *out, const struct doc *d, const struct doc_style *style)
{
    bool first = d->sessions.at || style->sessions_first;
    for (int turn = 0; turn < 2; turn++) {
        if ((turn == 0) == first) {
            if (!style->select.sessions) continue;
            add_name(out, "sessions", false);
            str_add(out, d->sessions.at && style->sessions_shown ? d->sessions : VIEW("[]"));
        } else {
            add_name(out, "collection", false);
            str_add_json(out, view_of(d->collection->slug));
        }
    }
}

void doc_add_json(struct str *out, const struct doc *d, const struct doc_style *style)
{
    const struct collection *c = d->collection;
    bool first = true;
    str_addc(out, '{');
    for (size_t i = 0; i < c->nfields; i++) {
        if (c->fields[i].use == USE_HIDDEN || !(style->select.fields >> i & 1)) continue;
        add_name(out, c->fields[i].name, first);
        add_value(out, &c->fields[i], &d->values[i], style);
        first = false;
    }
    if (c->auth) add_auth(out, d, style);
    if (style->strategy) {
        add_name(out, "_strategy", false);
        str_add_json(out, view_of(style->strategy));
    }
    str_addc(out, '}');
}
