/* Where a stream's reader is: "<epoch>-<seq>", every change up to seq; or, of one who was cut off inside its first look
 * at what there is, "<epoch>-<seq>-<part>-<id>-<updatedAt>": the documents of that moment up to that one, of the
 * stream's collections up to that part. */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "parley/str.h"
#include "store/backlog.h"
#include "store/changelog.h"

struct cursor {
    char epoch[EPOCH_LENGTH + 1];
    int64_t seq;
    bool inside; /* of the first look, at: */
    size_t part;
    struct backlog_place place;
};

/* False: it has not the form of one. */
MUST_CHECK bool cursor_read(struct cursor *out, struct view text);
/* "<part>-<id>-<updatedAt>" */
void cursor_add_place(struct str *out, size_t part, const struct backlog_place *place);

#endif
