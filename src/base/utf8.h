/* One character of UTF-8 (Unicode 15, 3.9, table 3-7): no surrogates, nothing overlong, nothing beyond U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "parley/str.h"

/* The length of the character that `v`, not empty, starts with; 0 when it starts with none, and then `*bad` is the
 * length of the maximal bad part, which one U+FFFD stands for. */
static inline size_t utf8_character(struct view v, size_t *bad)
{
    unsigned char first = (unsigned char)v.at[0];
    size_t need = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    *bad = 1;
    for (size_t i = 1; i < need; i++) {
        unsigned char least = 0x80, most = 0xbf;
        if (i == 1 && first == 0xe0) least = 0xa0;
        if (i == 1 && first == 0xed) most = 0x9f;
        if (i == 1 && first == 0xf0) least = 0x90;
        if (i == 1 && first == 0xf4) most = 0x8f;
        if (i == v.len || (unsigned char)v.at[i] < least || (unsigned char)v.at[i] > most) {
            *bad = i;
            return 0;
        }
    }
    return need;
}

/* Is all of it characters? */
static inline bool utf8_valid(struct view v)
{
    while (v.len) {
        size_t bad, len = utf8_character(v, &bad);
        if (!len) return false;
        v.at += len;
        v.len -= len;
    }
    return true;
}

#endif
