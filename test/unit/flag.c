/* Options from a table: what counts more, and what is said about what is wrong. */
#include "base/flag.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct values {
    const char *text, *choice;
    int64_t number;
    bool on;
    struct flag_texts texts;
};

static const struct flag rows[] = {
    {"--text", "FLAG_TEST_TEXT", FLAG_TEXT, "", 0, 0, "X", "a text", FLAG_AT(const char *, struct values, text)},
    {"--texts", "FLAG_TEST_TEXTS", FLAG_TEXTS, "default", 0, 2, "X", "texts",
        FLAG_AT(struct flag_texts, struct values, texts)},
    {"--number", "FLAG_TEST_NUMBER", FLAG_NUMBER, "5", -1, 9, "N", "a number", FLAG_AT(int64_t, struct values, number)},
    {"--choice", NULL, FLAG_CHOICE, "one", 0, 0, "one|two", "a choice", FLAG_AT(const char *, struct values, choice)},
    {"--on", NULL, FLAG_SWITCH, "", 0, 0, "", "a switch", FLAG_AT(bool, struct values, on)},
};
static const struct flags flags = {rows, COUNT(rows)};

static char reason[300];

/* The words up to a NULL; `word`: what takes one that is no option. */
static bool read(struct values *v, const char **word, ...)
{
    char *argv[16] = {(char *)(uintptr_t) "program"};
    int argc = 1;
    va_list words;
    va_start(words, word);
    while ((argv[argc] = va_arg(words, char *))) argc++;
    va_end(words);
    *v = (struct values){0};
    flags_default(&flags, v);
    return flags_environment(&flags, v, reason, sizeof reason) &&
           flags_arguments(&flags, v, argc, argv, word, reason, sizeof reason);
}

static void flag__arguments_over_environment_over_defaults(void **state)
{
    struct values v;
    const char *word = NULL;
    (void)state;
    assert_true(read(&v, NULL, NULL));
    assert_null(v.text);
    assert_string_equal(v.texts.at[0], "default");
    assert_string_equal(v.choice, "one");
    assert_int_equal(v.number, 5);
    assert_false(v.on);

    setenv("FLAG_TEST_TEXT", "a", 1);
    setenv("FLAG_TEST_TEXTS", "b", 1);
    setenv("FLAG_TEST_NUMBER", "7", 1);
    assert_true(read(&v, NULL, "--number=-1", NULL));
    assert_string_equal(v.text, "a");
    assert_int_equal(v.texts.n, 1);
    assert_string_equal(v.texts.at[0], "b");
    assert_int_equal(v.number, -1);

    assert_true(read(&v, &word, "--texts", "c", "word", "--on", "--texts=d=e", "--choice", "two", NULL));
    assert_int_equal(v.texts.n, 2);
    assert_string_equal(v.texts.at[0], "c");
    assert_string_equal(v.texts.at[1], "d=e");
    assert_string_equal(v.choice, "two");
    assert_string_equal(word, "word");
    assert_true(v.on);
    unsetenv("FLAG_TEST_TEXT");
    unsetenv("FLAG_TEST_TEXTS");
    unsetenv("FLAG_TEST_NUMBER");
}

static void expect_reason(bool done, const char *wanted)
{
    assert_false(done);
    assert_string_equal(reason, wanted);
}

static void flag__says_what_is_wrong(void **state)
{
    struct values v;
    const char *word = NULL;
    (void)state;
    expect_reason(read(&v, NULL, "--nope", NULL), "There is no option --nope; --help lists them.");
    expect_reason(read(&v, NULL, "--nope=x", NULL), "There is no option --nope; --help lists them.");
    expect_reason(read(&v, NULL, "word", NULL), "There is no option word; --help lists them.");
    expect_reason(read(&v, &word, "word", "another", NULL), "There is no option another; --help lists them.");
    expect_reason(read(&v, NULL, "--text", NULL), "--text needs a value: X.");
    expect_reason(read(&v, NULL, "--text=", NULL), "--text must not be empty.");
    expect_reason(read(&v, NULL, "--on=1", NULL), "--on takes no value.");
    expect_reason(read(&v, NULL, "--number", "10", NULL), "--number must be a whole number from -1 to 9, not \"10\".");
    expect_reason(read(&v, NULL, "--choice", "one|two", NULL), "--choice must be one of one|two, not \"one|two\".");
    expect_reason(
        read(&v, NULL, "--texts", "a", "--texts", "b", "--texts", "c", NULL), "--texts may be given 2 times.");
    setenv("FLAG_TEST_NUMBER", "x", 1);
    expect_reason(read(&v, NULL, NULL), "FLAG_TEST_NUMBER must be a whole number from -1 to 9, not \"x\".");
    unsetenv("FLAG_TEST_NUMBER");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flag__arguments_over_environment_over_defaults),
        cmocka_unit_test(flag__says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
