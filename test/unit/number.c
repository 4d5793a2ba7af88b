/* Numbers as JavaScript reads and writes them. Expected values are V8's, not those of the code under test. */
#include "schema/number.h"
#include "base/check.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    double n;
    const char *text;
} written[] = {
    {0.0, "0"},
    {-0.0, "0"},
    {1.0, "1"},
    {-1.0, "-1"},
    {100.0, "100"},
    {1715000000000.0, "1715000000000"},
    {0.1, "0.1"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3.0, "0.3333333333333333"},
    {2.0 / 3.0, "0.6666666666666666"},
    {-1.5, "-1.5"},
    {4.35, "4.35"},
    {0x1.fffffffffffffp-1, "0.9999999999999999"},
    {0x1.0000000000001p0, "1.0000000000000002"},
    {0.00001, "0.00001"},
    {0.000001, "0.000001"},
    {0.000001234, "0.000001234"},
    {0.0000001, "1e-7"},
    {0.00000015, "1.5e-7"},
    {-0.00000015, "-1.5e-7"},
    {9007199254740991.0, "9007199254740991"},
    {0x1p53, "9007199254740992"},
    {0x1.0000000000001p53, "9007199254740994"},
    {-0x1.0000000000001p53, "-9007199254740994"},
    {0x1p63, "9223372036854776000"},
    {0x1p64, "18446744073709552000"},
    {1e20, "100000000000000000000"},
    {0x1.ac53a7e04bcdap66, "123456789012345680000"},
    {0x1.b1ae4d6e2ef4fp69, "999999999999999900000"},
    {1e21, "1e+21"},
    {1.5e21, "1.5e+21"},
    {-1e21, "-1e+21"},
    {1e23, "1e+23"},
    {1e100, "1e+100"},
    {0x1.fffffffffffffp1023, "1.7976931348623157e+308"},
    {0x1p1023, "8.98846567431158e+307"},
    {0x1p-44, "5.684341886080802e-14"}, /* its nearest decimal of 16 digits ends in 1 and is another double's */
    {0x1p-1021, "4.450147717014403e-308"},
    {0x1p-1022, "2.2250738585072014e-308"},
    {0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
    {0x0.8p-1022, "1.1125369292536007e-308"},
    {0x0.00000000000cp-1022, "9.5e-322"},
    {0x0.0000000000003p-1022, "1.5e-323"},
    {0x0.0000000000001p-1022, "5e-324"},
};

static const struct {
    const char *text;
    double n; /* NaN: it is none */
} read_as[] = {
    {"", 0},
    {" \t\r\n\v\f", 0},
    {"0", 0},
    {"-0", -0.0},
    {"42", 42},
    {"+42", 42},
    {"-42", -42},
    {"007", 7},
    {"5.", 5},
    {".5", 0.5},
    {"-.5e1", -5},
    {"1e3", 1000},
    {"1E+3", 1000},
    {"1e-3", 0.001},
    {"0.1", 0.1},
    {" \n12\t", 12},
    {"\u00a0\ufeff\u2028\u2029\u3000\u168012\u2000\u200a\u202f\u205f", 12},
    {"0xff", 255},
    {"0XfF", 255},
    {"0o17", 15},
    {"0O17", 15},
    {"0b101", 5},
    {"0B101", 5},
    {" 0x10 ", 16},
    {"0x20000000000001", 0x1p53},                       /* a middle: to even */
    {"0x20000000000003", 0x1.0000000000002p53},         /* a middle: to even */
    {"0x200000000000010", 0x1p57},                      /* a middle */
    {"0x2000000000000100000001", 0x1.0000000000001p85}, /* and a little more */
    {"Infinity", (double)INFINITY},
    {"+Infinity", (double)INFINITY},
    {"-Infinity", -(double)INFINITY},
    {"1e309", (double)INFINITY},
    {"-1e309", -(double)INFINITY},
    {"1e99999999999999999999", (double)INFINITY},
    {"1e-99999999999999999999", 0},
    {"0e99999999999999999999", 0},
    {"5e-324", 0x1p-1074},
    {"2.4703282292062327e-324", 0},
    {"2.4703282292062328e-324", 0x1p-1074},
    {"9007199254740993", 0x1p53},
    {"9007199254740993.00000000000000000000000000000000000000001", 0x1.0000000000001p53},
    {"1.7976931348623158e308", 0x1.fffffffffffffp1023},
    {"1.7976931348623159e308", (double)INFINITY},
    {"NaN", (double)NAN},
    {"infinity", (double)NAN},
    {"INFINITY", (double)NAN},
    {"Infinit", (double)NAN},
    {"Infinityx", (double)NAN},
    {"nan(1)", (double)NAN},
    {"abc", (double)NAN},
    {"1x", (double)NAN},
    {"1 2", (double)NAN},
    {"1,000", (double)NAN},
    {"1_000", (double)NAN},
    {"1n", (double)NAN},
    {".", (double)NAN},
    {"+", (double)NAN},
    {"-", (double)NAN},
    {"--1", (double)NAN},
    {"+-1", (double)NAN},
    {"- 1", (double)NAN},
    {"1..2", (double)NAN},
    {"1.2.3", (double)NAN},
    {"e5", (double)NAN},
    {".e5", (double)NAN},
    {"1e", (double)NAN},
    {"1e+", (double)NAN},
    {"1e 5", (double)NAN},
    {"1e5.5", (double)NAN},
    {"0x", (double)NAN},
    {"0xg", (double)NAN},
    {"-0x10", (double)NAN},
    {"+0x10", (double)NAN},
    {"0x1p3", (double)NAN},
    {"0x1.8", (double)NAN},
    {"0b2", (double)NAN},
    {"0o8", (double)NAN},
    {"0b", (double)NAN},
    {"\u200b1", (double)NAN},
    {"\u0661", (double)NAN},
};

static double parsed(struct view text)
{
    double n;
    return number_parse(text, &n) ? n : (double)NAN;
}

static bool same(double a, double b)
{
    return isnan(a) || isnan(b) ? isnan(a) && isnan(b) : a == b && !signbit(a) == !signbit(b);
}

static void check_written(double n, const char *text)
{
    struct str s = {0};
    number_add(&s, n);
    assert_false(s.failed);
    assert_string_equal(s.at, text);
    str_release(&s);
}

static void number__written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(written); i++) check_written(written[i].n, written[i].text);
    check_written((double)NAN, "NaN");
    check_written((double)INFINITY, "Infinity");
    check_written(-(double)INFINITY, "-Infinity");
}

static void number__written_behind_what_is_there(void **state)
{
    struct str s = {0};
    (void)state;
    str_addz(&s, "x=");
    number_add(&s, 0.5);
    number_add(&s, -7);
    assert_string_equal(s.at, "x=0.5-7");
    str_release(&s);
}

static void number__read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(read_as); i++) {
        double n = parsed(view_of(read_as[i].text));
        if (!same(n, read_as[i].n)) fail_msg("\"%s\" is %.17g, not %.17g", read_as[i].text, n, read_as[i].n);
    }
}

static void number__read_by_length(void **state)
{
    (void)state;
    assert_true(same(parsed((struct view){NULL, 0}), 0));
    assert_true(same(parsed((struct view){"12345", 2}), 12));
    assert_true(same(parsed((struct view){"1e5", 1}), 1));
    assert_true(same(parsed((struct view){"1e5", 2}), (double)NAN));
    assert_true(same(parsed((struct view){"0x1", 2}), (double)NAN));
    assert_true(same(parsed(VIEW("1\0")), (double)NAN));
    assert_true(same(parsed(VIEW("\0")), (double)NAN));
    assert_true(same(parsed((struct view){"1\u00a0", 2}), (double)NAN));
}

/* Texts far longer than any buffer inside, in which the last byte decides. */
static void number__read_long(void **state)
{
    enum { LONG = 100000 };
    char *text = malloc(LONG + 16);
    (void)state;
    assert_non_null(text);

    memset(text, '0', LONG);
    memcpy(text, "9007199254740993.", 17);
    assert_true(same(parsed((struct view){text, LONG}), 0x1p53));
    text[LONG - 1] = '1';
    assert_true(same(parsed((struct view){text, LONG}), 0x1.0000000000001p53));

    memset(text, '0', LONG);
    text[0] = '1';
    memcpy(text + LONG, "e-99999", 7);
    assert_true(same(parsed((struct view){text, LONG}), (double)INFINITY));
    assert_true(same(parsed((struct view){text, LONG + 7}), 1));

    memset(text, '0', LONG);
    text[1] = '.';
    text[LONG - 1] = '7';
    memcpy(text + LONG, "e99998", 6);
    assert_true(same(parsed((struct view){text, LONG}), 0));
    assert_true(same(parsed((struct view){text, LONG + 6}), 7));

    memset(text, '0', LONG);
    memcpy(text, "0b1", 3);
    assert_true(same(parsed((struct view){text, 3 + 1023}), 0x1p1023));
    assert_true(same(parsed((struct view){text, 3 + 1024}), (double)INFINITY));
    assert_true(same(parsed((struct view){text, LONG}), (double)INFINITY));
    free(text);
}

/* Every power of two and its neighbours: what is written reads back, and no shorter text does. */
static void number__written_is_shortest(void **state)
{
    (void)state;
    for (int exponent = -1074; exponent < 1024; exponent++) {
        for (int step = -1; step <= 1; step++) {
            struct str s = {0};
            double n = ldexp(1.0, exponent);
            if (step != 0) n = nextafter(n, step < 0 ? 0.0 : (double)INFINITY);
            number_add(&s, n);
            assert_true(same(parsed(str_view(&s)), n));
            size_t digits = 0, zeros = 0;
            bool leading = true;
            for (size_t i = 0; i < s.len && s.at[i] != 'e'; i++) {
                if (s.at[i] == '.' || (leading && s.at[i] == '0')) continue;
                leading = false;
                digits++;
                zeros = s.at[i] == '0' ? zeros + 1 : 0;
            }
            if (digits > zeros + 1) {
                char shorter[64];
                snprintf(shorter, sizeof(shorter), "%.*e", (int)(digits - zeros) - 2, n);
                assert_false(same(parsed(view_of(shorter)), n));
            }
            str_release(&s);
        }
    }
}

static void number__spaces(void **state)
{
    (void)state;
    assert_int_equal(number_space(VIEW("")), 0);
    assert_int_equal(number_space(VIEW("  ")), 1);
    assert_int_equal(number_space(VIEW("\r\n")), 1);
    assert_int_equal(number_space(VIEW("\u00a0x")), 2);
    assert_int_equal(number_space(VIEW("\ufeff")), 3);
    assert_int_equal(number_space(VIEW("\xc2")), 0);
    assert_int_equal(number_space(VIEW("x ")), 0);
    assert_int_equal(number_space(VIEW("\u200b")), 0);
    assert_int_equal(number_space(VIEW("\0")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number__written),
        cmocka_unit_test(number__written_behind_what_is_there),
        cmocka_unit_test(number__read),
        cmocka_unit_test(number__read_by_length),
        cmocka_unit_test(number__read_long),
        cmocka_unit_test(number__written_is_shortest),
        cmocka_unit_test(number__spaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
