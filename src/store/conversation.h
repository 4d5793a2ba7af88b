/* Conversations: what was said last between two users, and how far each of them has read.
 *
 *     parley_conversations  low, high: the two, the lower id first; last: the newest message between them, the one with
 *                           the highest id; read_low, read_high: up to which message each has read; unread_low,
 *                           unread_high: how many messages of the other one lie above that
 *
 * A pair has a row while there is a message between the two. Who talks to himself is `high`. "Message" stands for a
 * document of the collection that users exchange (schema/registry.h).
 *
 * A row is kept right in the transaction of each write. Where a message goes away that was the newest, and where a mark
 * stops among unread ones, messages of the pair are looked for by two indexes that the messages have of their own (who
 * sent, who got them), in turn: each look passes over all that only one of the indexes has in between, so that the
 * looks are at most twice what the one sent or the other got there. Tried and not taken: an index of both, with which
 * each of these is one look, and a new message costs more than twice as much here. */
#ifndef STORE_CONVERSATION_H
#define STORE_CONVERSATION_H

#include "base/arena.h"
#include "schema/doc.h"
#include "store/db.h"

/* As one of the two sees it. */
struct conversation {
    int64_t peer;
    struct view email, name; /* the peer's; name.at == NULL: none (store/profile.h) */
    int64_t last;            /* 0: there is no message */
    int64_t unread;          /* the peer's messages above `read` */
    int64_t read, peer_read; /* 0: nothing */
};

/* Makes the table where it is missing. What is there then counts as read: nobody could say so before. On the applier's
 * connection, inside its transaction, like the other writing calls. */
MUST_CHECK enum status conversation_prepare(struct db *db, struct failure *f);
/* Another program has written messages: counts anew, and leaves the marks. Reads all messages. */
MUST_CHECK enum status conversation_recount(struct db *db, struct failure *f);
/* A message has changed; NULL: there was or is none. Other documents change nothing. */
MUST_CHECK enum status conversation_follow(
    struct db *db, const struct doc *before, const struct doc *after, struct failure *f);
/* `user` has read `peer`'s messages up to that one: his mark moves forward, never back, and never beyond the newest.
 * `*out`: as it is then, but for the peer's texts; `*moved`: it did. */
MUST_CHECK enum status conversation_mark(struct db *db, int64_t user, int64_t peer, int64_t message,
    struct conversation *out, bool *moved, struct failure *f);

/* Calls each(ctx, conversation) for a page of those of `user`: one with every user there is, himself too; those with
 * the newest message first, then those without one, by e-mail. Texts are borrowed until it returns. Any connection. It
 * costs a look at each of his conversations, whose order is not kept. */
MUST_CHECK enum status conversation_list(struct db *db, int64_t user, int64_t limit, int64_t offset,
    enum status (*each)(void *ctx, const struct conversation *conversation), void *ctx, struct failure *f);
/* One of them; its texts lie in the arena. NOT_FOUND: there is no such user. */
MUST_CHECK enum status conversation_find(
    struct db *db, int64_t user, int64_t peer, struct arena *arena, struct conversation *out, struct failure *f);

#endif
