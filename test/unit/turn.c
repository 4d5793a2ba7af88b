/* Turns, with threads: one at a time under a key, and nobody waits for ever. */
#include "api/turn.h"
#include "base/check.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LONG_MS 60000

static struct turn turn(int64_t scope, const char *key, char print)
{
    struct turn t = {.scope = scope, .key = view_of(key)};
    memset(t.fingerprint, print, sizeof t.fingerprint);
    return t;
}

static void turn__others_do_not_wait(void **state)
{
    (void)state;
    struct failure f;
    struct turns *t = turns_new(LONG_MS, 0);
    struct turn own[] = {turn(1, "a", 'x'), turn(2, "a", 'x'), turn(1, "b", 'x'), turn(1, "", 'x')};
    for (size_t i = 0; i < COUNT(own); i++) assert_int_equal(turns_take(t, &own[i], &f), OK);
    for (size_t i = 0; i < COUNT(own); i++) turns_give(t, &own[i]);
    assert_int_equal(turns_take(t, &own[0], &f), OK);
    turns_give(t, &own[0]);
    turns_free(t);
    turns_free(NULL);
}

static void turn__another_request_is_told_at_once(void **state)
{
    (void)state;
    struct failure f;
    struct turns *t = turns_new(LONG_MS, 1);
    struct turn one = turn(1, "a", 'x'), other = turn(1, "a", 'y');
    assert_int_equal(turns_take(t, &one, &f), OK);
    assert_int_equal(turns_take(t, &other, &f), MISMATCH);
    turns_give(t, &one);
    turns_free(t);
}

static void turn__a_wait_ends(void **state)
{
    (void)state;
    struct failure f;
    struct turns *t = turns_new(20, 1);
    struct turn one = turn(1, "a", 'x'), same = turn(1, "a", 'x');
    assert_int_equal(turns_take(t, &one, &f), OK);
    assert_int_equal(turns_take(t, &same, &f), CONFLICT);
    turns_give(t, &one);
    turns_free(t);
}

static void turn__too_many_do_not_wait(void **state)
{
    (void)state;
    struct failure f;
    struct turns *t = turns_new(LONG_MS, 0);
    struct turn one = turn(1, "a", 'x'), same = turn(1, "a", 'x');
    assert_int_equal(turns_take(t, &one, &f), OK);
    assert_int_equal(turns_take(t, &same, &f), CONFLICT);
    turns_give(t, &one);
    turns_free(t);
}

#define RACERS 16
#define ROUNDS 200

struct race {
    struct turns *turns;
    atomic_int inside[2]; /* of each key */
    int count[2];         /* guarded by the turn alone */
    atomic_int refused;
};

static void *run(void *ctx)
{
    struct race *race = ctx;
    struct failure f;
    for (int i = 0; i < ROUNDS; i++) {
        int which = i & 1;
        struct turn own = turn(7, which ? "odd" : "even", 'x');
        if (turns_take(race->turns, &own, &f)) {
            race->refused++;
            continue;
        }
        if (atomic_fetch_add(&race->inside[which], 1)) race->refused++;
        race->count[which]++;
        atomic_fetch_sub(&race->inside[which], 1);
        turns_give(race->turns, &own);
    }
    return NULL;
}

static void turn__is_one_threads_at_a_time(void **state)
{
    (void)state;
    struct race race = {.turns = turns_new(LONG_MS, RACERS)};
    pthread_t threads[RACERS];
    for (int i = 0; i < RACERS; i++) assert_int_equal(pthread_create(&threads[i], NULL, run, &race), 0);
    for (int i = 0; i < RACERS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(race.refused, 0);
    assert_int_equal(race.count[0] + race.count[1], RACERS * ROUNDS);
    turns_free(race.turns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turn__others_do_not_wait),
        cmocka_unit_test(turn__another_request_is_told_at_once),
        cmocka_unit_test(turn__a_wait_ends),
        cmocka_unit_test(turn__too_many_do_not_wait),
        cmocka_unit_test(turn__is_one_threads_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
