/* multipart/form-data: the first line is the header Content-Type, the rest the body, which comes whole and in pieces.
 */
#include "http/multipart.h"
#include "fuzz.h"

static void note(struct str *out, const char *what, struct view text)
{
    str_addf(out, "%s%s ", what, text.at ? "" : "-");
    str_add(out, text);
    str_addc(out, '\n');
}

static enum status begin(void *ctx, const struct multipart_part *part, struct failure *f)
{
    (void)f;
    note(ctx, "name", part->name);
    note(ctx, "file", part->filename);
    note(ctx, "type", part->type);
    return OK;
}

static enum status take(void *ctx, struct view bytes, struct failure *f)
{
    (void)f;
    str_add(ctx, bytes);
    return OK;
}

static enum status end(void *ctx, struct failure *f)
{
    (void)f;
    str_addz(ctx, "\nend\n");
    return OK;
}

static const struct multipart_events events = {begin, take, end};

static enum status parse(struct view boundary, struct view body, size_t piece, struct str *told)
{
    struct failure f;
    struct multipart *m = multipart_new(boundary, &events, told);
    enum status status = OK;
    ASSERT(m);
    while (body.len && !status) {
        size_t n = body.len < piece ? body.len : piece;
        status = multipart_feed(m, (struct view){body.at, n}, &f);
        body = (struct view){body.at + n, body.len - n};
    }
    if (!status) status = multipart_finish(m, &f);
    multipart_free(m);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view rest = input_of(data, size);
    size_t piece = take_byte(&rest) + 1;
    struct view type = view_cut(&rest, '\n'), boundary = multipart_boundary(type);
    if (!boundary.at) return 0;
    ASSERT(lies_in(boundary, type) && boundary.len >= 1 && boundary.len <= 70);
    struct str whole = {0}, pieces = {0};
    enum status status = parse(boundary, rest, SIZE_MAX, &whole);
    ASSERT(status == OK || status == INVALID);
    ASSERT(parse(boundary, rest, piece, &pieces) == status);
    if (!status) ASSERT(view_equal(str_view(&whole), str_view(&pieces)));
    str_release(&whole);
    str_release(&pieces);
    return 0;
}
