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

bool crypt_sha256(struct view data, uint8_t out[32])
{
    return EVP_Digest(data.at, data.len, out, NULL, EVP_sha256(), NULL) == 1;
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
