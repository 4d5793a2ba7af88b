#include "schema/filename.h"
#include "base/check.h"
#include "base/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static const char *clean(struct view sent)
{
    struct view name;
    struct failure f;
    assert_int_equal(filename_clean(sent, &arena, &name, &f), OK);
    assert_int_equal(name.at[name.len], 0);
    assert_int_equal(strlen(name.at), name.len);
    return name.at;
}

static const char *other(const char *name, int64_t n)
{
    struct view out;
    struct failure f;
    assert_int_equal(filename_other(view_of(name), n, &arena, &out, &f), OK);
    assert_int_equal(strlen(out.at), out.len);
    assert_true(out.len <= FILENAME_MOST);
    assert_true(utf8_valid(out));
    return out.at;
}

/* `n` times `text`, then `end`. */
static const char *many(const char *text, size_t n, const char *end)
{
    struct str s = {0};
    while (n--) str_addz(&s, text);
    str_addz(&s, end);
    char *copy = arena_copy(&arena, str_view(&s));
    str_release(&s);
    return copy;
}

struct row {
    const char *sent, *wanted;
};

static void expect_all(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = clean(view_of(rows[i].sent));
        if (strcmp(got, rows[i].wanted) != 0) print_error("of \"%s\"\n", rows[i].sent);
        assert_string_equal(got, rows[i].wanted);
    }
}

static void filename__is_the_last_piece_of_a_path(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"red.png", "red.png"},
        {"a/b/red.png", "red.png"},
        {"/red.png", "red.png"},
        {"../../etc/passwd", "passwd"},
        {"C:\\Users\\me\\red.png", "red.png"},
        {"..\\..\\red.png", "red.png"},
        {"a\\b/c.png", "c.png"},
        {"a/b\\c.png", "c.png"},
        {"C:red.png", "Cred.png"},
        {"%2e%2e%2fred.png", "%2e%2e%2fred.png"},
        {"..%5Cred.png", "..%5Cred.png"},
        {"two words.png", "two words.png"},
        {"ünï 文.png", "ünï 文.png"},
        {"\xf0\x9f\x98\x80.png", "\xf0\x9f\x98\x80.png"},
        {"a#b.png", "a#b.png"},
        {"-rf.txt", "-rf.txt"},
        {"a.tar.gz", "a.tar.gz"},
        {"A.PNG", "A.PNG"},
        {"no extension", "no extension"},
        {".htaccess", ".htaccess.htaccess"}, /* as in Payload */
        {"red.png?v=2", "red.png"},
        {"red.png#top", "red.png"},
    };
    expect_all(rows, COUNT(rows));
}

static void filename__is_never_empty_or_a_folder(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", "file"},
        {".", "file"},
        {"..", "file"},
        {"...", "file"},
        {"/", "file"},
        {"a/", "file"},
        {"a/..", "file"},
        {"a\\.", "file"},
        {" ", "file"},
        {". .", "file"},
        {"?", "file"},
        {"<>:\"|?*", "file"},
        {"\x01\x02", "file"},
        {"\xc2\x80\xc2\x9f", "file"},
        {"..png", "file.png"},
        {"...png", "file.png"},
        {" .png", "file.png"},
        {"*.png", "file.png"},
    };
    expect_all(rows, COUNT(rows));
}

static void filename__drops_what_some_system_forbids(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a<b>c:d\"e|f?g*h.png", "abcdefgh.png"},
        {"a\x01"
         "b\x1f"
         "c\td\n.png",
            "abcd.png"},
        {"a\xc2\x80"
         "b\xc2\x85"
         "c\xc2\x9f.png",
            "abc.png"},
        {"a\xc2\xa0"
         "b.png",
            "a\xc2\xa0"
            "b.png"},                       /* behind C1 */
        {"a\xc3\x80.png", "a\xc3\x80.png"}, /* its second byte alone would be C1 */
        {"red.p\x01n\xc2\x80g", "red.png"},
        {"red .png", "red.png"},
        {"red. .png", "red.png"},
        {"red...png", "red.png"},
        {"red.", "red"},
        {"red..", "red"},
        {"red ", "red"},
    };
    expect_all(rows, COUNT(rows));
    assert_string_equal(clean(VIEW("a\0b.p\0ng")), "ab.png");
    assert_string_equal(clean(VIEW("\0")), "file");
}

static void filename__keeps_nothing_forbidden_in_its_extension(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a.p<n>g", "a.png"},
        {"a.ht:ml", "a.html"},
        {"a.png:stream", "a.pngstream"},
        {"a.\"|*", "a"},
        {"a.html ", "a.html"},
        {"a. html", "a.html"},
        {"a. ", "a"},
        {"a. \x01 ", "a"},
        {" . ", "file"},
    };
    expect_all(rows, COUNT(rows));
}

static void filename__has_no_delete_character(void **state)
{
    (void)state;
    static const struct row rows[] = {{"a\x7f"
                                       "b.p\x7fng",
                                          "ab.png"},
        {"\x7f", "file"}, {"a.\x7f", "a"}};
    expect_all(rows, COUNT(rows));
}

static void filename__is_no_device_of_windows(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"con", "file"},
        {"CON", "file"},
        {"con.png", "file.png"},
        {"Aux.tar.gz", "file.gz"},
        {"nul.txt.png", "file.png"},
        {"prn.", "file"},
        {"com1.png", "file.png"},
        {"COM0", "file"},
        {"lpt9.png", "file.png"},
        {"con .png", "file.png"},
        {"c<on.png", "file.png"},
        {"con\x01.png", "file.png"},
        {"a/con.png", "file.png"},
        {"com.png", "com.png"},
        {"com10.png", "com10.png"},
        {"coma.png", "coma.png"},
        {"console.png", "console.png"},
        {"lpt.png", "lpt.png"},
        {"a.con", "a.con"},
        {"a con.png", "a con.png"},
    };
    expect_all(rows, COUNT(rows));
}

static void filename__is_no_device_with_a_space_behind_it(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"con .tar.gz", "file.gz"}, {"nul  .a.b", "file.b"}, {"com1 .x.png", "file.png"}, {"con x.png", "con x.png"}};
    expect_all(rows, COUNT(rows));
}

static void filename__that_is_no_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xff.png", "a\x80.png", "\xc0\xaf.png", "\xc1\x9c.png", "\xe0\x80\xaf.png",
        "\xed\xa0\x80.png", "\xf4\x90\x80\x80.png", "\xf0\x80\x80\xaf.png", "a\xc3", "a.\xe2\x82", "\xff/a.png"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct view name;
        struct failure f = {0};
        assert_int_equal(filename_clean(view_of(bad[i]), &arena, &name, &f), INVALID);
        assert_string_equal(f.reason, "The file's name is not UTF-8.");
    }
}

static void filename__fits_a_file_system(void **state)
{
    (void)state;
    assert_string_equal(clean(view_of(many("a", 255, ""))), many("a", 255, ""));
    assert_string_equal(clean(view_of(many("a", 256, ""))), many("a", 255, ""));
    assert_string_equal(clean(view_of(many("a", 251, ".png"))), many("a", 251, ".png"));
    assert_string_equal(clean(view_of(many("a", 252, ".png"))), many("a", 251, ".png"));
    /* No character is cut. */
    assert_string_equal(clean(view_of(many("é", 300, ".png"))), many("é", 125, ".png"));
    assert_string_equal(clean(view_of(many("文", 300, ".png"))), many("文", 83, ".png"));
    assert_string_equal(clean(view_of(many("\xf0\x9f\x98\x80", 64, ""))), many("\xf0\x9f\x98\x80", 63, ""));
    /* A long extension leaves room for what is before it. */
    assert_string_equal(clean(view_of(arena_printf(&arena, "a.b%s", many("b", 299, "")))),
        arena_printf(&arena, "a.b%s", many("b", 63, "")));
    assert_int_equal(strlen(clean(view_of(many("a", 300, arena_printf(&arena, ".b%s", many("b", 299, "")))))), 255);
    assert_string_equal(clean(view_of(arena_printf(&arena, "a.%s", many("é", 50, "")))),
        arena_printf(&arena, "a.%s", many("é", 32, "")));
    assert_string_equal(clean(view_of(many("a/", 5000, "b.png"))), "b.png");
}

static void filename__that_was_cut_ends_as_well_as_another(void **state)
{
    (void)state;
    assert_string_equal(clean(view_of(many("a", 254, " b"))), many("a", 254, ""));
    assert_string_equal(clean(view_of(many("a", 250, " b.png"))), many("a", 250, ".png"));
    assert_string_equal(clean(view_of(many(" ", 300, "a"))), "file");
    assert_string_equal(clean(view_of(arena_printf(&arena, "a.%s", many("b", 63, " b")))),
        arena_printf(&arena, "a.%s", many("b", 63, "")));
}

/* Whatever is sent. */
static void filename__is_good_whatever_is_sent(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "b", ".", ".", " ", "con", "COM1", "<", ":", "*", "?", "#", "\"", "|",
        "/", "\\", "\x01", "\x7f", "\xc2\x85", "é", "文", "\xf0\x9f\x98\x80", "-1", "png",
        "0123456789012345678901234567890123456789012345678901234567890"};
    uint64_t random = 1;
    for (int round = 0; round < 20000; round++) {
        struct str sent = {0};
        random = random * 6364136223846793005u + 1442695040888963407u;
        for (size_t n = (random >> 33) % 14; n; n--) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            str_addz(&sent, pieces[(random >> 33) % COUNT(pieces)]);
        }
        struct view name = view_of(clean(str_view(&sent)));
        assert_true(name.len && name.len <= FILENAME_MOST && utf8_valid(name));
        assert_null(strpbrk(name.at, "/\\<>:\"|?*\x7f"));
        assert_null(strstr(name.at, "\xc2\x85"));
        assert_int_not_equal(name.at[name.len - 1], '.');
        assert_int_not_equal(name.at[name.len - 1], ' ');
        for (size_t i = 0; i < name.len; i++) assert_true((unsigned char)name.at[i] >= 0x20);
        assert_string_not_equal(other(name.at, 1), name.at);
        str_release(&sent);
        arena_reset(&arena);
    }
}

static void filename__is_possible_or_not(void **state)
{
    (void)state;
    static const struct view not [] = {
        VIEW(""), VIEW("."), VIEW(".."), VIEW("/"), VIEW("a/b"), VIEW("../a"), VIEW("a/"), VIEW("a\0b")};
    static const struct view well[] = {
        VIEW("a"), VIEW("..."), VIEW(".a"), VIEW("a\\b"), VIEW("con"), VIEW(" "), VIEW("\xff")};
    for (size_t i = 0; i < COUNT(not ); i++) assert_false(filename_possible(not [i]));
    for (size_t i = 0; i < COUNT(well); i++) assert_true(filename_possible(well[i]));
    assert_true(filename_possible(view_of(many("a", 255, ""))));
    assert_false(filename_possible(view_of(many("a", 256, ""))));
    assert_false(filename_possible((struct view){0}));
}

static void filename__has_an_extension(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"red.png", "png"},
        {"a.tar.gz", "gz"},
        {".htaccess", "htaccess"},
        {"red", ""},
        {"red.", ""},
        {"", ""},
        {"red.png?x", "png"},
        {"red.png#x?y", "png"},
        {"red.?png", ""},
        {"red.PNG", "PNG"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(view_is(filename_extension(view_of(rows[i].sent)), rows[i].wanted));
}

static void filename__has_others_when_it_is_taken(void **state)
{
    (void)state;
    assert_string_equal(other("red.png", 1), "red-1.png");
    assert_string_equal(other("red.png", 12), "red-12.png");
    assert_string_equal(other("red-5.png", 1), "red-6.png");
    assert_string_equal(other("red-5.png", 3), "red-8.png");
    assert_string_equal(other("red-007.png", 1), "red-8.png");
    assert_string_equal(other("red-999999999.png", 1), "red-1000000000.png");
    assert_string_equal(other("red-9999999999.png", 1), "red-9999999999-1.png");
    assert_string_equal(other("red--1.png", 1), "red--2.png");
    assert_string_equal(other("red-.png", 1), "red--1.png");
    assert_string_equal(other("red5.png", 1), "red5-1.png");
    assert_string_equal(other("2024.png", 1), "2024-1.png");
    assert_string_equal(other("-5.png", 1), "-6.png");
    assert_string_equal(other("red", 1), "red-1");
    assert_string_equal(other("red-1", 1), "red-2");
    assert_string_equal(other("a.tar.gz", 1), "a.tar-1.gz");
    assert_string_equal(other(".htaccess.htaccess", 1), ".htaccess-1.htaccess");
    assert_string_equal(other("ünï.png", 1), "ünï-1.png");
}

static void filename__leaves_room_for_the_number(void **state)
{
    (void)state;
    assert_string_equal(other(many("a", 251, ".png"), 1), many("a", 249, "-1.png"));
    assert_string_equal(other(many("a", 255, ""), 1), many("a", 253, "-1"));
    assert_string_equal(other(many("é", 125, ".png"), 1), many("é", 124, "-1.png"));
    assert_string_equal(other(many("é", 125, ".png"), 100), many("é", 123, "-100.png"));
    assert_string_equal(other(many("a", 251, ".png"), (int64_t)1 << 40), many("a", 237, "-1099511627776.png"));
    /* Names of other programs may have anything. */
    assert_int_equal(strlen(other(many("a", 1000, arena_printf(&arena, ".b%s", many("b", 999, ""))), 1)), 255);
}

static void filename__in_a_url(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"red.png", "/api/media/file/red.png"},
        {"two words.png", "/api/media/file/two%20words.png"},
        {"ünï.png", "/api/media/file/%C3%BCn%C3%AF.png"},
        {"a-_.!~*'()z", "/api/media/file/a-_.!~*'()z"},
        {"#%&+,/:;=?@[]$\"<>\\^`{|}",
            "/api/media/file/%23%25%26%2B%2C%2F%3A%3B%3D%3F%40%5B%5D%24%22%3C%3E%5C%5E%60%7B%7C%7D"},
        {"%2e", "/api/media/file/%252e"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str url = {0};
        filename_add_url(&url, "media", view_of(rows[i].sent));
        assert_string_equal(url.at, rows[i].wanted);
        str_release(&url);
    }
    struct str url = {0};
    filename_add_url(&url, "media", VIEW("\0\x7f\xff"));
    assert_string_equal(url.at, "/api/media/file/%00%7F%FF");
    str_release(&url);
}

static void filename__without_memory(void **state)
{
    (void)state;
    struct arena small;
    struct view name;
    struct failure f;
    arena_init(&small, 8);
    assert_int_equal(filename_clean(VIEW("much longer than that.png"), &small, &name, &f), NO_MEMORY);
    assert_int_equal(filename_other(VIEW("much longer than that.png"), 1, &small, &name, &f), NO_MEMORY);
    arena_release(&small);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
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
        cmocka_unit_test(filename__is_the_last_piece_of_a_path),
        cmocka_unit_test(filename__is_never_empty_or_a_folder),
        cmocka_unit_test(filename__drops_what_some_system_forbids),
        cmocka_unit_test(filename__keeps_nothing_forbidden_in_its_extension),
        cmocka_unit_test(filename__has_no_delete_character),
        cmocka_unit_test(filename__is_no_device_of_windows),
        cmocka_unit_test(filename__is_no_device_with_a_space_behind_it),
        cmocka_unit_test(filename__that_is_no_utf8_is_refused),
        cmocka_unit_test(filename__fits_a_file_system),
        cmocka_unit_test(filename__that_was_cut_ends_as_well_as_another),
        cmocka_unit_test(filename__is_good_whatever_is_sent),
        cmocka_unit_test(filename__is_possible_or_not),
        cmocka_unit_test(filename__has_an_extension),
        cmocka_unit_test(filename__has_others_when_it_is_taken),
        cmocka_unit_test(filename__leaves_room_for_the_number),
        cmocka_unit_test(filename__in_a_url),
        cmocka_unit_test(filename__without_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
