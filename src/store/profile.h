/* What users say of themselves beside their accounts, whose table is Payload's to the letter.
 *
 *     parley_profiles  user; name: how he wants to be called; NULL: he has not said; shows_seen: others may know when
 *                      he was last here
 *
 * A user has a row once he has said something. It goes with his document, whoever deletes that. */
#ifndef STORE_PROFILE_H
#define STORE_PROFILE_H

#include "base/arena.h"
#include "store/db.h"

struct profile {
    int64_t user;
    struct view email, name; /* name.at == NULL: none */
    bool shows_seen;
};

struct profile_change {
    bool sets_name, sets_shows_seen;
    struct view name; /* at == NULL: none from now on */
    bool shows_seen;
};

/* Makes the table if it is missing. On the applier's connection, inside its transaction, like profile_save. */
MUST_CHECK enum status profile_prepare(struct db *db, struct failure *f);
/* `*out`: as it is then; `*renamed`: the name is another. NOT_FOUND: there is no such user. */
MUST_CHECK enum status profile_save(struct db *db, int64_t user, const struct profile_change *change,
    struct arena *arena, struct profile *out, bool *renamed, struct failure *f);

/* Texts lie in the arena. NOT_FOUND: there is no such user. Any connection, as below. */
MUST_CHECK enum status profile_find(
    struct db *db, int64_t user, struct arena *arena, struct profile *out, struct failure *f);

/* Which profiles. */
struct profile_query {
    struct view text; /* a part of the e-mail or the name, ASCII letters without their case; at == NULL: any */
    struct view ids;  /* a JSON array; at == NULL: any */
};

/* Calls each(ctx, profile) for a page of them, by e-mail; texts are borrowed until it returns. Looks at all users where
 * a text is asked for. */
MUST_CHECK enum status profile_list(struct db *db, const struct profile_query *query, int64_t limit, int64_t offset,
    enum status (*each)(void *ctx, const struct profile *profile), void *ctx, struct failure *f);
/* How many there are. */
MUST_CHECK enum status profile_count(struct db *db, const struct profile_query *query, int64_t *out, struct failure *f);

#endif
