/* What Parley needs of cryptography, all of it OpenSSL's libcrypto. Any thread may call; a false means that libcrypto
 * refused (no memory, no entropy) and the output is not to be used. */
#ifndef BASE_CRYPT_H
#define BASE_CRYPT_H

#include "parley/attributes.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

MUST_CHECK bool crypt_random(void *out, size_t len);
/* A random number, for what can do without chance: 0 when there is none. */
uint64_t crypt_dice(void);
MUST_CHECK bool crypt_sha256(struct view data, uint8_t out[32]);

/* SHA-256 of bytes that come in pieces. It fails sticky; {0} takes nothing and gives nothing. */
struct crypt_hash {
    void *state;
};
void crypt_hash_init(struct crypt_hash *h);
void crypt_hash_add(struct crypt_hash *h, struct view data);
/* Releases it too. */
MUST_CHECK bool crypt_hash_final(struct crypt_hash *h, uint8_t out[32]);
void crypt_hash_release(struct crypt_hash *h);

MUST_CHECK bool crypt_hmac_sha256(struct view key, struct view data, uint8_t out[32]);
/* Slow on purpose: some hundred milliseconds for 600,000 rounds. */
MUST_CHECK bool crypt_pbkdf2_sha256(struct view password, struct view salt, int rounds, uint8_t *out, size_t len);
/* In a time that depends on the lengths alone. */
bool crypt_equal(struct view a, struct view b);

/* AES-256-GCM (NIST SP 800-38D) with a random nonce: nonce, ciphertext, tag, CRYPT_SEAL bytes more than `plain`, are
 * added to `out`. Only who has the key can read it, or change it unnoticed. `context` is not stored, but what is sealed
 * in one context opens in no other. One key is good for 2^32 seals. */
#define CRYPT_SEAL 28
MUST_CHECK bool crypt_seal(struct str *out, const uint8_t key[32], struct view context, struct view plain);
/* False, with `out` as it was: another key, another context, other bytes; or no memory. */
MUST_CHECK bool crypt_open(struct str *out, const uint8_t key[32], struct view context, struct view sealed);

/* Lower-case hex digits, 2 * len of them, and a NUL. */
void crypt_hex(const void *bytes, size_t len, char *out);
/* Base64 with the URL alphabet and no padding (RFC 4648, 5), as JWT wants it (RFC 7515). */
void crypt_base64url(struct str *out, struct view bytes);
/* False, with `out` as it was, unless `text` is canonical base64url without padding; false without memory as well. */
MUST_CHECK bool crypt_base64url_decode(struct str *out, struct view text);

/* A random UUID of version 4 (RFC 9562) and a NUL. */
#define UUID_LENGTH 36
MUST_CHECK bool crypt_uuid(char out[UUID_LENGTH + 1]);

#endif
