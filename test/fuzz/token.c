/* Tokens: in headers, as they come, and, signed, with any header and claims. */
#include "api/token.h"
#include "base/crypt.h"
#include "fuzz.h"

#define KEY VIEW("0123456789abcdef0123456789abcdef")
#define NOW 1000

static void add_signature(struct str *out)
{
    uint8_t mac[32];
    ASSERT(crypt_hmac_sha256(KEY, str_view(out), mac));
    str_addc(out, '.');
    crypt_base64url(out, (struct view){(const char *)mac, sizeof mac});
}

static void check(struct view text)
{
    struct token t, again;
    struct arena *arena = fresh_arena();
    struct str copy = {0};
    if (!token_read(&t, text, KEY, NOW, arena)) return;
    ASSERT(t.expires > NOW && t.collection.len && t.session.len);
    token_add(&copy, &t, KEY);
    ASSERT(!copy.failed && token_read(&again, str_view(&copy), KEY, NOW, arena));
    ASSERT(again.id == t.id && again.issued == t.issued && again.expires == t.expires);
    ASSERT(view_equal(again.collection, t.collection) && view_equal(again.session, t.session));
    ASSERT(view_equal(again.email, t.email));
    str_release(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = input_of(data, size), claims = text;
    struct view authorized = token_authorized(text), cookie = token_in_cookie(text);
    ASSERT(lies_in(authorized, text) && lies_in(cookie, text));
    struct token t;
    ASSERT(!token_read(&t, text, KEY, NOW, fresh_arena())); /* nobody can sign but who has the key */
    struct view header = view_cut(&claims, '\n');
    struct str sealed = {0}, plain = {0};
    crypt_base64url(&sealed, header);
    ASSERT(crypt_base64url_decode(&plain, str_view(&sealed)) && view_equal(str_view(&plain), header));
    str_addc(&sealed, '.');
    crypt_base64url(&sealed, claims);
    add_signature(&sealed);
    check(str_view(&sealed));
    str_release(&sealed);
    str_release(&plain);
    return 0;
}
