#include "store/standing.h"
#include "base/list.h"
#include "base/lock.h"
#include "schema/condition.h"
#include "schema/filter.h"
#include "schema/registry.h"
#include "schema/sql.h"
#include "store/changelog.h"
#include "store/ladder.h"
#include "store/read.h"
#include "store/text.h"
#include <stdlib.h>

#define HEAD         256  /* the newest documents of a where that are kept */
#define MOST_CHANGES 4096 /* what is further behind is made anew */
#define NEAR         512  /* documents that are passed over as quickly as a ladder is climbed */

/* What is kept of one where. */
struct standing {
    struct list link;
    int64_t seq; /* of the last change that it knows */
    int64_t total;
    bool counted;
    bool complete; /* all that match are in the head */
    size_t nhead;
    struct place head[HEAD]; /* newest first */
    size_t key_len;
    char key[]; /* the collection and the where (schema/filter.h) */
};

struct standings {
    /* fixed after open */
    size_t most;
    struct text *text;
    /* under lock */
    struct lock lock;
    struct list used; /* the last one used first */
    size_t count;
    struct {
        struct ladder *ladder; /* NULL: none yet */
        int64_t seq;
    } orders[MAX_COLLECTIONS];
};

/* One request's. */
struct looking {
    struct standings *standings;
    struct db *db;
    struct find find;
    const char *created_at; /* the column */
    struct arena *arena;
    struct failure *f;
    struct changelog_span span;
    int64_t limit, offset;
    struct view key;
    struct standing_page *out;
};

struct standings *standings_new(size_t bytes, struct text *text)
{
    struct standings *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->most = bytes / sizeof(struct standing);
    s->text = text;
    lock_init(&s->lock);
    list_init(&s->used);
    return s;
}

void standings_free(struct standings *s)
{
    if (!s) return;
    while (!list_empty(&s->used)) {
        struct standing *one = CONTAINER(s->used.next, struct standing, link);
        list_remove(&one->link);
        free(one);
    }
    for (size_t i = 0; i < MAX_COLLECTIONS; i++) ladder_free(s->orders[i].ladder);
    lock_destroy(&s->lock);
    free(s);
}

/* ---- what has changed ---- */

/* A document's changes together. */
struct change_of {
    int64_t doc;
    bool fresh;   /* it was not there before */
    bool there;   /* it is there now … */
    bool matches; /* … and matches */
    bool moved;   /* `before` is where it was; else, unless fresh, it is where it was */
    bool odd;     /* it has no place */
    struct place before, now;
};

struct changes {
    size_t count;
    struct change_of of[];
};

static enum status take_change(void *ctx, const struct row *row)
{
    struct changes *changes = ctx;
    struct change_of *c = &changes->of[changes->count++];
    *c = (struct change_of){.doc = row_value(row, 1).integer,
        .matches = row_value(row, 0).integer != 0,
        .fresh = row_value(row, 2).integer != 0,
        .there = row_value(row, 4).integer != 0};
    struct value before = row_value(row, 3), now = row_value(row, 5);
    c->moved = before.type != VALUE_NULL;
    if (c->moved && !place_of(&c->before, &before, c->doc)) c->odd = true;
    if (c->there && !place_of(&c->now, &now, c->doc)) c->odd = true;
    return OK;
}

/* What has changed behind `seq`, each document once, as the reader sees it; NULL in *out: too much. */
static enum status read_changes(struct looking *l, int64_t seq, struct changes **out)
{
    const char *slug = l->find.collection->slug;
    struct binds binds = {.arena = l->arena};
    struct str sql = {0};
    *out = NULL;
    if (seq + 1 < l->span.oldest || l->span.head - seq > MOST_CHANGES) return OK;
    size_t room = (size_t)(l->span.head - seq) * sizeof(struct change_of);
    struct changes *changes = arena_alloc(l->arena, sizeof *changes + room);
    if (!changes) return fail(l->f, NO_MEMORY, "Out of memory.");
    str_addz(&sql, "SELECT m.id IS NOT NULL AND ");
    condition_add(&sql, l->find.where, &binds);
    /* Of several times that a document was moved, where it was before the first. */
    str_addf(&sql,
        ", l.doc, l.fresh, l.made, m.id IS NOT NULL, m.`%s` FROM (SELECT doc, sum(op = 'c') AS fresh, made,"
        " min(CASE WHEN made IS NOT NULL THEN seq END) FROM parley_log WHERE seq > ? AND +collection = ?"
        " GROUP BY doc) l LEFT JOIN `%s` m ON m.id = l.doc",
        l->created_at, slug);
    binds_add(&binds, value_integer(seq));
    binds_add(&binds, value_text(view_of(slug)));
    enum status status = sql.failed || binds.failed
                             ? fail(l->f, NO_MEMORY, "Out of memory.")
                             : db_each(l->db, sql.at, binds.values, binds.count, take_change, changes, l->f);
    str_release(&sql);
    if (!status) *out = changes;
    return status;
}

/* ---- one where ---- */

static void head_remove(struct standing *s, size_t at)
{
    s->nhead--;
    memmove(&s->head[at], &s->head[at + 1], (s->nhead - at) * sizeof *s->head);
}

/* Unless it lies behind documents that are not in the head. */
static void head_insert(struct standing *s, const struct place *place)
{
    size_t at = 0;
    while (at < s->nhead && place_compare(place, &s->head[at]) < 0) at++;
    if (at == s->nhead && (!s->complete || at == HEAD)) {
        s->complete = false;
        return;
    }
    if (s->nhead == HEAD) {
        s->nhead--;
        s->complete = false;
    }
    memmove(&s->head[at + 1], &s->head[at], (s->nhead - at) * sizeof *s->head);
    s->head[at] = *place;
    s->nhead++;
}

/* False: it is to be made anew. */
static bool bring_up(struct standing *s, const struct changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct change_of *c = &changes->of[i];
        size_t at = 0;
        if (c->odd) return false;
        while (at < s->nhead && s->head[at].id != c->doc) at++;
        bool shown = at < s->nhead;
        if (!shown && !c->fresh && !s->complete)
            s->counted = false;
        else
            s->total += c->matches - shown;
        if (shown) head_remove(s, at);
        if (c->matches) head_insert(s, &c->now);
    }
    return s->complete || s->nhead >= HEAD / 2;
}

/* Under lock. */
static struct standing *find_standing(struct standings *s, struct view key)
{
    for (struct list *node = s->used.next; node != &s->used; node = node->next) {
        struct standing *one = CONTAINER(node, struct standing, link);
        if (view_equal((struct view){one->key, one->key_len}, key)) return one;
    }
    return NULL;
}

static enum status take_head(void *ctx, const struct row *row)
{
    struct standing *s = ctx;
    struct value created_at = row_value(row, 1);
    /* One without a place ends the head: behind it nothing is known. */
    if (s->complete && s->nhead < HEAD && place_of(&s->head[s->nhead], &created_at, row_value(row, 0).integer))
        s->nhead++;
    else
        s->complete = false;
    return OK;
}

static enum status count(struct looking *l, struct standing *s)
{
    enum status status = read_count(l->db, &l->find, l->arena, &s->total, l->f);
    if (!status) s->counted = true;
    return status;
}

static enum status make_standing(struct looking *l, struct standing **out)
{
    struct binds binds = {.arena = l->arena};
    struct str sql = {0};
    struct standing *s = malloc(sizeof *s + l->key.len);
    *out = NULL;
    if (!s) return fail(l->f, NO_MEMORY, "Out of memory.");
    list_init(&s->link);
    s->seq = l->span.head;
    s->complete = true;
    s->nhead = 0;
    s->key_len = l->key.len;
    memcpy(s->key, l->key.at, l->key.len);
    str_addf(&sql, "SELECT id, `%s` FROM `%s`", l->created_at, l->find.collection->slug);
    sql_add_where(&sql, &l->find, &binds);
    str_addf(&sql, " ORDER BY `%s` DESC, id DESC LIMIT ?", l->created_at);
    binds_add(&binds, value_integer(HEAD + 1));
    enum status status = sql.failed || binds.failed
                             ? fail(l->f, NO_MEMORY, "Out of memory.")
                             : db_each(l->db, sql.at, binds.values, binds.count, take_head, s, l->f);
    str_release(&sql);
    s->total = (int64_t)s->nhead;
    s->counted = s->complete;
    if (!status && !s->counted) status = count(l, s);
    if (status) {
        free(s);
        return status;
    }
    *out = s;
    return OK;
}

/* The page's ids, room for which is in l->out. */
static void show(struct looking *l, const struct standing *s)
{
    int64_t *ids = (int64_t *)l->out->ids;
    int64_t end = l->limit > INT64_MAX - l->offset ? INT64_MAX : l->offset + l->limit, most = (int64_t)s->nhead;
    l->out->total = s->total;
    if (!ids || (end > most && !s->complete)) return;
    l->out->listed = true;
    for (int64_t i = l->offset; i < end && i < most; i++) ids[l->out->nids++] = s->head[i].id;
}

/* Takes it, unless a newer one of the same where is kept. */
static void keep(struct standings *s, struct standing *new)
{
    struct standing *gone[2] = {0};
    lock_take(&s->lock);
    struct standing *old = find_standing(s, (struct view){new->key, new->key_len});
    if (old && old->seq >= new->seq) {
        gone[0] = new;
    } else {
        if (old) {
            list_remove(&old->link);
            gone[0] = old;
            s->count--;
        }
        if (s->count == s->most && s->count) {
            gone[1] = CONTAINER(s->used.prev, struct standing, link);
            list_remove(&gone[1]->link);
            s->count--;
        }
        list_insert(s->used.next, &new->link);
        s->count++;
    }
    lock_drop(&s->lock);
    free(gone[0]);
    free(gone[1]);
}

enum found { FOUND, FOUND_UNCOUNTED, FOUND_OLD, FOUND_NEWER, FOUND_NONE };

/* What is kept, where it is of this snapshot. With `changes`, which lie behind *seq, it is made so first. */
static enum found take(struct looking *l, const struct changes *changes, int64_t *seq)
{
    struct standings *s = l->standings;
    enum found found = FOUND_NONE;
    lock_take(&s->lock);
    struct standing *one = find_standing(s, l->key), *gone = NULL;
    if (one && changes && one->seq == *seq) {
        one->seq = l->span.head;
        if (!bring_up(one, changes)) {
            list_remove(&one->link);
            s->count--;
            gone = one;
            one = NULL;
        }
    }
    if (one) {
        list_remove(&one->link);
        list_insert(s->used.next, &one->link);
        *seq = one->seq;
        found = *seq < l->span.head ? FOUND_OLD : *seq > l->span.head ? FOUND_NEWER : FOUND;
        if (found == FOUND) show(l, one);
        if (found == FOUND && !one->counted) found = FOUND_UNCOUNTED;
    }
    lock_drop(&s->lock);
    free(gone);
    return found;
}

static enum status count_again(struct looking *l)
{
    struct standings *s = l->standings;
    enum status status = read_count(l->db, &l->find, l->arena, &l->out->total, l->f);
    lock_take(&s->lock);
    struct standing *one = status ? NULL : find_standing(s, l->key);
    if (one && one->seq == l->span.head) {
        one->total = l->out->total;
        one->counted = true;
    }
    lock_drop(&s->lock);
    return status;
}

static enum status look_at_where(struct looking *l)
{
    struct changes *changes = NULL;
    int64_t seq = 0;
    enum status status = OK;
    enum found found = take(l, NULL, &seq);
    if (found == FOUND_OLD) status = read_changes(l, seq, &changes);
    if (!status && changes) found = take(l, changes, &seq);
    if (status || found == FOUND) return status;
    status = text_narrow(l->standings->text, l->db, l->find.collection, l->find.where, l->arena, &l->find.among, l->f);
    if (status) return status;
    if (found == FOUND_UNCOUNTED || found == FOUND_NEWER) return count_again(l);
    struct standing *new;
    status = make_standing(l, &new);
    if (status) return status;
    show(l, new);
    keep(l->standings, new);
    return OK;
}

/* ---- a collection's order ---- */

struct building {
    struct ladder *ladder;
    bool odd;
};

static enum status take_rung(void *ctx, const struct row *row)
{
    struct building *b = ctx;
    struct place place;
    struct value created_at = row_value(row, 0);
    if (!b->odd && place_of(&place, &created_at, row_value(row, 1).integer))
        ladder_add(b->ladder, &place);
    else
        b->odd = true;
    return OK;
}

/* NULL in *out: the collection holds a document without a place. */
static enum status make_ladder(struct looking *l, struct ladder **out)
{
    struct building b = {.ladder = ladder_new(l->out->total)};
    struct str sql = {0};
    *out = NULL;
    if (!b.ladder) return fail(l->f, NO_MEMORY, "Out of memory.");
    str_addf(
        &sql, "SELECT `%s`, id FROM `%s` ORDER BY `%s`, id", l->created_at, l->find.collection->slug, l->created_at);
    enum status status =
        sql.failed ? fail(l->f, NO_MEMORY, "Out of memory.") : db_each(l->db, sql.at, NULL, 0, take_rung, &b, l->f);
    str_release(&sql);
    if (status || b.odd) {
        ladder_free(b.ladder);
        return status;
    }
    *out = b.ladder;
    return OK;
}

static bool move(struct ladder *l, const struct changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct change_of *c = &changes->of[i];
        if (c->odd || (!c->fresh && !c->moved && !c->there)) return false;
        if (!c->fresh && c->moved) ladder_remove(l, &c->before);
        if (c->there && (c->fresh || c->moved)) ladder_add(l, &c->now);
    }
    return !ladder_worn(l);
}

/* The same as take() of the collection's ladder. */
static enum found climb(
    struct looking *l, const struct changes *changes, int64_t *seq, struct place *place, int64_t *skip)
{
    struct standings *s = l->standings;
    size_t at = collection_index(l->find.collection);
    enum found found = FOUND_NONE;
    struct ladder *gone = NULL;
    lock_take(&s->lock);
    if (s->orders[at].ladder && changes && s->orders[at].seq == *seq) {
        s->orders[at].seq = l->span.head;
        if (!move(s->orders[at].ladder, changes)) {
            gone = s->orders[at].ladder;
            s->orders[at].ladder = NULL;
        }
    }
    if (s->orders[at].ladder) {
        *seq = s->orders[at].seq;
        found = *seq < l->span.head ? FOUND_OLD : *seq > l->span.head ? FOUND_NEWER : FOUND;
        l->out->listed = found == FOUND;
        if (found == FOUND && !ladder_find(s->orders[at].ladder, l->offset, place, skip)) place->id = 0;
    }
    lock_drop(&s->lock);
    ladder_free(gone);
    return found;
}

static void keep_ladder(struct looking *l, struct ladder *new)
{
    struct standings *s = l->standings;
    size_t at = collection_index(l->find.collection);
    struct ladder *gone = new;
    lock_take(&s->lock);
    if (!s->orders[at].ladder || s->orders[at].seq < l->span.head) {
        gone = s->orders[at].ladder;
        s->orders[at].ladder = new;
        s->orders[at].seq = l->span.head;
    }
    lock_drop(&s->lock);
    ladder_free(gone);
}

static enum status take_id(void *ctx, const struct row *row)
{
    struct standing_page *page = ctx;
    ((int64_t *)page->ids)[page->nids++] = row_value(row, 0).integer;
    return OK;
}

/* The documents with the place's own time apart: there may be very many, and only both ends of an index's range make it
 * short. */
static enum status read_from(struct looking *l, const struct place *place, int64_t skip)
{
    struct value at = value_text((struct view){place->at, ISO_LENGTH});
    struct value values[] = {at, value_integer(place->id), value_integer(l->limit), value_integer(skip)};
    const char *slug = l->find.collection->slug, *column = l->created_at;
    struct str sql = {0};
    str_addf(&sql,
        "SELECT id, `%s` FROM `%s` WHERE `%s` = ?1 AND id <= ?2 UNION ALL SELECT id, `%s` FROM `%s` WHERE `%s` < ?1"
        " ORDER BY 2 DESC, 1 DESC LIMIT ?3 OFFSET ?4",
        column, slug, column, column, slug, column);
    enum status status =
        sql.failed ? fail(l->f, NO_MEMORY, "Out of memory.") : db_each(l->db, sql.at, values, 4, take_id, l->out, l->f);
    str_release(&sql);
    return status;
}

static enum status look_far(struct looking *l)
{
    struct changes *changes = NULL;
    struct place place = {.id = 0};
    int64_t seq = 0, skip = 0;
    enum status status = OK;
    enum found found = climb(l, NULL, &seq, &place, &skip);
    if (found == FOUND_OLD) status = read_changes(l, seq, &changes);
    if (!status && changes) found = climb(l, changes, &seq, &place, &skip);
    if (status || found == FOUND_NEWER) return status;
    if (found != FOUND) {
        struct ladder *new;
        status = make_ladder(l, &new);
        if (status || !new) return status;
        l->out->listed = true;
        if (!ladder_find(new, l->offset, &place, &skip)) place.id = 0;
        keep_ladder(l, new);
    }
    return place.id ? read_from(l, &place, skip) : OK;
}

static bool in_default_order(const struct find *find, const struct field *created_at)
{
    return find->nsort == 1 && find->sort[0].field == created_at && !find->sort[0].via && find->sort[0].descending;
}

static enum status name(struct looking *l)
{
    struct str key = {0};
    str_addf(&key, "%s ", l->find.collection->slug);
    where_add_text(&key, l->find.where);
    l->key = (struct view){key.failed ? NULL : arena_copy(l->arena, str_view(&key)), key.len};
    str_release(&key);
    return l->key.at ? OK : fail(l->f, NO_MEMORY, "Out of memory.");
}

enum status standings_look(struct standings *s, struct db *db, const struct find *find, int64_t limit, int64_t offset,
    struct arena *arena, struct standing_page *out, struct failure *f)
{
    int at = field_find(find->collection, VIEW("createdAt"));
    struct looking l = {s, db, *find, NULL, arena, f, .limit = limit, .offset = offset, .out = out};
    *out = (struct standing_page){0};
    bool all = where_is_everything(find->where);
    bool ordered = at >= 0 && in_default_order(find, &find->collection->fields[at]);
    bool far = all && ordered && limit > 0 && (offset > NEAR || limit > NEAR - offset);
    enum status status = OK;
    if (all || at < 0 || where_joins(find->where)) status = read_count(db, find, arena, &out->total, f);
    if (status || at < 0 || (all && !far) || where_joins(find->where)) return status;
    l.created_at = find->collection->fields[at].column;
    status = changelog_span(db, &l.span, f);
    if (status) return status;
    if (ordered && limit > 0 && limit <= HEAD) {
        out->ids = ARENA_ARRAY(arena, int64_t, (size_t)limit);
        if (!out->ids) return fail(f, NO_MEMORY, "Out of memory.");
    }
    if (all) return out->ids ? look_far(&l) : OK;
    status = name(&l);
    return status ? status : look_at_where(&l);
}
