/* Tokens: JSON Web Tokens signed with HS256 (RFC 7519, RFC 7515), with the claims Payload writes. */
#ifndef API_TOKEN_H
#define API_TOKEN_H

#include "base/arena.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stdint.h>

#define TOKEN_SECONDS 7200
#define TOKEN_COOKIE  "payload-token"

struct token {
    int64_t id;
    struct view collection, email, session;
    int64_t issued, expires; /* seconds since 1970 */
};

/* The key of a secret: the first half of its SHA-256 in hex, as text. False: libcrypto refused. */
MUST_CHECK bool token_key(struct view secret, char out[33]);
/* The token's text in the header Authorization, of one of Payload's schemes, and in the header Cookie; borrowed. at ==
 * NULL: there is none. */
struct view token_authorized(struct view header);
struct view token_in_cookie(struct view header);
void token_add(struct str *out, const struct token *token, struct view key);
/* False: not a token, not signed with this key, expired at `now` (seconds), or without one of the claims. Texts lie in
 * the arena. */
MUST_CHECK bool token_read(struct token *out, struct view text, struct view key, int64_t now, struct arena *arena);

#endif
