/* Passwords as Payload stores them: PBKDF2-SHA256, in two forms.
 *
 *     pbkdf2-sha256-v1:<64 hex>   600,000 rounds, 32 bytes
 *     <1024 hex>                   25,000 rounds, 512 bytes (before sessions came)
 *
 * The salt is hex text, used as text. Each takes some hundred milliseconds of a core, so that only a few run at once; a
 * few more wait, the rest are told to come again. */
#ifndef API_PASSWORD_H
#define API_PASSWORD_H

#include "base/arena.h"
#include "parley/status.h"
#include "parley/str.h"
#include <stdbool.h>

struct password_gate;

/* At most `running` at once and `waiting` behind them. NULL: no memory. */
MUST_CHECK struct password_gate *password_gate_new(int running, int waiting);
void password_gate_free(struct password_gate *g);

/* A new salt and hash, in the arena. */
MUST_CHECK enum status password_hash(struct password_gate *g, struct view password, struct arena *arena,
    struct view *salt, struct view *hash, struct failure *f);
/* `hash` and `salt` empty: nobody's, takes as long and is never right, so that the time does not tell which e-mails
 * exist. */
/* Is it in an older form than password_hash makes? */
bool password_is_old(struct view hash);
MUST_CHECK enum status password_check(
    struct password_gate *g, struct view password, struct view salt, struct view hash, bool *right, struct failure *f);

#endif
