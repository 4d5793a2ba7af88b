/* Failures: how they are filled, and their limits. */
#include "parley/status.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#undef fail /* the name is cmocka's too */

static void status__fail(void **state)
{
    (void)state;
    struct failure f;
    memset(&f, 0xa5, sizeof f);
    assert_int_equal(fail(&f, NOT_FOUND, "No %s with id %d.", "user", 7), NOT_FOUND);
    assert_int_equal(f.status, NOT_FOUND);
    assert_int_equal(f.shape, FAILURE_PLAIN);
    assert_string_equal(f.reason, "No user with id 7.");
    assert_null(f.slug);
    assert_int_equal(f.id, 0);
    assert_int_equal(f.nflaws, 0);
}

static void status__fail_cuts_long_reasons(void **state)
{
    (void)state;
    struct failure f;
    fail(&f, INVALID, "%0*d", (int)sizeof f.reason - 1, 0);
    assert_int_equal(strlen(f.reason), sizeof f.reason - 1);
    fail(&f, INVALID, "%01000d", 0);
    assert_int_equal(strlen(f.reason), sizeof f.reason - 1);
    fail(&f, INVALID, "%s", "");
    assert_string_equal(f.reason, "");
}

static void status__flaws(void **state)
{
    (void)state;
    struct failure f = {0};
    struct flaw sender = {.label = "Sender", .message = "This field is required.", .path = "sender"};
    struct flaw text = {.message = "Too long.", .path = "text"};
    assert_int_equal(fail_flaw(&f, FAILURE_VALIDATION, sender), INVALID);
    assert_int_equal(fail_flaw(&f, FAILURE_VALIDATION, text), INVALID);
    assert_int_equal(f.status, INVALID);
    assert_int_equal(f.shape, FAILURE_VALIDATION);
    assert_string_equal(f.reason, "");
    assert_int_equal(f.nflaws, 2);
    assert_ptr_equal(f.flaws[0].label, sender.label);
    assert_ptr_equal(f.flaws[0].message, sender.message);
    assert_ptr_equal(f.flaws[0].path, sender.path);
    assert_null(f.flaws[1].label);
    assert_ptr_equal(f.flaws[1].path, text.path);
}

static void status__flaws_keep_the_document(void **state)
{
    (void)state;
    struct failure f = {.slug = "messages", .id = 12};
    fail_flaw(&f, FAILURE_VALIDATION, (struct flaw){.path = "text"});
    assert_string_equal(f.slug, "messages");
    assert_int_equal(f.id, 12);
}

static void status__flaws_beyond_the_limit_are_dropped(void **state)
{
    (void)state;
    struct failure f = {0};
    char paths[MAX_FLAWS + 2][4] = {0};
    for (size_t i = 0; i < COUNT(paths); i++) {
        paths[i][0] = (char)('A' + i);
        assert_int_equal(fail_flaw(&f, FAILURE_QUERY, (struct flaw){.path = paths[i]}), INVALID);
    }
    assert_int_equal(f.nflaws, MAX_FLAWS);
    assert_ptr_equal(f.flaws[0].path, paths[0]);
    assert_ptr_equal(f.flaws[MAX_FLAWS - 1].path, paths[MAX_FLAWS - 1]);
}

/* A plain failure takes the place of the flaws, and flaws that of a plain failure. */
static void status__the_last_failure_counts(void **state)
{
    (void)state;
    struct failure f = {0};
    fail_flaw(&f, FAILURE_QUERY, (struct flaw){.path = "a"});
    fail(&f, NO_MEMORY, "Out of memory.");
    assert_int_equal(f.status, NO_MEMORY);
    assert_int_equal(f.shape, FAILURE_PLAIN);
    assert_int_equal(f.nflaws, 0);
    fail_flaw(&f, FAILURE_QUERY, (struct flaw){.path = "b"});
    assert_int_equal(f.status, INVALID);
    assert_int_equal(f.shape, FAILURE_QUERY);
    assert_string_equal(f.reason, "");
    assert_int_equal(f.nflaws, 1);
    assert_string_equal(f.flaws[0].path, "b");
}

static void status__names(void **state)
{
    (void)state;
    assert_string_equal(status_name(OK), "OK");
    assert_string_equal(status_name(TOO_MANY), "TOO_MANY");
    for (int one = OK; one <= IO_ERROR; one++) {
        assert_non_null(status_name((enum status)one));
        for (int other = OK; other < one; other++)
            assert_string_not_equal(status_name((enum status)one), status_name((enum status)other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status__fail),
        cmocka_unit_test(status__fail_cuts_long_reasons),
        cmocka_unit_test(status__flaws),
        cmocka_unit_test(status__flaws_keep_the_document),
        cmocka_unit_test(status__flaws_beyond_the_limit_are_dropped),
        cmocka_unit_test(status__the_last_failure_counts),
        cmocka_unit_test(status__names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
