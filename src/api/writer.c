#include "api/writer.h"

#define ANSWER_MAX ((size_t)256 << 20) /* bytes of one answer */

void writer_init(struct writer *w, struct call *call, struct db *db, const struct find *find, struct failure *f)
{
    *w = (struct writer){.call = call, .out = &call->rs->body, .f = f};
    call_populator(call, &w->populator, db, find);
    w->style = (struct doc_style){.select = find->select, .relations = &w->populator.writer};
}

void writer_add(struct writer *w, const struct doc *doc)
{
    w->style.sessions_shown = doc->collection == w->populator.own && doc_id(doc) == w->populator.own_id;
    w->populator.personal = w->populator.personal || (w->style.sessions_shown && doc->sessions.at);
    doc_add_json(w->out, doc, &w->style);
    w->count++;
}

enum status writer_end(struct writer *w)
{
    if (w->populator.personal) w->call->personal = true;
    if (!w->populator.failure.status) return OK;
    *w->f = w->populator.failure;
    return w->f->status;
}

enum status writer_add_listed(void *ctx, const struct doc *doc)
{
    struct writer *w = ctx;
    if (w->count) str_addc(w->out, ',');
    writer_add(w, doc);
    if (w->out->len > ANSWER_MAX)
        return fail(w->f, TOO_LARGE, "The answer would be larger than %zu MiB; ask for less.", ANSWER_MAX >> 20);
    return OK;
}
