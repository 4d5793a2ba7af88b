/* civetweb has a decoder of its own, which was not taken: it takes "5\r5\r\n" for a size, lets a size overflow, and
 * knows neither extensions nor trailers. */
#include "http/chunked.h"

#define SIZE_DIGITS   15   /* fits 64 bits with room to spare */
#define LINE_MOST     1024 /* a size with its extensions */
#define TRAILERS_MOST 8192

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool expect(struct chunked *c, char wanted)
{
    char got;
    return c->pull(c->ctx, &got, 1) && got == wanted;
}

/* The rest of a line of which `first` has been read, its CR LF too; adds its length to `*used`. */
static bool skip_line(struct chunked *c, char first, size_t *used, size_t most)
{
    char at = first;
    for (; at != '\r'; ++*used)
        if (at == '\n' || *used == most || !c->pull(c->ctx, &at, 1)) return false;
    return expect(c, '\n');
}

static bool read_size(struct chunked *c)
{
    char at;
    size_t digits = 0, used = 0;
    c->left = 0;
    for (;;) {
        if (!c->pull(c->ctx, &at, 1)) return false;
        int digit = hex(at);
        if (digit < 0) break;
        if (++digits > SIZE_DIGITS) return false;
        c->left = c->left * 16 + (unsigned)digit;
    }
    return digits && (at == '\r' || at == ';') && skip_line(c, at, &used, LINE_MOST);
}

static bool skip_trailers(struct chunked *c)
{
    char at;
    size_t used = 0;
    for (;;) {
        if (!c->pull(c->ctx, &at, 1)) return false;
        if (at == '\r') return expect(c, '\n');
        if (!skip_line(c, at, &used, TRAILERS_MOST)) return false;
    }
}

static bool read_some(struct chunked *c, void *at, size_t room, size_t *got)
{
    if (c->state == CHUNKED_SIZE) {
        if (!read_size(c)) return false;
        if (c->left == 0) {
            if (!skip_trailers(c)) return false;
            c->state = CHUNKED_END;
            return true;
        }
        c->state = CHUNKED_DATA;
    }
    *got = c->left < room ? (size_t)c->left : room;
    if (!c->pull(c->ctx, at, *got)) return false;
    c->left -= *got;
    if (c->left) return true;
    c->state = CHUNKED_SIZE;
    return expect(c, '\r') && expect(c, '\n');
}

bool chunked_read(struct chunked *c, void *at, size_t room, size_t *got)
{
    *got = 0;
    if (c->state == CHUNKED_END) return true;
    if (c->state != CHUNKED_BROKEN && read_some(c, at, room, got)) return true;
    c->state = CHUNKED_BROKEN;
    *got = 0;
    return false;
}
