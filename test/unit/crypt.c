/* Cryptography, against published vectors: FIPS 180-4's examples, RFC 4231, RFC 7914, RFC 4648, RFC 7515, and for
 * PBKDF2 the cases of RFC 6070 as they are widely published for SHA-256; for AES-256-GCM cases 13, 14 and 16 of McGrew
 * and Viega, "The Galois/Counter Mode of Operation". */
#include "base/crypt.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_bytes(const uint8_t *bytes, size_t len, const char *hex)
{
    char text[2 * 64 + 1];
    assert_true(len <= 64);
    crypt_hex(bytes, len, text);
    assert_string_equal(text, hex);
}

static void crypt__sha256(void **state)
{
    (void)state;
    static const struct {
        struct view data;
        const char *hash;
    } cases[] = {
        {{NULL, 0}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {{"", 0}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {{"abc", 3}, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56},
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t out[32];
        assert_true(crypt_sha256(cases[i].data, out));
        assert_bytes(out, sizeof out, cases[i].hash);
    }
}

static void crypt__hash_of_pieces_is_that_of_the_whole(void **state)
{
    (void)state;
    static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct crypt_hash h;
        uint8_t out[32];
        crypt_hash_init(&h);
        crypt_hash_add(&h, (struct view){0});
        for (size_t at = 0; at < sizeof text - 1; at += piece)
            crypt_hash_add(&h, (struct view){text + at, at + piece < sizeof text ? piece : sizeof text - 1 - at});
        assert_true(crypt_hash_final(&h, out));
        assert_bytes(out, sizeof out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
}

static void crypt__hash_that_was_never_begun_gives_nothing(void **state)
{
    (void)state;
    struct crypt_hash h = {0};
    uint8_t out[32];
    crypt_hash_add(&h, VIEW("abc"));
    assert_false(crypt_hash_final(&h, out));
    crypt_hash_init(&h);
    crypt_hash_release(&h);
    crypt_hash_release(&h);
}

#define TIMES_5(text)  text text text text text
#define TIMES_10(text) TIMES_5(text) TIMES_5(text)
#define TIMES_20(text) TIMES_10(text) TIMES_10(text)
#define TIMES_50(text) TIMES_20(text) TIMES_20(text) TIMES_10(text)
#define LONG_KEY       TIMES_50("\xaa") TIMES_50("\xaa") TIMES_20("\xaa") TIMES_10("\xaa") "\xaa"

static void crypt__hmac_sha256(void **state)
{
    (void)state;
    const struct {
        struct view key, data;
        const char *mac;
    } cases[] = {
        {VIEW(TIMES_20("\x0b")), VIEW("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {VIEW("Jefe"), VIEW("what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {VIEW(TIMES_20("\xaa")), VIEW(TIMES_50("\xdd")),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {VIEW("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19"),
            VIEW(TIMES_50("\xcd")), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {VIEW(LONG_KEY), VIEW("Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {VIEW(LONG_KEY),
            VIEW("This is a test using a larger than block-size key and a larger than block-size data. The key needs "
                 "to be hashed before being used by the HMAC algorithm."),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
        {VIEW(""), VIEW(""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
        {{NULL, 0}, {NULL, 0}, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t out[32];
        assert_true(crypt_hmac_sha256(cases[i].key, cases[i].data, out));
        assert_bytes(out, sizeof out, cases[i].mac);
    }
}

static void crypt__pbkdf2_sha256(void **state)
{
    (void)state;
    const struct {
        struct view password, salt;
        int rounds;
        size_t len;
        const char *key;
    } cases[] = {
        {VIEW("password"), VIEW("salt"), 1, 32, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b"},
        {VIEW("password"), VIEW("salt"), 2, 32, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"},
        {VIEW("password"), VIEW("salt"), 4096, 32, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"},
        {VIEW("passwordPASSWORDpassword"), VIEW("saltSALTsaltSALTsaltSALTsaltSALTsalt"), 4096, 40,
            "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1c635518c7dac47e9"},
        {VIEW("pass\0word"), VIEW("sa\0lt"), 4096, 16, "89b69d0516f829893c696226650a8687"},
        {VIEW("passwd"), VIEW("salt"), 1, 64,
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
            "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"},
        {VIEW("Password"), VIEW("NaCl"), 80000, 64,
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
            "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t out[64];
        assert_true(crypt_pbkdf2_sha256(cases[i].password, cases[i].salt, cases[i].rounds, out, cases[i].len));
        assert_bytes(out, cases[i].len, cases[i].key);
    }
}

static void crypt__pbkdf2_edges(void **state)
{
    (void)state;
    uint8_t one[32], two[32];
    assert_false(crypt_pbkdf2_sha256(VIEW("password"), VIEW("salt"), 0, one, sizeof one));
    assert_false(crypt_pbkdf2_sha256(VIEW("password"), VIEW("salt"), -1, one, sizeof one));
    assert_false(crypt_pbkdf2_sha256((struct view){"", SIZE_MAX}, VIEW("salt"), 1, one, sizeof one));
    assert_true(crypt_pbkdf2_sha256(VIEW(""), VIEW(""), 1, one, sizeof one));
    assert_true(crypt_pbkdf2_sha256(view_of(NULL), view_of(NULL), 1, two, sizeof two));
    assert_memory_equal(one, two, sizeof one);
}

static void crypt__equal(void **state)
{
    (void)state;
    assert_true(crypt_equal(VIEW("a\0b"), VIEW("a\0b")));
    assert_false(crypt_equal(VIEW("a\0b"), VIEW("a\0c")));
    assert_false(crypt_equal(VIEW("xbc"), VIEW("abc")));
    assert_false(crypt_equal(VIEW("ab"), VIEW("abc")));
    assert_true(crypt_equal(VIEW(""), view_of(NULL)));
    assert_false(crypt_equal(VIEW(""), VIEW("a")));
}

static void crypt__hex(void **state)
{
    (void)state;
    char out[9] = "zzzzzzzz";
    crypt_hex("\x00\x1f\xa0\xff", 4, out);
    assert_string_equal(out, "001fa0ff");
    crypt_hex("", 0, out);
    assert_string_equal(out, "");
}

static const struct {
    struct view bytes;
    const char *text;
} pairs[] = {
    {{"", 0}, ""},
    {{"f", 1}, "Zg"},
    {{"fo", 2}, "Zm8"},
    {{"foo", 3}, "Zm9v"},
    {{"foob", 4}, "Zm9vYg"},
    {{"fooba", 5}, "Zm9vYmE"},
    {{"foobar", 6}, "Zm9vYmFy"},
    {{"\x03\xec\xff\xe0\xc1", 5}, "A-z_4ME"}, /* RFC 7515, appendix C */
    {{"{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", 30}, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"},
    {{"\0\0\0\0", 4}, "AAAAAA"},
    {{"\xff\xff\xff\xff\xff", 5}, "______8"},
};

static void crypt__base64url(void **state)
{
    (void)state;
    struct str out = {0};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        str_reset(&out);
        str_addz(&out, "before.");
        crypt_base64url(&out, pairs[i].bytes);
        assert_false(out.failed);
        assert_memory_equal(out.at, "before.", 7);
        assert_string_equal(out.at + 7, pairs[i].text);

        str_reset(&out);
        str_addz(&out, "before.");
        assert_true(crypt_base64url_decode(&out, view_of(pairs[i].text)));
        assert_int_equal(out.len, 7 + pairs[i].bytes.len);
        assert_memory_equal(out.at, "before.", 7);
        assert_memory_equal(out.at + 7, pairs[i].bytes.at, pairs[i].bytes.len);
    }
    str_release(&out);
}

static void crypt__base64url_there_and_back(void **state)
{
    (void)state;
    struct str text = {0}, back = {0};
    char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 167);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        str_reset(&text);
        str_reset(&back);
        crypt_base64url(&text, (struct view){bytes, len});
        assert_int_equal(text.len, (len * 4 + 2) / 3);
        assert_true(crypt_base64url_decode(&back, str_view(&text)));
        assert_int_equal(back.len, len);
        if (len) assert_memory_equal(back.at, bytes, len);
    }
    str_release(&text);
    str_release(&back);
}

static void crypt__base64url_refuses(void **state)
{
    (void)state;
    const struct view bad[] = {VIEW("A"), VIEW("Zm9vY"), VIEW("Zg=="), VIEW("Zm8="), VIEW("Zh"), VIEW("Zm9"),
        VIEW("Zm+v"), VIEW("Zm/v"), VIEW("Zm v"), VIEW("Zm9v\n"), VIEW("\0\0\0\0"), VIEW("Zm9\0"), VIEW("Zm9\xff"),
        VIEW("Zm9vZm9!"), VIEW("=")};
    struct str out = {0};
    for (size_t i = 0; i < COUNT(bad); i++) {
        str_reset(&out);
        str_addz(&out, "kept");
        assert_false(crypt_base64url_decode(&out, bad[i]));
        assert_false(out.failed);
        assert_int_equal(out.len, 4);
        assert_string_equal(out.at, "kept");
    }
    assert_false(str_reserve(&out, SIZE_MAX));
    assert_false(crypt_base64url_decode(&out, VIEW("Zm9v")));
    assert_false(crypt_base64url_decode(&out, VIEW("")));
    crypt_base64url(&out, VIEW("foo"));
    assert_int_equal(out.len, 4);
    str_release(&out);
}

/* RFC 7515, appendix A.1: a whole token. */
static void crypt__signs_a_token(void **state)
{
    (void)state;
    struct str key = {0}, signature = {0};
    uint8_t mac[32];
    assert_true(crypt_base64url_decode(
        &key, VIEW("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")));
    assert_int_equal(key.len, 64);
    assert_true(crypt_hmac_sha256(str_view(&key),
        VIEW("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
             "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"),
        mac));
    crypt_base64url(&signature, (struct view){(const char *)mac, sizeof mac});
    assert_true(crypt_equal(str_view(&signature), VIEW("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
    str_release(&key);
    str_release(&signature);
}

static void crypt__random(void **state)
{
    (void)state;
    uint8_t one[32] = {0}, two[32] = {0};
    assert_true(crypt_random(one, sizeof one));
    assert_true(crypt_random(two, sizeof two));
    assert_memory_not_equal(one, two, sizeof one);
    assert_true(crypt_random(one, 0));
    assert_false(crypt_random(one, SIZE_MAX));
}

static void crypt__uuid(void **state)
{
    (void)state;
    char last[UUID_LENGTH + 1] = "", out[UUID_LENGTH + 1];
    for (int round = 0; round < 100; round++) {
        assert_true(crypt_uuid(out));
        assert_int_equal(strlen(out), UUID_LENGTH);
        for (size_t i = 0; i < UUID_LENGTH; i++) {
            const char *allowed = i == 8 || i == 13 || i == 18 || i == 23 ? "-"
                                  : i == 14                               ? "4"
                                  : i == 19                               ? "89ab"
                                                                          : "0123456789abcdef";
            assert_non_null(strchr(allowed, out[i]));
        }
        assert_string_not_equal(out, last);
        memcpy(last, out, sizeof last);
    }
}

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return len;
}

static void crypt__opens_what_others_sealed(void **state)
{
    (void)state;
    static const struct {
        const char *key, *context, *sealed, *plain; /* sealed: nonce, ciphertext, tag */
    } cases[] = {
        {"0000000000000000000000000000000000000000000000000000000000000000", "",
            "000000000000000000000000"
            "530f8afbc74536b9a963b4f1c4cb738b",
            ""},
        {"0000000000000000000000000000000000000000000000000000000000000000", "",
            "000000000000000000000000"
            "cea7403d4d606b6e074ec5d3baf39d18"
            "d0d1c8a799996bf0265b98b5d48ab919",
            "00000000000000000000000000000000"},
        {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "cafebabefacedbaddecaf888"
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393"
            "ba"
            "7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa"
            "0d"
            "e657ba637b39"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t key[32], context[64], sealed[128];
        struct str plain = {0};
        from_hex(cases[i].key, key);
        struct view in = {(const char *)context, from_hex(cases[i].context, context)};
        assert_true(
            crypt_open(&plain, key, in, (struct view){(const char *)sealed, from_hex(cases[i].sealed, sealed)}));
        assert_bytes((const uint8_t *)plain.at, plain.len, cases[i].plain);
        str_release(&plain);
    }
}

static void crypt__seals_and_opens(void **state)
{
    (void)state;
    static const uint8_t key[32] = "a key that is thirty-two bytes.", other[32] = "another one of thirty-two bytes";
    static const struct view plain[] = {
        {NULL, 0}, {"a", 1}, {"sixteen bytes ab", 16}, {"with \0 and more than one", 22}};
    for (size_t i = 0; i < COUNT(plain); i++) {
        struct str sealed = {0}, again = {0}, out = {0};
        str_addz(&sealed, "before");
        str_addz(&out, "before");
        assert_true(crypt_seal(&sealed, key, VIEW("here"), plain[i]));
        assert_true(crypt_seal(&again, key, VIEW("here"), plain[i]));
        struct view bytes = {sealed.at + 6, sealed.len - 6};
        assert_int_equal(bytes.len, plain[i].len + CRYPT_SEAL);
        assert_false(view_equal(bytes, str_view(&again))); /* a nonce of its own */
        assert_false(crypt_open(&out, other, VIEW("here"), bytes));
        assert_false(crypt_open(&out, key, VIEW("there"), bytes));
        assert_false(crypt_open(&out, key, VIEW(""), bytes));
        for (size_t len = 0; len < bytes.len; len++)
            assert_false(crypt_open(&out, key, VIEW("here"), (struct view){bytes.at, len}));
        for (size_t k = 6; k < sealed.len; k++) {
            sealed.at[k] ^= 0x40;
            assert_false(crypt_open(&out, key, VIEW("here"), bytes));
            sealed.at[k] ^= 0x40;
        }
        assert_string_equal(out.at, "before");
        assert_true(crypt_open(&out, key, VIEW("here"), bytes));
        assert_true(view_equal((struct view){out.at + 6, out.len - 6}, plain[i]));
        str_release(&sealed);
        str_release(&again);
        str_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crypt__sha256),
        cmocka_unit_test(crypt__hash_of_pieces_is_that_of_the_whole),
        cmocka_unit_test(crypt__hash_that_was_never_begun_gives_nothing),
        cmocka_unit_test(crypt__hmac_sha256),
        cmocka_unit_test(crypt__pbkdf2_sha256),
        cmocka_unit_test(crypt__pbkdf2_edges),
        cmocka_unit_test(crypt__equal),
        cmocka_unit_test(crypt__hex),
        cmocka_unit_test(crypt__base64url),
        cmocka_unit_test(crypt__base64url_there_and_back),
        cmocka_unit_test(crypt__base64url_refuses),
        cmocka_unit_test(crypt__signs_a_token),
        cmocka_unit_test(crypt__random),
        cmocka_unit_test(crypt__uuid),
        cmocka_unit_test(crypt__opens_what_others_sealed),
        cmocka_unit_test(crypt__seals_and_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
