#include "schema/filename.h"
#include "base/utf8.h"
#include <stdio.h>
#include <string.h>

#define FALLBACK       "file" /* for a name of which nothing is left */
#define EXTENSION_MOST 64     /* bytes that a long name leaves its extension */

static struct view last_piece(struct view name)
{
    size_t from = name.len;
    while (from && name.at[from - 1] != '/' && name.at[from - 1] != '\\') from--;
    return (struct view){name.at + from, name.len - from};
}

bool filename_possible(struct view name)
{
    return name.len && name.len <= FILENAME_MOST && !view_is(name, ".") && !view_is(name, "..") &&
           !memchr(name.at, '/', name.len) && !memchr(name.at, 0, name.len);
}

struct view filename_extension(struct view name)
{
    size_t from = name.len, len = 0;
    while (from && name.at[from - 1] != '.') from--;
    if (!from) return (struct view){name.at, 0};
    while (from + len < name.len && name.at[from + len] != '?' && name.at[from + len] != '#') len++;
    return (struct view){name.at + from, len};
}

/* What stands before the last dot; all of it, where that is nothing. */
static struct view base_of(struct view name)
{
    size_t dot = name.len;
    while (dot && name.at[dot - 1] != '.') dot--;
    return dot > 1 ? (struct view){name.at, dot - 1} : name;
}

/* The length of the control character there (C0, DEL, C1 as UTF-8), or 0. */
static size_t control_at(struct view v, size_t i)
{
    unsigned char c = (unsigned char)v.at[i];
    if (c < 0x20 || c == 0x7F) return 1;
    return c == 0xC2 && i + 1 < v.len && (unsigned char)v.at[i + 1] < 0xA0 ? 2 : 0;
}

static void add_clean(struct str *out, struct view part)
{
    for (size_t i = 0; i < part.len;) {
        size_t control = control_at(part, i);
        if (!control && !strchr("<>:\"|?*", part.at[i])) str_addc(out, part.at[i]);
        i += control ? control : 1;
    }
}

/* Names that Windows keeps for devices, whatever stands behind a dot or a space before it. */
static bool is_device(struct view base)
{
    static const char *const names[] = {"con", "prn", "aux", "nul"};
    struct view rest = base, stem = view_trim(view_cut(&rest, '.'));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (view_is_nocase(stem, names[i])) return true;
    if (stem.len != 4 || stem.at[3] < '0' || stem.at[3] > '9') return false;
    struct view port = {stem.at, 3};
    return view_is_nocase(port, "com") || view_is_nocase(port, "lpt");
}

/* The longest beginning of at most `most` bytes that cuts no character. */
static size_t fitting(struct view v, size_t most)
{
    if (v.len <= most) return v.len;
    while (most && ((unsigned char)v.at[most] & 0xC0) == 0x80) most--;
    return most;
}

/* A beginning of at most `most` bytes that ends in no dot or space, which some systems drop. */
static struct view shorten(struct view v, size_t most)
{
    v.len = fitting(v, most);
    while (v.len && (v.at[v.len - 1] == '.' || v.at[v.len - 1] == ' ')) v.len--;
    return v;
}

/* "base[-n].extension" within FILENAME_MOST. */
static enum status join(struct view base, const char *suffix, struct view extension, struct arena *arena,
    struct view *out, struct failure *f)
{
    size_t extra = strlen(suffix) + (extension.len ? 1 : 0);
    extension.len = fitting(extension, EXTENSION_MOST);
    base.len = fitting(base, FILENAME_MOST - extra - extension.len);
    char *text =
        arena_printf(arena, "%.*s%s%s%.*s", VIEW_ARGS(base), suffix, extension.len ? "." : "", VIEW_ARGS(extension));
    if (!text) return fail(f, NO_MEMORY, "Out of memory.");
    *out = view_of(text);
    return OK;
}

enum status filename_clean(struct view sent, struct arena *arena, struct view *out, struct failure *f)
{
    struct str base = {0}, extension = {0};
    if (!utf8_valid(sent)) return fail(f, INVALID, "The file's name is not UTF-8.");
    struct view name = last_piece(sent);
    add_clean(&base, base_of(name));
    add_clean(&extension, filename_extension(name));
    struct view behind = shorten(view_trim(str_view(&extension)), EXTENSION_MOST);
    struct view before = shorten(str_view(&base), FILENAME_MOST - behind.len - (behind.len ? 1 : 0));
    if (!before.len || is_device(before)) before = VIEW(FALLBACK);
    enum status status = base.failed || extension.failed ? fail(f, NO_MEMORY, "Out of memory.")
                                                         : join(before, "", behind, arena, out, f);
    str_release(&base);
    str_release(&extension);
    return status;
}

enum status filename_other(struct view name, int64_t n, struct arena *arena, struct view *out, struct failure *f)
{
    char suffix[24];
    struct view base = base_of(name), extension = filename_extension(name);
    size_t digits = base.len;
    int64_t counted = 0;
    while (digits && base.at[digits - 1] >= '0' && base.at[digits - 1] <= '9') digits--;
    struct view number = {base.at + digits, base.len - digits};
    if (digits && base.at[digits - 1] == '-' && number.len && number.len < 10 && view_integer(number, &counted))
        base.len = digits - 1;
    snprintf(suffix, sizeof suffix, "-%lld", (long long)(counted + n));
    return join(base, suffix, extension, arena, out, f);
}

void filename_add_url(struct str *out, const char *slug, struct view name)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()";
    str_addf(out, "/api/%s/file/", slug);
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] && strchr(plain, name.at[i]))
            str_addc(out, name.at[i]);
        else
            str_addf(out, "%%%02X", (unsigned char)name.at[i]);
    }
}
