#include "api/backfill.h"
#include "schema/json.h"
#include "store/populate.h"
#include "store/read.h"
#include "store/relations.h"
#include "store/text.h"
#include "stream/frame.h"
#include <stdio.h>
#include <stdlib.h>

#define EVENT_DOCS   100 /* of a first look, in one event */
#define PAGE_CHANGES 100 /* read at a time */
/* Where documents are long fewer make an event or a page, which is kept for one that reads nothing. */
#define PAGE_BYTES ((size_t)256 << 10)

struct look {
    bool started; /* `place` is where the part begins */
    size_t part;  /* of the channel's subsets */
    struct backlog_place place;
};

/* One page being made. */
struct page {
    struct backfill *b;
    struct text *text;
    struct db *db;
    const struct changelog_span *span;
    struct arena *arena;
    struct str *out;
    struct failure *f;
    struct populator populator;
    struct relations relations;
    const struct collection *collection; /* of the documents in `docs` */
    struct str docs;
    size_t starts[EVENT_DOCS]; /* of each in `docs` */
    size_t count;
    bool full;
    int64_t reached; /* the last change that was looked at */
    int64_t told;    /* the last that an id told of */
    char head[24];   /* span's, as text */
};

/* Of a reader who has what there is up to the change. What he has may be newer, and what has changed again since was
 * left out for him: his place is one in no log that does not have these changes too. */
static struct frame_id id_at(const struct page *p, int64_t seq)
{
    struct frame_id id = {.epoch = view_of(p->span->epoch), .seq = seq};
    if (seq < p->span->head) id.rest = view_of(p->head);
    return id;
}

static void add_doc(struct page *p, const struct doc *doc)
{
    struct doc_style style = {.select = SELECT_ALL, .relations = &p->populator.writer};
    p->starts[p->count++] = p->docs.len;
    doc_add_json(&p->docs, doc, &style);
}

/* The last of the documents comes first. */
static void add_event(struct page *p, const struct frame_id *id, const char *event)
{
    struct str data = {0};
    bool named = channel_subscription(p->b->channel)->named;
    if (named) str_addf(&data, "{\"collection\":\"%s\",\"docs\":", p->collection->slug);
    str_addc(&data, '[');
    for (size_t end = p->docs.len; p->count; end = p->starts[p->count]) {
        size_t start = p->starts[--p->count];
        json_separate(&data);
        str_add(&data, (struct view){p->docs.at + start, end - start});
    }
    str_addz(&data, named ? "]}" : "]");
    frame_add(p->out, id, event, str_view(&data));
    if (p->docs.failed || data.failed) p->out->failed = true;
    str_release(&data);
    str_reset(&p->docs);
}

/* Is there no room for a further one? */
static enum status check_room(struct page *p, size_t len)
{
    p->full = len > PAGE_BYTES;
    return p->full ? fail(p->f, TOO_LARGE, "The page is full.") : OK;
}

static enum status take_listed(void *ctx, const struct doc *doc)
{
    struct page *p = ctx;
    enum status status = check_room(p, p->docs.len);
    if (!status) add_doc(p, doc);
    return status;
}

/* A page that is full has not failed. */
static enum status excuse(struct page *p, enum status status)
{
    if (!p->full) return status;
    *p->f = (struct failure){0};
    return OK;
}

static enum status start_part(struct page *p, const struct backlog *backlog)
{
    struct backfill *b = p->b;
    struct look *look = b->look;
    if (look->started) return OK;
    look->started = true;
    look->place = (struct backlog_place){0};
    if (b->newest == BACKFILL_ALL) return OK;
    return backlog_start(p->db, backlog, b->newest, p->arena, &look->place, p->f);
}

/* The next event of the look. Its id leads back here, but for the last one's, which leads to the changes behind. */
static enum status add_look(struct page *p)
{
    struct backfill *b = p->b;
    struct look *look = b->look;
    const struct subscription *s = channel_subscription(b->channel);
    const struct subset *subset = &s->subsets[look->part];
    struct backlog backlog = {.collection = subset->collection, .filter = subset->filter, .seq = b->seq};
    struct str place = {0};
    bool end = true;
    p->collection = subset->collection;
    enum status status = OK;
    if (b->newest && backlog.filter)
        status = text_narrow(p->text, p->db, backlog.collection, backlog.filter, p->arena, &backlog.among, p->f);
    if (!status && b->newest) status = start_part(p, &backlog);
    if (!status && b->newest) {
        status = excuse(p, backlog_read(p->db, &backlog, &look->place, EVENT_DOCS, p->arena, take_listed, p, p->f));
        end = p->count < EVENT_DOCS && !p->full;
    }
    if (status) return status;
    bool last = end && look->part + 1 == s->nsubsets;
    struct frame_id id = id_at(p, b->seq);
    if (!last) {
        cursor_add_place(&place, p->span->head, look->part, &look->place);
        id.rest = str_view(&place);
    }
    if (p->count)
        add_event(p, &id, "message");
    else if (last)
        frame_add_id(p->out, &id);
    if (place.failed) p->out->failed = true;
    str_release(&place);
    if (last) {
        free(look);
        b->look = NULL;
    } else if (end) {
        look->part++;
        look->started = false;
    }
    return OK;
}

static const struct subset *subset_of(const struct page *p, const struct collection *c)
{
    const struct subscription *s = channel_subscription(p->b->channel);
    for (size_t i = 0; i < s->nsubsets; i++)
        if (s->subsets[i].collection == c) return &s->subsets[i];
    return NULL;
}

/* Might the reader have been shown a document that was of those? One whose parties are not known counts as his. */
static bool was_his(struct page *p, const struct subset *subset, struct view parties)
{
    struct doc doc = {.collection = subset->collection};
    struct json_object *json = NULL;
    if (!subset->rights || !parties.at) return true;
    if (json_read(p->arena, parties, &json, p->f)) return true;
    for (size_t i = 0; i < subset->collection->nfields; i++) {
        const struct field *field = &subset->collection->fields[i];
        struct json_object *id = field->role ? json_member(json, field->name) : NULL;
        if (id) doc.values[i] = value_integer(json_object_get_int64(id));
    }
    return match(subset->rights, &doc, NULL);
}

static enum status take_missed(void *ctx, const struct change *change)
{
    struct page *p = ctx;
    struct doc doc;
    enum status status = check_room(p, p->out->len);
    if (status) return status;
    p->reached = change->seq;
    const struct subset *subset = subset_of(p, change->collection);
    const struct frame_id id = id_at(p, change->seq);
    status = change->op == CHANGE_DELETE ? NOT_FOUND : OK;
    if (!status) status = read_one(p->db, change->collection, change->doc, p->arena, &doc, p->f);
    if (status && status != NOT_FOUND) return status;
    *p->f = (struct failure){0};
    p->collection = change->collection;
    if (!status && (!subset->filter || match(subset->filter, &doc, &p->relations.reader))) {
        add_doc(p, &doc);
        add_event(p, &id, "message");
        p->told = change->seq;
    } else if (change->op != CHANGE_CREATE && was_his(p, subset, change->parties)) {
        p->starts[p->count++] = p->docs.len;
        str_addf(&p->docs, "{\"id\":%lld}", (long long)change->doc);
        add_event(p, &id, "delete");
        p->told = change->seq;
    }
    return OK;
}

/* A page ends with an id all the same: what the reader came through without an event he need not come through again,
 * and the last page's lets him go on in the log. */
static enum status add_missed(struct page *p, bool *more)
{
    const struct subscription *s = channel_subscription(p->b->channel);
    const struct collection *of[MAX_COLLECTIONS];
    int64_t from = p->b->seq;
    bool by_rights = false;
    for (size_t i = 0; i < s->nsubsets; i++) {
        of[i] = s->subsets[i].collection;
        by_rights = by_rights || s->subsets[i].rights;
    }
    p->reached = p->told = from;
    enum status status = excuse(p,
        changelog_read(p->db, of, s->nsubsets, by_rights, from, PAGE_CHANGES, take_missed, p, &p->b->seq, more, p->f));
    if (status) return status;
    if (p->full) {
        p->b->seq = p->reached;
        *more = true;
    } else if (!*more) {
        p->b->seq = p->span->head;
    }
    const struct frame_id id = id_at(p, p->b->seq);
    if (p->b->seq > p->told) frame_add_id(p->out, &id);
    return OK;
}

/* ---- the place ---- */

void backfill_release(struct backfill *b)
{
    free(b->look);
}

static bool set_look(struct backfill *b, int64_t seq, const struct look *look)
{
    if (!b->look) b->look = malloc(sizeof *b->look);
    if (!b->look) return false;
    *b->look = *look;
    b->seq = seq;
    return true;
}

bool backfill_look(struct backfill *b, int64_t seq)
{
    return set_look(b, seq, &(struct look){0});
}

bool backfill_look_on(struct backfill *b, const struct cursor *cursor)
{
    return set_look(b, cursor->seq, &(struct look){.started = true, .part = cursor->part, .place = cursor->place});
}

bool backfill_strange(const struct backfill *b)
{
    return b->look && b->look->part >= channel_subscription(b->channel)->nsubsets;
}

enum status backfill_page(struct backfill *b, struct text *text, struct db *db, const struct changelog_span *span,
    struct arena *arena, struct str *out, bool *more, struct failure *f)
{
    struct page p = {.b = b, .text = text, .db = db, .span = span, .arena = arena, .out = out, .f = f};
    snprintf(p.head, sizeof p.head, "%lld", (long long)span->head);
    populator_init_stream(&p.populator, db, arena);
    relations_init(&p.relations, db, arena);
    enum status status = OK;
    if (b->look) {
        status = add_look(&p);
        /* Only one who has the whole look, and what came since, can go on in the log. */
        *more = b->look || span->head > b->seq;
    } else {
        status = add_missed(&p, more);
    }
    str_release(&p.docs);
    const struct failure *failure = p.populator.failure.status ? &p.populator.failure : &p.relations.failure;
    if (status || !failure->status) return status;
    *f = *failure;
    return f->status;
}
