/* Who owns what.
 *
 * Readers find a channel by its name, join it and leave it under the lock. The interests are the applier's: it takes in
 * the newcomers, and lets go of those that nobody has asked for, at the beginning of a round (channels_begin), and is
 * the only one that frees a channel.
 *
 * Why a new channel has no hole: it is put among the newcomers under the lock, and its log begins behind `promised`,
 * the last change of the rounds that have begun. The round that brings the next change begins later, under the same
 * lock, and takes it in first. What a reader wants of the time before is in the database already. */
#include "broker/channels.h"
#include "base/lock.h"
#include "broker/channel.h"
#include "stream/frame.h"
#include <stdlib.h>
#include <string.h>

#define NAMES     1024 /* buckets */
#define IDLE_MOST 16   /* channels without a reader that are kept */
#define FILTERED  16   /* a channel beside the plain ones keeps at most this part of log_bytes */

struct channels {
    /* fixed */
    struct channels_options options;
    char epoch[EPOCH_LENGTH + 1];
    struct framelog_budget budget;
    /* under lock */
    struct lock lock;
    struct condition published;
    struct changelog_span span;
    int64_t promised;
    struct channel *names[NAMES];
    struct list newcomers, idle;
    size_t nidle;
    size_t filters;                   /* of channels with readers, that have no keys */
    size_t filtered[MAX_COLLECTIONS]; /* subsets with a filter */
    /* the applier's */
    struct interests interests;
    struct list touched;
    struct str frames[2][2]; /* of one change: is it a delete, is it named; empty: not made yet */
    struct str docs;
};

/* ---- finding, joining, leaving: under the lock ---- */

static struct channel *find(struct channels *all, struct view name, uint64_t hash)
{
    struct channel *c = all->names[hash % NAMES];
    while (c && !(c->hash == hash && view_equal(str_view(&c->name), name))) c = c->next;
    return c;
}

/* False: there are too many filters. Those of channels without readers do not count: these are few. */
static bool take(struct channels *all, struct channel *c)
{
    bool first = !c->readers;
    if (first && c->unkeyed && all->filters + c->unkeyed > all->options.max_filters) return false;
    c->readers++;
    if (first) all->filters += c->unkeyed;
    if (!list_empty(&c->idle)) {
        list_remove(&c->idle);
        all->nidle--;
    }
    return true;
}

static void count_filters(struct channels *all, const struct channel *c, bool more)
{
    size_t step = more ? 1 : SIZE_MAX;
    for (size_t i = 0; i < c->subscription.nsubsets; i++)
        if (c->subscription.subsets[i].filter)
            all->filtered[collection_index(c->subscription.subsets[i].collection)] += step;
}

static void introduce(struct channels *all, struct channel *c)
{
    framelog_start(c->log, all->promised);
    c->next = all->names[c->hash % NAMES];
    all->names[c->hash % NAMES] = c;
    list_insert(&all->newcomers, &c->link);
    count_filters(all, c, true);
}

static void forget(struct channels *all, struct channel *c)
{
    struct channel **at = &all->names[c->hash % NAMES];
    while (*at != c) at = &(*at)->next;
    *at = c->next;
    list_remove(&c->link);
    list_remove(&c->idle);
    all->nidle--;
    count_filters(all, c, false);
}

enum status channel_join(struct channel **out, struct channels *all, const struct subscription *s, struct failure *f)
{
    struct str name = {0};
    channel_add_name(&name, s);
    if (name.failed) {
        str_release(&name);
        return fail(f, NO_MEMORY, "Out of memory.");
    }
    uint64_t hash = channel_hash(str_view(&name));
    *out = NULL;
    lock_take(&all->lock);
    struct channel *c = find(all, str_view(&name), hash);
    bool taken = c && take(all, c);
    lock_drop(&all->lock);
    struct channel *fresh = NULL;
    if (!c) fresh = channel_new(all, all->options.delivery, s, &name, all->options.log_bytes / FILTERED, &all->budget);
    str_release(&name);
    if (!c && !fresh) return fail(f, NO_MEMORY, "Out of memory.");
    if (fresh) {
        lock_take(&all->lock);
        c = find(all, str_view(&fresh->name), hash);
        taken = take(all, c ? c : fresh);
        if (taken && !c) introduce(all, c = fresh);
        lock_drop(&all->lock);
    }
    if (c != fresh) channel_free(fresh);
    if (!taken) return fail(f, UNAVAILABLE, "There are too many streams with filters of their own.");
    *out = c;
    return OK;
}

void channel_leave(struct channel *c)
{
    struct channels *all = c->all;
    lock_take(&all->lock);
    bool idle = !--c->readers;
    if (idle) {
        list_insert(&all->idle, &c->idle);
        all->nidle++;
        all->filters -= c->unkeyed;
    }
    /* Rounds come with changes; where there are none, channels must not pile up. */
    bool many = idle && all->nidle > 2 * IDLE_MOST;
    lock_drop(&all->lock);
    if (many) all->options.sweep(all->options.ctx);
}

const struct subscription *channel_subscription(const struct channel *c)
{
    return &c->subscription;
}

struct audience *channel_audience(const struct channel *c)
{
    return c->audience;
}

/* ---- what has been published ---- */

void channels_span(struct channels *all, struct changelog_span *out)
{
    lock_take(&all->lock);
    *out = all->span;
    lock_drop(&all->lock);
}

bool channel_place(struct channel *c, int64_t seq, uint64_t *position)
{
    struct channels *all = c->all;
    lock_take(&all->lock);
    while (all->span.head < seq) condition_wait(&all->published, &all->lock);
    lock_drop(&all->lock);
    return framelog_find(c->log, seq, position);
}

int64_t channel_reached(struct channel *c, uint64_t position)
{
    struct changelog_span span;
    uint64_t behind;
    /* In this order: frames up to the span's head were in the log before it said so. Newer ones may be, and may have
     * been sent. */
    channels_span(c->all, &span);
    return framelog_find(c->log, span.head, &behind) && behind == position ? span.head : 0;
}

/* ---- the applier ---- */

bool channels_filter(struct channels *all, const struct collection *c)
{
    lock_take(&all->lock);
    bool any = all->filtered[collection_index(c)] > 0;
    lock_drop(&all->lock);
    return any;
}

/* Takes in the newcomers, and frees who has been without readers for the longest. */
void channels_begin(struct channels *all, int64_t seq)
{
    struct list newcomers, dead;
    list_init(&newcomers);
    list_init(&dead);
    lock_take(&all->lock);
    all->promised = seq;
    while (all->nidle > IDLE_MOST) {
        struct channel *c = CONTAINER(all->idle.next, struct channel, idle);
        forget(all, c);
        list_insert(&dead, &c->link);
    }
    list_splice(&newcomers, &all->newcomers);
    lock_drop(&all->lock);
    while (!list_empty(&newcomers)) {
        struct channel *c = CONTAINER(newcomers.next, struct channel, link);
        list_remove(&c->link);
        for (size_t i = 0; i < c->subscription.nsubsets; i++) interests_add(&all->interests, &c->interests[i]);
        c->known = true;
    }
    while (!list_empty(&dead)) {
        struct channel *c = CONTAINER(dead.next, struct channel, link);
        list_remove(&c->link);
        for (size_t i = 0; c->known && i < c->subscription.nsubsets; i++)
            interests_remove(&all->interests, &c->interests[i]);
        channel_free(c);
    }
}

struct offer {
    struct channels *all;
    const struct doc_change *change;
    const struct frame_style *style;
};

static bool fits(const struct subset *subset, const struct doc *doc, const struct frame_style *style)
{
    return !subset->filter || match(subset->filter, doc, style->relations);
}

/* The change as a frame; empty: no memory. */
static struct view frame_of(const struct offer *o, bool gone, bool named)
{
    struct channels *all = o->all;
    struct str *out = &all->frames[gone][named];
    struct doc_style style = {.select = SELECT_ALL, .relations = o->style->writer};
    if (out->len) return str_view(out);
    str_reset(&all->docs);
    if (named) str_addf(&all->docs, "{\"collection\":\"%s\",\"docs\":", o->change->collection->slug);
    if (gone)
        str_addf(&all->docs, "[{\"id\":%lld}]", (long long)o->change->id);
    else {
        str_addc(&all->docs, '[');
        doc_add_json(&all->docs, o->change->after, &style);
        str_addc(&all->docs, ']');
    }
    if (named) str_addc(&all->docs, '}');
    const struct frame_id id = {.epoch = view_of(all->epoch), .seq = o->change->seq};
    frame_add(out, &id, gone ? "delete" : "message", str_view(&all->docs));
    if (out->failed || all->docs.failed) str_reset(out);
    return str_view(out);
}

static void offer_one(void *ctx, struct interest *one)
{
    struct offer *o = ctx;
    const struct doc_change *change = o->change;
    struct channel *c = one->channel;
    bool now = change->after && fits(one->subset, change->after, o->style);
    bool before = change->op != CHANGE_CREATE && (!change->before || fits(one->subset, change->before, o->style));
    if (!now && !before) return;
    struct view frame = frame_of(o, !now, c->subscription.named);
    if (frame.len)
        framelog_add(c->log, frame, change->seq);
    else
        framelog_lose(c->log, change->seq);
    if (list_empty(&c->touched)) list_insert(&o->all->touched, &c->touched);
}

void channels_offer(struct channels *all, const struct doc_change *change, const struct frame_style *style)
{
    struct offer o = {all, change, style};
    for (size_t i = 0; i < 4; i++) str_reset(&all->frames[i / 2][i % 2]);
    interests_tell(&all->interests, change, offer_one, &o);
}

bool channels_end(struct channels *all, const struct changelog_span *span)
{
    bool whole = true;
    for (struct list *node = all->touched.next; node != &all->touched; node = node->next)
        whole = framelog_publish(CONTAINER(node, struct channel, touched)->log) && whole;
    lock_take(&all->lock);
    all->span = *span;
    condition_broadcast(&all->published);
    lock_drop(&all->lock);
    while (!list_empty(&all->touched)) {
        struct channel *c = CONTAINER(all->touched.next, struct channel, touched);
        list_remove(&c->touched);
        audience_notify(c->audience);
    }
    return whole;
}

/* ---- all of them ---- */

/* A collection's plain channel has a reader that never leaves. */
static bool add_plain(struct channels *all, const struct collection *collection)
{
    struct subscription s = {.subsets = {{.collection = collection}}, .nsubsets = 1};
    struct str name = {0};
    channel_add_name(&name, &s);
    struct channel *c = channel_new(all, all->options.delivery, &s, &name, all->options.log_bytes, NULL);
    if (!c) return false;
    c->readers = 1;
    introduce(all, c);
    return true;
}

struct channels *channels_new(const struct channels_options *options, const struct changelog_span *span)
{
    struct channels *all = calloc(1, sizeof *all);
    if (!all) return NULL;
    all->options = *options;
    all->span = *span;
    all->promised = span->head;
    all->budget.most = options->log_bytes;
    memcpy(all->epoch, span->epoch, sizeof all->epoch);
    lock_init(&all->lock);
    condition_init(&all->published);
    list_init(&all->newcomers);
    list_init(&all->idle);
    list_init(&all->touched);
    bool ok = interests_init(&all->interests);
    for (size_t i = 0; ok && i < ncollections; i++)
        if (collection_at(i)->stream) ok = add_plain(all, collection_at(i));
    if (ok) return all;
    channels_free(all);
    return NULL;
}

void channels_free(struct channels *all)
{
    if (!all) return;
    for (size_t i = 0; i < NAMES; i++)
        for (struct channel *c = all->names[i], *next; c; c = next) {
            next = c->next;
            channel_free(c);
        }
    interests_release(&all->interests);
    for (size_t i = 0; i < 4; i++) str_release(&all->frames[i / 2][i % 2]);
    str_release(&all->docs);
    condition_destroy(&all->published);
    lock_destroy(&all->lock);
    free(all);
}
