#include "stream/crew.h"
#include "base/check.h"
#include "base/clock.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TICK_MS     1000
#define DRAIN_MS    50         /* between two draws of those who are to go */
#define TURNS       32         /* of ready streams in a round: the live ones wait no longer than these take */
#define UNSENT_MOST (16 << 10) /* bytes that the kernel holds for a reader that takes none; more come when it does */

static struct listener *listener_of(struct stream *s)
{
    return s->source->type->listener ? s->source->type->listener(s->source) : NULL;
}

static void take_notices(struct crew *crew, struct listener *listener, struct stream *s)
{
    struct multimap *all = &crew->listeners;
    listener->stream = s;
    multimap_put(all, &listener->by_owner, s->source->owner);
    atomic_store(&crew->nlisteners, all->count);
    size_t wanted = multimap_wants(all);
    struct multimap_node **room = wanted ? multimap_room(wanted) : NULL;
    if (room) free(multimap_spread(all, room, wanted));
}

/* From now on it may be told something. */
static void watch_stream(struct crew *crew, struct stream *s)
{
    int most = UNSENT_MOST;
    s->watched = true;
    setsockopt(s->peer.socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
    if (list_empty(&s->group->of_crew)) list_insert(&crew->groups, &s->group->of_crew);
    struct listener *listener = listener_of(s);
    if (listener) take_notices(crew, listener, s);
    if (!watcher_add(crew->watcher, s)) stream_close(s, STREAM_END_ERROR);
}

static void bury(struct crew *crew, struct stream *s)
{
    watcher_remove(crew->watcher, s);
    lock_take(&crew->lock);
    /* What the watcher has fetched already may still be told. */
    s->told |= TOLD_NO_MORE;
    list_remove(&s->told_link);
    lock_drop(&crew->lock);
    peer_close(&s->peer);
    list_insert(&crew->dead, &s->link);
}

/* Nothing of it is left but the stream itself, which the watcher frees. */
static void let_go(struct crew *crew, struct stream *s)
{
    struct group *group = s->group;
    lock_take(&crew->lock);
    bool last = atomic_fetch_sub(&group->members, 1) == 1;
    if (last) list_remove(&group->of_grown);
    lock_drop(&crew->lock);
    if (last) list_remove(&group->of_crew);
    struct listener *listener = listener_of(s);
    if (listener) {
        multimap_take_out(&crew->listeners, &listener->by_owner);
        atomic_store(&crew->nlisteners, crew->listeners.count);
    }
    s->source->type->close(s->source, s->why);
}

/* The end of a round. */
static void lay_out(struct crew *crew)
{
    struct census *census = crew->census;
    size_t n = 0;
    if (list_empty(&crew->dead)) return;
    for (struct list *node = crew->dead.next; node != &crew->dead; node = node->next, n++)
        let_go(crew, CONTAINER(node, struct stream, link));
    watcher_bury(crew->watcher, &crew->dead);
    lock_take(&census->lock);
    if (atomic_fetch_sub(&census->count, n) == n) condition_signal(&census->empty);
    lock_drop(&census->lock);
}

/* Puts it where it belongs after something has been done to it. `more`: it could have gone on. */
static void settle(struct crew *crew, struct stream *s, bool more)
{
    list_remove(&s->link);
    switch ((enum stream_state)s->state) {
    case STREAM_JOINING:
    case STREAM_LIVE: list_insert(more ? &crew->ready : &s->group->live, &s->link); break;
    case STREAM_BEHIND: list_insert(&crew->behind, &s->link); break;
    case STREAM_CLOSING: bury(crew, s); break;
    }
}

/* What a round begins with. */
struct work {
    struct list grown, endings, notices;
    struct view last_words;
    int64_t drained_at;
    bool closing;
};

static bool has_work(const struct crew *crew)
{
    return !list_empty(&crew->ready) || !list_empty(&crew->inbox) || !list_empty(&crew->told) ||
           !list_empty(&crew->grown) || !list_empty(&crew->endings) || !list_empty(&crew->notices) ||
           (crew->drained_at && !crew->draw_at) || crew->closing;
}

/* Sleeps until there is something to do, at most until the next tick. New streams and those that were told something
 * become ready. */
static void take_work(struct crew *crew, struct work *work)
{
    int64_t deadline = crew->draw_at && crew->draw_at < crew->tick_at ? crew->draw_at : crew->tick_at;
    list_init(&work->grown);
    list_init(&work->endings);
    list_init(&work->notices);
    lock_take(&crew->lock);
    while (!has_work(crew))
        if (!condition_wait_until(&crew->bell, &crew->lock, deadline)) break;
    work->closing = crew->closing;
    work->drained_at = crew->drained_at;
    work->last_words = crew->last_words;
    list_splice(&work->endings, &crew->endings);
    list_splice(&work->notices, &crew->notices);
    crew->nnotices = 0;
    while (!list_empty(&crew->grown)) {
        struct group *group = CONTAINER(crew->grown.next, struct group, of_grown);
        list_remove(&group->of_grown);
        list_insert(&work->grown, &group->of_round);
    }
    list_splice(&crew->ready, &crew->inbox);
    while (!list_empty(&crew->told)) {
        struct stream *s = CONTAINER(crew->told.next, struct stream, told_link);
        list_remove(&s->told_link);
        s->heard |= s->told;
        s->told = 0;
        list_remove(&s->link);
        list_insert(&crew->ready, &s->link);
    }
    lock_drop(&crew->lock);
}

/* Calls act(crew, stream, ctx) for each of the list, which the act may take out of it. */
static void each_stream(
    struct crew *crew, struct list *streams, void (*act)(struct crew *, struct stream *, void *), void *ctx)
{
    for (struct list *node = streams->next, *next; node != streams; node = next) {
        next = node->next;
        act(crew, CONTAINER(node, struct stream, link), ctx);
    }
}

static void each_live(struct crew *crew, void (*act)(struct crew *, struct stream *, void *), void *ctx)
{
    for (struct list *node = crew->groups.next; node != &crew->groups; node = node->next)
        each_stream(crew, &CONTAINER(node, struct group, of_crew)->live, act, ctx);
}

static void each_of_all(struct crew *crew, void (*act)(struct crew *, struct stream *, void *), void *ctx)
{
    each_live(crew, act, ctx);
    each_stream(crew, &crew->behind, act, ctx);
    each_stream(crew, &crew->ready, act, ctx);
}

struct round {
    struct work *work;
    struct looks looks;
    int64_t now;
};

static void serve(struct crew *crew, struct stream *s, void *ctx)
{
    struct round *round = ctx;
    bool more = stream_advance(s, &round->looks, (stream_time)round->now);
    if (more || s->state != STREAM_LIVE) settle(crew, s, more);
}

static void serve_grown(struct crew *crew, struct round *round)
{
    struct list *grown = &round->work->grown;
    while (!list_empty(grown)) {
        struct group *group = CONTAINER(grown->next, struct group, of_round);
        list_remove(&group->of_round);
        each_stream(crew, &group->live, serve, round);
    }
}

static void serve_ready(struct crew *crew, struct round *round)
{
    for (int turns = TURNS; turns > 0 && !list_empty(&crew->ready); turns--) {
        struct stream *s = CONTAINER(crew->ready.next, struct stream, link);
        unsigned heard = s->heard;
        s->heard = 0;
        if (!s->watched) watch_stream(crew, s);
        if (s->state != STREAM_CLOSING) stream_heed(s, heard);
        settle(crew, s, stream_advance(s, &round->looks, (stream_time)round->now));
    }
}

/* It says its last words in its turn. */
static void end_one(struct crew *crew, struct stream *s, struct view words, enum stream_end why)
{
    if (s->watched)
        stream_end(s, words, why);
    else
        stream_close(s, why); /* not even the answer's head is there */
    if (s->state == STREAM_CLOSING)
        settle(crew, s, false);
    else if (s->state != STREAM_BEHIND)
        settle(crew, s, true);
}

static void tell(struct crew *crew, struct multimap_node *node, const struct notice *n, int64_t now)
{
    const struct listener *listener = CONTAINER(node, const struct listener, by_owner);
    struct stream *s = listener->stream;
    uint8_t before = s->state;
    if (!(listener->kinds & n->kinds)) return;
    stream_tell(s, (struct view){n->text, n->len}, (stream_time)now);
    if (s->state != before) settle(crew, s, false);
}

static void tell_all(struct crew *crew, struct round *round)
{
    const struct multimap *all = &crew->listeners;
    struct list *notices = &round->work->notices;
    struct multimap_node *node;
    while (!list_empty(notices)) {
        struct notice *n = CONTAINER(notices->next, struct notice, link);
        list_remove(&n->link);
        if (n->owner)
            for (node = multimap_find(all, n->owner); node; node = multimap_find_next(node))
                tell(crew, node, n, round->now);
        else
            for (node = multimap_first(all); node; node = multimap_next(all, node)) tell(crew, node, n, round->now);
        free(n);
    }
}

static bool rights_end(const struct stream *s, int64_t now)
{
    return s->source->until && now >= s->source->until && !s->ending;
}

static void check_rights(struct crew *crew, struct stream *s, void *ctx)
{
    const struct round *round = ctx;
    if (rights_end(s, round->now)) end_one(crew, s, crew->options->over, STREAM_END_RIGHTS);
}

static void keep_alive(struct crew *crew, struct stream *s, void *ctx)
{
    const struct round *round = ctx;
    if (rights_end(s, round->now)) {
        end_one(crew, s, crew->options->over, STREAM_END_RIGHTS);
        return;
    }
    stream_keep_alive(s, (stream_time)round->now);
    if (s->state != STREAM_LIVE) settle(crew, s, false);
}

static void check_lag(struct crew *crew, struct stream *s, void *ctx)
{
    const struct round *round = ctx;
    if (rights_end(s, round->now)) stream_end(s, crew->options->over, STREAM_END_RIGHTS);
    stream_check_lag(s, crew->options, (stream_time)round->now);
    if (s->state != STREAM_BEHIND) settle(crew, s, false);
}

static void tick(struct crew *crew, struct round *round)
{
    if (round->now < crew->tick_at) return;
    each_stream(crew, &crew->ready, check_rights, round);
    each_live(crew, keep_alive, round);
    each_stream(crew, &crew->behind, check_lag, round);
    if (crew->every_second) crew->every_second(crew->ctx);
    crew->tick_at = round->now + TICK_MS;
}

static void end_chosen(struct crew *crew, struct stream *s, void *ctx)
{
    const struct ending *ending = ctx;
    if (s->ending) return;
    if (s->source->owner != ending->owner || (ending->session && s->source->session != ending->session)) return;
    end_one(crew, s, crew->options->over, STREAM_END_RIGHTS);
}

static void end_announced(struct crew *crew, struct round *round)
{
    struct list *endings = &round->work->endings;
    while (!list_empty(endings)) {
        struct ending *ending = CONTAINER(endings->next, struct ending, link);
        list_remove(&ending->link);
        each_of_all(crew, end_chosen, ending);
        free(ending);
    }
}

struct draw {
    struct view words;
    int64_t left; /* ms, for those who are not drawn now */
};

static void end_drawn(struct crew *crew, struct stream *s, void *ctx)
{
    const struct draw *draw = ctx;
    if (s->ending || (draw->left > 0 && rand_r(&crew->dice) % (draw->left + DRAIN_MS) >= DRAIN_MS)) return;
    end_one(crew, s, draw->words, STREAM_END_STOPPING);
}

/* Each stream goes in one of the steps that are left, all with the same chance. */
static void drain(struct crew *crew, const struct round *round)
{
    int64_t end = round->work->drained_at;
    if (!end || (crew->draw_at && round->now < crew->draw_at)) return;
    struct draw draw = {round->work->last_words, end - round->now};
    each_of_all(crew, end_drawn, &draw);
    crew->draw_at = round->now + DRAIN_MS;
}

static void end_at_once(struct crew *crew, struct stream *s, void *ctx)
{
    struct round *round = ctx;
    bool more = false;
    if (s->watched) {
        stream_end(s, round->work->last_words, STREAM_END_STOPPING);
        more = stream_advance(s, &round->looks, (stream_time)round->now);
    } else {
        stream_close(s, STREAM_END_STOPPING);
    }
    (void)more; /* what does not go at once does not go */
    list_remove(&s->link);
    bury(crew, s);
}

static void *deliver(void *ctx)
{
    struct crew *crew = ctx;
    for (;;) {
        struct work work;
        take_work(crew, &work);
        struct round round = {.work = &work, .now = clock_monotonic()};
        end_announced(crew, &round);
        drain(crew, &round);
        serve_grown(crew, &round);
        tell_all(crew, &round);
        serve_ready(crew, &round);
        tick(crew, &round);
        if (work.closing) each_of_all(crew, end_at_once, &round);
        looks_release(&round.looks);
        lay_out(crew);
        if (work.closing) return NULL;
    }
}

void group_init(struct group *group)
{
    struct list *lists[] = {&group->live, &group->of_crew, &group->of_round, &group->of_grown};
    for (size_t i = 0; i < COUNT(lists); i++) list_init(lists[i]);
}

bool crew_start(
    struct crew *crew, struct watcher *watcher, struct census *census, const struct delivery_options *options)
{
    struct list *lists[] = {&crew->ready, &crew->behind, &crew->dead, &crew->groups, &crew->inbox, &crew->told,
        &crew->grown, &crew->endings, &crew->notices};
    for (size_t i = 0; i < COUNT(lists); i++) list_init(lists[i]);
    crew->watcher = watcher;
    crew->census = census;
    crew->options = options;
    crew->dice = (unsigned)(uintptr_t)crew ^ (unsigned)clock_monotonic();
    crew->tick_at = clock_monotonic() + TICK_MS;
    lock_init(&crew->lock);
    condition_init(&crew->bell);
    crew->started = !pthread_create(&crew->thread, NULL, deliver, crew);
    return crew->started;
}

void crew_stop(struct crew *crew)
{
    if (crew->started) pthread_join(crew->thread, NULL);
}

void crew_release(struct crew *crew)
{
    while (!list_empty(&crew->endings)) {
        struct ending *ending = CONTAINER(crew->endings.next, struct ending, link);
        list_remove(&ending->link);
        free(ending);
    }
    while (!list_empty(&crew->notices)) {
        struct notice *n = CONTAINER(crew->notices.next, struct notice, link);
        list_remove(&n->link);
        free(n);
    }
    free(crew->listeners.chains);
    condition_destroy(&crew->bell);
    lock_destroy(&crew->lock);
}

void crew_take(struct crew *crew, struct stream *s, struct group *group)
{
    s->group = group;
    lock_take(&crew->lock);
    atomic_fetch_add(&group->members, 1);
    list_insert(&crew->inbox, &s->link);
    condition_signal(&crew->bell);
    lock_drop(&crew->lock);
}

void crew_tell(struct crew *crew, struct stream *s, unsigned told)
{
    lock_take(&crew->lock);
    if (!s->told) list_insert(&crew->told, &s->told_link);
    s->told |= (uint8_t)told;
    condition_signal(&crew->bell);
    lock_drop(&crew->lock);
}

void crew_notify(struct crew *crew, struct group *group)
{
    if (!atomic_load(&group->members)) return;
    lock_take(&crew->lock);
    if (atomic_load(&group->members) && list_empty(&group->of_grown)) {
        list_insert(&crew->grown, &group->of_grown);
        condition_signal(&crew->bell);
    }
    lock_drop(&crew->lock);
}

void crew_end(struct crew *crew, struct ending *ending)
{
    lock_take(&crew->lock);
    list_insert(&crew->endings, &ending->link);
    condition_signal(&crew->bell);
    lock_drop(&crew->lock);
}

void crew_send(struct crew *crew, uint64_t owner, unsigned kinds, struct view frames)
{
    if (!atomic_load(&crew->nlisteners)) return;
    struct notice *n = malloc(sizeof *n + frames.len);
    if (!n) return;
    *n = (struct notice){.owner = owner, .kinds = kinds, .len = frames.len};
    memcpy(n->text, frames.at, frames.len);
    lock_take(&crew->lock);
    bool room = crew->nnotices < NOTICES_MOST;
    if (room) {
        crew->nnotices++;
        list_insert(&crew->notices, &n->link);
        condition_signal(&crew->bell);
    }
    lock_drop(&crew->lock);
    if (!room) free(n);
}

void crew_drain(struct crew *crew, int64_t at, struct view last_words)
{
    lock_take(&crew->lock);
    crew->last_words = last_words;
    crew->drained_at = at;
    condition_signal(&crew->bell);
    lock_drop(&crew->lock);
}

void crew_close(struct crew *crew, struct view last_words)
{
    lock_take(&crew->lock);
    crew->last_words = last_words;
    crew->closing = true;
    condition_signal(&crew->bell);
    lock_drop(&crew->lock);
}
