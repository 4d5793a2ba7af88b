/* Requests out of a connection's bytes, by civetweb's parser: heads, and bodies by their length. One reader for each
 * worker, used by its thread only; it stands between two requests, or in one. */
#ifndef HTTP_CIVET_H
#define HTTP_CIVET_H

#include "parley/attributes.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CIVET_ROOM 16384 /* bytes of the longest head */

struct civet;

/* receive(ctx, …) waits for bytes and answers how many; 0: there will be none. NULL: no memory. */
MUST_CHECK struct civet *civet_new(ssize_t (*receive)(void *ctx, char *at, size_t room), void *ctx);
/* Takes NULL. */
void civet_free(struct civet *c);

/* Goes on with a connection of which at most CIVET_ROOM bytes have been read already. */
void civet_begin(struct civet *c, struct view early);
/* Reads the next request's head. 0: there it is, and what follows tells of it; a status: it is to be refused, and
 * nothing behind it to be read; -1: the connection has ended without a word. */
MUST_CHECK int civet_next(struct civet *c);

/* "" where the head was not understood. */
struct view civet_method(const struct civet *c);
/* The target's path and query, as struct request has them, of which form it may be. */
void civet_target(struct civet *c, struct view *path, struct view *query);
bool civet_is_1_0(const struct civet *c);
/* The header's value, the name compared without case; NULL: not sent. */
const char *civet_header(const struct civet *c, const char *name);
/* Does the client want to go on with the connection? */
bool civet_keeps(const struct civet *c);

bool civet_chunked(const struct civet *c);
/* The body's length as declared; -1: it was not. */
int64_t civet_length(const struct civet *c);
/* Bytes of a body with a length that have not been read. */
int64_t civet_left(const struct civet *c);
/* Exactly `n` bytes; false: they do not come. The second is for a body in chunks, of which only the caller knows the
 * end, and says so. */
MUST_CHECK bool civet_read(struct civet *c, char *at, size_t n);
MUST_CHECK bool civet_read_on(struct civet *c, char *at, size_t n);
void civet_chunks_end(struct civet *c);
/* Has the body been read to its end? */
bool civet_whole(const struct civet *c);

/* Has all of a body with a length been received, though not read? */
bool civet_here(const struct civet *c);
/* Has something been read behind a whole request? */
bool civet_more(const struct civet *c);
/* Ends a whole request, whose text is gone with that. Answers what has been read behind it, good until the next call.
 */
struct view civet_rest(struct civet *c);

#endif
