/* Where a stream's reader is: "<epoch>-<seq>", every change up to seq; "<epoch>-<seq>-<head>", the same, read when the
 * log went up to head, of which he has something already and for which something was left out; or, of one who was cut
 * off inside its first look at what there is, "<epoch>-<seq>-<head>-<part>-<id>-<updatedAt>": the documents of the
 * moment seq up to that one, of the stream's collections up to that part. */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "parley/str.h"
#include "store/backlog.h"
#include "store/changelog.h"

struct cursor {
    char epoch[EPOCH_LENGTH + 1];
    int64_t seq, head; /* head >= seq */
    bool inside;       /* of the first look, at: */
    size_t part;
    struct backlog_place place;
};

/* False: it has not the form of one. */
MUST_CHECK bool cursor_read(struct cursor *out, struct view text);
/* "<head>-<part>-<id>-<updatedAt>" */
void cursor_add_place(struct str *out, int64_t head, size_t part, const struct backlog_place *place);

#endif
