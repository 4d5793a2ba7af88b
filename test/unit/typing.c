#include "api/typing.h"
#include "base/clock.h"
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void typing__a_beginning_and_its_end(void **state)
{
    struct typing *t = typing_new();
    (void)state;
    assert_non_null(t);
    assert_false(typing_passes(t, 1, 2, false)); /* nothing has begun */
    assert_true(typing_passes(t, 1, 2, true));
    assert_true(typing_passes(t, 2, 1, true)); /* another pair */
    assert_true(typing_passes(t, 1, 2, false));
    assert_false(typing_passes(t, 1, 2, false));
    typing_free(t);
    typing_free(NULL);
}

/* However often it is said: as often as seconds went by, and each with one end. */
static void typing__once_a_second(void **state)
{
    struct typing *t = typing_new();
    int64_t start = clock_monotonic();
    int began = 0, ended = 0;
    (void)state;
    assert_non_null(t);
    while (began < 3) {
        began += typing_passes(t, 1, 2, true);
        ended += typing_passes(t, 1, 2, false);
        assert_true(ended <= began && began <= 1 + (clock_monotonic() - start) / TYPING_MS);
        poll(NULL, 0, 1);
    }
    assert_true(ended >= 2);
    typing_free(t);
}

/* More pairs than there is room for: none is refused for another's sake. */
static void typing__many_pairs(void **state)
{
    struct typing *t = typing_new();
    (void)state;
    assert_non_null(t);
    for (int from = 1; from <= 2 * TYPING_SLOTS; from++) assert_true(typing_passes(t, from, 1, true));
    typing_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typing__a_beginning_and_its_end),
        cmocka_unit_test(typing__once_a_second),
        cmocka_unit_test(typing__many_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
