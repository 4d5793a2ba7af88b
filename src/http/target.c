/* What RFC 3986 does not allow in a path or a query is taken all the same if it is visible ASCII, as everybody does:
 * filters come with their brackets, braces and quotes. */
#include "http/target.h"
#include "base/check.h"
#include <string.h>

#define PORT_MOST 65535

static const char *const schemes[] = {"http://", "https://"};

static bool is_visible(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~') return false;
    return true;
}

/* Nothing, as in "host:", is the scheme's own port. */
static bool is_port(struct view text)
{
    int port = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') return false;
        port = port * 10 + (text.at[i] - '0');
        if (port > PORT_MOST) return false;
    }
    return !text.len || port;
}

static bool holds_only(struct view text, const char *further)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i], letter = (char)(c | 0x20);
        bool common = (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9');
        if (!common && (!c || !strchr(further, c))) return false;
    }
    return text.len;
}

bool target_is_authority(struct view text)
{
    struct view host = text, port = {0};
    bool literal = view_starts(text, "[");
    const char *colon = memrchr(text.at, ':', text.len), *end = memrchr(text.at, ']', text.len);
    if (colon && (!literal || colon > end)) {
        port = (struct view){colon + 1, text.len - (size_t)(colon + 1 - text.at)};
        host.len = (size_t)(colon - text.at);
    }
    if (!is_port(port)) return false;
    if (!literal) return holds_only(host, "-._~%!$&'()*+,;=");
    return host.len > 2 && host.at[host.len - 1] == ']' &&
           holds_only((struct view){host.at + 1, host.len - 2}, ":.-_~!$&'()*+,;=");
}

/* Takes "http://host" away. */
static bool take_authority(struct view *text)
{
    for (size_t i = 0; i < COUNT(schemes); i++) {
        size_t n = strlen(schemes[i]);
        if (text->len < n || !view_is_nocase((struct view){text->at, n}, schemes[i])) continue;
        struct view rest = {text->at + n, text->len - n}, authority = rest;
        for (authority.len = 0; authority.len < rest.len; authority.len++)
            if (strchr("/?", rest.at[authority.len])) break;
        *text = (struct view){rest.at + authority.len, rest.len - authority.len};
        return target_is_authority(authority);
    }
    return false;
}

bool target_read(struct target *out, struct view text, bool options)
{
    bool all = options && view_is(text, "*");
    if (!is_visible(text)) return false;
    if (!all && !view_starts(text, "/") && !take_authority(&text)) return false;
    if (!text.len) text = options ? VIEW("*") : VIEW("/"); /* "http://host" (RFC 9112, 3.2.4) */
    out->query = text;
    out->path = view_cut(&out->query, '?');
    if (!out->path.len) out->path = VIEW("/");
    return true;
}
