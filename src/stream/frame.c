#include "stream/frame.h"

static void add_id_line(struct str *out, const struct frame_id *id)
{
    str_addz(out, "id: ");
    str_add(out, id->epoch);
    str_addc(out, '-');
    str_add_integer(out, id->seq);
    if (id->rest.len) str_addc(out, '-');
    str_add(out, id->rest);
    str_addc(out, '\n');
}

void frame_add(struct str *out, const struct frame_id *id, const char *event, struct view data)
{
    if (id) add_id_line(out, id);
    str_addz(out, "event: ");
    str_addz(out, event);
    str_addz(out, "\ndata: ");
    str_add(out, data);
    str_addz(out, "\n\n");
}

void frame_add_id(struct str *out, const struct frame_id *id)
{
    add_id_line(out, id);
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
