/* A body in chunks: read in large or in small pieces it is the same body, and ends behind the same byte. */
#include "http/chunked.h"
#include "fuzz.h"

struct reading {
    struct view rest;
    struct str body;
    bool whole;
};

static bool pull(void *ctx, void *at, size_t n)
{
    struct reading *r = ctx;
    if (n > r->rest.len) return false;
    memcpy(at, r->rest.at, n);
    r->rest = (struct view){r->rest.at + n, r->rest.len - n};
    return true;
}

static void read_all(struct reading *r, struct view text, size_t room)
{
    char piece[512];
    size_t got;
    *r = (struct reading){.rest = text};
    struct chunked c = {.pull = pull, .ctx = r};
    while ((r->whole = chunked_read(&c, piece, room, &got)) && got) {
        ASSERT(got <= room);
        str_add(&r->body, (struct view){piece, got});
    }
    ASSERT(c.state == (r->whole ? CHUNKED_END : CHUNKED_BROKEN));
    ASSERT(r->body.len <= text.len);
    ASSERT(r->whole == chunked_read(&c, piece, room, &got));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = input_of(data, size);
    size_t room = take_byte(&text) + 1;
    struct reading large, small;
    read_all(&large, text, 512);
    read_all(&small, text, room);
    ASSERT(large.whole == small.whole);
    if (large.whole)
        ASSERT(view_equal(str_view(&large.body), str_view(&small.body)) && large.rest.len == small.rest.len);
    str_release(&large.body);
    str_release(&small.body);
    return 0;
}
