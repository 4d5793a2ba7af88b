#include "http/router.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

/* The pieces with "|" between them, "!" for a path that is refused. */
static const char *pieces(const char *raw)
{
    static char text[512];
    struct path path;
    text[0] = '\0';
    if (!path_parse(&path, view_of(raw), &arena)) return "!";
    for (size_t i = 0; i < path.count; i++) {
        if (i) strcat(text, "|");
        strncat(text, path.segments[i].at, path.segments[i].len);
    }
    return text;
}

static void router__cuts_at_slashes(void **state)
{
    (void)state;
    assert_string_equal(pieces("/"), "");
    assert_string_equal(pieces("/api"), "api");
    assert_string_equal(pieces("/api/messages/5"), "api|messages|5");
    assert_string_equal(pieces("/api/messages/5/"), "api|messages|5");
}

static void router__refuses_empty_pieces(void **state)
{
    (void)state;
    assert_string_equal(pieces(""), "!");
    assert_string_equal(pieces("api"), "!");
    assert_string_equal(pieces("*"), "!");
    assert_string_equal(pieces("//"), "!");
    assert_string_equal(pieces("//api"), "!");
    assert_string_equal(pieces("/api//messages"), "!");
    assert_string_equal(pieces("/api/messages//"), "!");
}

static void router__limits_the_number_of_pieces(void **state)
{
    (void)state;
    assert_string_equal(pieces("/1/2/3/4/5/6/7/8"), "1|2|3|4|5|6|7|8");
    assert_string_equal(pieces("/1/2/3/4/5/6/7/8/"), "1|2|3|4|5|6|7|8");
    assert_string_equal(pieces("/1/2/3/4/5/6/7/8/9"), "!");
}

static void router__decodes_after_the_cut(void **state)
{
    (void)state;
    assert_string_equal(pieces("/a%20b/%41"), "a b|A");
    assert_string_equal(pieces("/1%2F2"), "1/2");
    assert_string_equal(pieces("/%2f"), "/");
    assert_string_equal(pieces("/a%252f"), "a%2f");
    assert_string_equal(pieces("/gr%C3%BC%c3%9f"), "gr\xc3\xbc\xc3\x9f");
    assert_string_equal(pieces("/a+b"), "a+b");
}

static void router__refuses_bad_escapes(void **state)
{
    (void)state;
    static const char *const bad[] = {"/%", "/a%", "/a%4", "/%4/1", "/%zz", "/%4g", "/%-1", "/%00", "/a%00b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_string_equal(pieces(bad[i]), "!");
}

static void router__refuses_what_is_no_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {"/%ff", "/%c3", "/%c0%80", "/%ed%a0%80", "/%f4%90%80%80", "/\xff", "/%e2%82"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_string_equal(pieces(bad[i]), "!");
    assert_string_equal(pieces("/%e2%82%ac/%f0%9f%98%80"), "\xe2\x82\xac|\xf0\x9f\x98\x80");
}

static void router__refuses_without_memory(void **state)
{
    (void)state;
    struct arena tiny;
    struct path path;
    arena_init(&tiny, 2);
    assert_false(path_parse(&path, VIEW("/%41%42%43"), &tiny));
    assert_true(path_parse(&path, VIEW("/needs-none"), &tiny));
    arena_release(&tiny);
}

static bool matches(const char *raw, const char *pattern, struct view params[MAX_SEGMENTS])
{
    struct path path;
    assert_true(path_parse(&path, view_of(raw), &arena));
    return path_match(&path, pattern, params);
}

static void router__matches_piece_by_piece(void **state)
{
    (void)state;
    struct view params[MAX_SEGMENTS];
    assert_true(matches("/", "/", params));
    assert_false(matches("/api", "/", params));
    assert_false(matches("/", "/api", params));
    assert_true(matches("/api/access", "/api/access", params));
    assert_false(matches("/api/Access", "/api/access", params));
    assert_false(matches("/api", "/api/access", params));
    assert_false(matches("/api/access/1", "/api/access", params));
    assert_false(matches("/api/acces", "/api/access", params));
}

static void router__fills_parameters_in_order(void **state)
{
    (void)state;
    struct view params[MAX_SEGMENTS] = {{0}};
    assert_true(matches("/api/messages/a%2Fb/duplicate", "/api/:collection/:id/duplicate", params));
    assert_true(view_is(params[0], "messages"));
    assert_true(view_is(params[1], "a/b"));
    assert_null(params[2].at);
    assert_false(matches("/api/messages/5/other", "/api/:collection/:id/duplicate", params));
    assert_false(matches("/api/messages", "/api/:collection/:id", params));
    assert_true(matches("/1/2/3/4/5/6/7/8", "/:a/:b/:c/:d/:e/:f/:g/:h", params));
    assert_true(view_is(params[7], "8"));
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 65536);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(router__cuts_at_slashes),
        cmocka_unit_test(router__refuses_empty_pieces),
        cmocka_unit_test(router__limits_the_number_of_pieces),
        cmocka_unit_test(router__decodes_after_the_cut),
        cmocka_unit_test(router__refuses_bad_escapes),
        cmocka_unit_test(router__refuses_what_is_no_utf8),
        cmocka_unit_test(router__refuses_without_memory),
        cmocka_unit_test(router__matches_piece_by_piece),
        cmocka_unit_test(router__fills_parameters_in_order),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
