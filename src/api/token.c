#include "api/token.h"
#include "base/crypt.h"
#include "schema/json.h"

bool token_key(struct view secret, char out[33])
{
    uint8_t digest[32];
    if (!crypt_sha256(secret, digest)) return false;
    crypt_hex(digest, 16, out);
    return true;
}

struct view token_authorized(struct view header)
{
    static const char *const schemes[] = {"JWT ", "Bearer "};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (!view_starts(header, schemes[i])) continue;
        size_t skip = view_of(schemes[i]).len;
        return (struct view){header.at + skip, header.len - skip};
    }
    return (struct view){0};
}

struct view token_in_cookie(struct view header)
{
    while (header.at) {
        struct view value = view_trim(view_cut(&header, ';'));
        struct view key = view_cut(&value, '=');
        if (view_is(key, TOKEN_COOKIE)) return value;
    }
    return (struct view){0};
}

static void add_signature(struct str *out, struct view text, struct view key)
{
    uint8_t mac[32];
    if (crypt_hmac_sha256(key, text, mac))
        crypt_base64url(out, (struct view){(const char *)mac, sizeof mac});
    else
        out->failed = true;
}

void token_add(struct str *out, const struct token *token, struct view key)
{
    struct str claims = {0}, text = {0};
    str_addf(&claims, "{\"id\":%lld,\"collection\":", (long long)token->id);
    str_add_json(&claims, token->collection);
    str_addz(&claims, ",\"email\":");
    str_add_json(&claims, token->email);
    str_addz(&claims, ",\"sid\":");
    str_add_json(&claims, token->session);
    str_addf(&claims, ",\"iat\":%lld,\"exp\":%lld}", (long long)token->issued, (long long)token->expires);
    crypt_base64url(&text, VIEW("{\"alg\":\"HS256\",\"authVersion\":1,\"typ\":\"JWT\"}"));
    str_addc(&text, '.');
    crypt_base64url(&text, str_view(&claims));
    str_add(out, str_view(&text));
    str_addc(out, '.');
    add_signature(out, str_view(&text), key);
    if (claims.failed || text.failed) out->failed = true;
    str_release(&claims);
    str_release(&text);
}

static struct json_object *read_part(struct view part, struct arena *arena)
{
    struct str text = {0};
    struct failure f;
    struct json_object *json = NULL;
    if (crypt_base64url_decode(&text, part) && json_read(arena, str_view(&text), &json, &f)) json = NULL;
    str_release(&text);
    return json;
}

static bool integer(struct json_object *object, const char *name, int64_t *out)
{
    struct json_object *json = json_member(object, name);
    if (!json_object_is_type(json, json_type_int)) return false;
    *out = json_object_get_int64(json);
    return true;
}

bool token_read(struct token *out, struct view text, struct view key, int64_t now, struct arena *arena)
{
    struct view rest = text;
    struct view header = view_cut(&rest, '.'), claims = view_cut(&rest, '.'), signature = rest;
    if (!header.len || !claims.len || !signature.len) return false;
    struct str right = {0};
    add_signature(&right, (struct view){text.at, header.len + 1 + claims.len}, key);
    bool signed_right = !right.failed && crypt_equal(str_view(&right), signature);
    str_release(&right);
    if (!signed_right) return false;
    struct json_object *head = read_part(header, arena), *body = read_part(claims, arena);
    if (!view_is(json_text(json_member(head, "alg")), "HS256")) return false;
    out->collection = json_text(json_member(body, "collection"));
    out->email = json_text(json_member(body, "email"));
    out->session = json_text(json_member(body, "sid"));
    out->issued = 0;
    if (!integer(body, "id", &out->id) || !integer(body, "exp", &out->expires)) return false;
    if (!integer(body, "iat", &out->issued)) out->issued = 0;
    return out->expires > now && out->collection.len && out->session.len;
}
