#include "api/cursor.h"
#include "schema/registry.h"
#include <string.h>

#define CURSOR_MAX 128 /* bytes of a text that can be one */

static bool natural(struct view text, int64_t *out)
{
    /* "-0", "+1" and "01" are no numbers that were ever given out. */
    bool plain = text.len && text.at[0] != '-' && (text.at[0] != '0' || text.len == 1);
    return plain && view_integer(text, out);
}

bool cursor_read(struct cursor *out, struct view text)
{
    struct view rest = text;
    struct view epoch = view_cut(&rest, '-');
    struct view seq = view_cut(&rest, '-');
    int64_t part = 0;
    *out = (struct cursor){0};
    if (text.len > CURSOR_MAX || epoch.len != EPOCH_LENGTH || !natural(seq, &out->seq)) return false;
    memcpy(out->epoch, epoch.at, EPOCH_LENGTH);
    out->head = out->seq;
    if (!rest.at) return true;
    if (!natural(view_cut(&rest, '-'), &out->head)) return false;
    if (!rest.at) return out->head > out->seq;
    out->inside = true;
    if (out->head < out->seq) return false;
    struct view number = view_cut(&rest, '-'), id = view_cut(&rest, '-');
    if (!natural(number, &part) || part >= MAX_COLLECTIONS || !natural(id, &out->place.id)) return false;
    if (!rest.len || rest.len >= BACKLOG_TIME || memchr(rest.at, 0, rest.len)) return false;
    out->part = (size_t)part;
    memcpy(out->place.time, rest.at, rest.len);
    return true;
}

void cursor_add_place(struct str *out, int64_t head, size_t part, const struct backlog_place *place)
{
    str_addf(out, "%lld-%zu-%lld-%s", (long long)head, part, (long long)place->id, place->time);
}
