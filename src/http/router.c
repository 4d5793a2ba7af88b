/* A piece without an escape is a view into the path as it was sent; only the others are copied. */
#include "http/router.h"
#include "base/utf8.h"
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
            int high = i + 2 < piece->len ? hex(piece->at[i + 1]) : -1;
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

static bool is_utf8(struct view rest)
{
    while (rest.len) {
        size_t bad, len = utf8_character(rest, &bad);
        if (!len) return false;
        rest = (struct view){rest.at + len, rest.len - len};
    }
    return true;
}

bool path_parse(struct path *out, struct view raw, struct arena *arena)
{
    out->count = 0;
    if (!raw.len || raw.at[0] != '/') return false;
    struct view rest = {raw.at + 1, raw.len - 1};
    if (!rest.len) return true;
    if (rest.at[rest.len - 1] == '/') rest.len--;
    do {
        struct view piece = view_cut(&rest, '/');
        if (!piece.len || out->count == MAX_SEGMENTS) return false;
        if (memchr(piece.at, '%', piece.len) && !decode(&piece, arena)) return false;
        if (!is_utf8(piece)) return false;
        out->segments[out->count++] = piece;
    } while (rest.at);
    return true;
}

bool path_match(const struct path *path, const char *pattern, struct view params[MAX_SEGMENTS])
{
    struct view rest = view_of(pattern + 1);
    size_t at = 0, nparams = 0;
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
