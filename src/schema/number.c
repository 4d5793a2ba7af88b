/* Number(text) and String(n), by way of the C library's strtod and printf, which round correctly.
 *
 * Both meet bare digits and an exponent ("12345e-7"), never a decimal point, so that the process's locale has no say.
 * Of a text's digits the first DIGITS_KEPT are used, and behind them a 1 if any other than zeros were left: rounding
 * can depend on no more, as no double, and no middle of two, has more than 768 significant digits.
 *
 * Shortest digits: 15 always survive text -> double -> text, so a number that has a text of up to 15 digits shows it in
 * one print, and the rest need 16 or 17. Subnormal numbers hold fewer and are tried with every length. A print gives
 * the nearest decimal of its length; but doubles lie twice as dense below a power of two as above it, so there the next
 * decimal up may read back where the nearest, below, does not. */
#include "schema/number.h"
#include "base/check.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_KEPT    800
#define DIGITS_SAFE    DBL_DIG         /* 15 */
#define DIGITS_EXACT   DBL_DECIMAL_DIG /* 17 */
#define INTEGERS_EXACT 9007199254740992.0
#define EXPONENT_READ  100000000000000000 /* more than a text's length can balance */
#define EXPONENT_USED  10000              /* beyond any double's, with DIGITS_KEPT digits on either side */
#define POINT_MAX      21                 /* String(n) writes an exponent for 10^21 and more … */
#define POINT_MIN      (-5)               /* … and for less than 10^-6 */

static const char *const spaces[] = {"\t", "\n", "\v", "\f", "\r", " ", u8"\u00a0", u8"\u1680", u8"\u2000", u8"\u2001",
    u8"\u2002", u8"\u2003", u8"\u2004", u8"\u2005", u8"\u2006", u8"\u2007", u8"\u2008", u8"\u2009", u8"\u200a",
    u8"\u2028", u8"\u2029", u8"\u202f", u8"\u205f", u8"\u3000", u8"\ufeff"};

/* ASCII behind the space: starts none of them, and most texts are made of it. */
static bool is_plain(char c)
{
    return c > ' ' && c < 0x7f;
}

size_t number_space(struct view text)
{
    if (text.len == 0 || is_plain(text.at[0])) return 0;
    for (size_t i = 0; i < COUNT(spaces); i++) {
        size_t len = strlen(spaces[i]);
        if (len <= text.len && memcmp(spaces[i], text.at, len) == 0) return len;
    }
    return 0;
}

static void skip(struct view *rest, size_t n)
{
    rest->at += n;
    rest->len -= n;
}

static void skip_spaces(struct view *rest)
{
    for (size_t n; (n = number_space(*rest)) > 0;) skip(rest, n);
}

static bool take(struct view *rest, const char *bytes)
{
    size_t len = strlen(bytes);
    if (len > rest->len || memcmp(rest->at, bytes, len) != 0) return false;
    skip(rest, len);
    return true;
}

/* The value of a digit in a base of up to 16; -1: it is none. */
static int digit_value(char c, int base)
{
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : base;
    return value < base ? value : -1;
}

static int take_digit(struct view *rest, int base)
{
    int digit = rest->len > 0 ? digit_value(rest->at[0], base) : -1;
    if (digit >= 0) skip(rest, 1);
    return digit;
}

/* What stands behind 0x, 0o, 0b. Bits that no longer fit are counted, and the lowest bit remembers whether one was set.
 */
static bool take_binary(struct view *rest, int bits, double *out)
{
    const int base = 1 << bits;
    uint64_t value = 0;
    size_t dropped = 0;
    int digit = take_digit(rest, base);
    if (digit < 0) return false;
    for (; digit >= 0; digit = take_digit(rest, base)) {
        if (value >> (64 - bits) == 0) {
            value = value << bits | (uint64_t)digit;
        } else {
            dropped += (size_t)bits;
            value |= digit != 0;
        }
    }
    *out = dropped > DBL_MAX_EXP ? (double)INFINITY : ldexp((double)value, (int)dropped);
    return true;
}

/* "e", a sign and digits; nothing at all is 0. */
static bool take_exponent(struct view *rest, int64_t *out)
{
    *out = 0;
    if (!take(rest, "e") && !take(rest, "E")) return true;
    bool minus = take(rest, "-");
    if (!minus) (void)take(rest, "+");
    int digit = take_digit(rest, 10);
    if (digit < 0) return false;
    for (; digit >= 0; digit = take_digit(rest, 10)) {
        if (*out < EXPONENT_READ) *out = *out * 10 + digit;
    }
    if (minus) *out = -*out;
    return true;
}

static bool take_decimal(struct view *rest, double *out)
{
    char text[DIGITS_KEPT + 32];
    size_t len = 0;
    int64_t exponent = 0, written;
    bool any = false, point = false, left = false;
    for (;;) {
        int digit = take_digit(rest, 10);
        if (digit < 0) {
            if (point || !take(rest, ".")) break;
            point = true;
            continue;
        }
        any = true;
        if (len == DIGITS_KEPT) {
            left = left || digit != 0;
            exponent += !point;
        } else {
            if (len > 0 || digit != 0) text[len++] = (char)('0' + digit);
            exponent -= point;
        }
    }
    if (!any || !take_exponent(rest, &written)) return false;
    if (len == 0) {
        *out = 0;
        return true;
    }
    exponent += written;
    if (left) {
        text[len++] = '1';
        exponent--;
    }
    if (exponent > EXPONENT_USED) exponent = EXPONENT_USED;
    if (exponent < -EXPONENT_USED) exponent = -EXPONENT_USED;
    snprintf(text + len, sizeof(text) - len, "e%d", (int)exponent);
    *out = strtod(text, NULL);
    return true;
}

static bool take_signed(struct view *rest, double *out)
{
    bool minus = take(rest, "-");
    if (!minus) (void)take(rest, "+");
    if (take(rest, "Infinity")) {
        *out = (double)INFINITY;
    } else if (!take_decimal(rest, out)) {
        return false;
    }
    if (minus) *out = -*out;
    return true;
}

bool number_parse(struct view text, double *out)
{
    struct view rest = text;
    bool good;
    skip_spaces(&rest);
    if (rest.len == 0) {
        *out = 0;
        return true;
    }
    if (take(&rest, "0x") || take(&rest, "0X")) {
        good = take_binary(&rest, 4, out);
    } else if (take(&rest, "0o") || take(&rest, "0O")) {
        good = take_binary(&rest, 3, out);
    } else if (take(&rest, "0b") || take(&rest, "0B")) {
        good = take_binary(&rest, 1, out);
    } else {
        good = take_signed(&rest, out);
    }
    skip_spaces(&rest);
    return good && rest.len == 0;
}

/* 0.DIGITS times ten to the power of `point`. */
struct decimal {
    char digits[DIGITS_EXACT + 1];
    int count;
    int point;
};

/* The decimal of `count` digits that is nearest to n. */
static struct decimal decimal_nearest(double n, int count)
{
    struct decimal d = {.count = 0};
    char text[48];
    snprintf(text, sizeof(text), "%.*e", count - 1, n);
    const char *c = text;
    for (; *c != 'e'; c++) {
        if (*c >= '0' && *c <= '9') d.digits[d.count++] = *c;
    }
    d.point = (int)strtol(c + 1, NULL, 10) + 1;
    return d;
}

/* The next decimal of as many digits. */
static struct decimal decimal_up(struct decimal d)
{
    int i = d.count - 1;
    while (i >= 0 && d.digits[i] == '9') d.digits[i--] = '0';
    if (i >= 0) {
        d.digits[i]++;
    } else {
        d.digits[0] = '1';
        d.point++;
    }
    return d;
}

static bool decimal_reads_as(const struct decimal *d, double n)
{
    char text[48];
    snprintf(text, sizeof(text), "%.*se%d", d->count, d->digits, d->point - d->count);
    return strtod(text, NULL) == n;
}

static bool decimal_of_length(struct decimal *d, double n, int count)
{
    *d = decimal_nearest(n, count);
    if (decimal_reads_as(d, n)) return true;
    *d = decimal_up(*d);
    return decimal_reads_as(d, n);
}

static struct decimal decimal_shortest(double n)
{
    struct decimal d;
    int count = n < DBL_MIN ? 1 : DIGITS_SAFE;
    while (!decimal_of_length(&d, n, count) && count < DIGITS_EXACT) count++;
    while (d.count > 1 && d.digits[d.count - 1] == '0') d.count--;
    return d;
}

static void add_zeros(struct str *out, int n)
{
    for (; n > 0; n--) str_addc(out, '0');
}

static void add_digits(struct str *out, const struct decimal *d, int from, int to)
{
    str_add(out, (struct view){d->digits + from, (size_t)(to - from)});
}

static void add_decimal(struct str *out, const struct decimal *d)
{
    if (d->point > POINT_MAX || d->point < POINT_MIN) {
        add_digits(out, d, 0, 1);
        if (d->count > 1) str_addc(out, '.');
        add_digits(out, d, 1, d->count);
        str_addz(out, d->point > 0 ? "e+" : "e-");
        str_add_integer(out, abs(d->point - 1));
    } else if (d->point <= 0) {
        str_addz(out, "0.");
        add_zeros(out, -d->point);
        add_digits(out, d, 0, d->count);
    } else if (d->point < d->count) {
        add_digits(out, d, 0, d->point);
        str_addc(out, '.');
        add_digits(out, d, d->point, d->count);
    } else {
        add_digits(out, d, 0, d->count);
        add_zeros(out, d->point - d->count);
    }
}

void number_add(struct str *out, double n)
{
    if (isnan(n)) {
        str_addz(out, "NaN");
        return;
    }
    if (fabs(n) <= INTEGERS_EXACT && n == trunc(n)) {
        str_add_integer(out, (int64_t)n);
        return;
    }
    if (n < 0) str_addc(out, '-');
    if (isinf(n)) {
        str_addz(out, "Infinity");
        return;
    }
    struct decimal d = decimal_shortest(fabs(n));
    add_decimal(out, &d);
}
