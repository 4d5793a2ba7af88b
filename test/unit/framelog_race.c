/* Readers that go to and fro between the database and the log, raced: one thread commits to a "database" (an array) and
 * publishes in a log so small that it constantly falls off; readers take pages of the one until they can go on in the
 * other, as a feed and its stream do, are slow, are cut off inside frames and come back. Each must see each change once
 * and in order.
 *
 * A change is a frame "<seq>:   \n" or, like one of another collection, nothing. PARLEY_TEST_ALL=1: ten times as many
 * hand-overs. */
#include "base/lock.h"
#include "parley/str.h"
#include "stream/framelog.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define READERS   4
#define PAGE      100  /* changes */
#define BATCH     40   /* changes of a commit, at most */
#define FRAME     2000 /* bytes, at most */
#define AHEAD     40   /* changes for each hand-over: the writer keeps the readers busy, and no more */
#define HANDOVERS 10000

struct race {
    /* fixed */
    struct framelog *log;
    int64_t handovers_wanted, most;
    /* The database: change n has a frame. What is up to `head` is fixed. */
    bool *present;
    struct lock lock;
    /* under lock */
    int64_t head, published;
    /* atomic */
    atomic_bool over; /* nothing is committed any more */
    _Atomic int64_t handovers, falls, cuts, losses;
    _Atomic(const char *) flaw;
};

struct reader {
    struct race *race;
    uint32_t random;
    /* what it has seen: every change before `next` */
    int64_t next;
    char frame[FRAME + 32]; /* the one that is on its way */
    size_t framed;
    /* its cursor at the server: that of the feed, and of the stream */
    int64_t cursor, seq;
    uint64_t position;
    char rest[FRAME + 32]; /* of a frame that was sent in part */
    size_t rest_len;
};

static uint32_t below(uint32_t *random, uint32_t n)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 8) % n;
}

static void flaw(struct race *race, const char *what)
{
    const char *none = NULL;
    atomic_compare_exchange_strong(&race->flaw, &none, what);
}

static void pause_some(uint32_t *random)
{
    switch (below(random, 8)) {
    case 0: sched_yield(); break;
    case 1: nanosleep(&(struct timespec){.tv_nsec = (long)below(random, 300) * 1000}, NULL); break;
    default: break;
    }
}

static int64_t look_at(struct race *race, const int64_t *seq)
{
    lock_take(&race->lock);
    int64_t n = *seq;
    lock_drop(&race->lock);
    return n;
}

static void set(struct race *race, int64_t *seq, int64_t n)
{
    lock_take(&race->lock);
    *seq = n;
    lock_drop(&race->lock);
}

/* ---- the applier ---- */

static void commit_and_publish(struct race *race, uint32_t *random, struct str *frame)
{
    int64_t first = race->head + 1, last = race->head;
    for (uint32_t n = below(random, BATCH) + 1; n > 0 && last < race->most; n--)
        race->present[++last] = below(random, 4) > 0;
    set(race, &race->head, last);
    pause_some(random);
    for (int64_t seq = first; seq <= last; seq++) {
        if (!race->present[seq]) continue;
        str_reset(frame);
        str_addf(frame, "%lld:%*s\n", (long long)seq, (int)below(random, FRAME), "");
        /* Now and then there is no memory. */
        if (frame->failed || !below(random, 5000))
            framelog_lose(race->log, seq);
        else
            framelog_add(race->log, str_view(frame), seq);
    }
    pause_some(random);
    if (!framelog_publish(race->log)) atomic_fetch_add(&race->losses, 1);
    pause_some(random);
    set(race, &race->published, last);
}

static void *apply(void *ctx)
{
    struct race *race = ctx;
    uint32_t random = 1;
    struct str frame = {0};
    while (!atomic_load(&race->flaw)) {
        int64_t done = atomic_load(&race->handovers);
        if (done >= race->handovers_wanted) break;
        if (race->head >= race->most || race->head > (done + 10 * READERS) * AHEAD)
            sched_yield();
        else
            commit_and_publish(race, &random, &frame);
        pause_some(&random);
    }
    atomic_store(&race->over, true);
    str_release(&frame);
    return NULL;
}

/* ---- a reader ---- */

/* Has seen all before `seq`. */
static void skip_to(struct reader *r, int64_t seq, const char *what)
{
    for (; r->next < seq; r->next++)
        if (r->race->present[r->next]) flaw(r->race, what);
}

static void see(struct reader *r, int64_t seq)
{
    if (seq < r->next) flaw(r->race, "a change came twice, or too late");
    skip_to(r, seq, "a change is missing");
    r->next = seq + 1;
}

static void take_bytes(struct reader *r, struct view bytes)
{
    while (bytes.len && !atomic_load(&r->race->flaw)) {
        const char *end = memchr(bytes.at, '\n', bytes.len);
        size_t n = end ? (size_t)(end - bytes.at) + 1 : bytes.len;
        if (n > sizeof r->frame - r->framed) {
            flaw(r->race, "a frame is too long");
            return;
        }
        memcpy(r->frame + r->framed, bytes.at, n);
        r->framed += n;
        bytes = (struct view){bytes.at + n, bytes.len - n};
        if (!end) return;
        struct view rest = {r->frame, r->framed}, number = view_cut(&rest, ':');
        int64_t seq = 0;
        if (view_integer(number, &seq))
            see(r, seq);
        else
            flaw(r->race, "no frame");
        r->framed = 0;
    }
}

/* It breaks off, and comes back with the last change of which it has the whole frame. */
static void come_back(struct reader *r)
{
    r->framed = 0;
    r->rest_len = 0;
    r->cursor = r->next - 1;
    atomic_fetch_add(&r->race->cuts, 1);
}

/* A page; true: the log takes over at `position`. */
static bool join(struct reader *r)
{
    int64_t snapshot = look_at(r->race, &r->race->head), seq = r->cursor;
    pause_some(&r->random);
    for (int n = 0; seq < snapshot && n < PAGE;) {
        if (!r->race->present[++seq]) continue;
        see(r, seq);
        n++;
    }
    r->cursor = seq;
    if (seq < snapshot) return false;
    while (look_at(r->race, &r->race->published) < snapshot) sched_yield();
    pause_some(&r->random);
    if (!framelog_find(r->race->log, snapshot, &r->position)) return false;
    skip_to(r, snapshot + 1, "a change before the hand-over is missing");
    r->seq = -1;
    atomic_fetch_add(&r->race->handovers, 1);
    return true;
}

/* The run's first bytes; the rest of the frame in which they end is kept for the next time. */
static void take_part(struct reader *r, const struct framelog_run *run, size_t part)
{
    take_bytes(r, (struct view){run->bytes.at, part});
    size_t end = framelog_cut(run, part, &r->seq);
    r->position += end;
    r->rest_len = end - part;
    if (r->rest_len > sizeof r->rest) {
        flaw(r->race, "a frame ends too late");
        return;
    }
    memcpy(r->rest, run->bytes.at + part, r->rest_len);
}

static bool fall(struct reader *r)
{
    atomic_fetch_add(&r->race->falls, 1);
    if (r->seq < 0) return false;
    skip_to(r, r->seq + 1, "what was sent did not hold what it says");
    r->cursor = r->seq;
    return false;
}

/* What a run or a part of it brings; false: back to the database. */
static bool follow(struct reader *r)
{
    struct framelog_run run;
    take_bytes(r, (struct view){r->rest, r->rest_len});
    r->rest_len = 0;
    enum framelog_read found = framelog_read(r->race->log, r->position, &run);
    if (found == FRAMELOG_FALLEN_OFF) return fall(r);
    if (found == FRAMELOG_RUN) {
        pause_some(&r->random);
        if (below(&r->random, 3)) {
            take_bytes(r, run.bytes);
            r->position += run.bytes.len;
            r->seq = run.seq;
        } else {
            take_part(r, &run, 1 + below(&r->random, (uint32_t)run.bytes.len));
        }
        framelog_release(r->race->log, &run);
    } else {
        sched_yield();
    }
    if (below(&r->random, found == FRAMELOG_RUN ? 100 : 8)) return true;
    come_back(r);
    return false;
}

static void *read_all(void *ctx)
{
    struct reader *r = ctx;
    bool live = false;
    while (!atomic_load(&r->race->flaw)) {
        bool over = atomic_load(&r->race->over);
        live = live ? follow(r) : join(r);
        if (over && r->next > look_at(r->race, &r->race->head)) break;
        pause_some(&r->random);
    }
    return NULL;
}

static void handover__each_change_once_and_in_order(void **state)
{
    (void)state;
    struct race race = {.handovers_wanted = getenv("PARLEY_TEST_ALL") ? 10 * HANDOVERS : HANDOVERS};
    race.most = (race.handovers_wanted + 10 * READERS) * AHEAD + BATCH;
    race.present = calloc((size_t)race.most + 2, sizeof *race.present);
    race.log = framelog_new(0, NULL, 0);
    assert_non_null(race.present);
    assert_non_null(race.log);
    lock_init(&race.lock);
    struct reader readers[READERS];
    pthread_t applier, threads[READERS];
    assert_int_equal(pthread_create(&applier, NULL, apply, &race), 0);
    for (uint32_t i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.race = &race, .random = i + 2, .next = 1};
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
    }
    pthread_join(applier, NULL);
    for (int i = 0; i < READERS; i++) pthread_join(threads[i], NULL);
    if (race.flaw) fail_msg("%s", race.flaw);
    assert_true(race.handovers >= race.handovers_wanted);
    /* It was a race: each way back was taken often. */
    assert_true(race.falls > race.handovers_wanted / 100);
    assert_true(race.cuts > race.handovers_wanted / 100);
    print_message("%lld hand-overs of %lld changes, %lld times fallen off, %lld times cut off, %lld without memory\n",
        (long long)race.handovers, (long long)race.head, (long long)race.falls, (long long)race.cuts,
        (long long)race.losses);
    lock_destroy(&race.lock);
    framelog_free(race.log);
    free(race.present);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handover__each_change_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
