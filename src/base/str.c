/* Room doubles, so that adding byte after byte costs a constant each. All adding goes through str_reserve, the one
 * place that can run out of memory. */
#include "parley/str.h"
#include "base/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct view view_of(const char *c_string)
{
    return (struct view){c_string, c_string ? strlen(c_string) : 0};
}

struct view str_view(const struct str *s)
{
    return (struct view){s->at, s->len};
}

bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (!a.len || !memcmp(a.at, b.at, a.len));
}

bool view_is(struct view v, const char *c_string)
{
    return view_equal(v, view_of(c_string));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool view_is_nocase(struct view v, const char *c_string)
{
    struct view other = view_of(c_string);
    if (v.len != other.len) return false;
    for (size_t i = 0; i < v.len; i++)
        if (lower(v.at[i]) != lower(other.at[i])) return false;
    return true;
}

bool view_starts(struct view v, const char *prefix)
{
    size_t len = strlen(prefix);
    return v.len >= len && (!len || !memcmp(v.at, prefix, len));
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct view view_trim(struct view v)
{
    while (v.len && blank(v.at[0])) {
        v.at++;
        v.len--;
    }
    while (v.len && blank(v.at[v.len - 1])) v.len--;
    return v;
}

struct view view_cut(struct view *rest, char separator)
{
    struct view first = *rest;
    const char *at = first.len ? memchr(first.at, separator, first.len) : NULL;
    if (!at) {
        *rest = (struct view){0};
        return first;
    }
    first.len = (size_t)(at - first.at);
    rest->len -= first.len + 1;
    rest->at = at + 1;
    return first;
}

bool view_integer(struct view v, int64_t *out)
{
    bool negative = v.len && v.at[0] == '-';
    uint64_t n = 0, most = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    size_t i = negative ? 1 : 0;
    if (i == v.len) return false;
    for (; i < v.len; i++) {
        if (v.at[i] < '0' || v.at[i] > '9') return false;
        unsigned digit = (unsigned)(v.at[i] - '0');
        if (n > (most - digit) / 10) return false;
        n = n * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

void str_release(struct str *s)
{
    free(s->at);
    *s = (struct str){0};
}

void str_reset(struct str *s)
{
    s->len = 0;
    s->failed = false;
    if (s->at) s->at[0] = 0;
}

bool str_reserve(struct str *s, size_t more)
{
    if (s->failed) return false;
    if (more >= SIZE_MAX / 2 - s->len) {
        s->failed = true;
        return false;
    }
    size_t need = s->len + more + 1;
    if (need <= s->room) return true;
    size_t room = s->room ? 2 * s->room : 64;
    if (room < need) room = need;
    char *at = realloc(s->at, room);
    if (!at) {
        s->failed = true;
        return false;
    }
    s->at = at;
    s->at[s->len] = 0;
    s->room = room;
    return true;
}

void str_add(struct str *s, struct view v)
{
    if (!str_reserve(s, v.len)) return;
    if (v.len) memcpy(s->at + s->len, v.at, v.len);
    s->len += v.len;
    s->at[s->len] = 0;
}

void str_addc(struct str *s, char c)
{
    str_add(s, (struct view){&c, 1});
}

void str_addz(struct str *s, const char *c_string)
{
    str_add(s, view_of(c_string));
}

void str_addf(struct str *s, const char *format, ...)
{
    va_list values;
    if (!str_reserve(s, 64)) return;
    va_start(values, format);
    int len = vsnprintf(s->at + s->len, s->room - s->len, format, values);
    va_end(values);
    if (len < 0)
        s->failed = true;
    else if ((size_t)len >= s->room - s->len && str_reserve(s, (size_t)len)) {
        va_start(values, format);
        vsnprintf(s->at + s->len, s->room - s->len, format, values);
        va_end(values);
    }
    if (s->failed)
        s->at[s->len] = 0;
    else
        s->len += (size_t)len;
}

void str_add_integer(struct str *s, int64_t n)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (n < 0) digits[--at] = '-';
    str_add(s, (struct view){digits + at, sizeof digits - at});
}

static void add_escape(struct str *s, unsigned char c)
{
    static const char names[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (const char *n = names; *n; n += 2) {
        if ((unsigned char)n[0] != c) continue;
        str_add(s, (struct view){(char[]){'\\', n[1]}, 2});
        return;
    }
    str_addf(s, "\\u%04x", c);
}

void str_add_json(struct str *s, struct view text)
{
    size_t plain = 0, i = 0, before = s->len;
    str_addc(s, '"');
    while (i < text.len) {
        unsigned char c = (unsigned char)text.at[i];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            i++;
            continue;
        }
        size_t bad = 0;
        size_t len = c < 0x80 ? 0 : utf8_character((struct view){text.at + i, text.len - i}, &bad);
        if (len) {
            i += len;
            continue;
        }
        str_add(s, (struct view){text.at + plain, i - plain});
        if (c < 0x80)
            add_escape(s, c);
        else
            str_addz(s, "\xEF\xBF\xBD");
        i += c < 0x80 ? 1 : bad;
        plain = i;
    }
    if (i > plain) str_add(s, (struct view){text.at + plain, i - plain});
    str_addc(s, '"');
    if (s->failed && s->len > before) {
        s->len = before;
        s->at[before] = 0;
    }
}

char *str_detach(struct str *s)
{
    char *at = s->at;
    if (s->failed) {
        free(at);
        at = NULL;
    }
    *s = (struct str){0};
    return at;
}
