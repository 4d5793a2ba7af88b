/* Each part is hashed as name, filename, type, content, and then the four lengths, eight bytes each. Read from its end,
 * such a text has one meaning only: no content can pass for the parts behind it. */
#include "api/fingerprint.h"
#include "http/multipart.h"

void fingerprint_begin(struct fingerprint *fp, struct view name, struct view filename, struct view type)
{
    const struct view texts[3] = {name, filename, type};
    for (int i = 0; i < 3; i++) {
        crypt_hash_add(&fp->hash, texts[i]);
        fp->lengths[i] = texts[i].at ? texts[i].len : UINT64_MAX;
    }
    fp->lengths[3] = 0;
}

void fingerprint_add(struct fingerprint *fp, struct view bytes)
{
    crypt_hash_add(&fp->hash, bytes);
    fp->lengths[3] += bytes.len;
}

void fingerprint_end(struct fingerprint *fp)
{
    crypt_hash_add(&fp->hash, (struct view){(const char *)fp->lengths, sizeof fp->lengths});
}

void fingerprint_init(struct fingerprint *fp, const struct request *rq)
{
    crypt_hash_init(&fp->hash);
    fingerprint_begin(fp, rq->method_name, rq->path, rq->query);
    fingerprint_end(fp);
}

static enum status part_begin(void *ctx, const struct multipart_part *part, struct failure *f)
{
    (void)f;
    fingerprint_begin(ctx, part->name, part->filename, part->type);
    return OK;
}

static enum status part_data(void *ctx, struct view bytes, struct failure *f)
{
    (void)f;
    fingerprint_add(ctx, bytes);
    return OK;
}

static enum status part_end(void *ctx, struct failure *f)
{
    (void)f;
    fingerprint_end(ctx);
    return OK;
}

enum status fingerprint_body(struct fingerprint *fp, struct view content_type, struct view body, struct failure *f)
{
    static const struct multipart_events events = {part_begin, part_data, part_end};
    const struct view none = {0};
    struct view boundary = multipart_boundary(content_type);
    if (!boundary.at) {
        fingerprint_begin(fp, none, none, none);
        fingerprint_add(fp, body);
        fingerprint_end(fp);
        return OK;
    }
    struct multipart *m = multipart_new(boundary, &events, fp);
    enum status status = m ? multipart_feed(m, body, f) : fail(f, NO_MEMORY, "Out of memory.");
    if (!status) status = multipart_finish(m, f);
    multipart_free(m);
    return status;
}

bool fingerprint_final(struct fingerprint *fp, uint8_t out[32])
{
    return crypt_hash_final(&fp->hash, out);
}

void fingerprint_release(struct fingerprint *fp)
{
    crypt_hash_release(&fp->hash);
}
