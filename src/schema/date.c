/* The format of ECMA-262 is read as far as the text keeps to it; the loose reading goes on from there with what was
 * found. Behind the format's "T" nothing loose is taken. A text that was the format to its end has its year as written;
 * in any other, years below 100 are of 1950 to 2049.
 *
 * The loose reading goes through numbers, words and signs in the order they come. A number belongs to the clock if a
 * ':' follows it or the clock waits for it, to the zone if its minutes are due, or else to the date. Month, zone, AM
 * and PM are known by their first three letters; any other word may stand before the first number, none behind it. All
 * other characters separate, and what is in parentheses is skipped.
 *
 * Reading bytes does for UTF-16 units: every character beyond ASCII is part of a word, as an unknown letter, unless it
 * is a space. A NUL ends the text, as it does on V8. */
#include "schema/date.h"
#include "base/check.h"
#include "schema/number.h"
#include <math.h>
#include <string.h>

#define DIGITS_MAX       9 /* further ones of a number are skipped */
#define MS_PER_DAY       INT64_C(86400000)
#define MS_FIRST         INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define MS_LAST          INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */
#define ZONE_SECONDS_MAX INT32_MAX
#define YEAR_FIRST       (-100) /* no zone, of 68 years at most, brings one further out to MS_FIRST or MS_LAST */
#define YEAR_LAST        10099

enum word_kind {
    WORD_OTHER,
    WORD_MONTH,
    WORD_HALF, /* of a day, in hours from midnight */
    WORD_ZONE, /* in hours from UTC */
};

struct word {
    char start[4]; /* lower case */
    enum word_kind kind;
    int value;
};

#define WORD_START 3 /* letters that tell a word; only months may be longer */

static const struct word words[] = {{"jan", WORD_MONTH, 1}, {"feb", WORD_MONTH, 2}, {"mar", WORD_MONTH, 3},
    {"apr", WORD_MONTH, 4}, {"may", WORD_MONTH, 5}, {"jun", WORD_MONTH, 6}, {"jul", WORD_MONTH, 7},
    {"aug", WORD_MONTH, 8}, {"sep", WORD_MONTH, 9}, {"oct", WORD_MONTH, 10}, {"nov", WORD_MONTH, 11},
    {"dec", WORD_MONTH, 12}, {"am", WORD_HALF, 0}, {"pm", WORD_HALF, 12}, {"z", WORD_ZONE, 0}, {"ut", WORD_ZONE, 0},
    {"utc", WORD_ZONE, 0}, {"gmt", WORD_ZONE, 0}, {"est", WORD_ZONE, -5}, {"edt", WORD_ZONE, -4},
    {"cst", WORD_ZONE, -6}, {"cdt", WORD_ZONE, -5}, {"mst", WORD_ZONE, -7}, {"mdt", WORD_ZONE, -6},
    {"pst", WORD_ZONE, -8}, {"pdt", WORD_ZONE, -7}};

static const struct word other_word = {"", WORD_OTHER, 0};

/* A run of digits. */
struct number {
    int value;
    size_t digits; /* all, leading zeros too */
};

enum clock_part { HOUR, MINUTE, SECOND, MILLISECOND, CLOCK_PARTS };
enum { DATE_PARTS = 3 };

#define NONE (-1)

/* A text under way, and what it said so far. */
struct reading {
    struct view rest;
    bool numbers; /* one has been read */
    bool format;  /* the text is ECMA-262's format, all of it */
    struct {
        int parts[DATE_PARTS];
        size_t count;
        int month; /* by name; NONE */
    } date;
    struct {
        int parts[CLOCK_PARTS];
        size_t count;
        int half; /* NONE, or hours */
    } clock;
    struct {
        int sign;           /* 0: no zone */
        int hours, minutes; /* NONE: not said */
    } zone;
};

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
    return c >= 'A';
}

/* The next byte; 0 at the end. */
static int peek(const struct reading *r)
{
    return r->rest.len > 0 ? (unsigned char)r->rest.at[0] : 0;
}

/* Bytes of the space that comes next; 0: none. V8 takes U+2028 and U+2029 for letters here, though not in numbers. */
static size_t space(const struct reading *r)
{
    static const char separators[] = u8"\u2028\u2029";
    size_t len = number_space(r->rest);
    if (len == 3 && (memcmp(r->rest.at, separators, 3) == 0 || memcmp(r->rest.at, separators + 3, 3) == 0)) return 0;
    return len;
}

static void skip(struct reading *r, size_t n)
{
    r->rest.at += n;
    r->rest.len -= n;
}

static bool take(struct reading *r, char c)
{
    if (peek(r) != c) return false;
    skip(r, 1);
    return true;
}

/* '+' or '-' as 1 or -1; 0: neither. */
static int take_sign(struct reading *r)
{
    return take(r, '+') ? 1 : take(r, '-') ? -1 : 0;
}

static struct number take_number(struct reading *r)
{
    struct number n = {0, 0};
    size_t significant = 0;
    for (; is_digit(peek(r)); skip(r, 1)) {
        n.digits++;
        if (n.value == 0 || significant < DIGITS_MAX) n.value = n.value * 10 + (peek(r) - '0');
        if (n.value > 0) significant++;
    }
    return n;
}

/* Takes a number that has so many digits and lies in the range; anything else is left where it is. */
static bool take_fixed(struct reading *r, size_t digits, int low, int high, int *out)
{
    struct view before = r->rest;
    struct number n = take_number(r);
    if (n.digits == digits && n.value >= low && n.value <= high) {
        *out = n.value;
        return true;
    }
    r->rest = before;
    return false;
}

static const struct word *take_word(struct reading *r)
{
    char start[WORD_START + 1] = "";
    size_t len = 0;
    while (is_letter(peek(r)) && space(r) == 0) {
        if (len < WORD_START) start[len] = (char)(peek(r) | 0x20);
        len++;
        skip(r, 1);
    }
    for (size_t i = 0; i < COUNT(words); i++) {
        if (strcmp(words[i].start, start) == 0 && (len <= WORD_START || words[i].kind == WORD_MONTH)) return &words[i];
    }
    return &other_word;
}

/* Whether the word that comes next is this letter alone, whatever its case. */
static bool next_is_letter(const struct reading *r, char lower)
{
    struct reading ahead = *r;
    if ((peek(r) | 0x20) != lower) return false;
    skip(&ahead, 1);
    return !is_letter(peek(&ahead)) || space(&ahead) > 0;
}

/* From '(' to its ')', others nested within it, or to the end. */
static void skip_parentheses(struct reading *r)
{
    size_t depth = 0;
    do {
        if (peek(r) == '(') depth++;
        if (peek(r) == ')') depth--;
        skip(r, 1);
    } while (depth > 0 && peek(r) != 0);
}

static bool date_add(struct reading *r, int n)
{
    if (r->date.count == DATE_PARTS) return false;
    r->date.parts[r->date.count++] = n;
    return true;
}

static bool clock_add(struct reading *r, int n)
{
    if (r->clock.count == CLOCK_PARTS) return false;
    r->clock.parts[r->clock.count++] = n;
    return true;
}

/* Whether n can be the part that follows those there are. */
static bool clock_awaits(const struct reading *r, int n)
{
    static const int ends[CLOCK_PARTS] = {0, 60, 60, 1000};
    return r->clock.count < CLOCK_PARTS && n < ends[r->clock.count];
}

/* The last part the clock gets: no further one is awaited. */
static void clock_end(struct reading *r, int n)
{
    while (clock_add(r, n)) n = 0;
}

static void zone_set(struct reading *r, int sign, int hours, int minutes)
{
    r->zone.sign = sign;
    r->zone.hours = hours;
    r->zone.minutes = minutes;
}

/* A fraction of a second in milliseconds, cut, not rounded. Beyond DIGITS_MAX digits their number no longer counts,
 * which with leading zeros gives more than it should; so does V8. */
static int milliseconds(struct number n)
{
    int ms = n.value;
    size_t digits = n.digits < DIGITS_MAX ? n.digits : DIGITS_MAX;
    for (; digits < 3; digits++) ms *= 10;
    for (; digits > 3; digits--) ms /= 10;
    return ms;
}

/* "-" and two digits, or nothing: false if something else follows the "-". */
static bool format_date_part(struct reading *r, int high)
{
    int n;
    if (!take(r, '-')) return true;
    return take_fixed(r, 2, 1, high, &n) && date_add(r, n);
}

/* "YYYY", "+YYYYYY", "-YYYYYY", then "-MM", then "-DD". False: the text leaves the format; what was read stays read. */
static bool format_date(struct reading *r)
{
    struct view before = r->rest;
    int sign = take_sign(r), n;
    bool found = sign == 0 ? take_fixed(r, 4, 0, 9999, &n) : take_fixed(r, 6, 0, 999999, &n);
    if (!found) {
        r->rest = before;
        return false;
    }
    if (sign < 0 && n == 0) return false;
    (void)date_add(r, sign < 0 ? -n : n);
    return format_date_part(r, 12) && format_date_part(r, 31);
}

/* "HH:MM", then ":SS", then "." and digits. */
static bool format_clock(struct reading *r)
{
    int n;
    if (!take_fixed(r, 2, 0, 24, &n)) return false;
    (void)clock_add(r, n);
    if (!take(r, ':') || !take_fixed(r, 2, 0, 59, &n)) return false;
    (void)clock_add(r, n);
    if (!take(r, ':')) return true;
    if (!take_fixed(r, 2, 0, 59, &n)) return false;
    (void)clock_add(r, n);
    if (!take(r, '.')) return true;
    if (!is_digit(peek(r))) return false;
    (void)clock_add(r, milliseconds(take_number(r)));
    return true;
}

/* "Z", or a sign with "HH:MM" or "HHMM" (which is V8's), or nothing. */
static bool format_zone(struct reading *r)
{
    int hours, minutes;
    if (next_is_letter(r, 'z')) {
        skip(r, 1);
        zone_set(r, 1, 0, 0);
        return true;
    }
    int sign = take_sign(r);
    if (sign == 0) return true;
    if (take_fixed(r, 4, 0, 9999, &hours)) {
        minutes = hours % 100;
        hours /= 100;
    } else if (!take_fixed(r, 2, 0, 99, &hours) || !take(r, ':') || !take_fixed(r, 2, 0, 99, &minutes)) {
        return false;
    }
    zone_set(r, sign, hours, minutes);
    return hours < 24 && minutes < 60;
}

static bool loose_number(struct reading *r)
{
    int n = take_number(r).value;
    r->numbers = true;
    if (take(r, ':')) {
        if (take(r, ':')) {
            if (r->clock.count > 0) return false;
            return clock_add(r, n) && clock_add(r, 0);
        }
        if (!clock_add(r, n)) return false;
        (void)take(r, '.');
        return true;
    }
    if (take(r, '.') && r->clock.count > 0 && clock_awaits(r, n)) {
        (void)clock_add(r, n);
        if (!is_digit(peek(r))) return false;
        clock_end(r, milliseconds(take_number(r)));
        return true;
    }
    if (r->zone.hours != NONE && r->zone.minutes == NONE && n < 60) {
        r->zone.minutes = n;
        return true;
    }
    if (clock_awaits(r, n)) {
        clock_end(r, n);
        int next = peek(r);
        return next == 0 || next == '+' || next == '-' || space(r) > 0 || next_is_letter(r, 'z');
    }
    if (!date_add(r, n)) return false;
    (void)take(r, '-');
    return true;
}

static bool loose_word(struct reading *r)
{
    const struct word *word = take_word(r);
    if (word->kind == WORD_HALF && r->clock.count > 0) {
        r->clock.half = word->value;
        return true;
    }
    if (word->kind == WORD_MONTH) {
        r->date.month = word->value;
        (void)take(r, '-');
        return true;
    }
    if (word->kind == WORD_ZONE && r->numbers) {
        zone_set(r, word->value < 0 ? -1 : 1, word->value < 0 ? -word->value : word->value, 0);
        return true;
    }
    return !r->numbers && !is_digit(peek(r));
}

/* A sign is an offset's behind a clock or UTC. Elsewhere it only separates, and may not behind a number. */
static bool loose_sign(struct reading *r)
{
    bool utc = r->zone.hours == 0 && r->zone.minutes == 0;
    int sign = take_sign(r);
    if (!utc && r->clock.count == 0) return !r->numbers;
    struct number n = take_number(r);
    r->numbers = true;
    if (peek(r) == ':') {
        zone_set(r, sign, n.value, NONE);
    } else if (n.digits == 1 || n.digits == 2) {
        zone_set(r, sign, n.value, 0);
    } else if (n.digits == 3 || n.digits == 4) {
        zone_set(r, sign, n.value / 100, n.value % 100);
    } else {
        return false;
    }
    return true;
}

static bool loose(struct reading *r)
{
    bool good = true;
    r->numbers = r->date.count > 0;
    while (good && peek(r) != 0) {
        int c = peek(r);
        size_t blank = space(r);
        if (blank > 0) {
            skip(r, blank);
        } else if (is_digit(c)) {
            good = loose_number(r);
        } else if (is_letter(c)) {
            good = loose_word(r);
        } else if (c == '+' || c == '-') {
            good = loose_sign(r);
        } else if (c == '(') {
            skip_parentheses(r);
        } else {
            good = c != ')' || !r->numbers;
            skip(r, 1);
        }
    }
    return good;
}

/* Days from 1970-01-01 to the first of a month, in the Gregorian calendar for all time. Counted from the year -400,
 * which is the calendar's cycle, so that no division meets a negative year. */
static int64_t days_to_month(int year, int month)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const int days_1970 = 865624;
    int y = year + 400, last = y - 1;
    bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    return y * 365 + last / 4 - last / 100 + last / 400 + before[month - 1] + (leap && month > 2) - days_1970;
}

/* Which part is what: without a month's name month/day/year, or year/month/day if the first cannot be a day; with one,
 * the year is what cannot be a day, or the second. */
static bool date_days(const struct reading *r, int64_t *out)
{
    int part[DATE_PARTS] = {1, 1, 1}, year, month, day;
    if (r->date.count == 0) return false;
    for (size_t i = 0; i < r->date.count; i++) part[i] = r->date.parts[i];
    bool year_first = part[0] < 1 || part[0] > 31;
    if (r->date.month != NONE) {
        month = r->date.month;
        year = year_first ? part[0] : part[1];
        day = year_first ? part[1] : part[0];
    } else if (r->format || year_first) {
        year = part[0];
        month = part[1];
        day = part[2];
    } else {
        month = part[0];
        day = part[1];
        year = part[2];
    }
    if (!r->format && year >= 0 && year < 100) year += year < 50 ? 2000 : 1900;
    if (month < 1 || month > 12 || day < 1 || day > 31) return false;
    if (year < YEAR_FIRST || year > YEAR_LAST) return false;
    *out = days_to_month(year, month) + day - 1;
    return true;
}

static bool clock_ms(const struct reading *r, int64_t *out)
{
    int part[CLOCK_PARTS] = {0};
    for (size_t i = 0; i < r->clock.count; i++) part[i] = r->clock.parts[i];
    if (r->clock.half != NONE) {
        if (part[HOUR] > 12) return false;
        part[HOUR] = part[HOUR] % 12 + r->clock.half;
    }
    bool midnight = part[HOUR] == 24 && part[MINUTE] == 0 && part[SECOND] == 0 && part[MILLISECOND] == 0;
    if (part[HOUR] > 23 && !midnight) return false;
    if (part[MINUTE] > 59 || part[SECOND] > 59 || part[MILLISECOND] > 999) return false;
    *out = ((part[HOUR] * INT64_C(60) + part[MINUTE]) * 60 + part[SECOND]) * 1000 + part[MILLISECOND];
    return true;
}

/* V8 counts the seconds in 32 bits. */
static bool zone_ms(const struct reading *r, int64_t *out)
{
    uint32_t hours = r->zone.hours == NONE ? 0 : (uint32_t)r->zone.hours;
    uint32_t minutes = r->zone.minutes == NONE ? 0 : (uint32_t)r->zone.minutes;
    uint32_t seconds = hours * 3600 + minutes * 60;
    if (seconds > ZONE_SECONDS_MAX) return false;
    *out = r->zone.sign * (int64_t)seconds * 1000;
    return true;
}

bool date_parse(struct view text, int64_t *out)
{
    struct reading r = {
        .rest = text, .date = {.month = NONE}, .clock = {.half = NONE}, .zone = {.hours = NONE, .minutes = NONE}};
    int64_t days, clock, zone;
    bool date = format_date(&r);
    if (date && next_is_letter(&r, 't')) {
        skip(&r, 1);
        if (!format_clock(&r) || !format_zone(&r) || peek(&r) != 0) return false;
        r.format = true;
    } else if (date && peek(&r) == 0) {
        r.format = true;
    } else if (!loose(&r)) {
        return false;
    }
    if (!date_days(&r, &days) || !clock_ms(&r, &clock) || !zone_ms(&r, &zone)) return false;
    int64_t ms = days * MS_PER_DAY + clock - zone;
    if (ms < MS_FIRST || ms > MS_LAST) return false;
    *out = ms;
    return true;
}

bool date_from(double ms, int64_t *out)
{
    double whole = trunc(ms);
    if (!(whole >= (double)MS_FIRST && whole <= (double)MS_LAST)) return false;
    *out = (int64_t)whole;
    return true;
}
