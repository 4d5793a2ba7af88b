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

#define KIB        ((size_t)1024)
#define LARGE      (64 * KIB * KIB)
#define REMEMBERED 8192

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
    struct framelog *log = framelog_new(cap, seq);
    assert_non_null(log);
    return log;
}

static void append(struct framelog *log, size_t len, int64_t seq)
{
    uint64_t position = framelog_end(log).position;
    char *bytes = malloc(len + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) bytes[i] = byte_at(position + i);
    assert_true(framelog_append(log, (struct view){bytes, len}, seq));
    free(bytes);
    assert_int_equal(framelog_end(log).position, position + len);
    assert_int_equal(framelog_end(log).seq, seq);
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

/* The oldest position kept, by asking for each that an append of `step` bytes can have made. */
static uint64_t oldest(struct framelog *log, size_t step)
{
    uint64_t position = 0;
    while (look(log, position) == FRAMELOG_FALLEN_OFF) position += step;
    return position;
}

static void framelog__empty(void **state)
{
    (void)state;
    struct framelog *log = open_log(0, 41);
    struct framelog_run run;
    uint64_t position = 99;
    assert_int_equal(framelog_end(log).position, 0);
    assert_int_equal(framelog_end(log).seq, 41);
    assert_int_equal(framelog_read(log, 0, &run), FRAMELOG_AT_END);
    assert_null(run.segment);
    framelog_release(log, &run);
    assert_true(framelog_find(log, 41, &position));
    assert_int_equal(position, 0);
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
    assert_int_equal(read_run(log, 59, NULL), 1);
    assert_int_equal(look(log, 60), FRAMELOG_AT_END);
    framelog_free(log);
}

static void framelog__a_run_is_as_it_was(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    struct framelog_run run;
    append(log, 10, 1);
    assert_int_equal(framelog_read(log, 0, &run), FRAMELOG_RUN);
    append(log, 10, 2);
    assert_int_equal(run.bytes.len, 10);
    assert_int_equal(run.seq, 1);
    framelog_release(log, &run);
    assert_null(run.segment);
    framelog_release(log, &run);
    framelog_free(log);
}

/* Whatever the sizes: a run begins at any position and ends where an append ended, with that append's seq. */
static void framelog__runs_end_where_appends_ended(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    enum { APPENDS = 600 };
    uint64_t ends[APPENDS + 1] = {0};
    for (int i = 1; i <= APPENDS; i++) {
        append(log, (size_t)(i * 7919) % 5000 + (i % 100 == 0 ? 300 * KIB : 1), i);
        ends[i] = framelog_end(log).position;
    }
    uint64_t position = 0;
    int64_t seq = 0;
    int runs = 0;
    while (look(log, position) == FRAMELOG_RUN) {
        position += read_run(log, position, &seq);
        assert_in_range(seq, 1, APPENDS);
        assert_int_equal(position, ends[seq]);
        runs++;
    }
    assert_int_equal(position, ends[APPENDS]);
    assert_int_equal(seq, APPENDS);
    assert_in_range(runs, 2, APPENDS);
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
        while (framelog_end(log).position < 3 * caps[i]) append(log, step, ++seq);
        uint64_t kept = framelog_end(log).position - oldest(log, step);
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
    append(log, 1000, 1);
    assert_int_equal(framelog_read(log, 0, &first), FRAMELOG_RUN);
    assert_int_equal(framelog_read(log, 500, &second), FRAMELOG_RUN);
    for (int seq = 2; seq <= 200; seq++) append(log, 1000, seq);
    assert_int_equal(look(log, 0), FRAMELOG_FALLEN_OFF);
    assert_int_equal(framelog_read(log, 199000, &newer), FRAMELOG_RUN);
    assert_true(bytes_right(first.bytes, 0));
    framelog_release(log, &first);
    assert_true(bytes_right(second.bytes, 500));
    framelog_release(log, &second);
    assert_true(bytes_right(newer.bytes, 199000));
    framelog_release(log, &newer);
    framelog_free(log);
}

static void framelog__skip(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    struct framelog_run run;
    uint64_t position = 0;
    append(log, 100, 1);
    append(log, 100, 2);
    assert_int_equal(framelog_read(log, 100, &run), FRAMELOG_RUN);
    framelog_skip(log, 3);
    assert_int_equal(look(log, 0), FRAMELOG_FALLEN_OFF);
    assert_int_equal(look(log, 100), FRAMELOG_FALLEN_OFF);
    assert_int_equal(look(log, 200), FRAMELOG_FALLEN_OFF);
    assert_true(bytes_right(run.bytes, 100));
    framelog_release(log, &run);
    struct framelog_end end = framelog_end(log);
    assert_int_equal(end.seq, 3);
    assert_int_equal(look(log, end.position), FRAMELOG_AT_END);
    assert_false(framelog_find(log, 2, &position));
    assert_true(framelog_find(log, 3, &position));
    assert_int_equal(position, end.position);
    append(log, 50, 4);
    assert_int_equal(look(log, 200), FRAMELOG_FALLEN_OFF);
    assert_int_equal(read_run(log, end.position, NULL), 50);
    framelog_skip(log, 5);
    framelog_skip(log, 6);
    assert_int_equal(look(log, framelog_end(log).position), FRAMELOG_AT_END);
    framelog_free(log);
}

static void framelog__append_without_memory(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    append(log, 10, 1);
    assert_false(framelog_append(log, (struct view){"", SIZE_MAX / 4}, 2));
    assert_int_equal(framelog_end(log).position, 10);
    assert_int_equal(framelog_end(log).seq, 1);
    assert_int_equal(read_run(log, 0, NULL), 10);
    framelog_skip(log, 2);
    assert_int_equal(look(log, 10), FRAMELOG_FALLEN_OFF);
    append(log, 10, 3);
    framelog_free(log);
}

static void framelog__find(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 10);
    uint64_t position = 0;
    append(log, 5, 12);
    append(log, 0, 15);
    append(log, 7, 20);
    const struct {
        int64_t seq;
        bool found;
        uint64_t position;
    } cases[] = {
        {9, false, 0},
        {10, true, 0},
        {11, false, 0},
        {12, true, 5},
        {15, true, 5},
        {19, false, 0},
        {20, true, 12},
        {21, false, 0},
        {-1, false, 0},
        {INT64_MAX, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(framelog_find(log, cases[i].seq, &position), cases[i].found);
        if (cases[i].found) assert_int_equal(position, cases[i].position);
    }
    framelog_free(log);
}

static void framelog__find_takes_the_last_of_one_seq(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 10);
    uint64_t position = 0;
    append(log, 5, 10);
    append(log, 6, 10);
    append(log, 7, 11);
    assert_true(framelog_find(log, 10, &position));
    assert_int_equal(position, 11);
    framelog_free(log);
}

static void framelog__find_forgets(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    uint64_t position = 0;
    for (int seq = 1; seq <= REMEMBERED + 5; seq++) append(log, 1, seq);
    assert_false(framelog_find(log, 0, &position));
    assert_false(framelog_find(log, 5, &position));
    for (int seq = 6; seq <= REMEMBERED + 5; seq++) {
        assert_true(framelog_find(log, seq, &position));
        assert_int_equal(position, seq);
    }
    framelog_free(log);
}

static void framelog__an_empty_append_moves_the_seq_alone(void **state)
{
    (void)state;
    struct framelog *log = open_log(LARGE, 0);
    int64_t seq = 0;
    assert_true(framelog_append(log, (struct view){0}, 1));
    assert_int_equal(framelog_end(log).position, 0);
    assert_int_equal(framelog_end(log).seq, 1);
    assert_int_equal(look(log, 0), FRAMELOG_AT_END);
    append(log, 8, 2);
    append(log, 0, 3);
    assert_int_equal(read_run(log, 0, &seq), 8);
    assert_int_equal(seq, 2);
    assert_int_equal(look(log, 8), FRAMELOG_AT_END);
    framelog_free(log);
}

/* One appends, others read: the first is waited for and gets everything, the others may fall off. */
struct race {
    struct framelog *log;
    _Atomic uint64_t first_at;
    atomic_bool done;
    atomic_long wrong, falls_of_first;
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
        size_t len = (size_t)(i * 7919) % sizeof bytes;
        for (size_t k = 0; k < len; k++) bytes[k] = byte_at(position + k);
        if (!framelog_append(race->log, (struct view){bytes, len}, i)) atomic_fetch_add(&race->wrong, 1);
        position += len;
        while (atomic_load(&race->first_at) + RACE_CAP / 2 < position) sched_yield();
    }
    atomic_store(&race->done, true);
    return NULL;
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
            struct framelog_end end = framelog_end(race->log);
            if (end.position < position || end.seq < seq) atomic_fetch_add(&race->wrong, 1);
            if (reader->first) atomic_fetch_add(&race->falls_of_first, 1);
            position = end.position;
            seq = end.seq;
        }
        if (found == FRAMELOG_RUN) {
            if (!bytes_right(run.bytes, position) || run.seq < seq) atomic_fetch_add(&race->wrong, 1);
            position += run.bytes.len;
            seq = run.seq;
        }
        framelog_release(race->log, &run);
        uint64_t place;
        if (framelog_find(race->log, seq, &place) && place != position) atomic_fetch_add(&race->wrong, 1);
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
    assert_int_equal(atomic_load(&race.falls_of_first), 0);
    assert_int_equal(atomic_load(&race.first_at), framelog_end(race.log).position);
    framelog_free(race.log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(framelog__empty),
        cmocka_unit_test(framelog__a_run_reaches_the_end),
        cmocka_unit_test(framelog__a_run_is_as_it_was),
        cmocka_unit_test(framelog__runs_end_where_appends_ended),
        cmocka_unit_test(framelog__larger_than_the_cap),
        cmocka_unit_test(framelog__keeps_the_newest_up_to_its_cap),
        cmocka_unit_test(framelog__a_small_cap_is_raised),
        cmocka_unit_test(framelog__a_pin_outlives_the_log),
        cmocka_unit_test(framelog__skip),
        cmocka_unit_test(framelog__append_without_memory),
        cmocka_unit_test(framelog__find),
        cmocka_unit_test(framelog__find_takes_the_last_of_one_seq),
        cmocka_unit_test(framelog__find_forgets),
        cmocka_unit_test(framelog__an_empty_append_moves_the_seq_alone),
        cmocka_unit_test(framelog__readers_beside_the_appender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
