/* civetweb's parser puts NULs in place of what separates the pieces of a head: one behind the method and the target,
 * one or two for a line's end. Anything else between two pieces is something it passed over: a folded line, a line it
 * did not understand, the 65th header and all behind it, blanks in the wrong place, or the empty lines behind which it
 * went on into what an earlier connection has left in the buffer. Then names that are none (RFC 9110, 5.1), and the
 * framing: what two readers could understand differently is refused (RFC 9112, 3.2, 6.1 and 6.3). */
#include "http/head.h"
#include "civetweb.h"
#include "http/target.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LENGTH_DIGITS 18 /* fits 64 bits with room to spare */

/* Of methods and of headers' names (RFC 9110, 5.6.2). */
static const bool token_characters[256] = {['0' ... '9'] = true,
    ['A' ... 'Z'] = true,
    ['a' ... 'z'] = true,
    ['!'] = true,
    ['#'] = true,
    ['$'] = true,
    ['%'] = true,
    ['&'] = true,
    ['\''] = true,
    ['*'] = true,
    ['+'] = true,
    ['-'] = true,
    ['.'] = true,
    ['^'] = true,
    ['_'] = true,
    ['`'] = true,
    ['|'] = true,
    ['~'] = true};

static bool is_token(const char *text)
{
    const char *at = text;
    while (token_characters[(unsigned char)*at]) at++;
    return at > text && !*at;
}

/* Is this header's value one Content-Length, and the same as the one before? */
static bool length_agrees(struct view value, struct view *length)
{
    bool good = value.len && value.len <= LENGTH_DIGITS && (!length->at || view_equal(*length, value));
    for (size_t i = 0; i < value.len; i++) good = good && value.at[i] >= '0' && value.at[i] <= '9';
    *length = value;
    return good;
}

static bool is_version(const char *text)
{
    return isdigit((unsigned char)text[0]) && text[1] == '.' && isdigit((unsigned char)text[2]) && !text[3];
}

int head_line_fault(const struct mg_request_info *ri, bool method_known)
{
    const char *method = ri->request_method, *target = ri->request_uri, *version = ri->http_version;
    if (target != method + strlen(method) + 1 || version != target + strlen(target) + 1 + strlen("HTTP/")) return 400;
    if (!is_token(method) || !is_version(version)) return 400;
    if (strcmp(version, "1.0") != 0 && strcmp(version, "1.1") != 0) return 505;
    return method_known ? 0 : 501;
}

int head_fault(const struct mg_request_info *ri, const char *end, bool chunked)
{
    const char *last = ri->http_version + strlen(ri->http_version);
    struct view length = {0};
    bool http_1_0 = !strcmp(ri->http_version, "1.0");
    int hosts = 0, encodings = 0;
    if (ri->request_method >= end) return 400;
    for (int i = 0; i < ri->num_headers; i++) {
        const char *name = ri->http_headers[i].name, *text = ri->http_headers[i].value;
        const char *behind = name + strlen(name) + 1; /* a NUL here was a space before the colon */
        if (name - last > 2 || (behind < text && !*behind) || !is_token(name)) return 400;
        last = text + strlen(text);
        struct view value = view_trim((struct view){text, (size_t)(last - text)});
        if (!strcasecmp(name, "Host") && (hosts++ || (value.len && !target_is_authority(value)))) return 400;
        if (!strcasecmp(name, "Transfer-Encoding")) encodings++;
        if (!strcasecmp(name, "Content-Length") && !length_agrees(value, &length)) return 400;
    }
    if (end - last > 4) return ri->num_headers == MG_MAX_HEADERS ? 431 : 400;
    if (encodings && (encodings > 1 || length.at || http_1_0 || !chunked)) return 400;
    return hosts == 0 && !http_1_0 ? 400 : 0;
}
