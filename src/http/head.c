/* civetweb's parser puts NULs in place of what separates the pieces of a head: one behind the method and the target,
 * one or two for a line's end. Anything else between two pieces is something it passed over: a folded line, a line it
 * did not understand, the 65th header and all behind it, blanks in the wrong place, or the empty lines behind which it
 * went on into what an earlier connection has left in the buffer. Then the framing: what two readers could understand
 * differently is refused (RFC 9112, 3.2, 6.1 and 6.3). */
#include "http/head.h"
#include "civetweb.h"
#include "parley/str.h"
#include <string.h>
#include <strings.h>

#define LENGTH_DIGITS 18 /* fits 64 bits with room to spare */

/* Is this header's value one Content-Length, and the same as the one before? */
static bool length_agrees(struct view value, struct view *length)
{
    bool good = value.len && value.len <= LENGTH_DIGITS && (!length->at || view_equal(*length, value));
    for (size_t i = 0; i < value.len; i++) good = good && value.at[i] >= '0' && value.at[i] <= '9';
    *length = value;
    return good;
}

int head_fault(const struct mg_request_info *ri, const char *end, bool chunked)
{
    const char *target = ri->query_string ? ri->query_string : ri->request_uri;
    const char *last = ri->http_version + strlen(ri->http_version);
    struct view length = {0};
    bool http_1_0 = !strcmp(ri->http_version, "1.0");
    int hosts = 0, encodings = 0;
    if (ri->request_method >= end) return 400;
    if (ri->request_uri != ri->request_method + strlen(ri->request_method) + 1) return 400;
    if (ri->http_version != target + strlen(target) + 1 + strlen("HTTP/")) return 400;
    for (int i = 0; i < ri->num_headers; i++) {
        const char *name = ri->http_headers[i].name, *value = ri->http_headers[i].value;
        const char *behind = name + strlen(name) + 1; /* a NUL here was a space before the colon */
        if (name - last > 2 || (behind < value && !*behind)) return 400;
        last = value + strlen(value);
        if (!strcasecmp(name, "Host"))
            hosts++;
        else if (!strcasecmp(name, "Transfer-Encoding"))
            encodings++;
        else if (!strcasecmp(name, "Content-Length") && !length_agrees(view_trim(view_of(value)), &length))
            return 400;
    }
    if (end - last > 4) return ri->num_headers == MG_MAX_HEADERS ? 431 : 400;
    if (encodings && (encodings > 1 || length.at || http_1_0 || !chunked)) return 400;
    return hosts > 1 || (hosts == 0 && !http_1_0) ? 400 : 0;
}
