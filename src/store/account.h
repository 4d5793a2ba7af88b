/* What signing in needs of an auth collection's documents: the hidden fields and the sessions (table <slug>_sessions).
 * Reading runs on any connection; the writes run on the applier's, inside its transaction.
 *
 *     parley_sessions  id: a session's; agent: what its client called itself when it signed in. A row goes with the
 *                      session, whoever ends that.
 *
 * The times in the file are the wall clock's, which may be put back: a lock, a reset token and the pause between two of
 * those that would then last for more than twice their time are over. */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "base/arena.h"
#include "parley/collection.h"
#include "store/db.h"

struct account {
    int64_t id;
    struct view email, salt, hash;
    int locked; /* for how many seconds nobody is let in, after too many wrong passwords in a row; 0: it is not */
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

/* As it is at `now` (an ISO time, as everywhere here). NOT_FOUND: nobody has that e-mail (given in lower case). Texts
 * lie in the arena. */
MUST_CHECK enum status account_find(struct db *db, const struct collection *c, struct view email, struct view now,
    struct arena *arena, struct account *out, struct failure *f);
/* The same of whoever has that reset token, not yet expired; NOT_FOUND: nobody. */
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

/* UNAUTHORIZED, in Payload's words: it is locked; for how long is told beside them. */
enum status account_fail_locked(const struct account *account, struct failure *f);
/* A right password at created_at: the count of wrong ones is 0 again, sessions that expired before go (`*dropped`:
 * they, in no order), the new one is added. Of one that is locked by then: account_fail_locked, and nothing is changed.
 */
MUST_CHECK enum status account_signed_in(struct db *db, const struct collection *c, int64_t id,
    const struct session *session, struct arena *arena, struct dropped_session **dropped, struct failure *f);
/* The password in another form. */
MUST_CHECK enum status account_rehash(
    struct db *db, const struct collection *c, int64_t id, struct view salt, struct view hash, struct failure *f);
/* A wrong one is counted; the fifth in a row locks for 10 minutes from `now`. Behind a lock that is over it is the
 * first again. */
MUST_CHECK enum status account_refused(
    struct db *db, const struct collection *c, int64_t id, struct view now, struct failure *f);
/* There were no wrong ones. */
MUST_CHECK enum status account_unlock(struct db *db, const struct collection *c, int64_t id, struct failure *f);
MUST_CHECK enum status account_extend(
    struct db *db, const struct collection *c, int64_t id, const struct session *session, struct failure *f);
/* A token with which the password can be set for an hour from `now`. TOO_MANY: one was asked for within 15 seconds. */
MUST_CHECK enum status account_ask_reset(
    struct db *db, const struct collection *c, int64_t id, struct view token, struct view now, struct failure *f);
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
