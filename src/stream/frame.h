/* The text of Server-Sent Events (WHATWG HTML, 9.2). */
#ifndef STREAM_FRAME_H
#define STREAM_FRAME_H

#include "parley/str.h"
#include <stdint.h>

/* "id: <epoch>-<seq>\nevent: <event>\ndata: <data>\n\n". epoch.at == NULL: no id line. `data` must hold no line break
 * (JSON text never does). */
void frame_add(struct str *out, struct view epoch, int64_t seq, const char *event, struct view data);
/* An id alone: the reader's last event id moves, and no event is raised. */
void frame_add_id(struct str *out, struct view epoch, int64_t seq);
void frame_add_comment(struct str *out);
void frame_add_ping(struct str *out);
void frame_add_retry(struct str *out, int milliseconds);

#endif
