#include "http/assets.h"
#include "http/etag.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Scripts, styles and connections of the page's own origin and nothing else (CSP level 3); no script makes HTML of text
 * (Trusted Types: the one policy lets the service worker's address through); nobody frames it. The page shows pictures
 * that were chosen and not yet sent (blob:), and draws its own icon (data:). */
#define POLICY                                                                                                         \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; "          \
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "                \
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types parley"

#define PATH_MOST 512

static const struct {
    const char *extension, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".woff2", "font/woff2"},
};

static const char *type_of(const char *path)
{
    const char *extension = strrchr(path, '.');
    for (size_t i = 0; extension && i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].extension, extension)) return types[i].type;
    return *path && path[1] ? "application/octet-stream" : types[0].type;
}

static void give_headers(const char *path, const char *caching, struct response *rs)
{
    response_header(rs, "Cache-Control", view_of(caching));
    response_header(rs, "Content-Type", view_of(type_of(path)));
    response_header(rs, "X-Content-Type-Options", VIEW("nosniff"));
    response_header(rs, "Content-Security-Policy", VIEW(POLICY));
    response_header(rs, "Referrer-Policy", VIEW("same-origin"));
    response_header(rs, "Permissions-Policy", VIEW("camera=(), microphone=(), geolocation=()"));
}

bool assets_gzip_taken(struct view wanted)
{
    bool any = false;
    while (wanted.at) {
        struct view weight = view_trim(view_cut(&wanted, ','));
        struct view name = view_trim(view_cut(&weight, ';'));
        bool named = view_is_nocase(name, "gzip") || view_is_nocase(name, "x-gzip");
        if (!named && !view_is(name, "*")) continue;
        /* A weight of nothing, "q=0", "q=0.000", refuses. */
        bool taken = true;
        weight = view_trim(weight);
        if (weight.len > 2 && (weight.at[0] | 32) == 'q' && weight.at[1] == '=') {
            taken = false;
            for (size_t i = 2; i < weight.len; i++)
                if (weight.at[i] >= '1' && weight.at[i] <= '9') taken = true;
        }
        if (named) return taken;
        any = taken;
    }
    return any;
}

static void serve_embedded(const struct asset *a, const struct request *rq, struct response *rs)
{
    char etag[64];
    bool zipped = a->zip_end > a->zip && assets_gzip_taken(request_header(rq, "Accept-Encoding"));
    bool lasting = !strncmp(a->path, "/a/", 3);
    snprintf(etag, sizeof etag, "\"%s%s\"", a->etag, zipped ? "-gz" : "");
    give_headers(a->path, lasting ? "public, max-age=31536000, immutable" : "no-cache", rs);
    response_header(rs, "ETag", view_of(etag));
    response_header(rs, "Vary", VIEW("Accept-Encoding"));
    if (etag_held(request_header(rq, "If-None-Match"), etag)) {
        rs->status = 304;
        return;
    }
    if (zipped) response_header(rs, "Content-Encoding", VIEW("gzip"));
    rs->fixed =
        zipped ? (struct view){a->zip, (size_t)(a->zip_end - a->zip)} : (struct view){a->at, (size_t)(a->end - a->at)};
}

/* Segments of letters, digits, "-", "_" and ".", which none begins with: no way out of the folder, nothing hidden. */
static bool is_plain(struct view path)
{
    char before = 0;
    for (size_t i = 0; i < path.len; before = path.at[i++]) {
        char c = path.at[i];
        bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!letter && c != '/' && (c != '.' || before == '/')) return false;
    }
    return path.len > 0 && path.at[0] == '/';
}

static bool serve_from(const char *folder, const struct request *rq, struct response *rs)
{
    char path[PATH_MOST];
    struct stat about;
    struct view asked = view_is(rq->path, "/") ? VIEW("/index.html") : rq->path;
    if (!is_plain(asked)) return false;
    int length = snprintf(path, sizeof path, "%s%.*s", folder, VIEW_ARGS(asked));
    if (length < 0 || (size_t)length >= sizeof path) return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    if (fstat(fd, &about) || !S_ISREG(about.st_mode)) {
        close(fd);
        return false;
    }
    give_headers(path, "no-cache", rs);
    response_file(rs, fd, 0, about.st_size);
    return true;
}

bool assets_serve(const char *folder, const struct request *rq, struct response *rs)
{
    if (rq->method != METHOD_GET && rq->method != METHOD_HEAD) return false;
    if (folder) return serve_from(folder, rq, rs);
    for (size_t i = 0; i < assets_count; i++) {
        if (!view_is(rq->path, assets_table[i].path)) continue;
        serve_embedded(&assets_table[i], rq, rs);
        return true;
    }
    return false;
}
