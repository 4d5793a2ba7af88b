#include "api/envelope.h"

static void add_link(struct str *out, const char *name, bool there, int64_t page)
{
    if (there)
        str_addf(out, ",\"%s\":%lld", name, (long long)page);
    else
        str_addf(out, ",\"%s\":null", name);
}

int64_t envelope_before(int64_t limit, int64_t page)
{
    int64_t n;
    return __builtin_mul_overflow(page - 1, limit, &n) ? INT64_MAX : n;
}

void envelope_add(struct str *out, const struct envelope *e)
{
    int64_t before = e->paged ? envelope_before(e->limit, e->page) : 0;
    int64_t pages = e->paged ? e->total / e->limit + (e->total % e->limit > 0) : 1;
    if (pages < 1) pages = 1;
    bool next = e->paged && e->page < pages, previous = e->paged && e->page > 1;
    str_addf(out, "],\"hasNextPage\":%s,\"hasPrevPage\":%s,\"limit\":%lld", next ? "true" : "false",
        previous ? "true" : "false", (long long)e->limit);
    add_link(out, "nextPage", next, e->page + 1);
    str_addf(out, ",\"page\":%lld,\"pagingCounter\":%lld", (long long)e->page,
        (long long)(before < INT64_MAX ? before + 1 : INT64_MAX));
    add_link(out, "prevPage", previous, e->page - 1);
    str_addf(out, ",\"totalDocs\":%lld,\"totalPages\":%lld}", (long long)e->total, (long long)pages);
}
