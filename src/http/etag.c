#include "http/etag.h"

bool etag_held(struct view wanted, const char *etag)
{
    if (view_is(wanted, "*")) return true;
    while (wanted.at) {
        struct view tag = view_trim(view_cut(&wanted, ','));
        if (view_starts(tag, "W/")) tag = (struct view){tag.at + 2, tag.len - 2};
        if (view_is(tag, etag)) return true;
    }
    return false;
}
