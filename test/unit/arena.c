/* The request's memory: zeroed, aligned, capped, and all of it gone at the reset. */
#include "base/arena.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CAP 1000000

static void assert_zero(const unsigned char *at, size_t size)
{
    for (size_t i = 0; i < size; i++) assert_int_equal(at[i], 0);
}

static void arena__pieces_are_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, CAP);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 300; size++) {
            unsigned char *piece = arena_alloc(&a, size);
            assert_non_null(piece);
            assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
            assert_zero(piece, size);
            memset(piece, 0xff, size);
        }
        arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    arena_release(&a);
}

static void arena__pieces_are_apart(void **state)
{
    (void)state;
    struct arena a;
    unsigned char *pieces[200];
    arena_init(&a, CAP);
    for (size_t i = 0; i < COUNT(pieces); i++) {
        pieces[i] = arena_alloc(&a, 10 * i + 1);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)i, 10 * i + 1);
    }
    for (size_t i = 0; i < COUNT(pieces); i++)
        for (size_t j = 0; j < 10 * i + 1; j++) assert_int_equal(pieces[i][j], i);
    arena_release(&a);
}

static void arena__empty_pieces_have_addresses_of_their_own(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, CAP);
    void *one = arena_alloc(&a, 0), *two = arena_alloc(&a, 0);
    assert_non_null(one);
    assert_non_null(two);
    assert_ptr_not_equal(one, two);
    arena_release(&a);
}

static void arena__cap(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    assert_non_null(arena_alloc(&a, 4096));
    assert_int_equal(a.used, 4096);
    assert_false(a.failed);
    assert_null(arena_alloc(&a, 1));
    assert_true(a.failed);
    arena_reset(&a);
    assert_false(a.failed);
    assert_null(arena_alloc(&a, 4097));
    assert_true(a.failed);
    /* A refusal takes nothing: what fits is still given, and the failure is still told. */
    assert_non_null(arena_alloc(&a, 4096));
    assert_true(a.failed);
    arena_release(&a);
}

static void arena__no_room_at_all(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 0);
    assert_null(arena_alloc(&a, 1));
    assert_null(arena_copy(&a, VIEW("x")));
    assert_null(arena_printf(&a, "%d", 1));
    assert_true(a.failed);
    arena_release(&a);
}

static void arena__sizes_out_of_range(void **state)
{
    (void)state;
    struct arena a;
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        arena_init(&a, SIZE_MAX);
        assert_null(arena_alloc(&a, sizes[i]));
        assert_true(a.failed);
        arena_release(&a);
    }
    arena_init(&a, SIZE_MAX);
    assert_null(ARENA_ARRAY(&a, uint64_t, SIZE_MAX / 8 + 1));
    assert_null(ARENA_ARRAY(&a, uint64_t, SIZE_MAX / 8 + 2));
    assert_true(a.failed);
    arena_release(&a);
}

static void arena__arrays(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, CAP);
    uint64_t *numbers = ARENA_ARRAY(&a, uint64_t, 5000);
    assert_non_null(numbers);
    assert_zero((unsigned char *)numbers, 5000 * sizeof *numbers);
    assert_true(a.used >= 40000);
    assert_non_null(ARENA_ARRAY(&a, uint64_t, 0));
    arena_release(&a);
}

static void arena__larger_than_any_block(void **state)
{
    (void)state;
    struct arena a;
    size_t size = (size_t)3 << 20;
    arena_init(&a, 4 * size);
    for (int round = 0; round < 3; round++) {
        assert_non_null(arena_alloc(&a, 100));
        unsigned char *piece = arena_alloc(&a, size);
        assert_non_null(piece);
        piece[0] = piece[size - 1] = 1;
        assert_non_null(arena_alloc(&a, 100));
        arena_reset(&a);
        piece = arena_alloc(&a, size);
        assert_non_null(piece);
        assert_int_equal(piece[0] + piece[size - 1], 0);
        arena_reset(&a);
    }
    arena_release(&a);
}

static void arena__copy(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, CAP);
    assert_string_equal(arena_copy(&a, (struct view){"abcdef", 3}), "abc");
    assert_string_equal(arena_copy(&a, view_of(NULL)), "");
    assert_memory_equal(arena_copy(&a, VIEW("a\0b")), "a\0b", 4);
    arena_release(&a);
}

static void arena__printf(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, CAP);
    assert_string_equal(arena_printf(&a, "%s-%d", "a", 42), "a-42");
    assert_string_equal(arena_printf(&a, "%s", ""), "");
    char *wide = arena_printf(&a, "%50000d", 7);
    assert_non_null(wide);
    assert_int_equal(strlen(wide), 50000);
    assert_int_equal(wide[49999], '7');
    assert_null(arena_printf(&a, "%*d", CAP, 7));
    assert_true(a.failed);
    arena_release(&a);
}

static char order[8];

static void note(void *thing)
{
    strcat(order, thing);
}

static void arena__clean_ups_run_newest_first(void **state)
{
    (void)state;
    struct arena a;
    char one[] = "1", two[] = "2", three[] = "3";
    order[0] = 0;
    arena_init(&a, CAP);
    assert_true(arena_defer(&a, note, one));
    assert_true(arena_defer(&a, note, two));
    assert_string_equal(order, "");
    arena_reset(&a);
    assert_string_equal(order, "21");
    arena_reset(&a);
    assert_string_equal(order, "21");
    assert_true(arena_defer(&a, note, three));
    arena_release(&a);
    assert_string_equal(order, "213");
    arena_release(&a);
    assert_string_equal(order, "213");
}

/* What is cleaned up may lie in the arena itself. */
static void arena__clean_ups_run_before_the_pieces_go(void **state)
{
    (void)state;
    struct arena a;
    order[0] = 0;
    arena_init(&a, CAP);
    char *name = arena_copy(&a, VIEW("own"));
    assert_true(arena_defer(&a, note, name));
    assert_non_null(arena_alloc(&a, 100000));
    arena_reset(&a);
    assert_string_equal(order, "own");
    arena_release(&a);
}

static void arena__clean_up_without_memory_runs_at_once(void **state)
{
    (void)state;
    struct arena a;
    char one[] = "1";
    order[0] = 0;
    arena_init(&a, 8);
    assert_false(arena_defer(&a, note, one));
    assert_string_equal(order, "1");
    assert_true(a.failed);
    arena_release(&a);
    assert_string_equal(order, "1");
}

static void arena__usable_after_the_release(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 64);
    assert_non_null(arena_alloc(&a, 64));
    arena_release(&a);
    assert_non_null(arena_alloc(&a, 64));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena__pieces_are_zeroed_and_aligned),
        cmocka_unit_test(arena__pieces_are_apart),
        cmocka_unit_test(arena__empty_pieces_have_addresses_of_their_own),
        cmocka_unit_test(arena__cap),
        cmocka_unit_test(arena__no_room_at_all),
        cmocka_unit_test(arena__sizes_out_of_range),
        cmocka_unit_test(arena__arrays),
        cmocka_unit_test(arena__larger_than_any_block),
        cmocka_unit_test(arena__copy),
        cmocka_unit_test(arena__printf),
        cmocka_unit_test(arena__clean_ups_run_newest_first),
        cmocka_unit_test(arena__clean_ups_run_before_the_pieces_go),
        cmocka_unit_test(arena__clean_up_without_memory_runs_at_once),
        cmocka_unit_test(arena__usable_after_the_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
