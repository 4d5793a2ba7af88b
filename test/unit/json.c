/* JSON as it is written again. */
#include "schema/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void json__what_was_read_is_written_as_javascript_does(void **state)
{
    static const struct {
        const char *text, *json, *plain; /* JSON.stringify, String */
    } cases[] = {
        {"null", "null", "null"},
        {"[1,null,[2,\"a\"]]", "[1,null,[2,\"a\"]]", "1,,2,a"},
        {"{\"a\":{}}", "{\"a\":{}}", "[object Object]"},
        {"1.50", "1.5", "1.5"},
        {"-0.0", "0", "0"},
        {"9007199254740993", "9007199254740992", "9007199254740992"},
        {"1e999", "null", "Infinity"},
        {"[-1e999]", "[null]", "-Infinity"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct json_object *value;
        struct failure f;
        struct str out = {0};
        arena_init(&arena, 1 << 16);
        assert_int_equal(json_read(&arena, view_of(cases[i].text), &value, &f), OK);
        json_add(&out, value);
        assert_string_equal(out.at, cases[i].json);
        str_reset(&out);
        json_add_plain(&out, value);
        assert_string_equal(out.at, cases[i].plain);
        str_release(&out);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json__what_was_read_is_written_as_javascript_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
