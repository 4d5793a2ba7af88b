#include "api/origins.h"
#include <stdint.h>
#include <string.h>

#define SHOWN_MOST 80 /* bytes of a wrong piece that the reason repeats */

static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

/* Cuts off what stands at the front of `rest` and consists of these characters alone. */
static struct view cut_span(struct view *rest, const char *one, const char *other)
{
    size_t n = 0;
    while (n < rest->len && rest->at[n] && (strchr(one, rest->at[n]) || strchr(other, rest->at[n]))) n++;
    struct view span = {rest->at, n};
    *rest = (struct view){rest->at + n, rest->len - n};
    return span;
}

static bool cut_text(struct view *rest, const char *text)
{
    if (!view_starts(*rest, text)) return false;
    size_t n = strlen(text);
    *rest = (struct view){rest->at + n, rest->len - n};
    return true;
}

/* A port that a browser would leave out stands in no Origin. */
static bool is_port(struct view scheme, struct view text)
{
    int64_t port;
    if (!view_integer(text, &port) || port < 1 || port > 65535 || text.at[0] == '0') return false;
    return !(view_is(scheme, "http") && port == 80) && !(view_is(scheme, "https") && port == 443);
}

static bool is_origin(struct view text)
{
    struct view rest = text;
    struct view scheme = cut_span(&rest, letters, "0123456789+-.");
    if (!scheme.len || !strchr(letters, scheme.at[0]) || !cut_text(&rest, "://")) return false;
    if (cut_text(&rest, "[")) {
        if (!cut_span(&rest, "0123456789abcdef", ":.").len || !cut_text(&rest, "]")) return false;
    } else if (!cut_span(&rest, letters, "0123456789-._").len) {
        return false;
    }
    return !rest.len || (cut_text(&rest, ":") && is_port(scheme, rest));
}

enum status origins_read(struct origins *out, const char *option, const char *text, struct failure *f)
{
    struct view rest = view_of(text);
    *out = (struct origins){.any = view_is(view_trim(rest), "*"), .list = rest};
    while (rest.at) {
        struct view piece = view_trim(view_cut(&rest, ','));
        if (view_is(piece, "*") || is_origin(piece)) continue;
        if (piece.len > SHOWN_MOST) piece.len = SHOWN_MOST;
        return fail(f, INVALID,
            "Cannot understand \"%.*s\" in %s: it must be * or a list of origins as browsers send them, as in "
            "https://chat.example.com,http://localhost:5173: lower case, no path, no port that goes without saying.",
            VIEW_ARGS(piece), option);
    }
    return OK;
}

bool origins_list(const struct origins *o, struct view origin)
{
    struct view rest = o->list;
    while (!o->any && origin.len && rest.at)
        if (view_equal(view_trim(view_cut(&rest, ',')), origin)) return true;
    return false;
}
