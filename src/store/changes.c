#include "store/changes.h"
#include "schema/condition.h"
#include "schema/doc.h"
#include "schema/match.h"
#include <string.h>

struct reading {
    const struct list_view *view;
    struct list_changes *changes;
    bool all;     /* the list is of all documents */
    bool exact;   /* match() says what the condition says */
    bool by_made; /* in the order of createdAt, of which the log knows what it was */
    /* of the document whose changes are being read */
    int64_t first; /* seq */
    bool fresh;    /* it was not there before */
    bool there;    /* it is there now */
    bool moved;    /* createdAt was another, at `made` */
    struct place made;
};

/* Of all cases but one (schema/match.h). */
static bool is_exact(const struct where *w)
{
    if (w->kind == WHERE_COMPARE)
        return w->field->kind != KIND_NUMBER || operator_row(w->op)->operand != OPERAND_PATTERN;
    for (const struct where *one = w->first; one; one = one->next)
        if (!is_exact(one)) return false;
    return true;
}

/* What is still known of the document as it was. */
static void look_back(const struct reading *r, struct list_change *c)
{
    const struct order *order = &r->view->order;
    const struct former *former = r->exact ? formers_find(r->view->formers, r->first) : NULL;
    if (!former) return;
    c->was = match(r->view->find->where, &former->doc, NULL) ? WAS_IN : WAS_OUT;
    if (!place_of(&c->before, order, doc_value(&former->doc, order->field), c->doc)) c->odd = true;
    formers_give(r->view->formers, former);
}

/* Of all documents it is known without that: it was there. */
static void look_at_log(const struct reading *r, struct list_change *c)
{
    const struct value none = value_null();
    if (order_by_id(&r->view->order))
        place_of(&c->before, &r->view->order, &none, c->doc);
    else if (r->by_made && r->moved)
        c->before = r->made;
    else if (r->by_made && r->there)
        c->before = c->now;
    else
        return;
    c->was = WAS_IN;
}

/* All changes of the last document have been read. */
static void finish(struct reading *r)
{
    if (!r->changes->count) return;
    struct list_change *c = &r->changes->of[r->changes->count - 1];
    c->was = r->fresh ? WAS_OUT : WAS_UNKNOWN;
    if (!r->fresh) look_back(r, c);
    if (c->was == WAS_UNKNOWN && r->all) look_at_log(r, c);
}

/* Columns: the document, seq, op, made, is it there, its key, does it match. */
static enum status take_change(void *ctx, const struct row *row)
{
    struct reading *r = ctx;
    struct list_changes *changes = r->changes;
    int64_t doc = row_value(row, 0).integer;
    if (!changes->count || changes->of[changes->count - 1].doc != doc) {
        struct value key = row_value(row, 5);
        finish(r);
        struct list_change *c = &changes->of[changes->count++];
        *c = (struct list_change){.doc = doc, .is_in = row_value(row, 6).integer != 0};
        r->first = row_value(row, 1).integer;
        r->fresh = view_is(row_value(row, 2).text, "c");
        r->there = row_value(row, 4).integer != 0;
        r->moved = false;
        if (r->there && !place_of(&c->now, &r->view->order, &key, doc)) c->odd = true;
    }
    struct value made = row_value(row, 3);
    if (made.type == VALUE_NULL || r->moved || !r->by_made) return OK;
    r->moved = true;
    if (!place_of(&r->made, &r->view->order, &made, doc)) changes->of[changes->count - 1].odd = true;
    return OK;
}

enum status changes_read(
    const struct list_view *view, int64_t seq, struct arena *arena, struct list_changes **out, struct failure *f)
{
    const struct field *key = view->order.field;
    const char *slug = view->find->collection->slug;
    struct binds binds = {.arena = arena};
    struct str sql = {0};
    *out = NULL;
    if (seq + 1 < view->span.oldest || view->span.head - seq > CHANGES_MOST) return OK;
    size_t room = (size_t)(view->span.head - seq) * sizeof(struct list_change);
    struct reading r = {.view = view,
        .changes = arena_alloc(arena, sizeof *r.changes + room),
        .all = where_is_everything(view->find->where),
        .exact = is_exact(view->find->where),
        .by_made = !strcmp(key->name, "createdAt")};
    if (!r.changes) return fail(f, NO_MEMORY, "Out of memory.");
    str_addf(&sql,
        "SELECT parley_doc, parley_seq, parley_op, parley_made, m.id IS NOT NULL, m.`%s`, m.id IS NOT NULL AND ",
        key->column);
    condition_add(&sql, view->find->where, &binds);
    str_addf(&sql,
        " FROM (SELECT doc AS parley_doc, seq AS parley_seq, op AS parley_op, made AS parley_made FROM parley_log"
        " WHERE seq > ? AND +collection = ?) LEFT JOIN `%s` m ON m.id = parley_doc ORDER BY parley_doc, parley_seq",
        slug);
    binds_add(&binds, value_integer(seq));
    binds_add(&binds, value_text(view_of(slug)));
    enum status status = sql.failed || binds.failed
                             ? fail(f, NO_MEMORY, "Out of memory.")
                             : db_each(view->db, sql.at, binds.values, binds.count, take_change, &r, f);
    str_release(&sql);
    finish(&r);
    if (!status) *out = r.changes;
    return status;
}
