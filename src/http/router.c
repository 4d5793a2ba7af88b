/* A piece without an escape is a view into the path as it was sent; only the others are copied. */
#include "http/router.h"
#include <string.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* In place of `*piece`, a decoded copy; false: a bad escape, a NUL, no memory. */
static bool decode(struct view *piece, struct arena *arena)
{
    size_t len = 0;
    char *text = arena_alloc(arena, piece->len + 1);
    if (!text) return false;
    for (size_t i = 0; i < piece->len; i++) {
        char c = piece->at[i];
        if (c == '%') {
            int high = i + 2 < piece->len + 0 ? hex(piece->at[i + 1]) : -1;
            int low = high < 0 ? -1 : hex(piece->at[i + 2]);
            if (low < 0) return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (!c) return false;
        text[len++] = c;
    }
    *piece = (struct view){text, len};
    return true;
}

/* The well-formed sequences by their first byte (Unicode 15, table 3-7): its range, then the second byte's, then how
 * many bytes follow the second. */
static const struct {
    unsigned char first, last, low, high, more;
} sequences[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 0},
    {0xE0, 0xE0, 0xA0, 0xBF, 1},
    {0xE1, 0xEC, 0x80, 0xBF, 1},
    {0xED, 0xED, 0x80, 0x9F, 1},
    {0xEE, 0xEF, 0x80, 0xBF, 1},
    {0xF0, 0xF0, 0x90, 0xBF, 2},
    {0xF1, 0xF3, 0x80, 0xBF, 2},
    {0xF4, 0xF4, 0x80, 0x8F, 2},
};

/* How many bytes the character at `at` has; 0: it is malformed. */
static size_t character(const unsigned char *at, size_t len)
{
    if (at[0] < 0x80) return 1;
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        size_t need = 2u + sequences[i].more;
        if (at[0] < sequences[i].first || at[0] > sequences[i].last) continue;
        if (len < need || at[1] < sequences[i].low || at[1] > sequences[i].high) return 0;
        for (size_t k = 2; k < need; k++)
            if ((at[k] & 0xC0) != 0x80) return 0;
        return need;
    }
    return 0;
}

static bool is_utf8(struct view text)
{
    size_t len;
    for (size_t i = 0; i < text.len; i += len) {
        len = character((const unsigned char *)text.at + i, text.len - i);
        if (!len) return false;
    }
    return true;
}

bool path_parse(struct path *out, struct view raw, struct arena *arena)
{
    out->count = 0;
    if (!raw.len || raw.at[0] != '/') return false;
    struct view rest = {raw.at + 1, raw.len - 1};
    if (rest.len && rest.at[rest.len - 1] == '/') {
        rest.len--;
        if (!rest.len) return false;
    }
    while (rest.at && (rest.len || out->count)) {
        struct view piece = view_cut(&rest, '/');
        if (!piece.len || out->count == MAX_SEGMENTS) return false;
        if (memchr(piece.at, '%', piece.len) && !decode(&piece, arena)) return false;
        if (!is_utf8(piece)) return false;
        out->segments[out->count++] = piece;
    }
    return true;
}

bool path_match(const struct path *path, const char *pattern, struct view params[MAX_SEGMENTS])
{
    struct view rest = view_of(pattern);
    size_t at = 0, nparams = 0;
    if (rest.len && rest.at[0] == '/') rest = (struct view){rest.at + 1, rest.len - 1};
    if (!rest.len) return path->count == 0;
    while (rest.at) {
        struct view piece = view_cut(&rest, '/');
        if (at == path->count) return false;
        if (piece.len && piece.at[0] == ':')
            params[nparams++] = path->segments[at];
        else if (!view_equal(piece, path->segments[at]))
            return false;
        at++;
    }
    return at == path->count;
}
