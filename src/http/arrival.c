/* Where a head ends is decided as civetweb decides it (two line ends, with or without CR; any control character but a
 * tab makes it malformed); if the two differed, a worker would wait, or a client. */
#include "http/arrival.h"
#include <string.h>
#include <strings.h>

/* The head's length; 0: it is not whole; -1: malformed. */
static ptrdiff_t head_length(struct view bytes)
{
    const char *at = bytes.at;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)at[i];
        if ((c >= ' ' && c != 127) || c == '\t') continue;
        if (c != '\r' && c != '\n') return -1;
        if (c != '\n' || !i) continue;
        if (at[i - 1] == '\n') return (ptrdiff_t)i + 1;
        if (i >= 3 && !memcmp(at + i - 3, "\r\n\r", 3)) return (ptrdiff_t)i + 1;
    }
    return 0;
}

/* The body's length; -1: it is not to be waited for. What is wrong with a length, or with two, is for the worker to
 * say.
 */
static int64_t body_length(struct view head)
{
    int64_t length = 0;
    int lengths = 0;
    view_cut(&head, '\n');
    while (head.len) {
        struct view line = view_cut(&head, '\n'), name = view_cut(&line, ':');
        if (view_is_nocase(name, "Transfer-Encoding") || view_is_nocase(name, "Expect")) return -1;
        if (!view_is_nocase(name, "Content-Length")) continue;
        if (line.len && line.at[line.len - 1] == '\r') line.len--;
        if (lengths++ || !view_integer(view_trim(line), &length) || length < 0) return -1;
    }
    return length;
}

struct arrival arrival_of(struct view bytes)
{
    ptrdiff_t head = head_length(bytes);
    if (head < 0 || (!head && bytes.len >= ARRIVAL_MOST)) return (struct arrival){.wanted = bytes.len};
    if (!head) return (struct arrival){.wanted = bytes.len + 1};
    int64_t body = body_length((struct view){bytes.at, (size_t)head});
    bool long_body = body < 0 || body > ARRIVAL_MOST - head;
    return (struct arrival){.head = true, .long_body = long_body, .wanted = (size_t)(long_body ? head : head + body)};
}
