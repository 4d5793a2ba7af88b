#include "bench/reply.h"
#include <string.h>

#define CHUNK_MOST ((uint64_t)1 << 50)

static bool read_status(struct reply *r, struct view line)
{
    int64_t status;
    if (line.len < 12 || !view_starts(line, "HTTP/1.") || line.at[8] != ' ' ||
        !view_integer((struct view){line.at + 9, 3}, &status) || status < 100 || status > 599 ||
        (line.len > 12 && line.at[12] != ' '))
        return false;
    r->status = (int)status;
    r->closes = line.at[7] == '0';
    return true;
}

static bool read_field(struct reply *r, struct view line)
{
    struct view value = line, name = view_cut(&value, ':');
    int64_t number;
    value = view_trim(value);
    if (view_is_nocase(name, "Content-Length")) {
        if (!view_integer(value, &number) || number < 0) return false;
        r->has_length = true;
        r->left = (uint64_t)number;
    } else if (view_is_nocase(name, "Transfer-Encoding")) {
        r->chunked = view_is_nocase(value, "chunked");
    } else if (view_is_nocase(name, "Connection")) {
        r->closes = view_is_nocase(value, "close");
    }
    return true;
}

/* What comes behind the head. */
static enum reply_state begin_body(struct reply *r)
{
    if (r->status < 200) { /* the answer itself is still to come */
        *r = (struct reply){.body = r->body};
        return REPLY_HEAD;
    }
    if (r->status == 204 || r->status == 304) return REPLY_WHOLE;
    if (r->chunked) return REPLY_CHUNK_SIZE;
    if (!r->has_length) return REPLY_TO_END;
    return r->left ? REPLY_BODY : REPLY_WHOLE;
}

static enum reply_state read_chunk_size(struct reply *r, struct view line)
{
    size_t i = 0;
    r->left = 0;
    for (; i < line.len; i++) {
        char c = (char)(line.at[i] | 0x20);
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) break;
        r->left = r->left * 16 + (unsigned)digit;
        if (r->left > CHUNK_MOST) return REPLY_BAD;
    }
    if (!i || (i < line.len && line.at[i] != ';' && line.at[i] != ' ')) return REPLY_BAD;
    return r->left ? REPLY_CHUNK : REPLY_TRAILER;
}

static enum reply_state read_line(struct reply *r, struct view line)
{
    line = view_trim(line);
    switch (r->state) {
    case REPLY_HEAD:
        if (!r->status) return read_status(r, line) ? REPLY_HEAD : REPLY_BAD;
        if (!line.len) return begin_body(r);
        return read_field(r, line) ? REPLY_HEAD : REPLY_BAD;
    case REPLY_CHUNK_SIZE: return read_chunk_size(r, line);
    case REPLY_CHUNK_END: return line.len ? REPLY_BAD : REPLY_CHUNK_SIZE;
    case REPLY_TRAILER: return line.len ? REPLY_TRAILER : REPLY_WHOLE;
    default: return REPLY_BAD;
    }
}

/* Returns how many bytes were of the line. */
static size_t take_line(struct reply *r, const char *bytes, size_t len)
{
    const char *end = memchr(bytes, '\n', len);
    size_t n = end ? (size_t)(end - bytes) : len, room = sizeof r->line - r->line_len;
    struct view line = {bytes, n};
    if (r->line_len || !end) {
        /* The names and values that count are short. */
        size_t kept = n < room ? n : room;
        memcpy(r->line + r->line_len, bytes, kept);
        r->line_len += kept;
        line = (struct view){r->line, r->line_len};
    }
    if (!end) return len;
    r->line_len = 0;
    r->state = read_line(r, line);
    return n + 1;
}

static size_t take_bytes(struct reply *r, const char *bytes, size_t len)
{
    if (r->state != REPLY_TO_END && len > r->left) len = (size_t)r->left;
    if (r->body) str_add(r->body, (struct view){bytes, len});
    if (r->state == REPLY_TO_END) return len;
    r->left -= len;
    if (!r->left) r->state = r->state == REPLY_CHUNK ? REPLY_CHUNK_END : REPLY_WHOLE;
    return len;
}

size_t reply_take(struct reply *r, const char *bytes, size_t len)
{
    size_t taken = 0;
    while (taken < len && r->state != REPLY_WHOLE && r->state != REPLY_BAD) {
        bool in_body = r->state == REPLY_BODY || r->state == REPLY_CHUNK || r->state == REPLY_TO_END;
        taken += (in_body ? take_bytes : take_line)(r, bytes + taken, len - taken);
    }
    return taken;
}

bool reply_end(struct reply *r)
{
    if (r->state == REPLY_TO_END) r->state = REPLY_WHOLE;
    return r->state == REPLY_WHOLE;
}
