#include "api/upload.h"
#include "api/idempotency.h"
#include "base/log.h"
#include "files/svg.h"
#include "http/multipart.h"
#include "schema/filename.h"
#include "schema/json.h"
#include "schema/registry.h"
#include "store/claim.h"
#include <math.h>
#include <string.h>

#define PIECE            ((size_t)65536)
#define NAMES_TRIED      100
#define RELEASED_AT_ONCE 64
#define RECOVERY_ARENA   ((size_t)16 << 20)

static struct folder *folder_of(const struct call *call)
{
    return call->app->folders[collection_index(call->collection)];
}

/* ---- receiving ---- */

enum part_sort { PART_OTHER, PART_FILE, PART_PAYLOAD };

/* One request's body as it comes in. */
struct reception {
    struct call *call;
    struct upload *upload;
    struct fingerprint fingerprint;
    enum part_sort inside;
    struct str payload;
    size_t files;                                          /* parts of that name */
    struct view sent;                                      /* the file's name, as it was sent */
    char declared[MIME_MOST + 1], detected[MIME_MOST + 1]; /* types of the file */
};

static enum status begin_file(struct reception *r, const struct multipart_part *part, struct failure *f)
{
    struct upload *u = r->upload;
    r->inside = PART_FILE;
    if (r->files++) return OK; /* counted, and refused at the end */
    const char *name = arena_copy(r->call->arena, part->filename);
    if (!name) return fail(f, NO_MEMORY, "Out of memory.");
    r->sent = (struct view){name, part->filename.len};
    filetype_essence(part->type, r->declared);
    return part_begin(folder_of(r->call), &u->part, f);
}

static enum status part_begins(void *ctx, const struct multipart_part *part, struct failure *f)
{
    struct reception *r = ctx;
    fingerprint_begin(&r->fingerprint, part->name, part->filename, part->type);
    r->inside = PART_OTHER;
    if (part->filename.at && view_is(part->name, "file")) return begin_file(r, part, f);
    if (part->filename.at || !view_is(part->name, "_payload")) return OK;
    r->inside = PART_PAYLOAD;
    str_reset(&r->payload);
    return OK;
}

static enum status part_data(void *ctx, struct view bytes, struct failure *f)
{
    struct reception *r = ctx;
    const struct app *app = r->call->app;
    fingerprint_add(&r->fingerprint, bytes);
    switch (r->inside) {
    case PART_FILE:
        if (r->files > 1) return OK;
        if (r->upload->part.size + (int64_t)bytes.len > app->upload_bytes)
            return fail(f, TOO_LARGE, "A file may be %lld bytes large.", (long long)app->upload_bytes);
        return part_write(&r->upload->part, bytes, f);
    case PART_PAYLOAD:
        str_add(&r->payload, bytes);
        if (r->payload.len > BODY_LIMIT) return fail(f, TOO_LARGE, "The request's body is too large.");
        return r->payload.failed ? fail(f, NO_MEMORY, "Out of memory.") : OK;
    case PART_OTHER: break;
    }
    return OK;
}

static enum status part_ends(void *ctx, struct failure *f)
{
    struct reception *r = ctx;
    (void)f;
    fingerprint_end(&r->fingerprint);
    r->inside = PART_OTHER;
    return OK;
}

static const struct multipart_events events = {part_begins, part_data, part_ends};

/* Parts that count for nothing have a limit too: that of the file and the JSON together. */
static enum status receive(struct reception *r, struct view boundary, struct failure *f)
{
    struct call *call = r->call;
    struct multipart *m = multipart_new(boundary, &events, r);
    char *piece = arena_alloc(call->arena, PIECE);
    enum status status = m && piece ? OK : fail(f, NO_MEMORY, "Out of memory.");
    int64_t all = 0, most = call->app->upload_bytes + (int64_t)(2 * BODY_LIMIT);
    for (size_t got = 1; !status && got;) {
        status = request_read(call->rq, piece, PIECE, &got, f);
        all += (int64_t)got;
        if (!status && all > most) status = fail(f, TOO_LARGE, "The request's body is too large.");
        if (!status && got) status = multipart_feed(m, (struct view){piece, got}, f);
    }
    if (!status) status = multipart_finish(m, f);
    multipart_free(m);
    return status;
}

/* ---- looking at the file ---- */

static enum status refuse_file(struct failure *f, const char *message)
{
    *f = (struct failure){0};
    if (!message) return fail(f, NO_MEMORY, "Out of memory.");
    return fail_flaw(f, FAILURE_VALIDATION, (struct flaw){.message = message, .path = "file"});
}

/* An SVG is text; whether it is one, and its size, show when it is read as XML. */
static enum status look_at_xml(struct upload *u, const char **type, struct failure *f)
{
    struct svg svg;
    if (!svg_inspect(u->part.fd, u->part.size, &svg)) return fail(f, NO_MEMORY, "Out of memory.");
    if (svg.is_svg && !svg.safe) return refuse_file(f, "SVG file contains potentially harmful content.");
    if (svg.is_svg) {
        *type = "image/svg+xml";
        u->picture = (struct picture){.width = svg.width, .height = svg.height};
    } else if (svg.well_formed) {
        *type = "application/xml";
    }
    return OK;
}

static enum status find_type(struct reception *r, struct view extension, const char **type, struct failure *f)
{
    struct upload *u = r->upload;
    enum status status = filetypes_detect(r->call->app->filetypes, u->part.fd, r->detected, f);
    if (status) return status;
    *type = filetype_choose(r->detected, r->declared, extension);
    bool text = !strcmp(r->detected, "text/plain");
    bool may_be_xml = view_is_nocase(extension, "svg") || view_is_nocase(extension, "xml") ||
                      filetype_is_xml(r->declared) || picture_type(r->declared);
    return text && may_be_xml ? look_at_xml(u, type, f) : OK;
}

static enum status inspect(struct reception *r, struct failure *f)
{
    struct upload *u = r->upload;
    struct arena *arena = r->call->arena;
    const char *type;
    enum status status = filename_clean(r->sent, arena, &u->name, f);
    if (status) return status;
    struct view extension = filename_extension(u->name);
    if (filetype_restricted(r->declared, extension))
        return refuse_file(f,
            arena_printf(arena,
                "File type '%s' not allowed %.*s: Restricted file type detected -- set 'allowRestrictedFileTypes' to "
                "true to skip this check for this Collection.",
                r->declared, VIEW_ARGS(r->sent)));
    status = find_type(r, extension, &type, f);
    if (status) return status;
    bool picture = picture_type(type), claims = picture_type(r->declared) && !picture && !filetype_is_xml(type);
    bool sized = u->picture.width || !picture || picture_read(type, u->part.fd, u->part.size, &u->picture);
    if (claims || !sized) return fail(f, INVALID, "There was a problem while uploading the file.");
    u->type.at = arena_copy(arena, view_of(type));
    u->type.len = strlen(type);
    u->size = u->part.size;
    return u->type.at ? OK : fail(f, NO_MEMORY, "Out of memory.");
}

/* A picture's focal point, in percent of its size: the middle, unless the body gives both numbers. */
static void take_focal(struct upload *u, struct json_object *body)
{
    static const char *const names[] = {"focalX", "focalY"};
    if (!u->picture.focal) return;
    bool both = json_member(body, names[0]) && json_member(body, names[1]);
    for (int i = 0; i < 2; i++) {
        struct json_object *json = json_member(body, names[i]);
        bool number = json_object_is_type(json, json_type_int) || json_object_is_type(json, json_type_double);
        double n = both && number ? floor(json_object_get_double(json) + 0.5) : 50;
        u->focal[i] = value_integer(n >= -1e9 && n <= 1e9 ? (int64_t)n : 50);
        if (json_object_is_type(body, json_type_object)) json_object_object_del(body, names[i]);
    }
}

static enum status read_payload(struct reception *r, struct json_object **body, struct failure *f)
{
    struct view text = view_trim(str_view(&r->payload));
    return json_read(r->call->arena, text.len ? text : VIEW("{}"), body, f);
}

enum status upload_body(struct call *call, struct upload *u, struct json_object **body, struct failure *f)
{
    struct view boundary = multipart_boundary(request_header(call->rq, "Content-Type"));
    *u = (struct upload){0};
    if (!call->collection->upload || !boundary.at) {
        enum status status = idempotency_decide_body(call, f);
        return status || idempotency_replayed(call) ? status : call_body(call, false, body, f);
    }
    struct reception r = {.call = call, .upload = u};
    if (call->keyed) fingerprint_init(&r.fingerprint, call->rq);
    enum status status = receive(&r, boundary, f);
    if (!status) status = idempotency_decide(call, &r.fingerprint, f);
    fingerprint_release(&r.fingerprint);
    if (status || idempotency_replayed(call)) {
        str_release(&r.payload);
        return status;
    }
    /* An input of a form in which no file was chosen is sent as a file without name and bytes. */
    u->given = r.files == 1 && (r.sent.len || u->part.size);
    if (u->given && !r.sent.len) status = fail(f, INVALID, "A file name is required.");
    if (!status && u->given) status = inspect(&r, f);
    if (!status && r.files > 1) status = fail(f, INVALID, "One file is taken at a time.");
    if (!status) status = read_payload(&r, body, f);
    if (!status && u->given) take_focal(u, *body);
    str_release(&r.payload);
    return status;
}

/* ---- storing ---- */

/* Drops the claims of `names`, some at a time: a write is large. The names' arena is the writes' too. */
static enum status release(struct broker *broker, const struct collection *c, const struct view *names, size_t nnames,
    struct arena *arena, struct failure *f)
{
    size_t most = nnames < RELEASED_AT_ONCE ? nnames : RELEASED_AT_ONCE;
    struct write *writes = ARENA_ARRAY(arena, struct write, most);
    enum status status = writes || !nnames ? OK : fail(f, NO_MEMORY, "Out of memory.");
    for (size_t done = 0, n; done < nnames && !status; done += n) {
        n = nnames - done < most ? nnames - done : most;
        for (size_t i = 0; i < n; i++)
            writes[i] = (struct write){.op = WRITE_RELEASE, .collection = c, .file = names[done + i]};
        status = broker_run(broker, writes, n, arena, f);
    }
    return status;
}

/* A file that is there although nobody owns its name is another program's: the next name is tried. */
static enum status publish(struct call *call, struct upload *u, struct failure *f)
{
    struct view wanted = u->name;
    enum status status = OK;
    for (int64_t n = 0; n < NAMES_TRIED; n++) {
        struct write w = {.op = WRITE_CLAIM, .collection = call->collection, .file = wanted};
        if (n) status = filename_other(u->name, n, call->arena, &w.file, f);
        if (!status) status = call_write(call, &w, f);
        if (status) return status;
        status = folder_publish(folder_of(call), &u->part, w.file.at, f);
        if (status != CONFLICT) {
            u->name = w.file;
            u->claimed = true;
            return status;
        }
        status = release(call->app->broker, call->collection, &w.file, 1, call->arena, f);
        if (status) return status;
    }
    return fail(f, CONFLICT, "Too many files have that name.");
}

static struct value size_value(int64_t n)
{
    return n ? value_integer(n) : value_null();
}

enum status upload_store(struct call *call, struct upload *u, struct draft *draft, struct failure *f)
{
    if (!u->given) return OK;
    struct str url = {0};
    enum status status = publish(call, u, f);
    if (status) return status;
    filename_add_url(&url, call->collection->slug, u->name);
    const char *kept = url.failed ? NULL : arena_copy(call->arena, str_view(&url));
    size_t len = url.len;
    str_release(&url);
    if (!kept) return fail(f, NO_MEMORY, "Out of memory.");
    draft_set(draft, "url", value_text((struct view){kept, len}));
    draft_set(draft, "thumbnailURL", value_null());
    draft_set(draft, "filename", value_text(u->name));
    draft_set(draft, "mimeType", value_text(u->type));
    draft_set(draft, "filesize", value_integer(u->size));
    draft_set(draft, "width", size_value(u->picture.width));
    draft_set(draft, "height", size_value(u->picture.height));
    if (!u->picture.focal && draft->given[field_find(call->collection, VIEW("focalX"))]) return OK;
    draft_set(draft, "focalX", u->focal[0]);
    draft_set(draft, "focalY", u->focal[1]);
    return OK;
}

enum status upload_copy(struct call *call, struct upload *u, const struct doc *from, struct failure *f)
{
    const struct value *name = &from->values[field_find(from->collection, VIEW("filename"))];
    const struct value *type = &from->values[field_find(from->collection, VIEW("mimeType"))];
    *u = (struct upload){0};
    if (name->type != VALUE_TEXT) return OK;
    enum status status = folder_copy(folder_of(call), name->text.at, &u->part, f);
    if (status == NOT_FOUND) return fail(f, CONFLICT, "The document's file is missing.");
    u->given = true;
    u->name = name->text;
    u->type = type->text;
    u->size = u->part.size;
    u->picture.width = from->values[field_find(from->collection, VIEW("width"))].integer;
    u->picture.height = from->values[field_find(from->collection, VIEW("height"))].integer;
    return status;
}

void upload_end(struct call *call, struct upload *u, enum status written)
{
    struct failure f = {0};
    if (!u->given && !u->part.open) return;
    part_drop(folder_of(call), &u->part);
    if (!u->claimed || written == OK || written == UNAVAILABLE) return;
    enum status status = folder_remove(folder_of(call), u->name.at, &f);
    if (!status) status = folder_sync(folder_of(call), &f);
    if (!status) status = release(call->app->broker, call->collection, &u->name, 1, call->arena, &f);
    if (status) log_warning("a refused upload is removed at the next start only: %s", f.reason);
}

void upload_sweep(struct call *call, const struct write *writes, size_t nwrites)
{
    struct folder *folder = folder_of(call);
    struct failure f = {0};
    size_t n = 0;
    struct view *names = ARENA_ARRAY(call->arena, struct view, nwrites);
    enum status status = names ? OK : fail(&f, NO_MEMORY, "Out of memory.");
    for (size_t i = 0; i < nwrites && !status; i++) {
        if (writes[i].failure.status || !writes[i].orphan.at) continue;
        status = folder_remove(folder, writes[i].orphan.at, &f);
        names[n++] = writes[i].orphan;
    }
    if (!status && n) status = folder_sync(folder, &f);
    if (!status) status = release(call->app->broker, call->collection, names, n, call->arena, &f);
    if (status) log_warning("a file without a document is removed at the next start only: %s", f.reason);
}

/* ---- opening ---- */

#define RECOVERED_AT_ONCE 1000

struct recovery {
    struct folder *folder;
    struct arena arena;
    struct view names[RECOVERED_AT_ONCE]; /* whose claims are to be dropped */
    size_t count;
    struct failure *f;
};

static enum status recover(void *ctx, struct view name, bool owned)
{
    struct recovery *r = ctx;
    struct failure f;
    if (r->count == RECOVERED_AT_ONCE) return OK;
    const char *kept = arena_copy(&r->arena, name);
    if (!kept) return fail(r->f, NO_MEMORY, "Out of memory.");
    if (!owned && folder_remove(r->folder, kept, &f)) {
        log_warning("the file %s has no document and stays: %s", kept, f.reason);
        return OK;
    }
    r->names[r->count++] = (struct view){kept, name.len};
    return OK;
}

static enum status recover_some(
    struct app *app, const struct collection *c, struct folder *folder, size_t *count, struct failure *f)
{
    struct recovery r = {.folder = folder, .f = f};
    arena_init(&r.arena, RECOVERY_ARENA);
    struct db *db = pool_take(app->pool);
    enum status status = claim_each(db, c, recover, &r, f);
    pool_give(app->pool, db);
    if (!status && r.count) status = folder_sync(folder, f);
    if (!status) status = release(app->broker, c, r.names, r.count, &r.arena, f);
    arena_release(&r.arena);
    *count = r.count;
    return status;
}

enum status uploads_open(struct app *app, const char *parent, struct failure *f)
{
    enum status status = filetypes_open(&app->filetypes, f);
    for (size_t i = 0; i < ncollections && !status; i++) {
        const struct collection *c = collection_at(i);
        size_t count = RECOVERED_AT_ONCE;
        if (!c->upload) continue;
        status = folder_open(&app->folders[i], parent, c->slug, f);
        while (!status && count == RECOVERED_AT_ONCE) status = recover_some(app, c, app->folders[i], &count, f);
    }
    return status;
}

void uploads_close(struct app *app)
{
    for (size_t i = 0; i < MAX_COLLECTIONS; i++) folder_close(app->folders[i]);
    filetypes_close(app->filetypes);
}
