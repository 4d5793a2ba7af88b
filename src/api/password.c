#include "api/password.h"
#include "base/crypt.h"
#include "base/lock.h"
#include <stdlib.h>

#define ROUNDS       600000
#define BYTES        32
#define OLD_ROUNDS   25000
#define OLD_BYTES    512
#define SALT_BYTES   32
#define PREFIX       "pbkdf2-sha256-v1:"
#define LONGEST_HASH (sizeof PREFIX + 2 * OLD_BYTES)

struct password_gate {
    int most_running, most_waiting; /* fixed */
    struct lock lock;
    struct condition left;
    int running, waiting; /* under lock */
};

struct password_gate *password_gate_new(int running, int waiting)
{
    struct password_gate *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->most_running = running;
    g->most_waiting = waiting;
    lock_init(&g->lock);
    condition_init(&g->left);
    return g;
}

void password_gate_free(struct password_gate *g)
{
    if (!g) return;
    condition_destroy(&g->left);
    lock_destroy(&g->lock);
    free(g);
}

static bool enter(struct password_gate *g)
{
    lock_take(&g->lock);
    bool full = g->running == g->most_running && g->waiting == g->most_waiting;
    if (!full) {
        g->waiting++;
        while (g->running == g->most_running) condition_wait(&g->left, &g->lock);
        g->waiting--;
        g->running++;
    }
    lock_drop(&g->lock);
    return !full;
}

static void leave(struct password_gate *g)
{
    lock_take(&g->lock);
    g->running--;
    condition_signal(&g->left);
    lock_drop(&g->lock);
}

/* The hash's text, with its prefix in the new form. */
static enum status derive(struct password_gate *g, struct view password, struct view salt, bool old,
    char out[LONGEST_HASH], size_t *len, struct failure *f)
{
    uint8_t bytes[OLD_BYTES];
    size_t nbytes = old ? OLD_BYTES : BYTES;
    if (!enter(g)) return fail(f, UNAVAILABLE, "Too many people are signing in at once; try again.");
    bool ok = crypt_pbkdf2_sha256(password, salt, old ? OLD_ROUNDS : ROUNDS, bytes, nbytes);
    leave(g);
    if (!ok) return fail(f, NO_MEMORY, "Out of memory.");
    *len = 0;
    if (!old)
        for (const char *p = PREFIX; *p; p++) out[(*len)++] = *p;
    crypt_hex(bytes, nbytes, out + *len);
    *len += 2 * nbytes;
    return OK;
}

enum status password_hash(struct password_gate *g, struct view password, struct arena *arena, struct view *salt,
    struct view *hash, struct failure *f)
{
    uint8_t random[SALT_BYTES];
    char text[LONGEST_HASH];
    size_t len = 0;
    char *salt_text = arena_alloc(arena, 2 * SALT_BYTES + 1);
    if (!salt_text) return fail(f, NO_MEMORY, "Out of memory.");
    if (!crypt_random(random, sizeof random)) return fail(f, IO_ERROR, "The system gives no random numbers.");
    crypt_hex(random, sizeof random, salt_text);
    *salt = (struct view){salt_text, 2 * SALT_BYTES};
    enum status status = derive(g, password, *salt, false, text, &len, f);
    if (status) return status;
    hash->at = arena_copy(arena, (struct view){text, len});
    hash->len = len;
    return hash->at ? OK : fail(f, NO_MEMORY, "Out of memory.");
}

bool password_is_old(struct view hash)
{
    return hash.len == 2 * OLD_BYTES && !view_starts(hash, PREFIX);
}

enum status password_check(
    struct password_gate *g, struct view password, struct view salt, struct view hash, bool *right, struct failure *f)
{
    char text[LONGEST_HASH];
    size_t len = 0;
    bool old = password_is_old(hash);
    enum status status = derive(g, password, salt, old, text, &len, f);
    *right = !status && salt.len && crypt_equal(hash, (struct view){text, len});
    return status;
}
