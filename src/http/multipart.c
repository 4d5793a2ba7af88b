/* A state machine over lines and data. Data is passed on as it comes, but for as many bytes as could be the beginning
 * of a boundary: those wait for the next feed. */
#include "http/multipart.h"
#include <stdlib.h>
#include <string.h>

#define HEAD_MOST     8192
#define BOUNDARY_MOST 70

enum state {
    PREAMBLE, /* before the first boundary */
    AFTER,    /* behind a boundary: "--" ends it all, a line's end begins a part */
    HEAD,     /* the part's header lines */
    FIRST,    /* behind the head, whose last line's end may be the boundary's too: the data is empty then */
    DATA,
    EPILOGUE,
    BROKEN,
};

struct multipart {
    const struct multipart_events *events;
    void *ctx;
    enum state state;
    char mark[4 + BOUNDARY_MOST]; /* "\r\n--boundary" */
    size_t mark_len;
    struct str held; /* bytes that could not be decided on yet */
};

struct view multipart_boundary(struct view content_type)
{
    struct view rest = content_type, none = {0};
    if (!view_is_nocase(view_trim(view_cut(&rest, ';')), "multipart/form-data")) return none;
    while (rest.at) {
        struct view value = view_trim(view_cut(&rest, ';'));
        struct view name = view_trim(view_cut(&value, '='));
        if (!view_is_nocase(name, "boundary")) continue;
        value = view_trim(value);
        if (value.len > 1 && value.at[0] == '"' && value.at[value.len - 1] == '"') {
            value.at++;
            value.len -= 2;
        }
        if (!value.len || value.len > BOUNDARY_MOST) return none;
        for (size_t i = 0; i < value.len; i++)
            if (value.at[i] < ' ' || value.at[i] > '~') return none;
        return value;
    }
    return none;
}

struct multipart *multipart_new(struct view boundary, const struct multipart_events *events, void *ctx)
{
    struct multipart *m = calloc(1, sizeof *m);
    if (!m || boundary.len > BOUNDARY_MOST) {
        free(m);
        return NULL;
    }
    m->events = events;
    m->ctx = ctx;
    memcpy(m->mark, "\r\n--", 4);
    memcpy(m->mark + 4, boundary.at, boundary.len);
    m->mark_len = 4 + boundary.len;
    /* The first boundary needs no line before it. */
    str_addz(&m->held, "\r\n");
    return m;
}

void multipart_free(struct multipart *m)
{
    if (!m) return;
    str_release(&m->held);
    free(m);
}

static enum status broken(struct multipart *m, struct failure *f)
{
    m->state = BROKEN;
    return fail(f, INVALID, "The multipart body is malformed.");
}

/* Cuts the next parameter off `*rest`, 'name=value' or 'name="value"': false at the end, and for what is neither. A
 * quote inside is written \" or, by browsers, %22 (HTML, 4.10.21.8); both stay as they are. */
static bool next_parameter(struct view *rest, struct view *name, struct view *value)
{
    struct view v = *rest;
    while (v.len && (v.at[0] == ';' || v.at[0] == ' ' || v.at[0] == '\t')) v = (struct view){v.at + 1, v.len - 1};
    if (!v.len || !memchr(v.at, '=', v.len)) return false;
    *name = view_trim(view_cut(&v, '='));
    if (!v.len || v.at[0] != '"') {
        *value = view_trim(view_cut(&v, ';'));
        *rest = v;
        return true;
    }
    size_t end = 1;
    while (end < v.len && v.at[end] != '"') end += v.at[end] == '\\' ? 2 : 1;
    if (end >= v.len) return false;
    *value = (struct view){v.at + 1, end - 1};
    *rest = (struct view){v.at + end + 1, v.len - end - 1};
    return true;
}

/* Content-Disposition: form-data; name="field"; filename="a.png" (RFC 7578, 4.2). */
static void read_disposition(struct multipart_part *part, struct view rest)
{
    struct view name, value;
    if (!view_is_nocase(view_trim(view_cut(&rest, ';')), "form-data")) return;
    while (next_parameter(&rest, &name, &value)) {
        if (view_is_nocase(name, "name")) part->name = value;
        if (view_is_nocase(name, "filename")) part->filename = value;
    }
}

static enum status begin_part(struct multipart *m, struct view head, struct failure *f)
{
    struct multipart_part part = {0};
    while (head.at) {
        struct view value = view_trim(view_cut(&head, '\n'));
        struct view name = view_trim(view_cut(&value, ':'));
        if (view_is_nocase(name, "Content-Disposition")) read_disposition(&part, value);
        if (view_is_nocase(name, "Content-Type")) part.type = view_trim(value);
    }
    if (!part.name.at) return broken(m, f);
    return m->events->begin(m->ctx, &part, f);
}

static const char *find(struct view in, const char *what, size_t len)
{
    return in.len < len ? NULL : memmem(in.at, in.len, what, len);
}

/* What is done in a state with the bytes that are held: `*taken` of them are done with. OK with `*more` false: further
 * ones are needed. */

static enum status pass_on(struct multipart *m, struct view rest, size_t *taken, bool *more, struct failure *f)
{
    const char *mark = find(rest, m->mark, m->mark_len);
    size_t data = mark ? (size_t)(mark - rest.at) : rest.len > m->mark_len - 1 ? rest.len - (m->mark_len - 1) : 0;
    enum status status = OK;
    if (data && m->state == DATA) status = m->events->data(m->ctx, (struct view){rest.at, data}, f);
    *taken = data;
    *more = mark;
    if (!mark || status) return status;
    *taken += m->mark_len;
    if (m->state == DATA) status = m->events->end(m->ctx, f);
    m->state = AFTER;
    return status;
}

static enum status end_mark(struct multipart *m, struct view rest, size_t *taken, bool *more, struct failure *f)
{
    *more = rest.len >= 2;
    if (!*more) return OK;
    if (view_starts(rest, "--")) {
        m->state = EPILOGUE;
        *taken = 2;
    } else if (view_starts(rest, "\r\n")) {
        /* The line's end stays: a head without lines is then found like any other. */
        m->state = HEAD;
    } else if (rest.at[0] == ' ' || rest.at[0] == '\t') {
        *taken = 1;
    } else {
        return broken(m, f);
    }
    return OK;
}

static enum status read_head(struct multipart *m, struct view rest, size_t *taken, bool *more, struct failure *f)
{
    const char *end = find(rest, "\r\n\r\n", 4);
    size_t len = end ? (size_t)(end - rest.at) : rest.len;
    if (len > HEAD_MOST) return broken(m, f);
    *more = end;
    if (!end) return OK;
    enum status status = begin_part(m, (struct view){rest.at, len}, f);
    *taken = len + 2;
    if (m->state != BROKEN) m->state = FIRST;
    return status;
}

static void begin_data(struct multipart *m, struct view rest, size_t *taken, bool *more)
{
    size_t known = rest.len < m->mark_len ? rest.len : m->mark_len;
    bool may_be = !memcmp(rest.at, m->mark, known);
    *more = !may_be || known == m->mark_len;
    if (!may_be) *taken = 2;
    if (*more) m->state = DATA;
}

static enum status step(struct multipart *m, struct view rest, size_t *taken, bool *more, struct failure *f)
{
    *taken = 0;
    switch (m->state) {
    case PREAMBLE:
    case DATA: return pass_on(m, rest, taken, more, f);
    case AFTER: return end_mark(m, rest, taken, more, f);
    case HEAD: return read_head(m, rest, taken, more, f);
    case FIRST: begin_data(m, rest, taken, more); return OK;
    case EPILOGUE:
        *taken = rest.len;
        *more = false;
        return OK;
    case BROKEN: break;
    }
    return broken(m, f);
}

enum status multipart_feed(struct multipart *m, struct view bytes, struct failure *f)
{
    size_t from = 0;
    bool more = true;
    enum status status = OK;
    str_add(&m->held, bytes);
    if (m->held.failed) return fail(f, NO_MEMORY, "Out of memory.");
    while (more && !status) {
        size_t taken;
        status = step(m, (struct view){m->held.at + from, m->held.len - from}, &taken, &more, f);
        from += taken;
    }
    memmove(m->held.at, m->held.at + from, m->held.len - from);
    m->held.len -= from;
    return status;
}

enum status multipart_finish(struct multipart *m, struct failure *f)
{
    return m->state == EPILOGUE ? OK : broken(m, f);
}
