/* PNG, JPEG and GIF by stb_image, WebP by libwebp, SVG by svg.c. AVIF, JPEG XL and TIFF are taken without their size:
 * the libraries that could tell it bring decoders that are larger than this program. */
#include "files/picture.h"
#include "files/svg.h"
#include <stb/stb_image.h>
#include <string.h>
#include <unistd.h>
#include <webp/decode.h>

#define WEBP_HEAD 4096

/* A file that stb_image reads from: heads may lie far behind an embedded thumbnail. */
struct reading {
    int fd;
    int64_t at, size;
};

static int read_on(void *ctx, char *to, int size)
{
    struct reading *r = ctx;
    ssize_t n = pread(r->fd, to, (size_t)size, (off_t)r->at);
    if (n < 0) n = 0;
    r->at += n;
    return (int)n;
}

static void skip(void *ctx, int n)
{
    ((struct reading *)ctx)->at += n;
}

static int at_end(void *ctx)
{
    const struct reading *r = ctx;
    return r->at >= r->size;
}

static bool read_pixels(int fd, int64_t size, struct picture *out)
{
    static const stbi_io_callbacks callbacks = {read_on, skip, at_end};
    struct reading reading = {.fd = fd, .size = size};
    int width, height, channels;
    if (!stbi_info_from_callbacks(&callbacks, &reading, &width, &height, &channels)) return false;
    *out = (struct picture){width, height, true};
    return true;
}

static bool read_webp(int fd, int64_t size, struct picture *out)
{
    uint8_t head[WEBP_HEAD];
    int width, height;
    (void)size;
    ssize_t n = pread(fd, head, sizeof head, 0);
    if (n <= 0 || !WebPGetInfo(head, (size_t)n, &width, &height)) return false;
    *out = (struct picture){width, height, true};
    return true;
}

static bool read_svg(int fd, int64_t size, struct picture *out)
{
    struct svg svg;
    if (!svg_inspect(fd, size, &svg) || !svg.is_svg || !svg.width) return false;
    *out = (struct picture){svg.width, svg.height, false};
    return true;
}

static bool read_nothing(int fd, int64_t size, struct picture *out)
{
    (void)fd;
    (void)size;
    *out = (struct picture){.focal = true};
    return true;
}

static const struct {
    const char *mime;
    bool (*read)(int fd, int64_t size, struct picture *out);
} types[] = {
    {"image/png", read_pixels},
    {"image/jpeg", read_pixels},
    {"image/gif", read_pixels},
    {"image/webp", read_webp},
    {"image/svg+xml", read_svg},
    {"image/avif", read_nothing},
    {"image/jxl", read_nothing},
    {"image/tiff", read_nothing},
};

bool picture_type(const char *mime)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].mime, mime)) return true;
    return false;
}

bool picture_read(const char *mime, int fd, int64_t size, struct picture *out)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].mime, mime)) return types[i].read(fd, size, out);
    return false;
}
