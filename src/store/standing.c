#include "store/standing.h"
#include "base/list.h"
#include "base/lock.h"
#include "schema/filter.h"
#include "schema/registry.h"
#include "store/changes.h"
#include "store/ladder.h"
#include "store/listing.h"
#include "store/read.h"
#include "store/text.h"
#include "store/window.h"
#include <stdlib.h>

#define NEAR 512 /* documents that SQLite passes over as quickly as a ladder is climbed */

/* What is kept of one list. */
struct standing {
    struct list link;
    int64_t seq; /* of the last change that it knows */
    int64_t total;
    bool counted;
    struct order order;
    struct window head;    /* the first of them */
    struct window *far;    /* a stretch further behind; NULL: none */
    struct ladder *ladder; /* NULL: none */
    size_t key_len;
    char key[]; /* the collection, the order and the where (schema/filter.h) */
};

struct standings {
    /* fixed after open */
    size_t most;
    struct formers *formers;
    struct text *text;
    /* under lock */
    struct lock lock;
    struct list used; /* the last one used first */
    size_t bytes;
};

/* One request's. */
struct looking {
    struct standings *standings;
    struct listing listing;
    struct view key;
    int64_t limit, offset;
    bool narrowed; /* as far as the text index can */
    struct standing_page *out;
};

static void standing_free(struct standing *s)
{
    if (!s) return;
    free(s->far);
    ladder_free(s->ladder);
    free(s);
}

static void free_all(struct list *standings)
{
    while (!list_empty(standings)) {
        struct standing *one = CONTAINER(standings->next, struct standing, link);
        list_remove(&one->link);
        standing_free(one);
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
    return s;
}

void standings_free(struct standings *s)
{
    if (!s) return;
    free_all(&s->used);
    lock_destroy(&s->lock);
    free(s);
}

/* ---- one list ---- */

static size_t bytes_of(const struct standing *s)
{
    return sizeof *s + s->key_len + (s->far ? sizeof *s->far : 0) + (s->ladder ? ladder_bytes(s->ladder) : 0);
}

/* Whether a document was in the list that was in it if it is in a window. */
static void guess(const struct standing *s, struct list_change *c)
{
    const struct place *place = window_find(&s->head, c->doc, &s->order);
    if (!place && s->far) place = window_find(s->far, c->doc, &s->order);
    if (place) {
        c->was = WAS_IN;
        c->before = *place;
    } else if (s->head.ends) {
        c->was = WAS_OUT;
    }
}

/* What is not in the head may have been anywhere behind it: of what lies there nothing is known any more. */
static void lose_track(struct standing *s)
{
    s->counted = false;
    free(s->far);
    ladder_free(s->ladder);
    s->far = NULL;
    s->ladder = NULL;
}

static void leave(struct standing *s, const struct place *place)
{
    s->total--;
    window_remove(&s->head, place);
    if (s->ladder) ladder_remove(s->ladder, place);
    if (!s->far) return;
    window_remove(s->far, place);
    if (s->far->count) return;
    free(s->far); /* it no longer knows where it is */
    s->far = NULL;
}

static void enter(struct standing *s, const struct place *place)
{
    s->total++;
    window_add(&s->head, place);
    if (s->far) window_add(s->far, place);
    if (s->ladder) ladder_add(s->ladder, place);
}

/* False: it is to be made anew. */
static bool bring_up(struct standing *s, struct list_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        struct list_change *c = &changes->of[i];
        if (c->odd) return false;
        if (c->was == WAS_UNKNOWN) guess(s, c);
        if (c->was == WAS_IN && c->is_in && !place_compare(&c->before, &c->now)) continue;
        if (c->was == WAS_UNKNOWN) lose_track(s);
        if (c->was == WAS_IN) leave(s, &c->before);
        if (c->is_in) enter(s, &c->now);
    }
    if (s->ladder && ladder_worn(s->ladder)) {
        ladder_free(s->ladder);
        s->ladder = NULL;
    }
    return s->head.ends || s->head.count >= WINDOW_MOST / 2;
}

/* The page's ids, room for which is in l->out; NULL: nobody wants them. */
static void show(struct looking *l, const struct window *w)
{
    int64_t *ids = (int64_t *)l->out->ids;
    if (!w || !ids || l->out->listed || !window_holds(w, l->offset, l->limit)) return;
    l->out->listed = true;
    for (int64_t i = l->offset - w->offset; i < (int64_t)w->count && (int64_t)l->out->nids < l->limit; i++)
        ids[l->out->nids++] = place_id(&l->listing.view.order, &w->at[i]);
}

/* ---- all of them ---- */

/* Under lock. */
static struct standing *find_standing(struct standings *s, struct view key)
{
    for (struct list *node = s->used.next; node != &s->used; node = node->next) {
        struct standing *one = CONTAINER(node, struct standing, link);
        if (view_equal((struct view){one->key, one->key_len}, key)) return one;
    }
    return NULL;
}

/* Under lock: moves the least used ones to `gone` until the others have room. */
static void make_room(struct standings *s, struct list *gone)
{
    while (s->bytes > s->most && !list_empty(&s->used)) {
        struct standing *one = CONTAINER(s->used.prev, struct standing, link);
        list_remove(&one->link);
        list_insert(gone, &one->link);
        s->bytes -= bytes_of(one);
    }
}

/* Takes it, unless one is kept that is not older. */
static void keep(struct standings *s, struct standing *new)
{
    struct list gone;
    list_init(&gone);
    lock_take(&s->lock);
    struct standing *old = find_standing(s, (struct view){new->key, new->key_len});
    if (old && old->seq >= new->seq) {
        list_insert(&gone, &new->link);
    } else {
        if (old) {
            list_remove(&old->link);
            list_insert(&gone, &old->link);
            s->bytes -= bytes_of(old);
        }
        list_insert(s->used.next, &new->link);
        s->bytes += bytes_of(new);
        make_room(s, &gone);
    }
    lock_drop(&s->lock);
    free_all(&gone);
}

enum found { FOUND, FOUND_OLD, FOUND_NEWER, FOUND_NONE };

/* What is kept of the list. */
struct taking {
    enum found found;
    int64_t seq;  /* that it knows */
    bool counted; /* of FOUND: the total is in l->out; … */
    bool climbed; /* … there is a ladder: it finds the stretch `far` at `place` and `skip` behind it, or none */
    bool beyond;
    struct place place;
    int64_t skip;
};

static void climb(const struct looking *l, const struct ladder *ladder, struct taking *t)
{
    t->climbed = true;
    t->beyond = !ladder_find(ladder, listing_far_offset(l->offset, l->limit), &t->place, &t->skip);
}

/* With `changes`, which lie behind t->seq, it is brought up to this snapshot first. */
static void take(struct looking *l, struct list_changes *changes, struct taking *t)
{
    struct standings *s = l->standings;
    struct list gone;
    list_init(&gone);
    lock_take(&s->lock);
    struct standing *one = find_standing(s, l->key);
    if (one && changes && one->seq == t->seq) {
        s->bytes -= bytes_of(one);
        list_remove(&one->link);
        one->seq = l->listing.view.span.head;
        bool good = bring_up(one, changes);
        if (good) s->bytes += bytes_of(one);
        list_insert(good ? s->used.next : &gone, &one->link);
        if (!good) one = NULL;
    }
    *t = (struct taking){.found = FOUND_NONE};
    if (one) {
        list_remove(&one->link);
        list_insert(s->used.next, &one->link);
        t->seq = one->seq;
        int64_t head = l->listing.view.span.head;
        t->found = one->seq < head ? FOUND_OLD : one->seq > head ? FOUND_NEWER : FOUND;
    }
    if (t->found == FOUND) {
        show(l, &one->head);
        show(l, one->far);
        l->out->total = one->total;
        t->counted = one->counted;
        if (one->ladder) climb(l, one->ladder, t);
    }
    lock_drop(&s->lock);
    free_all(&gone);
}

/* What a request has found out is given to what is kept, if that is of the same change still. Takes `far` and `ladder`,
 * each of which may be NULL. */
static void give(struct looking *l, struct window *far, struct ladder *ladder)
{
    struct standings *s = l->standings;
    struct list gone;
    list_init(&gone);
    lock_take(&s->lock);
    struct standing *one = find_standing(s, l->key);
    if (one && one->seq == l->listing.view.span.head) {
        s->bytes -= bytes_of(one);
        one->total = l->out->total;
        one->counted = true;
        if (far) {
            struct window *old = one->far;
            one->far = far;
            far = old;
        }
        if (ladder && !one->ladder) {
            one->ladder = ladder;
            ladder = NULL;
        }
        s->bytes += bytes_of(one);
        make_room(s, &gone);
    }
    lock_drop(&s->lock);
    free_all(&gone);
    free(far);
    ladder_free(ladder);
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

static enum status make_standing(struct looking *l, struct standing **out, struct failure *f)
{
    struct standing *s = malloc(sizeof *s + l->key.len);
    *out = NULL;
    if (!s) return fail(f, NO_MEMORY, "Out of memory.");
    *s = (struct standing){
        .seq = l->listing.view.span.head, .counted = true, .order = l->listing.view.order, .key_len = l->key.len};
    list_init(&s->link);
    memcpy(s->key, l->key.at, l->key.len);
    enum status status = listing_read_head(&l->listing, &s->head, &s->total, f);
    if (!status && !s->head.ends && s->total < 0)
        status = read_count(l->listing.view.db, &l->listing.find, l->listing.arena, &s->total, f);
    if (status) {
        free(s);
        return status;
    }
    *out = s;
    return OK;
}

/* A page that is in neither window. */
static enum status look_far(struct looking *l, struct taking *t, struct failure *f)
{
    struct ladder *ladder = NULL;
    struct window *far = NULL;
    enum status status = narrow(l, f);
    if (!status && !t->climbed) {
        status = listing_read_ladder(&l->listing, l->out->total, &ladder, f);
        if (status || !ladder) return status;
        climb(l, ladder, t);
    }
    if (!status && t->beyond)
        l->out->listed = true;
    else if (!status)
        status = listing_read_far(&l->listing, &t->place, t->skip, l->offset, l->limit, &far, f);
    if (!status) show(l, far);
    if (status || (far && !far->count)) {
        free(far);
        far = NULL;
    }
    if (status)
        ladder_free(ladder);
    else
        give(l, far, ladder);
    return status;
}

static enum status look(struct looking *l, struct failure *f)
{
    const struct list_view *view = &l->listing.view;
    struct list_changes *changes = NULL;
    struct taking t = {.seq = 0};
    enum status status = OK;
    take(l, NULL, &t);
    if (t.found == FOUND_OLD) status = changes_read(view, t.seq, l->listing.arena, &changes, f);
    if (!status && changes) take(l, changes, &t);
    if (!status && (t.found != FOUND || !t.counted)) status = narrow(l, f);
    if (status) return status;
    if (t.found == FOUND_NEWER || (t.found == FOUND && !t.counted)) {
        status = read_count(view->db, &l->listing.find, l->listing.arena, &l->out->total, f);
        if (!status && t.found == FOUND) give(l, NULL, NULL);
    } else if (t.found != FOUND) {
        struct standing *new;
        status = make_standing(l, &new, f);
        if (status) return status;
        l->out->total = new->total;
        show(l, &new->head);
        keep(l->standings, new);
    }
    bool far = l->out->ids && !l->out->listed && t.found != FOUND_NEWER;
    return !status && far ? look_far(l, &t, f) : status;
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
    str_addf(&key, "%s %s%s ", find->collection->slug, order->descending ? "-" : "", order->field->name);
    where_add_text(&key, find->where);
    l->key = (struct view){key.failed ? NULL : arena_copy(l->listing.arena, str_view(&key)), key.len};
    str_release(&key);
    return l->key.at ? OK : fail(f, NO_MEMORY, "Out of memory.");
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
    return status ? status : look(&l, f);
}
