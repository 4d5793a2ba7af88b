#include "schema/displayname.h"
#include "base/check.h"
#include "base/utf8.h"
#include <stddef.h>
#include <stdint.h>

struct range {
    uint32_t first, last;
};

/* White_Space, and what fonts leave empty: soft hyphens, fillers, joiners, marks. */
static const struct range blanks[] = {{0x09, 0x0d}, {0x20, 0x20}, {0x85, 0x85}, {0xa0, 0xa0}, {0xad, 0xad},
    {0x034f, 0x034f}, {0x061c, 0x061c}, {0x115f, 0x1160}, {0x1680, 0x1680}, {0x17b4, 0x17b5}, {0x180e, 0x180e},
    {0x2000, 0x200f}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x2065}, {0x2800, 0x2800}, {0x3000, 0x3000},
    {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}};

static const struct range controls[] = {{0x00, 0x1f}, {0x7f, 0x9f}, {0x2028, 0x202e}, {0x2066, 0x2069}};

static bool within(const struct range *ranges, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].first && c <= ranges[i].last) return true;
    return false;
}

/* Cuts the first character off; `*c` is it. False: `rest` is empty, or starts with none. */
static bool next_character(struct view *rest, uint32_t *c)
{
    static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07}; /* its bits, by the length */
    size_t bad, len = rest->len ? utf8_character(*rest, &bad) : 0;
    *c = len ? (unsigned char)rest->at[0] & first[len] : 0;
    for (size_t i = 1; i < len; i++) *c = *c << 6 | ((unsigned char)rest->at[i] & 0x3fu);
    rest->at += len;
    rest->len -= len;
    return len;
}

static struct view trim(struct view given)
{
    struct view seen = {0};
    uint32_t c;
    for (const char *at = given.at; next_character(&given, &c); at = given.at) {
        if (within(blanks, COUNT(blanks), c)) continue;
        if (!seen.at) seen.at = at;
        seen.len = (size_t)(given.at - seen.at);
    }
    return seen;
}

const char *displayname_read(struct view given, struct view *out)
{
    size_t n = 0;
    uint32_t c;
    *out = (struct view){0};
    if (!utf8_valid(given)) return "A name is text in UTF-8.";
    *out = trim(given);
    for (struct view rest = *out; next_character(&rest, &c); n++)
        if (within(controls, COUNT(controls), c)) return "A name has no control characters.";
    return n > DISPLAYNAME_MOST ? "A name has at most 64 characters." : NULL;
}
