#include "http/range.h"

/* A position beyond any number is beyond the end of any file, and so as good as the last number. */
static bool read_number(struct view v, int64_t *out)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.at[i] < '0' || v.at[i] > '9') return false;
    if (v.len && !view_integer(v, out)) *out = INT64_MAX;
    return v.len;
}

/* "2-5", "2-", "-5": the first and the last byte. */
static bool read_spec(struct view spec, int64_t size, int64_t *first, int64_t *last)
{
    struct view start = view_cut(&spec, '-');
    if (!spec.at) return false;
    *last = size - 1;
    if (!start.len) {
        int64_t suffix;
        if (!read_number(spec, &suffix) || !suffix) return false;
        *first = suffix < size ? size - suffix : 0;
    } else if (!read_number(start, first) || (spec.len && !read_number(spec, last))) {
        return false;
    }
    if (*last >= size) *last = size - 1;
    return *first <= *last;
}

enum range_answer range_read(struct view header, int64_t size, int64_t *from, int64_t *len)
{
    struct view rest = header;
    *from = 0;
    *len = size;
    if (!header.at) return RANGE_WHOLE;
    if (!view_is_nocase(view_trim(view_cut(&rest, '=')), "bytes")) return RANGE_UNSATISFIABLE;
    while (rest.at) {
        int64_t first, last;
        if (!read_spec(view_trim(view_cut(&rest, ',')), size, &first, &last)) continue;
        *from = first;
        *len = last - first + 1;
        return RANGE_PART;
    }
    return RANGE_UNSATISFIABLE;
}
