#include "base/crypt.h"
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

bool crypt_random(void *out, size_t len)
{
    return len <= INT_MAX && RAND_bytes(out, (int)len) == 1;
}

uint64_t crypt_dice(void)
{
    uint64_t random;
    return crypt_random(&random, sizeof random) ? random : 0;
}

bool crypt_sha256(struct view data, uint8_t out[32])
{
    return EVP_Digest(data.at, data.len, out, NULL, EVP_sha256(), NULL) == 1;
}

void crypt_hash_init(struct crypt_hash *h)
{
    EVP_MD_CTX *state = EVP_MD_CTX_new();
    h->state = state;
    if (state && EVP_DigestInit_ex(state, EVP_sha256(), NULL) != 1) crypt_hash_release(h);
}

void crypt_hash_add(struct crypt_hash *h, struct view data)
{
    if (h->state && data.len && EVP_DigestUpdate(h->state, data.at, data.len) != 1) crypt_hash_release(h);
}

bool crypt_hash_final(struct crypt_hash *h, uint8_t out[32])
{
    bool good = h->state && EVP_DigestFinal_ex(h->state, out, NULL) == 1;
    crypt_hash_release(h);
    return good;
}

void crypt_hash_release(struct crypt_hash *h)
{
    EVP_MD_CTX_free(h->state);
    h->state = NULL;
}

bool crypt_hmac_sha256(struct view key, struct view data, uint8_t out[32])
{
    size_t len = 0;
    return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.at ? key.at : "", key.len,
               (const unsigned char *)(data.at ? data.at : ""), data.len, out, 32, &len) != NULL &&
           len == 32;
}

bool crypt_pbkdf2_sha256(struct view password, struct view salt, int rounds, uint8_t *out, size_t len)
{
    if (password.len > INT_MAX || salt.len > INT_MAX || len > INT_MAX) return false;
    return PKCS5_PBKDF2_HMAC(password.at ? password.at : "", (int)password.len,
               (const unsigned char *)(salt.at ? salt.at : ""), (int)salt.len, rounds, EVP_sha256(), (int)len,
               out) == 1;
}

bool crypt_equal(struct view a, struct view b)
{
    return a.len == b.len && (!a.len || !CRYPTO_memcmp(a.at, b.at, a.len));
}

#define NONCE 12
#define TAG   16

/* `in` to `out`, which has as much room; `tag` is made, or with `!seal` compared. */
static bool run_gcm(bool seal, const uint8_t key[32], const uint8_t *nonce, struct view context, struct view in,
    uint8_t *out, uint8_t *tag)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n, last;
    bool good = c && in.len <= INT_MAX && context.len <= INT_MAX &&
                EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, seal) == 1 &&
                EVP_CipherUpdate(c, NULL, &n, (const uint8_t *)context.at, (int)context.len) == 1 &&
                EVP_CipherUpdate(c, out, &n, (const uint8_t *)in.at, (int)in.len) == 1 &&
                (seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1) &&
                EVP_CipherFinal_ex(c, out + n, &last) == 1 &&
                (!seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1);
    EVP_CIPHER_CTX_free(c);
    return good;
}

bool crypt_seal(struct str *out, const uint8_t key[32], struct view context, struct view plain)
{
    if (!str_reserve(out, plain.len + CRYPT_SEAL)) return false;
    uint8_t *nonce = (uint8_t *)out->at + out->len, *text = nonce + NONCE;
    bool good = crypt_random(nonce, NONCE) && run_gcm(true, key, nonce, context, plain, text, text + plain.len);
    if (good) out->len += plain.len + CRYPT_SEAL;
    out->at[out->len] = 0;
    return good;
}

bool crypt_open(struct str *out, const uint8_t key[32], struct view context, struct view sealed)
{
    uint8_t tag[TAG];
    if (sealed.len < CRYPT_SEAL || !str_reserve(out, sealed.len)) return false;
    struct view text = {sealed.at + NONCE, sealed.len - CRYPT_SEAL};
    memcpy(tag, text.at + text.len, TAG);
    bool good = run_gcm(false, key, (const uint8_t *)sealed.at, context, text, (uint8_t *)out->at + out->len, tag);
    if (good) out->len += text.len;
    out->at[out->len] = 0;
    return good;
}

void crypt_hex(const void *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[at[i] >> 4];
        *out++ = digits[at[i] & 15];
    }
    *out = 0;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void crypt_base64url(struct str *out, struct view bytes)
{
    uint32_t bits = 0;
    int have = 0;
    if (!str_reserve(out, bytes.len / 3 * 4 + 4)) return;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | (uint8_t)bytes.at[i];
        for (have += 8; have >= 6; have -= 6) str_addc(out, alphabet[bits >> (have - 6) & 63]);
    }
    if (have) str_addc(out, alphabet[bits << (6 - have) & 63]);
}

bool crypt_base64url_decode(struct str *out, struct view text)
{
    uint32_t bits = 0;
    int have = 0;
    size_t before = out->len;
    if (text.len % 4 == 1 || !str_reserve(out, text.len / 4 * 3 + 2)) return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.at[i] ? strchr(alphabet, text.at[i]) : NULL;
        if (!digit) goto refused;
        bits = bits << 6 | (uint32_t)(digit - alphabet);
        have += 6;
        if (have >= 8) {
            have -= 8;
            str_addc(out, (char)(bits >> have));
        }
    }
    /* Left-over bits must be zero, or two texts would mean the same bytes. */
    if (!(bits & ((1u << have) - 1))) return true;

refused:
    out->len = before;
    out->at[before] = 0;
    return false;
}

bool crypt_uuid(char out[UUID_LENGTH + 1])
{
    uint8_t bytes[16];
    char hex[33];
    if (!crypt_random(bytes, sizeof bytes)) return false;
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    crypt_hex(bytes, sizeof bytes, hex);
    for (size_t from = 0; from < 32; from++) {
        if (from == 8 || from == 12 || from == 16 || from == 20) *out++ = '-';
        *out++ = hex[from];
    }
    *out = 0;
    return true;
}
