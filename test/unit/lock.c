/* Locks and conditions. Each broken law is broken in a child process, which has to die of it. */
#define _GNU_SOURCE 1
#include "base/lock.h"
#include "base/check.h"
#include "base/clock.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_aborts(void (*run)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* No core file, no alarm among the tests' output. */
        struct rlimit none = {0, 0};
        int nowhere = open("/dev/null", O_WRONLY);
        if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
        setrlimit(RLIMIT_CORE, &none);
        run();
        _exit(0);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(WTERMSIG(how), SIGABRT);
}

static void take_two(void)
{
    struct lock one, two;
    lock_init(&one);
    lock_init(&two);
    lock_take(&one);
    lock_take(&two);
}

static void take_twice(void)
{
    struct lock one;
    lock_init(&one);
    lock_take(&one);
    lock_take(&one);
}

static void drop_untaken(void)
{
    struct lock one;
    lock_init(&one);
    lock_drop(&one);
}

static void wait_without_lock(void)
{
    struct lock one;
    struct condition c;
    lock_init(&one);
    condition_init(&c);
    condition_wait_until(&c, &one, 0);
}

/* The lock is held again behind a wait, and so a second one is one too many. */
static void take_behind_wait(void)
{
    struct lock one, two;
    struct condition c;
    lock_init(&one);
    lock_init(&two);
    condition_init(&c);
    lock_take(&one);
    condition_wait_until(&c, &one, 0);
    lock_take(&two);
}

static void lock__broken_laws_abort(void **state)
{
    (void)state;
    assert_aborts(take_two);
    assert_aborts(take_twice);
    assert_aborts(drop_untaken);
    assert_aborts(wait_without_lock);
    assert_aborts(take_behind_wait);
}

static void lock__one_after_the_other(void **state)
{
    (void)state;
    struct lock one, two;
    lock_init(&one);
    lock_init(&two);
    for (int round = 0; round < 3; round++) {
        lock_take(&one);
        lock_drop(&one);
        lock_take(&two);
        lock_drop(&two);
    }
    lock_destroy(&one);
    lock_destroy(&two);
}

struct shared {
    struct lock lock;
    struct condition changed;
    struct condition answered;
    int ready, go, done;
    int64_t count;
};

static void shared_init(struct shared *s)
{
    *s = (struct shared){0};
    lock_init(&s->lock);
    condition_init(&s->changed);
    condition_init(&s->answered);
}

static void shared_destroy(struct shared *s)
{
    condition_destroy(&s->answered);
    condition_destroy(&s->changed);
    lock_destroy(&s->lock);
}

static void *count_up(void *thing)
{
    struct shared *s = thing;
    for (int i = 0; i < 20000; i++) {
        lock_take(&s->lock);
        s->count++;
        lock_drop(&s->lock);
    }
    return NULL;
}

static void lock__excludes(void **state)
{
    (void)state;
    struct shared s;
    pthread_t threads[4];
    shared_init(&s);
    for (size_t i = 0; i < COUNT(threads); i++) assert_int_equal(pthread_create(&threads[i], NULL, count_up, &s), 0);
    for (size_t i = 0; i < COUNT(threads); i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(s.count, 80000);
    shared_destroy(&s);
}

static void *wait_for_go(void *thing)
{
    struct shared *s = thing;
    lock_take(&s->lock);
    s->ready++;
    condition_signal(&s->answered);
    while (!s->go) condition_wait(&s->changed, &s->lock);
    s->done++;
    lock_drop(&s->lock);
    /* The count is right behind a wait: another lock may be taken now. */
    struct lock other;
    lock_init(&other);
    lock_take(&other);
    lock_drop(&other);
    lock_destroy(&other);
    return NULL;
}

static void lock__broadcast_wakes_all(void **state)
{
    (void)state;
    struct shared s;
    pthread_t threads[4];
    shared_init(&s);
    for (size_t i = 0; i < COUNT(threads); i++) assert_int_equal(pthread_create(&threads[i], NULL, wait_for_go, &s), 0);
    lock_take(&s.lock);
    while (s.ready < (int)COUNT(threads)) condition_wait(&s.answered, &s.lock);
    assert_int_equal(s.done, 0);
    s.go = 1;
    condition_broadcast(&s.changed);
    lock_drop(&s.lock);
    for (size_t i = 0; i < COUNT(threads); i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(s.done, COUNT(threads));
    shared_destroy(&s);
}

static void lock__signal_without_the_lock(void **state)
{
    (void)state;
    struct shared s;
    pthread_t thread;
    shared_init(&s);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_go, &s), 0);
    lock_take(&s.lock);
    while (s.ready < 1) condition_wait(&s.answered, &s.lock);
    s.go = 1;
    lock_drop(&s.lock);
    condition_signal(&s.changed);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(s.done, 1);
    shared_destroy(&s);
}

static void lock__wait_until_a_passed_deadline(void **state)
{
    (void)state;
    struct shared s;
    const int64_t deadlines[] = {clock_monotonic() - 1, 0, -1, -1500, INT64_MIN};
    shared_init(&s);
    lock_take(&s.lock);
    for (size_t i = 0; i < COUNT(deadlines); i++) assert_false(condition_wait_until(&s.changed, &s.lock, deadlines[i]));
    lock_drop(&s.lock);
    shared_destroy(&s);
}

static void lock__wait_until_does_not_return_before(void **state)
{
    (void)state;
    struct shared s;
    shared_init(&s);
    lock_take(&s.lock);
    int64_t deadline = clock_monotonic() + 20;
    while (condition_wait_until(&s.changed, &s.lock, deadline)) continue;
    assert_true(clock_monotonic() >= deadline);
    lock_drop(&s.lock);
    shared_destroy(&s);
}

static void *wait_for_go_until_forever(void *thing)
{
    struct shared *s = thing;
    bool in_time = true;
    lock_take(&s->lock);
    s->ready++;
    condition_signal(&s->answered);
    while (!s->go && in_time) in_time = condition_wait_until(&s->changed, &s->lock, INT64_MAX);
    if (in_time) s->done++;
    lock_drop(&s->lock);
    return NULL;
}

static void lock__wait_until_is_woken(void **state)
{
    (void)state;
    struct shared s;
    pthread_t thread;
    shared_init(&s);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_go_until_forever, &s), 0);
    lock_take(&s.lock);
    while (s.ready < 1) condition_wait(&s.answered, &s.lock);
    s.go = 1;
    condition_signal(&s.changed);
    lock_drop(&s.lock);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(s.done, 1);
    shared_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock__broken_laws_abort),
        cmocka_unit_test(lock__one_after_the_other),
        cmocka_unit_test(lock__excludes),
        cmocka_unit_test(lock__broadcast_wakes_all),
        cmocka_unit_test(lock__signal_without_the_lock),
        cmocka_unit_test(lock__wait_until_a_passed_deadline),
        cmocka_unit_test(lock__wait_until_does_not_return_before),
        cmocka_unit_test(lock__wait_until_is_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
