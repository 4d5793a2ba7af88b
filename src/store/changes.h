/* What has happened to a list since a change of the log, as one snapshot sees it: which documents came into it, which
 * left it, and where they lie in its order. */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include "base/arena.h"
#include "schema/find.h"
#include "store/changelog.h"
#include "store/former.h"
#include "store/place.h"

#define CHANGES_MOST 4096 /* of the log that are looked at */

struct list_change {
    int64_t doc;
    enum { WAS_OUT, WAS_IN, WAS_UNKNOWN } was; /* in the list, at `before` */
    bool is_in;                                /* now, at `now` */
    bool odd;                                  /* it has no place */
    struct place before, now;
};

struct list_changes {
    size_t count;
    struct list_change of[];
};

struct list_view {
    struct db *db;
    const struct find *find;    /* where it does not look through relations */
    struct order order;         /* by an own field */
    struct formers *formers;    /* may be NULL: less is known */
    struct changelog_span span; /* of the db's snapshot */
};

/* Those behind `seq`, each document once. NULL in *out: there are too many, or they are no longer kept. They lie in the
 * arena. */
MUST_CHECK enum status changes_read(
    const struct list_view *view, int64_t seq, struct arena *arena, struct list_changes **out, struct failure *f);

#endif
