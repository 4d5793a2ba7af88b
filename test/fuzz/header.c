/* Small texts of headers: cursors (Last-Event-ID), ranges, tags, codings. */
#include "api/cursor.h"
#include "fuzz.h"
#include "http/assets.h"
#include "http/etag.h"
#include "http/range.h"

static void check_cursor(struct view text)
{
    struct cursor cursor;
    struct str again = {0};
    if (!cursor_read(&cursor, text)) return;
    str_add(&again, (struct view){cursor.epoch, EPOCH_LENGTH});
    str_addf(&again, "-%lld", (long long)cursor.seq);
    if (cursor.inside || cursor.head > cursor.seq) str_addc(&again, '-');
    if (cursor.inside)
        cursor_add_place(&again, cursor.head, cursor.part, &cursor.place);
    else if (cursor.head > cursor.seq)
        str_add_integer(&again, cursor.head);
    ASSERT(view_equal(str_view(&again), text));
    str_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = input_of(data, size), range = text;
    int64_t length = take_byte(&range), from, len;
    char tag[ETAG_LENGTH + 1];
    check_cursor(text);
    if (range_read(range, length, &from, &len) == RANGE_PART)
        ASSERT(from >= 0 && len > 0 && from < length && len <= length - from);
    etag_of(text, tag);
    ASSERT(etag_held(view_of(tag), tag));
    (void)etag_held(text, tag);
    (void)assets_gzip_taken(text);
    return 0;
}
