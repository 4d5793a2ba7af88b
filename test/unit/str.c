/* Views and growing texts: counted bytes, sticky failure, JSON as JSON.stringify writes it. */
#include "parley/str.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_view(struct view v, struct view expected)
{
    assert_int_equal(v.len, expected.len);
    if (v.len) assert_memory_equal(v.at, expected.at, v.len);
}

static void assert_text(const struct str *s, struct view expected)
{
    assert_false(s->failed);
    assert_view(str_view(s), expected);
    if (s->at) assert_int_equal(s->at[s->len], 0);
}

static void view__of(void **state)
{
    (void)state;
    assert_view(view_of("abc"), VIEW("abc"));
    assert_int_equal(view_of("").len, 0);
    assert_int_equal(view_of(NULL).len, 0);
    assert_int_equal(VIEW("a\0b").len, 3);
    assert_int_equal(str_view(&(struct str){0}).len, 0);
}

static void view__equal(void **state)
{
    (void)state;
    assert_true(view_equal(VIEW("a\0b"), VIEW("a\0b")));
    assert_false(view_equal(VIEW("a\0b"), VIEW("a\0c")));
    assert_false(view_equal(VIEW("a"), VIEW("ab")));
    assert_true(view_equal(VIEW(""), view_of(NULL)));
    assert_true(view_equal(view_of(NULL), view_of(NULL)));
    assert_true(view_is(VIEW("abc"), "abc"));
    assert_false(view_is(VIEW("abc"), "ab"));
    assert_false(view_is(VIEW("abc\0"), "abc"));
    assert_true(view_is(view_of(NULL), ""));
}

static void view__nocase(void **state)
{
    (void)state;
    assert_true(view_is_nocase(VIEW("Content-TYPE"), "content-type"));
    assert_true(view_is_nocase(VIEW(""), ""));
    assert_true(view_is_nocase(view_of(NULL), ""));
    assert_false(view_is_nocase(VIEW("content-typ"), "content-type"));
    assert_false(view_is_nocase(VIEW("content-type"), "content-typ"));
    assert_false(view_is_nocase(VIEW("a\0"), "a"));
    /* The neighbours of the letters differ by the same bit as the letters do. */
    assert_false(view_is_nocase(VIEW("@[`{"), "`{@["));
    assert_false(view_is_nocase(VIEW("\xc4"), "\xe4"));
}

static void view__starts(void **state)
{
    (void)state;
    assert_true(view_starts(VIEW("/api/users"), "/api/"));
    assert_true(view_starts(VIEW("/api/"), "/api/"));
    assert_true(view_starts(view_of(NULL), ""));
    assert_false(view_starts(VIEW("/api"), "/api/"));
    assert_false(view_starts(VIEW("x/api/"), "/api/"));
}

static void view__trim(void **state)
{
    (void)state;
    assert_view(view_trim(VIEW(" \t\r\na b\n ")), VIEW("a b"));
    assert_view(view_trim(VIEW("ab")), VIEW("ab"));
    assert_int_equal(view_trim(VIEW(" \t ")).len, 0);
    assert_int_equal(view_trim(view_of(NULL)).len, 0);
    assert_view(view_trim(VIEW("\va\f")), VIEW("\va\f"));
    assert_view(view_trim(VIEW("\xc2\xa0")), VIEW("\xc2\xa0"));
}

static void view__cut(void **state)
{
    (void)state;
    struct view rest = VIEW("a,,bc,");
    assert_view(view_cut(&rest, ','), VIEW("a"));
    assert_view(view_cut(&rest, ','), VIEW(""));
    assert_view(view_cut(&rest, ','), VIEW("bc"));
    /* Something empty is left behind the last separator, and behind that nothing. */
    assert_int_equal(rest.len, 0);
    assert_non_null(rest.at);
    assert_view(view_cut(&rest, ','), VIEW(""));
    assert_null(rest.at);
    assert_int_equal(rest.len, 0);
    assert_view(view_cut(&rest, ','), VIEW(""));
    assert_null(rest.at);

    rest = VIEW("abc");
    assert_view(view_cut(&rest, ','), VIEW("abc"));
    assert_null(rest.at);

    rest = VIEW("a\0b");
    assert_view(view_cut(&rest, 0), VIEW("a"));
    assert_view(rest, VIEW("b"));
}

static void view__integer(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t n;
    } good[] = {{"0", 0}, {"7", 7}, {"-7", -7}, {"-0", 0}, {"007", 7}, {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN}, {"00000000000000000000000000001", 1}};
    static const char *const bad[] = {"", "-", "--1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "a", "9223372036854775808",
        "-9223372036854775809", "18446744073709551616", "99999999999999999999999"};
    for (size_t i = 0; i < COUNT(good); i++) {
        int64_t n = 42;
        assert_true(view_integer(view_of(good[i].text), &n));
        assert_true(n == good[i].n);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t n;
        assert_false(view_integer(view_of(bad[i]), &n));
    }
    int64_t n;
    assert_false(view_integer(view_of(NULL), &n));
    assert_false(view_integer(VIEW("1\0"), &n));
    assert_true(view_integer((struct view){"123", 2}, &n));
    assert_int_equal(n, 12);
}

static void str__adds(void **state)
{
    (void)state;
    struct str s = {0};
    str_add(&s, VIEW("a\0b"));
    str_addc(&s, 'c');
    str_addc(&s, 0);
    str_addz(&s, "de");
    str_addz(&s, NULL);
    str_add(&s, view_of(NULL));
    assert_text(&s, VIEW("a\0bc\0de"));
    str_release(&s);
    assert_null(s.at);
    assert_int_equal(s.len, 0);
    str_release(&s);
}

static void str__empty_add_makes_a_c_string(void **state)
{
    (void)state;
    struct str s = {0};
    str_add(&s, VIEW(""));
    assert_non_null(s.at);
    assert_text(&s, VIEW(""));
    str_release(&s);
}

static void str__grows(void **state)
{
    (void)state;
    struct str s = {0};
    for (int i = 0; i < 10000; i++) {
        str_addc(&s, (char)('a' + i % 26));
        assert_int_equal(s.at[s.len], 0);
        assert_true(s.room > s.len);
    }
    assert_int_equal(s.len, 10000);
    for (size_t i = 0; i < 10000; i++) assert_int_equal(s.at[i], 'a' + i % 26);
    str_release(&s);
}

static void str__reserves(void **state)
{
    (void)state;
    struct str s = {0};
    assert_true(str_reserve(&s, 1000));
    assert_text(&s, VIEW(""));
    assert_true(s.room >= 1001);
    const char *at = s.at;
    for (int i = 0; i < 1000; i++) str_addc(&s, 'x');
    assert_ptr_equal(s.at, at);
    str_release(&s);
}

static void str__formats(void **state)
{
    (void)state;
    struct str s = {0};
    str_addf(&s, "%d-%s", 42, "x");
    str_addf(&s, "%s", "");
    assert_text(&s, VIEW("42-x"));
    for (int width = 1; width < 300; width++) {
        str_reset(&s);
        str_addz(&s, "ab");
        str_addf(&s, "%*d", width, 7);
        assert_int_equal(s.len, width + 2);
        assert_int_equal(s.at[width + 1], '7');
        assert_int_equal(s.at[s.len], 0);
    }
    str_reset(&s);
    str_addf(&s, "%c", 0);
    assert_text(&s, VIEW("\0"));
    str_release(&s);
}

static void str__integers(void **state)
{
    (void)state;
    struct str s = {0};
    const int64_t numbers[] = {0, 1, -1, 10, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        str_add_integer(&s, numbers[i]);
        str_addc(&s, ' ');
    }
    assert_text(&s, VIEW("0 1 -1 10 9223372036854775807 -9223372036854775808 "));
    str_release(&s);
}

static void str__fails_sticky(void **state)
{
    (void)state;
    struct str s = {0};
    str_addz(&s, "abc");
    assert_false(str_reserve(&s, SIZE_MAX));
    assert_true(s.failed);
    assert_false(str_reserve(&s, 0));
    str_addz(&s, "d");
    str_addc(&s, 'd');
    str_addf(&s, "%d", 1);
    str_add_integer(&s, 1);
    str_add_json(&s, VIEW("\"\n\xff"));
    assert_true(s.failed);
    assert_view(str_view(&s), VIEW("abc"));
    assert_int_equal(s.at[3], 0);
    str_reset(&s);
    assert_text(&s, VIEW(""));
    str_addz(&s, "again");
    assert_text(&s, VIEW("again"));
    str_release(&s);
    assert_false(s.failed);
}

static void str__reserve_out_of_range(void **state)
{
    (void)state;
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct str s = {0};
        assert_false(str_reserve(&s, sizes[i]));
        assert_true(s.failed);
        str_addz(&s, "x");
        assert_int_equal(str_view(&s).len, 0);
        assert_null(str_detach(&s));
        assert_false(s.failed);
    }
}

static void str__resets(void **state)
{
    (void)state;
    struct str s = {0};
    str_reset(&s);
    assert_null(s.at);
    str_addz(&s, "abc");
    const char *at = s.at;
    str_reset(&s);
    assert_ptr_equal(s.at, at);
    assert_text(&s, VIEW(""));
    str_release(&s);
}

static void str__detaches(void **state)
{
    (void)state;
    struct str s = {0};
    assert_null(str_detach(&s));
    str_addz(&s, "abc");
    char *text = str_detach(&s);
    assert_string_equal(text, "abc");
    free(text);
    assert_null(s.at);
    assert_int_equal(s.len, 0);
    str_addz(&s, "d");
    assert_text(&s, VIEW("d"));
    (void)str_reserve(&s, SIZE_MAX);
    assert_null(str_detach(&s));
    assert_null(s.at);
    assert_false(s.failed);
}

#define BAD "\xef\xbf\xbd"

static const struct {
    struct view text, json;
} written[] = {
    {{NULL, 0}, {"\"\"", 2}},
#define CASE(text, json)                                                                                               \
    {                                                                                                                  \
        {text, sizeof(text) - 1},                                                                                      \
        {                                                                                                              \
            "\"" json "\"", sizeof(json) + 1                                                                           \
        }                                                                                                              \
    }
    CASE("plain", "plain"),
    CASE("\"\\/", "\\\"\\\\/"),
    CASE("\b\t\n\f\r", "\\b\\t\\n\\f\\r"),
    CASE("\0\x01\x0b\x1f", "\\u0000\\u0001\\u000b\\u001f"),
    CASE("a\nb\nc", "a\\nb\\nc"),
    CASE("\x7f", "\x7f"),
    CASE("\xc2\x80\xe2\x80\xa8", "\xc2\x80\xe2\x80\xa8"),
    CASE("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
    /* The least and the most of each length. */
    CASE("\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
        "\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
    CASE("a\xff"
         "b",
        "a" BAD "b"),
    CASE("\x80\xbf", BAD BAD),
    CASE("\xc0\x80", BAD BAD),
    CASE("\xc1\xbf", BAD BAD),
    CASE("\xe0\x9f\xbf", BAD BAD BAD),
    CASE("\xed\xa0\x80", BAD BAD BAD),
    CASE("\xf0\x8f\xbf\xbf", BAD BAD BAD BAD),
    CASE("\xf4\x90\x80\x80", BAD BAD BAD BAD),
    CASE("\xf5\x80", BAD BAD),
    CASE("\xc3", BAD),
    CASE("\xe2\x82", BAD),
    CASE("\xf0\x9f\x98", BAD),
    CASE("\xf0\x9f\x98"
         "a",
        BAD "a"),
    CASE("\xe2\x82\xe2\x82\xac", BAD "\xe2\x82\xac"),
    CASE("\xc3\"", BAD "\\\""),
    CASE("\xe2\n", BAD "\\n"),
    /* Table 3-8 of the Unicode Standard. */
    CASE("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", BAD BAD BAD BAD "A"),
#undef CASE
};

static void str__json(void **state)
{
    (void)state;
    struct str s = {0};
    for (size_t i = 0; i < COUNT(written); i++) {
        /* A copy of just its size, so that a read beyond the end is seen. */
        char *copy = malloc(written[i].text.len + 1);
        assert_non_null(copy);
        struct view text = {copy, written[i].text.len};
        if (text.len) memcpy(copy, written[i].text.at, text.len);
        copy = realloc(copy, text.len ? text.len : 1);
        assert_non_null(copy);
        text.at = copy;
        str_reset(&s);
        str_add_json(&s, text);
        assert_text(&s, written[i].json);
        free(copy);
    }
    str_release(&s);
}

static void str__json_behind_what_is_there(void **state)
{
    (void)state;
    struct str s = {0};
    str_addz(&s, "{\"a\":");
    str_add_json(&s, VIEW("b\n"));
    str_addc(&s, '}');
    assert_text(&s, VIEW("{\"a\":\"b\\n\"}"));
    str_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view__of),
        cmocka_unit_test(view__equal),
        cmocka_unit_test(view__nocase),
        cmocka_unit_test(view__starts),
        cmocka_unit_test(view__trim),
        cmocka_unit_test(view__cut),
        cmocka_unit_test(view__integer),
        cmocka_unit_test(str__adds),
        cmocka_unit_test(str__empty_add_makes_a_c_string),
        cmocka_unit_test(str__grows),
        cmocka_unit_test(str__reserves),
        cmocka_unit_test(str__formats),
        cmocka_unit_test(str__integers),
        cmocka_unit_test(str__fails_sticky),
        cmocka_unit_test(str__reserve_out_of_range),
        cmocka_unit_test(str__resets),
        cmocka_unit_test(str__detaches),
        cmocka_unit_test(str__json),
        cmocka_unit_test(str__json_behind_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
