/* The hand-over between the database and the channels' logs, raced: every change is committed some time before it is
 * published, the logs are small, so that readers fall off them all the time, and each reader must get each change that
 * it asked for once, in order, wherever it comes from.
 *
 * A reader goes through a log as a stream does (stream/stream.c), and comes to it as a feed does (api/feed.c). The
 * database is a number behind a lock: the last change that is committed. What a change is follows from its number.
 *
 * PARLEY_TEST_ALL=1: 100,000 hand-overs. */
#include "audience.h"
#include "base/lock.h"
#include "broker/channels.h"
#include "schema/json.h"
#include "schema/query.h"
#include "schema/registry.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define READERS 3
#define BATCH   6  /* changes, at most */
#define PAGE    20 /* changes */
#define EPOCH   "abcd1234"

/* ---- what is written ---- */

/* One who asks for each of these. */
static const struct kind_of_reader {
    const char *query;
    bool named;
} kinds[] = {
    {"", false},
    {"where[sender][equals]=1", false},
    {"where[content][contains]=odd", false},
    {"where[or][0][sender][equals]=2&where[or][1][receiver][equals]=2", true},
};

static uint64_t mixed(uint64_t n)
{
    n = (n ^ (n >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ (n >> 27)) * UINT64_C(0x94d049bb133111eb);
    return n ^ (n >> 31);
}

static int64_t sender_of(int64_t seq)
{
    return 1 + (int64_t)(mixed((uint64_t)seq) % 3);
}

static int64_t receiver_of(int64_t seq)
{
    return 1 + (int64_t)(mixed((uint64_t)seq) / 3 % 3);
}

static bool is_wanted(size_t kind, int64_t seq)
{
    switch (kind) {
    case 1: return sender_of(seq) == 1;
    case 2: return seq % 2;
    case 3: return sender_of(seq) == 2 || receiver_of(seq) == 2;
    default: return true;
    }
}

struct world {
    struct channels *channels;
    const struct collection *messages;
    long wanted; /* hand-overs */
    /* the database */
    struct lock lock;
    int64_t head;
    /* atomic */
    atomic_long handovers, falls, pages, joined, reached, wrong;
    atomic_bool sweep, done;
};

/* Nothing is asserted beside the main thread; the first thing that is wrong is told. */
static void wrong(struct world *w, const char *what, int64_t a, int64_t b)
{
    if (!atomic_fetch_add(&w->wrong, 1)) print_error("%s: %lld, %lld\n", what, (long long)a, (long long)b);
}

static void put(struct doc *d, const char *name, struct value v)
{
    d->values[field_find(d->collection, view_of(name))] = v;
}

/* ---- the applier ---- */

static void offer(struct world *w, int64_t seq)
{
    static char filler[3000];
    char content[sizeof filler + 8];
    size_t len = 100 + mixed((uint64_t)seq) / 9 % (sizeof filler - 100);
    if (!*filler) memset(filler, 'x', sizeof filler);
    memcpy(content, seq % 2 ? "odd " : "two ", 4);
    memcpy(content + 4, filler, len);
    struct doc doc = {.collection = w->messages};
    doc.values[0] = value_integer(seq);
    put(&doc, "sender", value_integer(sender_of(seq)));
    put(&doc, "receiver", value_integer(receiver_of(seq)));
    put(&doc, "content", value_text((struct view){content, len + 4}));
    const struct doc_change change = {w->messages, CHANGE_CREATE, seq, seq, NULL, &doc};
    channels_offer(w->channels, &change, &(struct frame_style){0});
}

static void wait_a_little(uint64_t dice)
{
    if (dice % 4 == 0) sched_yield();
    if (dice % 64 == 1) nanosleep(&(struct timespec){.tv_nsec = (long)(dice % 100000)}, NULL);
}

static void commit(struct world *w, int64_t head)
{
    lock_take(&w->lock);
    w->head = head;
    lock_drop(&w->lock);
}

static void *run_applier(void *ctx)
{
    struct world *w = ctx;
    int64_t head = 0;
    for (uint64_t round = 1; !atomic_load(&w->done); round++) {
        uint64_t dice = mixed(round * UINT64_C(0x9e3779b97f4a7c15));
        int64_t first = head + 1;
        if (atomic_exchange(&w->sweep, false)) channels_begin(w->channels, head);
        head += 1 + (int64_t)(dice % BATCH);
        commit(w, head);
        wait_a_little(dice >> 8);
        channels_begin(w->channels, head);
        for (int64_t seq = first; seq <= head; seq++) offer(w, seq);
        struct changelog_span span = {.epoch = EPOCH, .head = head, .oldest = 1};
        if (!channels_end(w->channels, &span)) wrong(w, "no memory", head, 0);
        wait_a_little(dice >> 16);
    }
    return NULL;
}

static void ask_for_a_sweep(void *ctx)
{
    struct world *w = ctx;
    atomic_store(&w->sweep, true);
}

/* ---- a reader ---- */

struct reader {
    struct world *world;
    struct arena arena; /* of what it asks for */
    uint64_t dice;
    size_t kind;
    struct channel *channel;
    struct framelog *log;
    bool live;
    int64_t seq;       /* its cursor: it has been sent every change up to it */
    int64_t sent;      /* by the log since it is live; -1: nothing */
    uint64_t position; /* in the log, while it is live */
};

static uint64_t roll(struct reader *r)
{
    return mixed(r->dice += UINT64_C(0x9e3779b97f4a7c15));
}

/* Nothing up to `seq` that it has not been sent is for it. */
static void pass(struct reader *r, int64_t seq)
{
    if (seq < r->seq) wrong(r->world, "backwards", r->seq, seq);
    while (r->seq < seq)
        if (is_wanted(r->kind, ++r->seq)) wrong(r->world, "a hole", r->seq, seq);
}

static void see(struct reader *r, int64_t seq)
{
    if (seq <= r->seq) {
        wrong(r->world, "again", r->seq, seq);
        return;
    }
    pass(r, seq - 1);
    if (!is_wanted(r->kind, seq)) wrong(r->world, "not asked for", (int64_t)r->kind, seq);
    r->seq = seq;
}

static void see_frame(struct reader *r, struct view frame, int64_t seq)
{
    struct view rest = frame, name;
    int64_t id = 0;
    view_cut(&rest, '-');
    name = view_cut(&rest, '\n');
    if (!view_starts(frame, "id: " EPOCH "-") || !view_integer(name, &id) || id != seq ||
        !view_starts(rest, "event: message\ndata: ") || frame.at[frame.len - 1] != '\n')
        wrong(r->world, "no frame", seq, id);
    see(r, seq);
}

/* Now and then with a condition that all meet and nobody has asked for yet: such a channel is a new one. */
static struct where *filter_of(struct reader *r)
{
    struct json_object *json;
    struct where *where;
    struct failure f;
    const char *query = kinds[r->kind].query;
    const struct readable all = {{true}};
    arena_reset(&r->arena);
    if (*query && roll(r) % 2)
        query = arena_printf(&r->arena, "%s&where[id][greater_than]=-%u", query, 1 + (unsigned)roll(r) % 1000000000);
    if (query_parse(&r->arena, view_of(query), &json, &f) ||
        where_parse(&where, r->world->messages, json_member(json, "where"), &all, &r->arena, &f))
        abort();
    return where;
}

static void join(struct reader *r)
{
    struct subscription s = {.subsets = {{.collection = r->world->messages}}, .nsubsets = 1};
    struct failure f;
    r->kind = roll(r) % (sizeof kinds / sizeof *kinds);
    if (*kinds[r->kind].query) s.subsets[0].filter = filter_of(r);
    s.named = kinds[r->kind].named;
    if (channel_join(&r->channel, r->world->channels, &s, &f)) abort();
    r->log = channel_audience(r->channel)->log;
    r->live = false;
    atomic_fetch_add(&r->world->joined, 1);
}

static void leave(struct reader *r)
{
    channel_leave(r->channel);
    r->channel = NULL;
}

static void go_live(struct reader *r)
{
    r->live = true;
    r->sent = -1;
    atomic_fetch_add(&r->world->handovers, 1);
}

/* As begin_in_log of api/feed.c. */
static bool begin_in_log(struct reader *r)
{
    struct changelog_span span;
    channels_span(r->world->channels, &span);
    if (r->seq > span.head || !channel_place(r->channel, r->seq, &r->position)) return false;
    go_live(r);
    return true;
}

/* As read_page of api/feed.c. */
static void read_page(struct reader *r)
{
    struct world *w = r->world;
    lock_take(&w->lock);
    int64_t head = w->head;
    lock_drop(&w->lock);
    int64_t last = r->seq + PAGE < head ? r->seq + PAGE : head;
    for (int64_t seq = r->seq + 1; seq <= last; seq++)
        if (is_wanted(r->kind, seq)) see(r, seq);
    pass(r, last);
    atomic_fetch_add(&w->pages, 1);
    if (last == head && channel_place(r->channel, r->seq, &r->position)) go_live(r);
}

/* A run of the log, whole or cut behind some frame. */
static void read_run(struct reader *r, const struct framelog_run *run)
{
    size_t end = 0, stop = roll(r) % 2 ? run->bytes.len : 1 + roll(r) % run->bytes.len;
    while (end < stop) {
        size_t start = end;
        end = framelog_cut(run, start + 1, &r->sent);
        see_frame(r, (struct view){run->bytes.at + start, end - start}, r->sent);
    }
    r->position += end;
    if (end == run->bytes.len && r->sent != run->seq) wrong(r->world, "a run's last", r->sent, run->seq);
}

static enum framelog_read read_log(struct reader *r)
{
    struct framelog_run run;
    enum framelog_read found = framelog_read(r->log, r->position, &run);
    if (found == FRAMELOG_RUN) read_run(r, &run);
    framelog_release(r->log, &run);
    if (found == FRAMELOG_FALLEN_OFF) {
        if (r->sent >= 0 && r->sent != r->seq) wrong(r->world, "fallen", r->sent, r->seq);
        r->live = false;
        atomic_fetch_add(&r->world->falls, 1);
    }
    return found;
}

/* A ping tells the client how far it is: as the cursor of one who comes back, it must fit what he has been sent. */
static void ping(struct reader *r)
{
    int64_t reached = channel_reached(r->channel, r->position);
    if (!reached) return;
    atomic_fetch_add(&r->world->reached, 1);
    pass(r, reached);
    r->sent = r->sent < 0 ? -1 : reached;
}

/* One connection. */
static void read_on(struct reader *r)
{
    join(r);
    uint64_t steps = 1 + roll(r) % 40;
    for (bool first = true; steps--; first = false) {
        if (!r->live && !(first && begin_in_log(r))) read_page(r);
        if (r->live) read_log(r);
        if (r->live && roll(r) % 4 == 0) ping(r);
        wait_a_little(roll(r));
    }
    leave(r);
}

static void *run_reader(void *ctx)
{
    struct reader *r = ctx;
    struct world *w = r->world;
    while (!atomic_load(&w->wrong) && atomic_load(&w->handovers) < w->wanted) read_on(r);
    return NULL;
}

/* Every reader gets all that there is when nothing more is written. */
static void check_end(struct reader *r)
{
    join(r);
    while (!r->live || read_log(r) != FRAMELOG_AT_END)
        if (!r->live) read_page(r);
    assert_int_equal(channel_reached(r->channel, r->position), r->world->head);
    pass(r, r->world->head);
    leave(r);
}

static void handover__each_change_once_in_order(void **state)
{
    (void)state;
    static struct world w;
    static struct reader readers[READERS];
    const struct changelog_span span = {.epoch = EPOCH, .head = 0, .oldest = 1};
    const struct channels_options options = {.log_bytes = 1, .max_filters = 10, .sweep = ask_for_a_sweep, .ctx = &w};
    pthread_t applier, threads[READERS];
    w.wanted = getenv("PARLEY_TEST_ALL") ? 100000 : 10000;
    w.messages = collection_find(VIEW("messages"));
    lock_init(&w.lock);
    w.channels = channels_new(&options, &span);
    assert_non_null(w.channels);
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.world = &w, .dice = i + 1};
        arena_init(&readers[i].arena, 1 << 20);
    }
    assert_int_equal(pthread_create(&applier, NULL, run_applier, &w), 0);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_reader, &readers[i]), 0);
    for (size_t i = 0; i < READERS; i++) pthread_join(threads[i], NULL);
    atomic_store(&w.done, true);
    pthread_join(applier, NULL);
    for (size_t i = 0; i < READERS; i++) {
        check_end(&readers[i]);
        arena_release(&readers[i].arena);
    }
    print_message("%ld hand-overs, %ld falls, %ld pages, %ld joined, %ld reached, %lld changes\n",
        atomic_load(&w.handovers), atomic_load(&w.falls), atomic_load(&w.pages), atomic_load(&w.joined),
        atomic_load(&w.reached), (long long)w.head);
    assert_int_equal(atomic_load(&w.wrong), 0);
    assert_true(atomic_load(&w.handovers) >= w.wanted);
    /* The race is one: readers do fall, do come from pages, and do come to the end. */
    assert_true(atomic_load(&w.falls) > 0);
    assert_true(atomic_load(&w.pages) > 0);
    assert_true(atomic_load(&w.reached) > 0);
    channels_free(w.channels);
    lock_destroy(&w.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handover__each_change_once_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
