/* What signing in needs of an auth collection's documents: the hidden fields and the sessions (table <slug>_sessions).
 * Reading runs on any connection; the writes run on the applier's, inside its transaction.
 *
 *     parley_sessions  id: a session's; agent: what its client called itself when it signed in. A row goes with the
 *                      session, whoever ends that. */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "base/arena.h"
#include "parley/collection.h"
#include "store/db.h"

struct account {
    int64_t id;
    struct view email, salt, hash;
    int64_t attempts;       /* wrong passwords in a row */
    struct view lock_until; /* ISO time; at == NULL: not locked */
};

struct session {
    struct view id;                     /* a UUID */
    struct view created_at, expires_at; /* ISO times */
    struct view agent;                  /* at == NULL: not known */
};

/* A session that is gone; in an arena. */
struct dropped_session {
    struct dropped_session *next;
    struct view id;
};

/* Makes the sessions' tables if they are missing. */
MUST_CHECK enum status account_prepare(struct db *db, const struct collection *c, struct failure *f);

/* NOT_FOUND: nobody has that e-mail (given in lower case). Texts lie in the arena. */
MUST_CHECK enum status account_find(struct db *db, const struct collection *c, struct view email, struct arena *arena,
    struct account *out, struct failure *f);
/* Whose reset token that is, not yet expired at `now`; NOT_FOUND: nobody's. */
MUST_CHECK enum status account_find_reset(struct db *db, const struct collection *c, struct view token, struct view now,
    struct arena *arena, struct account *out, struct failure *f);
/* Has the document that session, not yet expired at `now`? */
MUST_CHECK enum status account_has_session(struct db *db, const struct collection *c, int64_t id, struct view session,
    struct view now, bool *out, struct failure *f);
/* [{"id","createdAt","expiresAt"},…]; at == NULL: none. In the arena. */
MUST_CHECK enum status account_sessions_json(
    struct db *db, const struct collection *c, int64_t id, struct arena *arena, struct view *out, struct failure *f);
/* Calls each(ctx, session) for those of the document that are not expired at `now`, at most `most`: `first` is the
 * first, then the newest. Texts are borrowed until it returns. */
MUST_CHECK enum status account_list_sessions(struct db *db, const struct collection *c, int64_t id, struct view first,
    struct view now, int64_t most, enum status (*each)(void *ctx, const struct session *session), void *ctx,
    struct failure *f);

/* A right password: the count of wrong ones is 0 again, sessions that expired before created_at go (`*dropped`: they,
 * in no order), the new one is added. */
MUST_CHECK enum status account_signed_in(struct db *db, const struct collection *c, int64_t id,
    const struct session *session, struct arena *arena, struct dropped_session **dropped, struct failure *f);
/* The password in another form. */
MUST_CHECK enum status account_rehash(
    struct db *db, const struct collection *c, int64_t id, struct view salt, struct view hash, struct failure *f);
/* A wrong one: `attempts` and `lock_until` (at == NULL: none) are stored. */
MUST_CHECK enum status account_refused(
    struct db *db, const struct collection *c, int64_t id, int64_t attempts, struct view lock_until, struct failure *f);
MUST_CHECK enum status account_extend(
    struct db *db, const struct collection *c, int64_t id, const struct session *session, struct failure *f);
/* A token with which the password can be set until `expires`. TOO_MANY: one was asked for within the last 15 seconds.
 */
MUST_CHECK enum status account_ask_reset(struct db *db, const struct collection *c, int64_t id, struct view token,
    struct view now, struct view expires, struct failure *f);
/* The token has done its work: it expires `now`, a lock is lifted, and all sessions end. */
MUST_CHECK enum status account_reset(
    struct db *db, const struct collection *c, int64_t id, struct view now, struct failure *f);
/* session.at == NULL: all of them. */
MUST_CHECK enum status account_signed_out(
    struct db *db, const struct collection *c, int64_t id, struct view session, struct failure *f);
/* All but `session` (at == NULL: none is spared) end; `*dropped`: they, in no order. */
MUST_CHECK enum status account_end_others(struct db *db, const struct collection *c, int64_t id, struct view session,
    struct arena *arena, struct dropped_session **dropped, struct failure *f);

#endif
