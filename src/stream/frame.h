/* The text of Server-Sent Events (WHATWG HTML, 9.2). */
#ifndef STREAM_FRAME_H
#define STREAM_FRAME_H

#include "parley/str.h"
#include <stdint.h>

/* "<epoch>-<seq>", or "<epoch>-<seq>-<rest>". */
struct frame_id {
    struct view epoch;
    int64_t seq;
    struct view rest;
};

/* "id: …\nevent: <event>\ndata: <data>\n\n"; id NULL: no id line. `data` must hold no line break (JSON text never
 * does). */
void frame_add(struct str *out, const struct frame_id *id, const char *event, struct view data);
/* An id alone: the reader's last event id moves, and no event is raised. */
void frame_add_id(struct str *out, const struct frame_id *id);
void frame_add_comment(struct str *out);
void frame_add_ping(struct str *out);
void frame_add_retry(struct str *out, int milliseconds);

#endif
