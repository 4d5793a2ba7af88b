/* The log of frames. Each byte appended is a function of its position, so that a reader can check whatever it gets. */
#include "stream/framelog.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define KIB   ((size_t)1024)
#define LARGE (64 * KIB * KIB)

/* One test asks for more than there is. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static char byte_at(uint64_t position)
{
    return (char)(position * 131 + (position >> 8) * 17);
}

static struct framelog *open_log(uint64_t cap, int64_t seq)
{
    struct framelog *log = framelog_new(cap, NULL, seq);
    assert_non_null(log);
    return log;
}

/* Puts it behind the bytes up to `position`, and shows nobody. */
static void add(struct framelog *log, uint64_t position, size_t len, int64_t seq)
{
    char *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) bytes[i] = byte_at(position + i);
    framelog_add(log, (struct view){bytes, len}, seq);
    free(bytes);
}

static void append(struct framelog *log, size_t len, int64_t seq)
{
    uint64_t position = framelog_end(log);
    add(log, position, len, seq);
    assert_int_equal(framelog_end(log), position);
    assert_true(framelog_publish(log));
    assert_int_equal(framelog_end(log), position + len);
}

static bool bytes_right(struct view v, uint64_t position)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.at[i] != byte_at(position + i)) return false;
    return true;
}

/* The length of the run at `position`. */
static size_t read_run(struct framelog *log, uint64_t position, int64_t *seq)
{
    struct framelog_run run;
    assert_int_equal(framelog_read(log, position, &run), FRAMELOG_RUN);
    assert_true(run.bytes.len > 0);
    assert_true(bytes_right(run.bytes, position));
    size_t len = run.bytes.len;
    if (seq) *seq = run.seq;
    framelog_release(log, &run);
    return len;
}

static enum framelog_read look(struct framelog *log, uint64_t position)
{
    struct framelog_run run;
    enum framelog_read found = framelog_read(log, position, &run);
    framelog_release(log, &run);
    return found;
}

/* The oldest position kept, by asking for each that frames of `step` bytes can have made. */
static uint64_t oldest(struct framelog *log, size_t step)
{
    uint64_t position = 0;
    while (look(log, position) == FRAMELOG_FALLEN_OFF) position += step;
    return position;
}

static void expect_found(struct framelog *log, int64_t seq, uint64_t position)
{
    uint64_t found = UINT64_MAX;
    assert_true(framelog_find(log, seq, &found));
    assert_int_equal(found, position);
}

static void expect_lost(struct framelog *log, int64_t seq)
{
    uint64_t position;
    assert_false(framelog_find(log, seq, &position));
}

static void framelog__empty(void **state)
{
    (void)state;
    struct framelog *log = open_log(0, 41);
    struct framelog_run run;
    assert_int_equal(framelog_end(log), 0);
    assert_int_equal(framelog_read(log, 0, &run), FRAMELOG_AT_END);
    assert_null(run.segment);
    framelog_release(log, &run);
    expect_lost(log, 40);
    expect_found(log, 41, 0);
    expect_found(log, 42, 0); /* of another collection: all that is here is older */
    framelog_free(log);
    framelog_free(NULL);
}

static void framelog__a_run_reaches_the_end(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    int64_t seq = 0;
    append(log, 10, 1);
    append(log, 20, 2);
    append(log, 30, 5);
    assert_int_equal(read_run(log, 0, &seq), 60);
    assert_int_equal(seq, 5);
    assert_int_equal(read_run(log, 30, &seq), 30);
    assert_int_equal(seq, 5);
    assert_int_equal(look(log, 60), FRAMELOG_AT_END);
    framelog_free(log);
}

static void framelog__a_run_is_as_it_was(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    struct framelog_run run;
    int64_t seq = 0;
    append(log, 10, 1);
    assert_int_equal(framelog_read(log, 0, &run), FRAMELOG_RUN);
    append(log, 10, 2);
    assert_int_equal(run.bytes.len, 10);
    assert_int_equal(run.seq, 1);
    assert_int_equal(framelog_cut(&run, 10, &seq), 10);
    assert_int_equal(seq, 1);
    framelog_release(log, &run);
    assert_null(run.segment);
    framelog_release(log, &run);
    framelog_free(log);
}

/* Those that were added are shown together, also where they take several segments. */
static void framelog__nothing_is_seen_before_it_is_published(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    uint64_t end = 0;
    append(log, 100, 1);
    for (int seq = 2; seq <= 50; seq++) add(log, 100 + (uint64_t)(seq - 2) * 1000, 1000, seq);
    assert_int_equal(framelog_end(log), 100);
    assert_int_equal(look(log, 100), FRAMELOG_AT_END);
    assert_int_equal(read_run(log, 0, NULL), 100);
    expect_found(log, 30, 100);
    assert_true(framelog_publish(log));
    while (look(log, end) == FRAMELOG_RUN) end += read_run(log, end, NULL);
    assert_int_equal(end, 49100);
    expect_found(log, 30, 29100);
    assert_true(framelog_publish(log));
    assert_int_equal(framelog_end(log), 49100);
    framelog_free(log);
}

/* Whatever the sizes: a run ends where a frame ends, with that frame's change, and can be cut where each one ends. */
static void framelog__runs_end_where_frames_end(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    enum { FRAMES = 600 };
    uint64_t ends[FRAMES + 1] = {0};
    for (int i = 1; i <= FRAMES; i++) {
        append(log, (size_t)(i * 7919) % 5000 + (i % 100 == 0 ? 300 * KIB : 1), i);
        ends[i] = framelog_end(log);
    }
    uint64_t position = 0;
    int64_t seq = 0, first = 1;
    int runs = 0;
    struct framelog_run run;
    while (framelog_read(log, position, &run) == FRAMELOG_RUN) {
        for (int64_t k = first; k <= run.seq; k++) {
            const size_t from = (size_t)(ends[k - 1] - position), to = (size_t)(ends[k] - position);
            const size_t bytes[] = {from + 1, from + (to - from + 1) / 2, to};
            for (size_t i = 0; i < 3; i++) {
                assert_int_equal(framelog_cut(&run, bytes[i], &seq), to);
                assert_int_equal(seq, k);
            }
        }
        assert_true(bytes_right(run.bytes, position));
        position += run.bytes.len;
        first = run.seq + 1;
        assert_int_equal(position, ends[run.seq]);
        framelog_release(log, &run);
        runs++;
    }
    assert_int_equal(position, ends[FRAMES]);
    assert_int_equal(first, FRAMES + 1);
    assert_in_range(runs, 2, FRAMES);
    for (int i = 0; i <= FRAMES; i++) expect_found(log, i, ends[i]);
    framelog_free(log);
}

static void framelog__a_run_from_its_middle_is_cut_by_its_own_bytes(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    struct framelog_run run;
    int64_t seq = 0;
    append(log, 10, 3);
    append(log, 20, 5);
    append(log, 30, 9);
    assert_int_equal(framelog_read(log, 10, &run), FRAMELOG_RUN);
    static const struct {
        size_t n, end;
        int64_t seq;
    } cases[] = {{1, 20, 5}, {19, 20, 5}, {20, 20, 5}, {21, 50, 9}, {50, 50, 9}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(framelog_cut(&run, cases[i].n, &seq), cases[i].end);
        assert_int_equal(seq, cases[i].seq);
    }
    framelog_release(log, &run);
    framelog_free(log);
}

/* Frames of every size around what is left: bytes and marks come to meet, and never overlap. */
static void framelog__bytes_and_marks_share_a_segment(void **state)
{
    (void)state;
    for (size_t len = 1; len < 80; len++) {
        struct framelog *log = open_log(LARGE, 0);
        enum { FRAMES = 2000 };
        for (int i = 1; i <= FRAMES; i++) append(log, len, i);
        uint64_t position = 0;
        int64_t seq = 0;
        while (look(log, position) == FRAMELOG_RUN) {
            position += read_run(log, position, &seq);
            assert_int_equal(position, (uint64_t)seq * len);
        }
        assert_int_equal(position, FRAMES * len);
        for (int i = 0; i <= FRAMES; i += 7) expect_found(log, i, (uint64_t)i * len);
        framelog_free(log);
    }
}

/* What is taken of memory, as a budget counts it. */
static struct framelog *open_counted(uint64_t cap, struct framelog_budget *budget)
{
    struct framelog *log = framelog_new(cap, budget, 0);
    assert_non_null(log);
    return log;
}

static void framelog__a_log_that_is_little_used_stays_small(void **state)
{
    (void)state;
    struct framelog_budget budget = {.most = UINT64_MAX};
    struct framelog *log = open_counted(LARGE, &budget);
    uint64_t taken = 0, largest = 0;
    assert_int_equal(atomic_load(&budget.taken), 0);
    append(log, 100, 1);
    assert_in_range(atomic_load(&budget.taken), 100, 4 * KIB);
    for (int seq = 2; seq <= 10000; seq++) {
        uint64_t before = atomic_load(&budget.taken);
        append(log, 500, seq);
        taken = atomic_load(&budget.taken);
        if (taken - before > largest) largest = taken - before;
        assert_true(taken < 3 * framelog_end(log) + 8 * KIB);
    }
    assert_int_equal(largest, 256 * KIB);
    framelog_free(log);
    assert_int_equal(atomic_load(&budget.taken), 0);
}

/* The cap is one of memory, the free room and the marks of small frames among it. */
static void framelog__takes_no_more_memory_than_its_cap(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 17, 300, 5000, 20000};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct framelog_budget budget = {.most = UINT64_MAX};
        const size_t cap = 256 * KIB;
        struct framelog *log = open_counted(cap, &budget);
        int64_t seq = 0;
        while (framelog_end(log) < 3 * cap) {
            append(log, lens[i], ++seq);
            assert_true(atomic_load(&budget.taken) <= cap);
        }
        framelog_free(log);
    }
}

static void framelog__logs_beyond_their_budget_keep_their_newest_segment(void **state)
{
    (void)state;
    struct framelog_budget budget = {.most = 100 * KIB};
    struct framelog *first = open_counted(1024 * KIB, &budget), *second = open_counted(1024 * KIB, &budget);
    for (int seq = 1; seq <= 25; seq++) append(first, KIB, seq);
    expect_found(first, 0, 0);
    for (int seq = 1; seq <= 400; seq++) {
        append(second, KIB, seq);
        /* Beyond it by no more than a segment of each. */
        assert_true(atomic_load(&budget.taken) <= budget.most + 2 * 128 * KIB);
    }
    expect_lost(second, 0);
    /* The other one kept what it had until it grew itself. */
    expect_found(first, 0, 0);
    for (int seq = 26; seq <= 400; seq++) append(first, KIB, seq);
    expect_lost(first, 0);
    expect_found(first, 400, 400 * KIB);
    assert_int_equal(read_run(first, 399 * KIB, NULL), KIB);
    framelog_free(first);
    framelog_free(second);
    assert_int_equal(atomic_load(&budget.taken), 0);
}

/* A segment that a reader holds counts until he lets go. */
static void framelog__a_pinned_segment_counts(void **state)
{
    (void)state;
    struct framelog_budget budget = {.most = UINT64_MAX};
    struct framelog *log = open_counted(64 * KIB, &budget);
    struct framelog_run run;
    append(log, KIB, 1);
    assert_int_equal(framelog_read(log, 0, &run), FRAMELOG_RUN);
    for (int seq = 2; seq <= 300; seq++) append(log, KIB, seq);
    assert_int_equal(look(log, 0), FRAMELOG_FALLEN_OFF);
    uint64_t pinned = atomic_load(&budget.taken);
    framelog_release(log, &run);
    assert_int_equal(pinned - atomic_load(&budget.taken), 4 * KIB);
    framelog_free(log);
}

static void framelog__larger_than_the_cap(void **state)
{
    (void)state;
    struct framelog *log = open_log(64 * KIB, 0);
    append(log, 100, 1);
    append(log, 1024 * KIB, 2);
    assert_int_equal(look(log, 0), FRAMELOG_FALLEN_OFF);
    assert_int_equal(read_run(log, 100, NULL), 1024 * KIB);
    append(log, 100, 3);
    assert_int_equal(look(log, 100), FRAMELOG_FALLEN_OFF);
    assert_int_equal(read_run(log, 100 + 1024 * KIB, NULL), 100);
    framelog_free(log);
}

static void framelog__keeps_the_newest_up_to_its_cap(void **state)
{
    (void)state;
    const size_t caps[] = {64 * KIB, 1024 * KIB, 4096 * KIB};
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        struct framelog *log = open_log(caps[i], 0);
        const size_t step = 512;
        int64_t seq = 0;
        while (framelog_end(log) < 3 * caps[i]) append(log, step, ++seq);
        uint64_t kept = framelog_end(log) - oldest(log, step);
        assert_in_range(kept, caps[i] / 4 * 3, caps[i]);
        framelog_free(log);
    }
}

static void framelog__a_small_cap_is_raised(void **state)
{
    (void)state;
    struct framelog *log = open_log(1, 0);
    for (int seq = 1; seq <= 48; seq++) append(log, KIB, seq);
    assert_int_equal(oldest(log, KIB), 0);
    framelog_free(log);
}

static void framelog__a_pin_outlives_the_log(void **state)
{
    (void)state;
    struct framelog *log = open_log(64 * KIB, 0);
    struct framelog_run first, second, newer;
    int64_t seq = 0;
    append(log, 1000, 1);
    append(log, 1000, 2);
    assert_int_equal(framelog_read(log, 0, &first), FRAMELOG_RUN);
    assert_int_equal(framelog_read(log, 1000, &second), FRAMELOG_RUN);
    for (seq = 3; seq <= 200; seq++) append(log, 1000, seq);
    assert_int_equal(look(log, 0), FRAMELOG_FALLEN_OFF);
    assert_int_equal(framelog_read(log, 199000, &newer), FRAMELOG_RUN);
    assert_true(bytes_right(first.bytes, 0));
    framelog_release(log, &first);
    assert_true(bytes_right(second.bytes, 1000));
    assert_int_equal(framelog_cut(&second, 1, &seq), 1000);
    assert_int_equal(seq, 2);
    framelog_release(log, &second);
    assert_true(bytes_right(newer.bytes, 199000));
    framelog_release(log, &newer);
    framelog_free(log);
}

/* One frame that could not be made takes all the others with it: no reader may have a hole. */
static void framelog__a_lost_frame_starts_the_log_over(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    struct framelog_run run;
    append(log, 100, 1);
    append(log, 100, 2);
    assert_int_equal(framelog_read(log, 100, &run), FRAMELOG_RUN);
    add(log, 200, 10000, 3);
    framelog_lose(log, 4);
    add(log, 10200, 50, 5);
    assert_int_equal(read_run(log, 100, NULL), 100); /* nothing has happened yet */
    assert_false(framelog_publish(log));
    assert_int_equal(look(log, 0), FRAMELOG_FALLEN_OFF);
    assert_int_equal(look(log, 100), FRAMELOG_FALLEN_OFF);
    assert_int_equal(look(log, 200), FRAMELOG_FALLEN_OFF);
    assert_true(bytes_right(run.bytes, 100));
    framelog_release(log, &run);
    uint64_t end = framelog_end(log);
    assert_true(end > 200);
    assert_int_equal(look(log, end), FRAMELOG_AT_END);
    for (int seq = 0; seq < 5; seq++) expect_lost(log, seq);
    expect_found(log, 5, end);
    append(log, 50, 6);
    assert_int_equal(look(log, 200), FRAMELOG_FALLEN_OFF);
    assert_int_equal(read_run(log, end, NULL), 50);
    expect_found(log, 5, end);
    expect_found(log, 6, end + 50);
    framelog_lose(log, 7);
    assert_false(framelog_publish(log));
    framelog_lose(log, 8);
    assert_false(framelog_publish(log));
    assert_int_equal(look(log, end + 50), FRAMELOG_FALLEN_OFF);
    assert_int_equal(look(log, framelog_end(log)), FRAMELOG_AT_END);
    expect_found(log, 8, framelog_end(log));
    framelog_free(log);
}

static void framelog__without_memory(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    append(log, 10, 1);
    framelog_add(log, (struct view){"", SIZE_MAX / 4}, 2);
    assert_int_equal(read_run(log, 0, NULL), 10);
    assert_false(framelog_publish(log));
    assert_int_equal(look(log, 10), FRAMELOG_FALLEN_OFF);
    expect_lost(log, 1);
    append(log, 10, 3);
    expect_found(log, 2, framelog_end(log) - 10);
    framelog_free(log);
}

static void framelog__find(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 10);
    append(log, 5, 12);
    append(log, 7, 20);
    append(log, 9, 21);
    static const struct {
        int64_t seq;
        uint64_t position;
    } cases[] = {{10, 0}, {11, 0}, {12, 5}, {15, 5}, {19, 5}, {20, 12}, {21, 21}, {22, 21}, {INT64_MAX, 21}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_found(log, cases[i].seq, cases[i].position);
    expect_lost(log, 9);
    expect_lost(log, -1);
    framelog_free(log);
}

static void framelog__start_says_what_is_older(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 10);
    framelog_start(log, 30);
    expect_lost(log, 29);
    expect_found(log, 30, 0);
    append(log, 5, 31);
    expect_found(log, 30, 0);
    expect_found(log, 31, 5);
    framelog_free(log);
}

/* Whoever is found in the log gets every frame behind his change: where those are gone, he is not. */
static void framelog__find_forgets_with_the_segments(void **state)
{
    (void)state;
    struct framelog *log = open_log(64 * KIB, 0);
    for (int64_t seq = 2; seq <= 1000; seq += 2) {
        append(log, 500, seq);
        uint64_t kept = oldest(log, 500);
        int64_t newest_lost = (int64_t)(kept / 500) * 2; /* the change of the frame that ends there */
        if (newest_lost) expect_lost(log, newest_lost - 1);
        expect_found(log, newest_lost, kept);
        expect_found(log, newest_lost + 1, kept);
        expect_found(log, seq, framelog_end(log));
    }
    assert_true(oldest(log, 500) > 0);
    framelog_free(log);
}

/* One appends, others read: the first is waited for and gets everything, the others may fall off. */
struct race {
    struct framelog *log;
    _Atomic uint64_t first_at;
    atomic_bool done;
    atomic_long wrong;
};

struct reader {
    struct race *race;
    bool first;
};

#define RACE_CAP (256 * KIB)

static void *run_appender(void *ctx)
{
    struct race *race = ctx;
    char bytes[4096];
    uint64_t position = 0;
    for (int i = 1; i <= 4000; i++) {
        size_t len = (size_t)(i * 7919) % sizeof bytes + 1;
        if (len > sizeof bytes) len = sizeof bytes;
        for (size_t k = 0; k < len; k++) bytes[k] = byte_at(position + k);
        framelog_add(race->log, (struct view){bytes, len}, i);
        position += len;
        if (i % 4) continue;
        if (!framelog_publish(race->log)) atomic_fetch_add(&race->wrong, 1);
        while (atomic_load(&race->first_at) + RACE_CAP / 2 < position) sched_yield();
    }
    atomic_store(&race->done, true);
    return NULL;
}

/* Goes on a frame at a time now and then, as one does whose sends are short. */
static void step(struct race *race, const struct framelog_run *run, uint64_t *position, int64_t *seq)
{
    int64_t cut_seq = 0;
    size_t n = run->bytes.len % 3 ? run->bytes.len : framelog_cut(run, run->bytes.len / 2 + 1, &cut_seq);
    if (!bytes_right(run->bytes, *position) || run->seq <= *seq || n > run->bytes.len)
        atomic_fetch_add(&race->wrong, 1);
    *position += n;
    *seq = cut_seq ? cut_seq : run->seq;
}

static void *run_reader(void *ctx)
{
    struct reader *reader = ctx;
    struct race *race = reader->race;
    uint64_t position = 0;
    int64_t seq = 0;
    for (;;) {
        bool done = atomic_load(&race->done);
        struct framelog_run run;
        enum framelog_read found = framelog_read(race->log, position, &run);
        if (found == FRAMELOG_AT_END && done) return NULL;
        if (found == FRAMELOG_AT_END) sched_yield();
        if (found == FRAMELOG_FALLEN_OFF) {
            uint64_t end = framelog_end(race->log);
            if (end < position || reader->first) atomic_fetch_add(&race->wrong, 1);
            position = end;
            seq = -1;
        }
        if (found == FRAMELOG_RUN) step(race, &run, &position, &seq);
        framelog_release(race->log, &run);
        uint64_t place;
        if (seq >= 0 && framelog_find(race->log, seq, &place) && place != position) atomic_fetch_add(&race->wrong, 1);
        if (reader->first) atomic_store(&race->first_at, position);
    }
}

static void framelog__readers_beside_the_appender(void **state)
{
    (void)state;
    struct race race = {.log = open_log(RACE_CAP, 0)};
    struct reader readers[3] = {{&race, true}, {&race, false}, {&race, false}};
    pthread_t appender, threads[3];
    for (size_t i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, run_reader, &readers[i]), 0);
    assert_int_equal(pthread_create(&appender, NULL, run_appender, &race), 0);
    pthread_join(appender, NULL);
    for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&race.wrong), 0);
    assert_int_equal(atomic_load(&race.first_at), framelog_end(race.log));
    framelog_free(race.log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(framelog__empty),
        cmocka_unit_test(framelog__a_run_reaches_the_end),
        cmocka_unit_test(framelog__a_run_is_as_it_was),
        cmocka_unit_test(framelog__nothing_is_seen_before_it_is_published),
        cmocka_unit_test(framelog__runs_end_where_frames_end),
        cmocka_unit_test(framelog__a_run_from_its_middle_is_cut_by_its_own_bytes),
        cmocka_unit_test(framelog__bytes_and_marks_share_a_segment),
        cmocka_unit_test(framelog__a_log_that_is_little_used_stays_small),
        cmocka_unit_test(framelog__takes_no_more_memory_than_its_cap),
        cmocka_unit_test(framelog__logs_beyond_their_budget_keep_their_newest_segment),
        cmocka_unit_test(framelog__a_pinned_segment_counts),
        cmocka_unit_test(framelog__larger_than_the_cap),
        cmocka_unit_test(framelog__keeps_the_newest_up_to_its_cap),
        cmocka_unit_test(framelog__a_small_cap_is_raised),
        cmocka_unit_test(framelog__a_pin_outlives_the_log),
        cmocka_unit_test(framelog__a_lost_frame_starts_the_log_over),
        cmocka_unit_test(framelog__without_memory),
        cmocka_unit_test(framelog__find),
        cmocka_unit_test(framelog__start_says_what_is_older),
        cmocka_unit_test(framelog__find_forgets_with_the_segments),
        cmocka_unit_test(framelog__readers_beside_the_appender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
