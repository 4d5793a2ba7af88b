/* Kept answers: what they cost, and whose place is taken. */
#include "api/cache.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The answer under the key; "": there is none. Good until the next call. */
static const char *shown(struct cache *c, const char *key, uint64_t version)
{
    static struct str out;
    str_reset(&out);
    bool found = cache_show(c, view_of(key), version, &out);
    assert_int_equal(found, out.len > 0);
    return found ? out.at : "";
}

static void keep(struct cache *c, const char *key, uint64_t version, const char *answer)
{
    cache_keep(c, view_of(key), version, view_of(answer));
}

static void cache__shows_one_version(void **state)
{
    (void)state;
    struct cache *c = cache_new(10000);
    assert_string_equal(shown(c, "a", 1), "");
    keep(c, "a", 1, "one");
    assert_string_equal(shown(c, "a", 1), "one");
    assert_string_equal(shown(c, "a", 2), "");
    assert_string_equal(shown(c, "b", 1), "");
    keep(c, "a", 2, "two");
    assert_string_equal(shown(c, "a", 1), "");
    assert_string_equal(shown(c, "a", 2), "two");
    keep(c, "a", 1, "late");
    assert_string_equal(shown(c, "a", 2), "two");
    cache_free(c);
    cache_free(NULL);
}

static void cache__the_least_used_makes_room(void **state)
{
    (void)state;
    char answer[600] = {0}, key[16];
    struct cache *c = cache_new(10000);
    memset(answer, 'x', sizeof answer - 1);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%d", i);
        keep(c, key, 1, answer);
        assert_string_equal(shown(c, key, 1), answer);
        assert_string_equal(shown(c, "0", 1), answer);
    }
    assert_string_equal(shown(c, "1", 1), "");
    assert_string_equal(shown(c, "98", 1), answer);
    cache_free(c);
}

static void cache__keeps_no_large_ones(void **state)
{
    (void)state;
    char answer[1300] = {0};
    struct cache *c = cache_new(10000), *none = cache_new(0);
    memset(answer, 'x', sizeof answer - 1);
    keep(c, "a", 1, answer);
    assert_string_equal(shown(c, "a", 1), "");
    keep(none, "a", 1, "x");
    assert_string_equal(shown(none, "a", 1), "");
    cache_free(c);
    cache_free(none);
}

/* An answer is read while another takes its place. */
static void *read_and_write(void *ctx)
{
    char key[16], answer[64];
    for (unsigned i = 0; i < 20000; i++) {
        struct str out = {0};
        snprintf(key, sizeof key, "%u", i % 7);
        snprintf(answer, sizeof answer, "%u of %u, and more of the same", i % 7, i / 1000);
        if (cache_show(ctx, view_of(key), i / 1000, &out)) assert_string_equal(out.at, answer);
        str_release(&out);
        cache_keep(ctx, view_of(key), i / 1000, view_of(answer));
    }
    return NULL;
}

static void cache__many_at_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct cache *c = cache_new(2000);
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, read_and_write, c), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cache__shows_one_version),
        cmocka_unit_test(cache__the_least_used_makes_room),
        cmocka_unit_test(cache__keeps_no_large_ones),
        cmocka_unit_test(cache__many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
