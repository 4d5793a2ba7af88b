/* Text: a view borrows bytes that live elsewhere, a str owns bytes and grows.
 *
 * Neither is a C string: bytes are counted, and a NUL is a byte like any other. A str keeps a NUL behind its last byte
 * all the same, so that `at` may be handed to a C library (never NULL after the first str_add that succeeded).
 *
 * A str fails sticky: when memory runs out, `failed` is set, the text stays as it was, every later call does nothing,
 * and the builder checks once, at the end. No call here locks; one str belongs to one thread at a time. */
#ifndef PARLEY_STR_H
#define PARLEY_STR_H

#include "parley/attributes.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
    const char *at;
    size_t len;
};

struct str {
    char *at;
    size_t len;
    size_t room; /* bytes allocated, the closing NUL's among them */
    bool failed;
};

/* A literal as a view; only for string literals. */
#define VIEW(literal) ((struct view){"" literal, sizeof(literal) - 1})

/* printf("%.*s", VIEW_ARGS(v)) */
#define VIEW_ARGS(v) ((int)(v).len), ((v).at ? (v).at : "")

/* `c_string` may be NULL: an empty view. */
struct view view_of(const char *c_string);
struct view str_view(const struct str *s);
bool view_equal(struct view a, struct view b);
bool view_is(struct view v, const char *c_string);
/* ASCII letters without their case, as HTTP compares header names (RFC 9110, 5.1). */
bool view_is_nocase(struct view v, const char *c_string);
bool view_starts(struct view v, const char *prefix);
/* Without ASCII space, tab, CR and LF at both ends. */
struct view view_trim(struct view v);
/* Cuts `*rest` at the first `separator`: returns what stands before it and leaves what stands behind it; without one,
 * returns all and leaves an empty view whose `at` is NULL. */
struct view view_cut(struct view *rest, char separator);
/* The whole of `v` as a decimal integer, "-" allowed; false if it is anything else or out of range. */
bool view_integer(struct view v, int64_t *out);

/* {0} is an empty str as well. */
void str_release(struct str *s);
/* Empties the text and clears `failed`; keeps the memory. */
void str_reset(struct str *s);
/* Room for `more` further bytes beyond len; false (and failed) without memory. */
bool str_reserve(struct str *s, size_t more);
void str_add(struct str *s, struct view v);
void str_addc(struct str *s, char c);
void str_addz(struct str *s, const char *c_string);
void str_addf(struct str *s, const char *format, ...) PRINTF(2, 3);
void str_add_integer(struct str *s, int64_t n);
/* The text as a JSON string with its quotes, as JSON.stringify writes it: only ", \ and control characters are escaped.
 * Bytes that are no UTF-8 become U+FFFD, one for each maximal bad part. */
void str_add_json(struct str *s, struct view text);
/* Hands the bytes over (free() them); the str is empty afterwards. NULL if it failed, or if nothing was ever
 * added or reserved. */
char *str_detach(struct str *s);

#endif
