/* A file is sent with the type that its document names, never with what a browser would guess, and what a browser could
 * run of it runs nowhere: the policy forbids scripts, frames and plug-ins to a file that is opened by itself. */
#include "api/file.h"
#include "base/clock.h"
#include "files/filetype.h"
#include "files/folder.h"
#include "http/etag.h"
#include "http/range.h"
#include "schema/filename.h"
#include "schema/match.h"
#include "schema/registry.h"
#include "store/read.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TAG_LENGTH 48
#define POLICY     "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'none'; sandbox"

static enum status find_file(struct call *call, struct file *file, const char **type, struct failure *f)
{
    struct doc doc;
    struct where *rights;
    enum status status = rights_where(call, call->collection, RIGHT_READ, &rights, f);
    if (status) return status;
    struct db *db = pool_take(call->app->pool);
    status = read_by(db, call->collection, "filename", call->id, call->arena, &doc, f);
    pool_give(call->app->pool, db);
    if (rights && (status == NOT_FOUND || (!status && !match(rights, &doc, NULL)))) return call_forbidden(f);
    if (status) return status;
    const struct value *mime = &doc.values[field_find(call->collection, VIEW("mimeType"))];
    *type = mime->type == VALUE_TEXT ? mime->text.at : "application/octet-stream";
    const char *name = arena_copy(call->arena, call->id);
    if (!name) return fail(f, NO_MEMORY, "Out of memory.");
    return folder_find(call->app->folders[collection_index(call->collection)], name, file, f);
}

static void add_type(struct call *call, const char *type)
{
    struct response *rs = call->rs;
    bool runs = filetype_is_xml(type) || filetype_restricted(type, filename_extension(call->id));
    call->type = view_of(type);
    response_header(rs, "X-Content-Type-Options", VIEW("nosniff"));
    if (runs) response_header(rs, "Content-Security-Policy", VIEW(POLICY));
    if (runs && strcmp(type, "image/svg+xml") != 0) response_header(rs, "Content-Disposition", VIEW("attachment"));
}

/* If-None-Match wins over If-Modified-Since (RFC 9110, 13.2.2). */
static bool not_modified(const struct request *rq, const char *etag, const char *modified)
{
    struct view tags = request_header(rq, "If-None-Match");
    return tags.at ? etag_held(tags, etag) : view_is(request_header(rq, "If-Modified-Since"), modified);
}

/* A range counts only for the file that its asker has a part of (RFC 9110, 13.1.5). */
static struct view wanted_range(const struct request *rq, const char *etag, const char *modified)
{
    struct view condition = request_header(rq, "If-Range"), none = {0};
    if (rq->method != METHOD_GET) return none;
    if (condition.at && !view_is(condition, etag) && !view_is(condition, modified)) return none;
    return request_header(rq, "Range");
}

enum status file_send(struct call *call, struct failure *f)
{
    struct response *rs = call->rs;
    struct file file;
    const char *type;
    char etag[TAG_LENGTH], modified[HTTP_DATE_LENGTH + 1];
    int64_t from, len;
    enum status status = find_file(call, &file, &type, f);
    if (status) return status;
    snprintf(etag, sizeof etag, "\"%llx-%llx\"", (unsigned long long)file.size, (unsigned long long)file.modified);
    clock_http_date(file.modified / 1000000, modified);
    call->caching = CACHING_OWN;
    bool anyone = rights_rule(call->app, call->collection, RIGHT_READ) == ACCESS_ANYONE;
    response_header(rs, "ETag", view_of(etag));
    response_header(rs, "Last-Modified", view_of(modified));
    response_header(rs, "Cache-Control", anyone ? VIEW("public, no-cache") : VIEW("private, no-cache"));
    response_header(rs, "Accept-Ranges", VIEW("bytes"));
    /* As the headers of CORS do, and what not everybody may read. */
    response_header(rs, "Vary", anyone ? VIEW("Origin") : VIEW("Authorization, Cookie, Origin"));
    call->type = (struct view){0};
    if (not_modified(call->rq, etag, modified)) {
        rs->status = 304;
        close(file.fd);
        return OK;
    }
    switch (range_read(wanted_range(call->rq, etag, modified), file.size, &from, &len)) {
    case RANGE_UNSATISFIABLE:
        rs->status = 416;
        response_headerf(rs, "Content-Range", "bytes */%lld", (long long)file.size);
        close(file.fd);
        return OK;
    case RANGE_PART:
        rs->status = 206;
        response_headerf(rs, "Content-Range", "bytes %lld-%lld/%lld", (long long)from, (long long)(from + len - 1),
            (long long)file.size);
        break;
    case RANGE_WHOLE: break;
    }
    add_type(call, type);
    response_file(rs, file.fd, from, len);
    return OK;
}
