#include "base/multimap.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NODES 3000
#define KEYS  1000

struct thing {
    struct multimap_node node;
    bool in;
};

static size_t random_below(uint64_t *state, size_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (size_t)(*state >> 33) % below;
}

/* Each that is in is found once, under its number and among all; nobody else is. */
static void compare(const struct multimap *m, const struct thing *things)
{
    static size_t with[KEYS];
    size_t in = 0, all = 0;
    for (size_t k = 0; k < KEYS; k++) with[k] = 0;
    for (size_t i = 0; i < NODES; i++)
        if (things[i].in) with[things[i].node.key]++, in++;
    for (struct multimap_node *n = multimap_first(m); n; n = multimap_next(m, n), all++)
        assert_true(CONTAINER(n, struct thing, node)->in);
    assert_int_equal(m->count, in);
    assert_int_equal(all, in);
    for (size_t k = 0; k < KEYS; k++) {
        size_t found = 0;
        for (struct multimap_node *n = multimap_find(m, k); n; n = multimap_find_next(n), found++)
            assert_int_equal(n->key, k);
        assert_int_equal(found, with[k]);
    }
}

static void run(bool grows)
{
    struct multimap m = {0};
    struct thing *things = calloc(NODES, sizeof *things);
    uint64_t state = 1;
    assert_non_null(things);
    for (int step = 0; step < 20000; step++) {
        struct thing *t = &things[random_below(&state, NODES)];
        if (t->in)
            multimap_take_out(&m, &t->node);
        else
            multimap_put(&m, &t->node, random_below(&state, KEYS));
        t->in = !t->in;
        size_t wants = multimap_wants(&m);
        if (grows && wants) free(multimap_spread(&m, multimap_room(wants), wants));
        if (step % 1000 == 0) compare(&m, things);
    }
    compare(&m, things);
    assert_int_equal(m.nchains > 0, grows);
    for (size_t i = 0; i < NODES; i++) multimap_take_out(&m, &things[i].node);
    assert_null(multimap_first(&m));
    assert_int_equal(m.count, 0);
    free(m.chains);
    free(things);
}

static void multimap__what_is_put_in_is_found(void **state)
{
    (void)state;
    run(true);
}

static void multimap__without_memory_it_is_slow_and_right(void **state)
{
    (void)state;
    run(false);
}

static void multimap__fewer_chains_than_it_has_are_given_back(void **state)
{
    struct multimap m = {0};
    (void)state;
    assert_null(multimap_spread(&m, multimap_room(128), 128));
    struct multimap_node **fewer = multimap_room(64);
    assert_ptr_equal(multimap_spread(&m, fewer, 64), fewer);
    free(fewer);
    free(m.chains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multimap__what_is_put_in_is_found),
        cmocka_unit_test(multimap__without_memory_it_is_slow_and_right),
        cmocka_unit_test(multimap__fewer_chains_than_it_has_are_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
