#include "bench/subscription.h"
#include "bench/mark.h"
#include <ctype.h>
#include <string.h>

/* A number that grows with the order of "<epoch>-N", "<epoch>-N-<rest>", "N" and "N:M". */
static uint64_t order_of(const char *id, size_t len)
{
    const char *dash = memchr(id, '-', len), *rest = dash ? memchr(dash + 1, '-', len - (size_t)(dash + 1 - id)) : NULL;
    uint64_t high = 0, low = 0;
    if (rest) len = (size_t)(rest - id);
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

static void take_id(struct subscription *s, const char *id, size_t len)
{
    s->order = order_of(id, len);
    if (len >= sizeof s->id) len = sizeof s->id - 1;
    memcpy(s->id, id, len);
    s->id[len] = 0;
}

/* Is it later than what this stream had, and where the others saw it? */
static bool in_order(struct subscription *s, struct tally *t, uint32_t number)
{
    uint64_t last = s->last, place = 0;
    s->last = s->order;
    if (!atomic_compare_exchange_strong_explicit(
            &t->places[number], &place, s->order, memory_order_relaxed, memory_order_relaxed) &&
        place != s->order)
        return false;
    return s->order > last;
}

static void take_message(struct subscription *s, struct tally *t, struct mark mark, uint64_t at)
{
    if (mark.run != t->run) return;
    if (mark.number >= t->messages) {
        t->foreign++;
        return;
    }
    uint64_t *word = &s->seen[mark.number / 64], bit = UINT64_C(1) << mark.number % 64;
    if (*word & bit) {
        t->duplicates++;
        return;
    }
    *word |= bit;
    s->received++;
    if (!in_order(s, t, mark.number)) t->disorder++;
    histogram_add(&t->latency, at > mark.due ? at - mark.due : 0);
}

static void take_data(struct subscription *s, struct tally *t, const char *line, size_t len, uint64_t at)
{
    const char *end = line + len;
    struct mark mark;
    while ((line = memchr(line, '#', (size_t)(end - line)))) {
        if (mark_read(line, (size_t)(end - line), &mark)) {
            take_message(s, t, mark, at);
            line += MARK_LENGTH;
        } else {
            line++;
        }
    }
}

static void take_head(struct subscription *s, const char *line, size_t len)
{
    if (len >= 12 && !memcmp(line, "HTTP/1.1 ", 9) && memcmp(line + 9, "200", 3)) s->state = SUBSCRIPTION_ENDED;
    if (len == 0 || line[0] == '\r') s->state = SUBSCRIPTION_OPEN;
}

size_t subscription_take(struct subscription *s, struct tally *t, const char *bytes, size_t len, uint64_t at)
{
    const char *line = bytes, *end = bytes + len, *next;
    while (s->state != SUBSCRIPTION_ENDED && (next = memchr(line, '\n', (size_t)(end - line)))) {
        size_t n = (size_t)(next - line);
        if (s->state == SUBSCRIPTION_HEAD)
            take_head(s, line, n);
        else if (n > 4 && !memcmp(line, "id: ", 4))
            take_id(s, line + 4, n - 4);
        else if (n > 6 && !memcmp(line, "data: ", 6))
            take_data(s, t, line + 6, n - 6, at);
        line = next + 1;
    }
    return (size_t)(line - bytes);
}
