#include "api/envelope.h"

static void add_link(struct str *out, const char *name, bool there, int64_t page)
{
    if (there)
        str_addf(out, ",\"%s\":%lld", name, (long long)page);
    else
        str_addf(out, ",\"%s\":null", name);
}

void envelope_add(struct str *out, const struct envelope *e)
{
    int64_t pages = e->paged ? (e->total + e->limit - 1) / e->limit : 1;
    if (pages < 1) pages = 1;
    bool next = e->paged && e->page < pages, previous = e->paged && e->page > 1;
    str_addf(out, "],\"hasNextPage\":%s,\"hasPrevPage\":%s,\"limit\":%lld", next ? "true" : "false",
        previous ? "true" : "false", (long long)e->limit);
    add_link(out, "nextPage", next, e->page + 1);
    str_addf(out, ",\"page\":%lld,\"pagingCounter\":%lld", (long long)e->page,
        (long long)(e->paged ? (e->page - 1) * e->limit + 1 : 1));
    add_link(out, "prevPage", previous, e->page - 1);
    str_addf(out, ",\"totalDocs\":%lld,\"totalPages\":%lld}", (long long)e->total, (long long)pages);
}
