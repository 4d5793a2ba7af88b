#include "http/etag.h"

bool etag_listed(struct view list, const char *etag)
{
    while (list.at) {
        struct view tag = view_trim(view_cut(&list, ','));
        if (view_starts(tag, "W/")) tag = (struct view){tag.at + 2, tag.len - 2};
        if (view_is(tag, etag) || view_is(tag, "*")) return true;
    }
    return false;
}
