#include "store/standing.h"
#include "base/lock.h"
#include "schema/filter.h"
#include "schema/registry.h"
#include "store/keptlist.h"
#include "store/listing.h"
#include "store/read.h"
#include "store/text.h"
#include <stdlib.h>
#include <string.h>

#define NEAR 512 /* documents that SQLite passes over as quickly as a ladder is climbed */

struct standings {
    /* fixed after open */
    size_t most;
    struct formers *formers;
    struct text *text;
    /* under lock */
    struct lock lock;
    struct list used; /* the last one used first */
    size_t bytes;
    struct list made; /* what is being made now */
    struct condition done;
};

/* What one request makes, and others wait for: together they would take as many times as long. */
struct making {
    struct list link;
    struct view key;
};

/* One request's. */
struct looking {
    struct standings *standings;
    struct listing listing;
    struct view near, far; /* the keys */
    int64_t limit, offset;
    bool narrowed; /* as far as the text index can */
    struct standing_page *out;
};

static void free_all(struct list *kept)
{
    while (!list_empty(kept)) {
        struct keptlist *one = CONTAINER(kept->next, struct keptlist, link);
        list_remove(&one->link);
        keptlist_free(one);
    }
}

struct standings *standings_new(size_t bytes, struct formers *formers, struct text *text)
{
    struct standings *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->most = bytes;
    s->formers = formers;
    s->text = text;
    lock_init(&s->lock);
    list_init(&s->used);
    list_init(&s->made);
    condition_init(&s->done);
    return s;
}

void standings_free(struct standings *s)
{
    if (!s) return;
    free_all(&s->used);
    condition_destroy(&s->done);
    lock_destroy(&s->lock);
    free(s);
}

/* The page's ids, where somebody wants them, and the window has them. */
static void show(struct looking *l, const struct window *w)
{
    int64_t *ids = (int64_t *)l->out->ids;
    if (!ids || !w || !window_holds(w, l->offset, l->limit)) return;
    l->out->listed = true;
    for (int64_t i = l->offset - w->offset; i < (int64_t)w->count && (int64_t)l->out->nids < l->limit; i++)
        ids[l->out->nids++] = place_id(&l->listing.view.order, &w->at[i]);
}

/* ---- what is kept ---- */

/* Under lock. */
static struct keptlist *find_kept(struct standings *s, struct view key)
{
    for (struct list *node = s->used.next; node != &s->used; node = node->next) {
        struct keptlist *one = CONTAINER(node, struct keptlist, link);
        if (keptlist_is(one, key)) return one;
    }
    return NULL;
}

/* Under lock: moves the least used ones to `gone` until the others have room. */
static void make_room(struct standings *s, struct list *gone)
{
    while (s->bytes > s->most && !list_empty(&s->used)) {
        struct keptlist *one = CONTAINER(s->used.prev, struct keptlist, link);
        list_remove(&one->link);
        list_insert(gone, &one->link);
        s->bytes -= keptlist_bytes(one);
    }
}

/* Takes it, unless one is kept that is not older. */
static void keep(struct standings *s, struct keptlist *new)
{
    struct list gone;
    list_init(&gone);
    lock_take(&s->lock);
    struct keptlist *old = find_kept(s, (struct view){new->key, new->key_len});
    if (old && old->seq >= new->seq) {
        list_insert(&gone, &new->link);
    } else {
        if (old) {
            list_remove(&old->link);
            list_insert(&gone, &old->link);
            s->bytes -= keptlist_bytes(old);
        }
        list_insert(s->used.next, &new->link);
        s->bytes += keptlist_bytes(new);
        make_room(s, &gone);
    }
    lock_drop(&s->lock);
    free_all(&gone);
}

enum found { FOUND, FOUND_OLD, FOUND_NEWER, FOUND_NONE };

struct taking {
    enum found found;
    int64_t seq; /* that it knows */
    bool counted;
    /* From the ladder: the stretch with the page begins `skip` behind `place`, or beyond the end. */
    bool beyond;
    struct place place;
    int64_t skip;
};

static void climb(const struct looking *l, const struct ladder *ladder, struct taking *t)
{
    t->beyond = !ladder_find(ladder, listing_far_offset(l->offset, l->limit), &t->place, &t->skip);
}

/* What is kept, if it is of this snapshot. With `changes`, which lie behind t->seq, it is brought up to it first. */
static void take_with(struct looking *l, struct view key, struct list_changes *changes, struct taking *t)
{
    struct standings *s = l->standings;
    int64_t head = l->listing.view.span.head;
    struct list gone;
    list_init(&gone);
    lock_take(&s->lock);
    struct keptlist *one = find_kept(s, key);
    if (one && changes && one->seq == t->seq) {
        one->seq = head;
        if (!keptlist_follow(one, changes)) {
            list_remove(&one->link);
            list_insert(&gone, &one->link);
            s->bytes -= keptlist_bytes(one);
            one = NULL;
        }
    }
    *t = (struct taking){.found = FOUND_NONE};
    l->out->listed = false;
    l->out->nids = 0;
    if (one) {
        list_remove(&one->link);
        list_insert(s->used.next, &one->link);
        t->seq = one->seq;
        t->counted = one->counted;
        t->found = one->seq < head ? FOUND_OLD : one->seq > head ? FOUND_NEWER : FOUND;
    }
    if (t->found == FOUND) {
        l->out->total = one->total;
        show(l, keptlist_window(one));
        if (one->ladder) climb(l, one->ladder, t);
    }
    lock_drop(&s->lock);
    free_all(&gone);
}

static enum status take(struct looking *l, struct view key, struct taking *t, struct failure *f)
{
    struct list_changes *changes = NULL;
    enum status status = OK;
    take_with(l, key, NULL, t);
    if (t->found == FOUND_OLD) status = changes_read(&l->listing.view, t->seq, l->listing.arena, &changes, f);
    if (!status && changes) take_with(l, key, changes, t);
    return status;
}

/* A total, or a stretch, that a request has found out: for what is kept, if that still is of the same change. */
static void give(struct looking *l, struct view key, const struct window *stretch)
{
    struct standings *s = l->standings;
    lock_take(&s->lock);
    struct keptlist *one = find_kept(s, key);
    if (one && one->seq == l->listing.view.span.head) {
        one->total = l->out->total;
        one->counted = true;
        if (stretch) one->window = *stretch;
    }
    lock_drop(&s->lock);
}

/* ---- making ---- */

/* Under lock. */
static bool is_made(const struct standings *s, struct view key)
{
    for (const struct list *node = s->made.next; node != &s->made; node = node->next)
        if (view_equal(CONTAINER(node, const struct making, link)->key, key)) return true;
    return false;
}

/* False: another request is at it. */
static bool making_start(struct standings *s, struct making *m, struct view key)
{
    m->key = key;
    lock_take(&s->lock);
    bool first = !is_made(s, key);
    if (first) list_insert(&s->made, &m->link);
    lock_drop(&s->lock);
    return first;
}

static void making_end(struct standings *s, struct making *m)
{
    lock_take(&s->lock);
    list_remove(&m->link);
    condition_broadcast(&s->done);
    lock_drop(&s->lock);
}

/* Goes on with what there is now, as soon as nobody makes `key`. */
static enum status look_anew(struct looking *l, struct view key, struct failure *f)
{
    struct standings *s = l->standings;
    struct list_view *view = &l->listing.view;
    enum status status = db_run(view->db, "COMMIT", NULL, 0, f);
    lock_take(&s->lock);
    while (is_made(s, key)) condition_wait(&s->done, &s->lock);
    lock_drop(&s->lock);
    l->narrowed = false;
    l->listing.find.among = (struct view){0};
    if (!status) status = db_run(view->db, "BEGIN", NULL, 0, f);
    return status ? status : changelog_span(view->db, &view->span, f);
}

/* ---- looking ---- */

static enum status narrow(struct looking *l, struct failure *f)
{
    struct find *find = &l->listing.find;
    if (l->narrowed) return OK;
    l->narrowed = true;
    return text_narrow(
        l->standings->text, l->listing.view.db, find->collection, find->where, l->listing.arena, &find->among, f);
}

static enum status count(struct looking *l, struct failure *f)
{
    return read_count(l->listing.view.db, &l->listing.find, l->listing.arena, &l->out->total, f);
}

static struct keptlist *start(const struct looking *l, struct view key)
{
    return keptlist_new(l->listing.view.span.head, &l->listing.view.order, key);
}

static enum status make_near(struct looking *l, struct failure *f)
{
    struct keptlist *s = start(l, l->near);
    if (!s) return fail(f, NO_MEMORY, "Out of memory.");
    enum status status = listing_read_head(&l->listing, &s->window, &l->out->total, f);
    if (!status && l->out->total < 0) status = count(l, f);
    if (status) {
        keptlist_free(s);
        return status;
    }
    s->total = l->out->total;
    show(l, &s->window);
    keep(l->standings, s);
    return OK;
}

/* The stretch with the page. */
static enum status read_stretch(struct looking *l, const struct taking *t, struct window *out, struct failure *f)
{
    *out = (struct window){.count = 0};
    if (t->beyond) {
        l->out->listed = true;
        return OK;
    }
    enum status status = listing_read_far(&l->listing, &t->place, t->skip, l->offset, l->limit, out, f);
    if (!status) show(l, out);
    return status;
}

/* The total is in l->out. */
static enum status make_far(struct looking *l, struct failure *f)
{
    struct taking t;
    struct keptlist *s = start(l, l->far);
    if (!s) return fail(f, NO_MEMORY, "Out of memory.");
    enum status status = narrow(l, f);
    if (!status) status = listing_read_ladder(&l->listing, l->out->total, &s->ladder, f);
    if (!status && s->ladder) {
        climb(l, s->ladder, &t);
        status = read_stretch(l, &t, &s->window, f);
    }
    if (status || !s->ladder) {
        keptlist_free(s);
        return status;
    }
    s->total = l->out->total;
    keep(l->standings, s);
    return OK;
}

/* What is kept of this snapshot, or nothing, and then it is to be made here. */
static enum status take_or_start(
    struct looking *l, struct view key, struct taking *t, struct making *m, struct failure *f)
{
    for (;;) {
        enum status status = take(l, key, t, f);
        if (status || (t->found == FOUND && t->counted)) return status;
        if (t->found != FOUND_NEWER && making_start(l->standings, m, key)) return OK;
        status = look_anew(l, key, f);
        if (status) return status;
    }
}

static enum status look_near(struct looking *l, struct failure *f)
{
    struct taking t;
    struct making making;
    enum status status = take_or_start(l, l->near, &t, &making, f);
    if (status || (t.found == FOUND && t.counted)) return status;
    status = narrow(l, f);
    if (!status) status = t.found == FOUND ? count(l, f) : make_near(l, f);
    if (!status && t.found == FOUND) give(l, l->near, NULL);
    making_end(l->standings, &making);
    return status;
}

/* A page that is not among the first ones, unless all are. */
static enum status look_far(struct looking *l, struct failure *f)
{
    struct taking t;
    struct making making;
    struct window stretch;
    enum status status = take_or_start(l, l->far, &t, &making, f);
    if (status || (t.found == FOUND && l->out->listed)) return status;
    if (t.found != FOUND) {
        status = look_near(l, f);
        if (!status && !l->out->listed) status = make_far(l, f);
        making_end(l->standings, &making);
        return status;
    }
    status = narrow(l, f);
    if (!status) status = read_stretch(l, &t, &stretch, f);
    if (!status && stretch.count) give(l, l->far, &stretch);
    return status;
}

/* Orders whose lists are kept; each has an index. */
static bool order_of(const struct find *find, struct order *out)
{
    const struct sort_term *term = &find->sort[0];
    *out = (struct order){term->field, term->descending};
    bool date = term->field->kind == KIND_DATE && term->field->indexed && term->field->required;
    return find->nsort == 1 && !term->via && (date || term->field->kind == KIND_ID);
}

static enum status name(struct looking *l, struct failure *f)
{
    struct str key = {0};
    const struct find *find = &l->listing.find;
    const struct order *order = &l->listing.view.order;
    str_addf(&key, "far %s %s%s ", find->collection->slug, order->descending ? "-" : "", order->field->name);
    where_add_text(&key, find->where);
    l->far = (struct view){key.failed ? NULL : arena_copy(l->listing.arena, str_view(&key)), key.len};
    str_release(&key);
    if (!l->far.at) return fail(f, NO_MEMORY, "Out of memory.");
    l->near = (struct view){l->far.at + strlen("far "), l->far.len - strlen("far ")};
    return OK;
}

enum status standings_look(struct standings *s, struct db *db, const struct find *find, int64_t limit, int64_t offset,
    struct arena *arena, struct standing_page *out, struct failure *f)
{
    int made = field_find(find->collection, VIEW("createdAt"));
    struct looking l = {.standings = s,
        .listing = {.view = {.db = db, .formers = s->formers}, .find = *find, .arena = arena},
        .limit = limit,
        .offset = offset,
        .out = out};
    struct list_view *view = &l.listing.view;
    *out = (struct standing_page){0};
    bool all = where_is_everything(find->where), kept = made >= 0 && !where_joins(find->where);
    bool listed = order_of(find, &view->order) && limit > 0 && limit <= WINDOW_MOST;
    bool sorts = listed && !view->order.descending && !order_by_id(&view->order); /* documents of one date */
    bool far = listed && (sorts || offset > NEAR || limit > NEAR - offset);
    enum status status = OK;
    if (all || !kept) status = read_count(db, find, arena, &out->total, f);
    if (status || !kept || (all && !far)) return status;
    status = changelog_span(db, &view->span, f);
    if (status) return status;
    if (!listed) view->order = (struct order){&find->collection->fields[made], true};
    if (listed) {
        out->ids = ARENA_ARRAY(arena, int64_t, (size_t)limit);
        if (!out->ids) return fail(f, NO_MEMORY, "Out of memory.");
    }
    view->find = &l.listing.find;
    status = name(&l, f);
    if (status) return status;
    return out->ids && (offset > WINDOW_MOST || limit > WINDOW_MOST - offset) ? look_far(&l, f) : look_near(&l, f);
}
