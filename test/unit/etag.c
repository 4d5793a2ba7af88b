#include "http/etag.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void etag__is_of_the_bytes_alone(void **state)
{
    char one[ETAG_LENGTH + 1], other[ETAG_LENGTH + 1], text[602];
    (void)state;
    /* The first is XXH3's published sum of nothing. */
    etag_of((struct view){0}, one);
    assert_string_equal(one, "\"99aa06d3014798d86001c324468d497f\"");
    memset(text, 'x', sizeof text);
    etag_of((struct view){text, 600}, one);
    etag_of((struct view){text + 1, 600}, other);
    assert_string_equal(one, other);
    etag_of((struct view){text, 601}, other);
    assert_string_not_equal(one, other);
    text[599] = 'y';
    etag_of((struct view){text, 600}, other);
    assert_string_not_equal(one, other);
}

static void etag__held(void **state)
{
    static const char *const yes[] = {"*", "\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\",\"c\"", "\"b\",,\"a\""};
    static const char *const no[] = {"", "a", "\"A\"", "\"a", "w/\"a\"", "\"ab\"", "\"*\"", "\"b\",*", "W/ \"a\""};
    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_true(etag_held(view_of(yes[i]), "\"a\""));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(etag_held(view_of(no[i]), "\"a\""));
    assert_false(etag_held((struct view){0}, "\"a\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(etag__is_of_the_bytes_alone),
        cmocka_unit_test(etag__held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
