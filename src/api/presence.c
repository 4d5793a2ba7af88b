#include "api/presence.h"
#include "api/notices.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/multimap.h"
#include "store/profile.h"
#include <stdlib.h>

/* A user who is online, or was. */
struct guest {
    struct multimap_node by_user; /* in `guests` while he is online, then in `gone` */
    struct list untold;           /* in `arrived`, until it has been told */
    struct list leaving;          /* in `left`, while there is no stream; then in `departed` */
    size_t streams;
    int64_t left_at;
};

struct presence {
    struct lock lock;
    struct multimap guests, gone;
    struct list arrived, left, departed; /* in the order of time */
};

struct presence *presence_new(void)
{
    struct presence *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    lock_init(&p->lock);
    list_init(&p->arrived);
    list_init(&p->left);
    list_init(&p->departed);
    return p;
}

static struct guest *find(const struct multimap *m, int64_t user)
{
    struct multimap_node *node = multimap_find(m, (uint64_t)user);
    return node ? CONTAINER(node, struct guest, by_user) : NULL;
}

/* With the lock. He is nowhere any more. */
static void take_out(struct multimap *from, struct guest *g)
{
    multimap_take_out(from, &g->by_user);
    list_remove(&g->untold);
    list_remove(&g->leaving);
}

static void free_all(struct multimap *m)
{
    for (struct multimap_node *node; (node = multimap_first(m));) {
        struct guest *g = CONTAINER(node, struct guest, by_user);
        ASSERT(!g->streams);
        take_out(m, g);
        free(g);
    }
    free(m->chains);
}

void presence_free(struct presence *p)
{
    if (!p) return;
    free_all(&p->guests);
    free_all(&p->gone);
    lock_destroy(&p->lock);
    free(p);
}

/* With the lock. `*spare` is used up when nothing is known of him; false: so it is, and there is none. */
static bool enter(struct presence *p, int64_t user, struct guest **spare)
{
    struct guest *g = find(&p->guests, user);
    if (!g) {
        g = find(&p->gone, user);
        if (g) {
            take_out(&p->gone, g);
        } else {
            if (!*spare) return false;
            g = *spare;
            *spare = NULL;
            list_init(&g->untold);
            list_init(&g->leaving);
        }
        multimap_put(&p->guests, &g->by_user, (uint64_t)user);
        list_insert(&p->arrived, &g->untold);
    }
    g->streams++;
    list_remove(&g->leaving);
    return true;
}

/* Without the lock. */
static void make_room(struct presence *p, struct multimap *m, size_t wanted)
{
    struct multimap_node **room = multimap_room(wanted);
    if (!room) return;
    lock_take(&p->lock);
    room = multimap_spread(m, room, wanted);
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
    if (wanted) make_room(p, &p->guests, wanted);
    return entered;
}

void presence_leave(struct presence *p, int64_t user)
{
    int64_t now = clock_monotonic();
    lock_take(&p->lock);
    struct guest *g = find(&p->guests, user);
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

/* With the lock. Whom that leaves no room for comes into `forgotten`. */
static void remember(struct presence *p, struct guest *g, struct list *forgotten)
{
    take_out(&p->guests, g);
    multimap_put(&p->gone, &g->by_user, g->by_user.key);
    list_insert(&p->departed, &g->leaving);
    if (p->gone.count <= PRESENCE_KEPT) return;
    g = CONTAINER(p->departed.next, struct guest, leaving);
    take_out(&p->gone, g);
    list_insert(forgotten, &g->leaving);
}

/* With the lock: those whose time is over. Who was never told of needs no news of his going. */
static size_t see_off(
    struct presence *p, int64_t now, struct presence_change *changes, size_t n, struct list *forgotten)
{
    /* Half of the news is left to those who come. */
    while (!list_empty(&p->left) && n < PRESENCE_MOST / 2) {
        struct guest *g = CONTAINER(p->left.next, struct guest, leaving);
        if (now - g->left_at < PRESENCE_GRACE_MS) break;
        if (list_empty(&g->untold))
            changes[n++] = (struct presence_change){.user = (int64_t)g->by_user.key, .online = false};
        remember(p, g, forgotten);
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
    struct list forgotten;
    int64_t now = clock_monotonic();
    list_init(&forgotten);
    lock_take(&p->lock);
    size_t n = introduce(p, changes, see_off(p, now, changes, 0, &forgotten));
    size_t wanted = multimap_wants(&p->gone);
    lock_drop(&p->lock);
    if (wanted) make_room(p, &p->gone, wanted);
    while (!list_empty(&forgotten)) {
        struct guest *g = CONTAINER(forgotten.next, struct guest, leaving);
        list_remove(&g->leaving);
        free(g);
    }
    notice_presence(d, changes, n);
}

/* By a clock that only goes forward he left so long ago: the wall's may have been set since. */
bool presence_look(struct presence *p, int64_t user, int64_t *seen)
{
    int64_t ago = -1;
    lock_take(&p->lock);
    bool online = find(&p->guests, user);
    const struct guest *g = online ? NULL : find(&p->gone, user);
    if (g) ago = clock_monotonic() - g->left_at;
    lock_drop(&p->lock);
    *seen = ago < 0 ? 0 : clock_wall() - ago;
    return online;
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

/* One who hides when he was last here looks like one of whom it is not known. */
enum status presence_of(struct call *call, struct failure *f)
{
    struct profile p;
    char iso[ISO_LENGTH + 1];
    int64_t user, seen;
    enum status status = call_signed_in(call, f);
    if (!status) status = call_id(call, &user, f);
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    status = profile_find(db, user, call->arena, &p, f);
    pool_give(call->app->pool, db);
    if (status) return status;
    bool online = presence_look(call->app->presence, user, &seen);
    str_addf(&call->rs->body, "{\"user\":%lld,\"online\":%s,\"lastSeen\":", (long long)user, online ? "true" : "false");
    clock_iso(seen, iso);
    if (seen && p.shows_seen)
        str_addf(&call->rs->body, "\"%s\"}", iso);
    else
        str_addz(&call->rs->body, "null}");
    return OK;
}
