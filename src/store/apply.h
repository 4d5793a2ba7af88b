/* Applying one write to the tables. No clock, no randomness: times, hashes and session ids come with the write, so that
 * the same writes make the same rows on every copy. Runs on the applier's connection, inside its transaction. */
#ifndef STORE_APPLY_H
#define STORE_APPLY_H

#include "base/arena.h"
#include "schema/doc.h"
#include "schema/draft.h"
#include "schema/where.h"
#include "store/account.h"
#include "store/answers.h"
#include "store/changelog.h"
#include "store/conversation.h"
#include "store/profile.h"

enum write_op {
    WRITE_CREATE,
    WRITE_UPDATE, /* a new password ends the document's sessions, but for `session` */
    WRITE_DELETE,
    WRITE_SIGNED_IN,  /* adds `session`; stores `salt` and `hash` when they are given */
    WRITE_REFUSED,    /* counts a wrong password */
    WRITE_UNLOCK,     /* lifts a lock, and the count is 0 */
    WRITE_ASK_RESET,  /* stores `token`; TOO_MANY: too soon */
    WRITE_RESET,      /* stores `salt` and `hash`, ends all sessions */
    WRITE_EXTEND,     /* moves `session`'s end */
    WRITE_SIGNED_OUT, /* ends `session`, or all */
    WRITE_CLAIM,      /* claims a name like `file` in an upload collection; `file` is it afterwards (store/claim.h) */
    WRITE_RELEASE,    /* drops the claim of `file` */
    WRITE_MARK,       /* user `id` has read `conversation.peer`'s messages up to `conversation.read` */
    WRITE_PROFILE,    /* changes what user `id` says of himself by `profile_change`; `profile` is it afterwards */
    WRITE_ANSWER,     /* keeps `answer`, and nothing else */
};

struct write {
    enum write_op op;
    const struct collection *collection;
    int64_t id;                /* of the document; for WRITE_CREATE set by apply */
    const struct draft *draft; /* CREATE, UPDATE */
    bool only_first;           /* CREATE: refused (FORBIDDEN) when the collection has a document */
    /* CREATE, UPDATE, DELETE: refused (FORBIDDEN) unless it matches the document as it is, and as it would be
     * afterwards; a document that is not there is refused too. It looks through no relation. NULL: any document. */
    const struct where *must_match;
    struct session session;
    struct view salt, hash, token;
    struct view now; /* ISO time; REFUSED, ASK_RESET, RESET */
    struct view file;
    struct conversation conversation;     /* MARK; as it is afterwards, but for the peer's texts */
    bool moved;                           /* MARK: it is another mark now; PROFILE: it is another name */
    struct profile_change profile_change; /* PROFILE */
    struct profile profile;
    /* The answer to the request that this is for, kept with the write or not at all; the zero: none. One that shows the
     * result is made here: make(w, db, f), unless NULL, is called on the applier's thread while the submitter waits,
     * when the write has been done and before it is committed; `db` sees it. It fills w->answer; a failure undoes the
     * write, and no other. All wait for it: it is to be short, and bounded in what it reads and takes. */
    struct answer answer;
    enum status (*make)(struct write *w, struct db *db, struct failure *f);
    void *ctx; /* make's */
    /* the result */
    int64_t seq;    /* of the change */
    struct doc doc; /* as it is afterwards; DELETE: as it was. CREATE, UPDATE, DELETE, SIGNED_IN, EXTEND */
    /* DELETE, and UPDATE of a collection with parties or in want_before or of createdAt: as it was; else NULL. */
    const struct doc *before;
    struct view orphan; /* UPDATE, DELETE: the file that was the document's and is claimed now; at == NULL: none */
    struct dropped_session *dropped; /* SIGNED_IN: those that had expired; UPDATE: those that the new password ended */
    struct failure failure;
};

/* What the applier knows between writes. */
struct tables {
    struct db *db;
    int64_t seq;                            /* of the last change */
    struct ledger ledgers[MAX_COLLECTIONS]; /* by collection_index */
    bool touched[MAX_COLLECTIONS];          /* a document has changed since tables_flush, or an id was used */
    bool want_before[MAX_COLLECTIONS];      /* the owner's: updates are to give `before` */
};

/* Reads what the file says; also after a transaction was rolled back. Leaves want_before as it is. */
MUST_CHECK enum status tables_load(struct tables *t, struct db *db, struct failure *f);
/* Before the commit. `now`: ISO time. */
MUST_CHECK enum status tables_flush(struct tables *t, struct view now, struct failure *f);

/* In a savepoint of its own: a failure leaves the tables as they were, and lies in w->failure too. A document's change
 * moves t->seq. The result's texts lie in the arena. */
enum status apply(struct tables *t, struct write *w, struct arena *arena);

/* Does the write change a document (and so the log)? */
static inline bool write_changes(const struct write *w)
{
    return w->op == WRITE_CREATE || w->op == WRITE_UPDATE || w->op == WRITE_DELETE;
}

/* Could any answer about the collection be another after the write? */
static inline bool write_shows(const struct write *w)
{
    return w->op != WRITE_ANSWER && w->op != WRITE_MARK && w->op != WRITE_PROFILE;
}

/* Does the write end rights that a user had, besides w->dropped? `*session`: the one that ends; at == NULL: all. */
bool write_ends_sessions(const struct write *w, struct view *session);

#endif
