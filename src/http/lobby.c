/* Deadlines: a list for each stage, all of whose connections have the same time, so that its head is the next one due;
 * a connection that goes on in its stage keeps its deadline, and is put where it belongs from the end.
 *
 * Of the workers that sleep the last one is woken first, and wakes the next when it has taken a connection and another
 * is left: so no more run than there is work for, and the memory of the others stays untouched.
 *
 * Places: more threads than cores can use only get into each other's way, but there must be more than that where some
 * wait for their clients. So a thread is one of the few that work only while it does. */
#include "http/lobby.h"
#include "base/check.h"
#include "base/clock.h"

#define CONNECTION_OF(node) CONTAINER(node, struct connection, link)

_Static_assert(WAITS <= METRIC_WAITS, "each wait has a gauge");

void lobby_init(struct lobby *l, const int64_t timeouts[STAGES], int places, int bodies_most, struct gauge *waits)
{
    *l = (struct lobby){.places = places, .bodies_most = bodies_most, .waits = waits};
    lock_init(&l->lock);
    for (int i = 0; i < STAGES; i++) {
        l->timeouts[i] = timeouts[i];
        list_init(&l->waiting[i]);
    }
    list_init(&l->ready);
    list_init(&l->returned);
    list_init(&l->queue);
    list_init(&l->sleepers);
}

void lobby_destroy(struct lobby *l)
{
    lock_destroy(&l->lock);
}

/* With the lock held. */
static void link_waiting(struct lobby *l, struct connection *c)
{
    struct list *end = &l->waiting[c->stage], *where = end;
    bool goes_on = c->timed == c->stage || (c->timed == STAGE_NEW && c->stage == STAGE_HEAD);
    if (!goes_on) c->deadline = clock_monotonic() + l->timeouts[c->stage];
    c->timed = c->stage;
    while (where->prev != end && CONNECTION_OF(where->prev)->deadline > c->deadline) where = where->prev;
    list_insert(where, &c->link);
    c->waiting = true;
    gauge_add(&l->waits[c->stage], 1);
}

/* The same. */
static void unlink_waiting(struct lobby *l, struct connection *c, struct list *to)
{
    list_remove(&c->link);
    list_insert(to, &c->link);
    c->waiting = false;
    gauge_add(&l->waits[c->timed], -1);
}

/* The same. NULL: nobody sleeps, nothing is ready, or there is no place. To be signalled without the lock. */
static struct sleeper *rouse(struct lobby *l)
{
    if (list_empty(&l->ready) || list_empty(&l->sleepers) || l->working >= l->places) return NULL;
    struct sleeper *s = CONTAINER(l->sleepers.next, struct sleeper, link);
    list_remove(&s->link);
    s->asleep = false;
    return s;
}

/* The same. The first of the queue is ready. */
static void call_up(struct lobby *l)
{
    struct connection *c = CONNECTION_OF(l->queue.next);
    list_remove(&c->link);
    list_insert(&l->ready, &c->link);
    c->has_turn = true;
    l->bodies++;
    gauge_add(&l->waits[WAITS_QUEUED], -1);
}

void lobby_claim(struct lobby *l, const struct happening *happenings, int n, struct list *mine)
{
    lock_take(&l->lock);
    list_splice(mine, &l->returned);
    for (int i = 0; i < n; i++) {
        struct connection *c = happenings[i].connection;
        c->fired = happenings[i].events;
        if (c->waiting) unlink_waiting(l, c, mine);
    }
    lock_drop(&l->lock);
}

void lobby_give(struct lobby *l, struct list *still, struct list *ready)
{
    lock_take(&l->lock);
    while (!list_empty(still)) {
        struct connection *c = CONNECTION_OF(still->next);
        list_remove(&c->link);
        link_waiting(l, c);
    }
    list_splice(&l->ready, ready);
    struct sleeper *sleeper = rouse(l);
    lock_drop(&l->lock);
    if (sleeper) condition_signal(&sleeper->woken);
}

void lobby_due(struct lobby *l, int64_t now, struct list *due)
{
    lock_take(&l->lock);
    for (int i = 0; i < STAGES; i++) {
        const struct list *waiting = &l->waiting[i];
        while (!list_empty(waiting) && CONNECTION_OF(waiting->next)->deadline <= now)
            unlink_waiting(l, CONNECTION_OF(waiting->next), due);
    }
    lock_drop(&l->lock);
}

int64_t lobby_next(struct lobby *l, int64_t latest)
{
    lock_take(&l->lock);
    for (int i = 0; i < STAGES; i++) {
        const struct list *waiting = &l->waiting[i];
        if (!list_empty(waiting) && CONNECTION_OF(waiting->next)->deadline < latest)
            latest = CONNECTION_OF(waiting->next)->deadline;
    }
    lock_drop(&l->lock);
    return latest;
}

void lobby_close(struct lobby *l, struct list *all)
{
    lock_take(&l->lock);
    l->closed = true;
    for (int i = 0; i < STAGES; i++)
        while (!list_empty(&l->waiting[i]))
            unlink_waiting(l, CONNECTION_OF(l->waiting[i].next), i == STAGE_ANSWER ? &l->ready : all);
    list_splice(all, &l->returned);
    while (!list_empty(&l->queue)) call_up(l);
    lock_drop(&l->lock);
}

/* With the lock held. */
static bool over(struct lobby *l)
{
    return l->ended && !atomic_load(&l->away);
}

/* The same. */
static void rouse_all(struct lobby *l)
{
    for (struct list *s = l->sleepers.next; s != &l->sleepers; s = s->next)
        condition_signal(&CONTAINER(s, struct sleeper, link)->woken);
}

void lobby_end(struct lobby *l)
{
    lock_take(&l->lock);
    l->ended = true;
    if (over(l)) rouse_all(l);
    lock_drop(&l->lock);
}

void lobby_leave(struct lobby *l)
{
    atomic_fetch_add(&l->away, 1);
}

void lobby_return(struct lobby *l, struct list *ready)
{
    size_t n = 0;
    for (const struct list *node = ready->next; node != ready; node = node->next) n++;
    lock_take(&l->lock);
    list_splice(&l->ready, ready);
    atomic_fetch_sub(&l->away, n);
    /* Here under the lock: once it is dropped, the workers may take the last of them, end, and be gone. */
    struct sleeper *sleeper = rouse(l);
    if (sleeper) condition_signal(&sleeper->woken);
    if (over(l)) rouse_all(l);
    lock_drop(&l->lock);
}

struct connection *lobby_take(struct lobby *l, struct sleeper *self)
{
    struct connection *c = NULL;
    lock_take(&l->lock);
    l->working -= self->works;
    while ((list_empty(&l->ready) || l->working >= l->places) && !over(l)) {
        if (!self->asleep) list_insert(l->sleepers.next, &self->link);
        self->asleep = true;
        condition_wait(&self->woken, &l->lock);
    }
    if (self->asleep) list_remove(&self->link);
    self->asleep = false;
    self->works = !list_empty(&l->ready);
    if (self->works) {
        c = CONNECTION_OF(l->ready.next);
        list_remove(&c->link);
        l->working++;
    }
    struct sleeper *next = rouse(l);
    lock_drop(&l->lock);
    if (next) condition_signal(&next->woken);
    return c;
}

bool lobby_pause(struct lobby *l)
{
    lock_take(&l->lock);
    l->working--;
    struct sleeper *next = rouse(l);
    bool alone = !next && list_empty(&l->sleepers);
    lock_drop(&l->lock);
    if (next) condition_signal(&next->woken);
    return alone;
}

void lobby_go_on(struct lobby *l)
{
    lock_take(&l->lock);
    l->working++;
    lock_drop(&l->lock);
}

enum entry lobby_enter(struct lobby *l, struct connection *c)
{
    lock_take(&l->lock);
    enum entry entry = l->closed ? ENTRY_CLOSED : c->fired ? ENTRY_RETURNED : ENTRY_WAITS;
    if (entry == ENTRY_RETURNED) list_insert(&l->returned, &c->link);
    if (entry == ENTRY_WAITS) link_waiting(l, c);
    lock_drop(&l->lock);
    return entry;
}

bool lobby_yield(struct lobby *l, struct connection *c)
{
    lock_take(&l->lock);
    bool others = !list_empty(&l->ready);
    if (others) list_insert(&l->ready, &c->link);
    lock_drop(&l->lock);
    return others;
}

bool lobby_begin_body(struct lobby *l, struct connection *c)
{
    lock_take(&l->lock);
    bool begins = c->has_turn || l->closed || l->bodies < l->bodies_most;
    if (!begins) {
        list_insert(&l->queue, &c->link);
        gauge_add(&l->waits[WAITS_QUEUED], 1);
    } else if (!c->has_turn) {
        l->bodies++;
    }
    c->has_turn = false;
    lock_drop(&l->lock);
    return begins;
}

void lobby_end_body(struct lobby *l)
{
    lock_take(&l->lock);
    l->bodies--;
    if (!list_empty(&l->queue)) call_up(l);
    struct sleeper *sleeper = rouse(l);
    lock_drop(&l->lock);
    if (sleeper) condition_signal(&sleeper->woken);
}
