/* Which names users may give themselves. */
#include "schema/displayname.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *given, const char *wanted)
{
    struct view name;
    assert_null(displayname_read(view_of(given), &name));
    assert_int_equal(name.len, strlen(wanted));
    if (name.len) assert_memory_equal(name.at, wanted, name.len);
}

static void displayname__without_what_cannot_be_seen_at_its_ends(void **state)
{
    (void)state;
    expect("Ann", "Ann");
    expect("  Ann van  Dyke\t\r\n", "Ann van  Dyke");
    expect("\u00a0\u3000\u200b\ufeffAnn\u2003\u200d", "Ann");
    expect("A\u200dn", "A\u200dn"); /* joiners belong to some scripts, and to emoji */
    expect("\u202fÄrzte 東京 \u2764\ufe0f", "Ärzte 東京 \u2764\ufe0f");
    expect("<b>&amp;</b>", "<b>&amp;</b>");
    expect("שלום\u200f", "שלום");
}

static void displayname__of_nothing_that_can_be_seen_is_none(void **state)
{
    static const char *const given[] = {"", " ", "\n", "\u200b", "\u3164\u2800", "\u200d\u200e\u00ad", "\u2028"};
    (void)state;
    for (size_t i = 0; i < COUNT(given); i++) expect(given[i], "");
}

static void displayname__controls_are_refused(void **state)
{
    static const char *const given[] = {
        "a\nb", "a\tb", "\x01", "a\x7f", "a\xc2\x85 b", "\u202eabc", "a\u202a", "a\u2066b", "\u2069a", "a\u2028b"};
    struct view name;
    (void)state;
    for (size_t i = 0; i < COUNT(given); i++)
        assert_string_equal(displayname_read(view_of(given[i]), &name), "A name has no control characters.");
    assert_non_null(displayname_read(VIEW("a\0b"), &name));
    assert_non_null(displayname_read(VIEW("a\xff"), &name));
    assert_non_null(displayname_read(VIEW("\xed\xa0\x80"), &name)); /* half of a character */
}

static void displayname__its_length_counts_characters(void **state)
{
    char text[4 * (DISPLAYNAME_MOST + 1) + 1] = " ";
    struct view name;
    (void)state;
    for (int i = 0; i < DISPLAYNAME_MOST; i++) strcat(text, "😀");
    assert_null(displayname_read(view_of(text), &name));
    assert_int_equal(name.len, 4 * DISPLAYNAME_MOST);
    memset(text, 'x', DISPLAYNAME_MOST + 1);
    text[DISPLAYNAME_MOST + 1] = 0;
    assert_string_equal(displayname_read(view_of(text), &name), "A name has at most 64 characters.");
    text[DISPLAYNAME_MOST] = ' ';
    assert_null(displayname_read(view_of(text), &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(displayname__without_what_cannot_be_seen_at_its_ends),
        cmocka_unit_test(displayname__of_nothing_that_can_be_seen_is_none),
        cmocka_unit_test(displayname__controls_are_refused),
        cmocka_unit_test(displayname__its_length_counts_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
