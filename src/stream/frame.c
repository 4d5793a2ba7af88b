#include "stream/frame.h"

static void add_id_line(struct str *out, struct view epoch, int64_t seq)
{
    str_addz(out, "id: ");
    str_add(out, epoch);
    str_addc(out, '-');
    str_add_integer(out, seq);
    str_addc(out, '\n');
}

void frame_add(struct str *out, struct view epoch, int64_t seq, const char *event, struct view data)
{
    if (epoch.at) add_id_line(out, epoch, seq);
    str_addz(out, "event: ");
    str_addz(out, event);
    str_addz(out, "\ndata: ");
    str_add(out, data);
    str_addz(out, "\n\n");
}

void frame_add_id(struct str *out, struct view epoch, int64_t seq)
{
    add_id_line(out, epoch, seq);
    str_addc(out, '\n');
}

void frame_add_comment(struct str *out)
{
    str_addz(out, ":\n\n");
}

void frame_add_ping(struct str *out)
{
    str_addz(out, "event: ping\ndata: keep-alive\n\n");
}

void frame_add_retry(struct str *out, int milliseconds)
{
    str_addf(out, "retry: %d\n\n", milliseconds);
}
