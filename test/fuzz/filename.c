/* Names of files, and types, as clients say them. */
#include "schema/filename.h"
#include "files/filetype.h"
#include "fuzz.h"

static void check(struct view name, struct arena *arena)
{
    struct view other;
    struct failure f;
    struct str url = {0};
    ASSERT(name.len && name.len <= FILENAME_MOST && !name.at[name.len] && strlen(name.at) == name.len);
    ASSERT(utf8_valid(name) && !strpbrk(name.at, "/\\<>:\"|?*") && !view_is(name, ".") && !view_is(name, ".."));
    ASSERT(filename_possible(name) && lies_in(filename_extension(name), name));
    ASSERT(!filename_other(name, 1, arena, &other, &f) && !view_equal(name, other));
    ASSERT(other.len <= FILENAME_MOST && utf8_valid(other) && filename_possible(other));
    filename_add_url(&url, "media", name);
    for (size_t i = 0; i < url.len; i++) ASSERT(url.at[i] > ' ' && url.at[i] < 127);
    str_release(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = input_of(data, size), name;
    struct arena *arena = fresh_arena();
    struct failure f;
    char type[MIME_MOST + 1], same[MIME_MOST + 1];
    enum status status = filename_clean(text, arena, &name, &f);
    ASSERT(status == (utf8_valid(text) ? OK : INVALID));
    if (!status) check(name, arena);
    filetype_essence(text, type);
    filetype_essence(view_of(type), same);
    ASSERT(!strcmp(type, same));
    (void)filetype_restricted(type, filename_extension(text));
    return 0;
}
