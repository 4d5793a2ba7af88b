#include "stream.h"
#include "token.h"
#include <ctype.h>
#include <string.h>

/* A number that grows with the order of "<any>-N", "N" and "N:M". */
static uint64_t order_of(const char *id, size_t len)
{
    uint64_t high = 0, low = 0;
    for (size_t i = 0; i < len; i++) {
        if (isdigit((unsigned char)id[i])) {
            low = low * 10 + (uint64_t)(id[i] - '0');
        } else {
            high = id[i] == ':' ? low << 24 : 0;
            low = 0;
        }
    }
    return high + low;
}

static void take_id(struct stream *s, const char *id, size_t len)
{
    s->order = order_of(id, len);
    if (len >= sizeof s->id) len = sizeof s->id - 1;
    memcpy(s->id, id, len);
    s->id[len] = 0;
}

/* Is it later than what this stream had, and where the others saw it? */
static int in_order(struct stream *s, struct tally *t, uint32_t number)
{
    uint64_t last = s->last, place = 0;
    s->last = s->order;
    if (!atomic_compare_exchange_strong_explicit(
            &t->places[number], &place, s->order, memory_order_relaxed, memory_order_relaxed) &&
        place != s->order)
        return 0;
    return s->order > last;
}

static void take_message(struct stream *s, struct tally *t, struct token token, uint64_t at)
{
    if (token.number >= t->messages) {
        t->foreign++;
        return;
    }
    uint64_t *word = &s->seen[token.number / 64], bit = UINT64_C(1) << token.number % 64;
    if (*word & bit) {
        t->duplicates++;
        return;
    }
    *word |= bit;
    s->received++;
    if (!in_order(s, t, token.number)) t->disorder++;
    histogram_add(&t->latency, at > token.due ? at - token.due : 0);
}

static void take_data(struct stream *s, struct tally *t, const char *line, size_t len, uint64_t at)
{
    const char *end = line + len;
    struct token token;
    while ((line = memchr(line, '#', (size_t)(end - line)))) {
        if (token_read(line, (size_t)(end - line), &token)) {
            take_message(s, t, token, at);
            line += TOKEN_LENGTH;
        } else {
            line++;
        }
    }
}

static void take_head(struct stream *s, const char *line, size_t len)
{
    if (len >= 12 && !memcmp(line, "HTTP/1.1 ", 9) && memcmp(line + 9, "200", 3)) s->state = STREAM_ENDED;
    if (len == 0 || line[0] == '\r') s->state = STREAM_OPEN;
}

size_t stream_take(struct stream *s, struct tally *t, const char *bytes, size_t len, uint64_t at)
{
    const char *line = bytes, *end = bytes + len, *next;
    while (s->state != STREAM_ENDED && (next = memchr(line, '\n', (size_t)(end - line)))) {
        size_t n = (size_t)(next - line);
        if (s->state == STREAM_HEAD)
            take_head(s, line, n);
        else if (n > 4 && !memcmp(line, "id: ", 4))
            take_id(s, line + 4, n - 4);
        else if (n > 6 && !memcmp(line, "data: ", 6))
            take_data(s, t, line + 6, n - 6, at);
        line = next + 1;
    }
    return (size_t)(line - bytes);
}
