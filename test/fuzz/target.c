/* What a request asks for: its target, a path in pieces, an authority. */
#include "http/target.h"
#include "fuzz.h"
#include "http/router.h"

static void check_path(struct view raw)
{
    struct path path;
    struct view params[MAX_SEGMENTS];
    if (!path_parse(&path, raw, fresh_arena())) return;
    ASSERT(path.count <= MAX_SEGMENTS);
    for (size_t i = 0; i < path.count; i++) {
        ASSERT(utf8_valid(path.segments[i]));
        ASSERT(!path.segments[i].len || !memchr(path.segments[i].at, 0, path.segments[i].len));
    }
    if (!path_match(&path, "/api/:collection/:id/duplicate", params)) return;
    ASSERT(path.count == 4 && view_is(path.segments[0], "api"));
    ASSERT(view_equal(params[0], path.segments[1]) && view_equal(params[1], path.segments[2]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = input_of(data, size);
    for (int options = 0; options < 2; options++) {
        struct target t;
        if (!target_read(&t, text, options)) continue;
        bool star = view_is(t.path, "*");
        ASSERT(lies_in(t.query, text) && (lies_in(t.path, text) || t.path.len == 1));
        ASSERT(star ? options : t.path.len && t.path.at[0] == '/');
        ASSERT(!memchr(t.path.at, '?', t.path.len));
        if (!star) check_path(t.path);
    }
    if (size && !memchr(data, 0, size)) check_path(text);
    if (target_is_authority(text)) ASSERT(size && !memchr(data, '/', size) && !memchr(data, '@', size));
    return 0;
}
