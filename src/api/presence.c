#include "api/presence.h"
#include "api/notices.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/multimap.h"
#include <stdlib.h>

/* A user who is online. */
struct guest {
    struct multimap_node by_user;
    struct list untold;  /* in `arrived`, until it has been told */
    struct list leaving; /* in `left`, while there is no stream */
    size_t streams;
    int64_t left_at;
};

struct presence {
    struct lock lock;
    struct multimap guests;
    struct list arrived, left; /* in the order of time */
};

struct presence *presence_new(void)
{
    struct presence *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    lock_init(&p->lock);
    list_init(&p->arrived);
    list_init(&p->left);
    return p;
}

/* With the lock. It is nowhere any more. */
static void take_out(struct presence *p, struct guest *g)
{
    multimap_take_out(&p->guests, &g->by_user);
    list_remove(&g->untold);
    list_remove(&g->leaving);
}

void presence_free(struct presence *p)
{
    if (!p) return;
    for (struct multimap_node *node; (node = multimap_first(&p->guests));) {
        struct guest *g = CONTAINER(node, struct guest, by_user);
        ASSERT(!g->streams);
        take_out(p, g);
        free(g);
    }
    free(p->guests.chains);
    lock_destroy(&p->lock);
    free(p);
}

/* With the lock. `*spare` is used up when he is new; false: he is, and there is none. */
static bool enter(struct presence *p, int64_t user, struct guest **spare)
{
    struct multimap_node *node = multimap_find(&p->guests, (uint64_t)user);
    struct guest *g = node ? CONTAINER(node, struct guest, by_user) : *spare;
    if (!g) return false;
    if (!node) {
        *spare = NULL;
        list_init(&g->untold);
        list_init(&g->leaving);
        multimap_put(&p->guests, &g->by_user, (uint64_t)user);
        list_insert(&p->arrived, &g->untold);
    }
    g->streams++;
    list_remove(&g->leaving);
    return true;
}

static void make_room(struct presence *p, size_t wanted)
{
    struct multimap_node **room = multimap_room(wanted);
    if (!room) return;
    lock_take(&p->lock);
    room = multimap_spread(&p->guests, room, wanted);
    lock_drop(&p->lock);
    free(room);
}

bool presence_enter(struct presence *p, int64_t user)
{
    struct guest *spare = NULL;
    size_t wanted;
    bool entered;
    do {
        lock_take(&p->lock);
        entered = enter(p, user, &spare);
        wanted = multimap_wants(&p->guests);
        lock_drop(&p->lock);
    } while (!entered && (spare = calloc(1, sizeof *spare)));
    free(spare); /* another thread was faster */
    if (wanted) make_room(p, wanted);
    return entered;
}

void presence_leave(struct presence *p, int64_t user)
{
    int64_t now = clock_monotonic();
    lock_take(&p->lock);
    struct guest *g = CONTAINER(multimap_find(&p->guests, (uint64_t)user), struct guest, by_user);
    if (!--g->streams) {
        g->left_at = now;
        list_insert(&p->left, &g->leaving);
    }
    lock_drop(&p->lock);
}

size_t presence_count(struct presence *p)
{
    lock_take(&p->lock);
    size_t n = p->guests.count;
    lock_drop(&p->lock);
    return n;
}

/* With the lock: those whose time is over come into `gone`; who was never told of needs no news of his going. */
static size_t see_off(struct presence *p, int64_t now, struct presence_change *changes, size_t n, struct list *gone)
{
    /* Half of the news is left to those who come. */
    while (!list_empty(&p->left) && n < PRESENCE_MOST / 2) {
        struct guest *g = CONTAINER(p->left.next, struct guest, leaving);
        if (now - g->left_at < PRESENCE_GRACE_MS) break;
        if (list_empty(&g->untold))
            changes[n++] = (struct presence_change){.user = (int64_t)g->by_user.key, .online = false};
        take_out(p, g);
        list_insert(gone, &g->leaving);
    }
    return n;
}

static size_t introduce(struct presence *p, struct presence_change *changes, size_t n)
{
    while (!list_empty(&p->arrived) && n < PRESENCE_MOST) {
        struct guest *g = CONTAINER(p->arrived.next, struct guest, untold);
        list_remove(&g->untold);
        changes[n++] = (struct presence_change){.user = (int64_t)g->by_user.key, .online = true};
    }
    return n;
}

void presence_tell(struct presence *p, struct delivery *d)
{
    struct presence_change changes[PRESENCE_MOST];
    struct list gone;
    int64_t now = clock_monotonic();
    list_init(&gone);
    lock_take(&p->lock);
    size_t n = introduce(p, changes, see_off(p, now, changes, 0, &gone));
    lock_drop(&p->lock);
    while (!list_empty(&gone)) {
        struct guest *g = CONTAINER(gone.next, struct guest, leaving);
        list_remove(&g->leaving);
        free(g);
    }
    notice_presence(d, changes, n);
}

/* Their ids, at most `most`; how many there are. */
static size_t list_guests(struct presence *p, int64_t *ids, size_t most)
{
    size_t n = 0;
    lock_take(&p->lock);
    struct multimap_node *node = multimap_first(&p->guests);
    for (; node && n < most; node = multimap_next(&p->guests, node)) ids[n++] = (int64_t)node->key;
    lock_drop(&p->lock);
    return n;
}

enum status presence_get(struct call *call, struct failure *f)
{
    struct str *out = &call->rs->body;
    enum status status = call_signed_in(call, f);
    if (status) return status;
    size_t most = presence_count(call->app->presence);
    int64_t *ids = arena_alloc(call->arena, (most ? most : 1) * sizeof *ids);
    if (!ids) return fail(f, NO_MEMORY, "Out of memory.");
    size_t n = list_guests(call->app->presence, ids, most);
    str_addz(out, "{\"online\":[");
    for (size_t i = 0; i < n; i++) str_addf(out, i ? ",%lld" : "%lld", (long long)ids[i]);
    str_addz(out, "]}");
    return OK;
}
