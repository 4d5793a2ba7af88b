/* What is read are the few bytes that hold a size. WebP has three kinds of heads and is left to libwebp, SVG to svg.c.
 * AVIF, JPEG XL and TIFF are taken without their size: the libraries that could tell it bring decoders that are larger
 * than this program.
 *
 * Not taken: stb_image. It refuses what would be too large to decode, reads on for ever when a disk fails, tries its
 * other formats when one does not fit, and passes a GIF that ends within its size. */
#include "files/picture.h"
#include "files/svg.h"
#include <string.h>
#include <unistd.h>
#include <webp/decode.h>

#define WEBP_HEAD       4096
#define JPEG_STEPS_MOST 10000 /* segments and stray bytes before the frame header; a file of 16 MiB of XMP has 256 */

static bool read_at(int fd, int64_t at, uint8_t *to, size_t n)
{
    return pread(fd, to, n, (off_t)at) == (ssize_t)n;
}

static int64_t big_endian(const uint8_t *at, int bytes)
{
    int64_t n = 0;
    while (bytes--) n = n << 8 | *at++;
    return n;
}

static bool set_size(struct picture *out, int64_t width, int64_t height)
{
    *out = (struct picture){width, height, true};
    return width > 0 && height > 0;
}

/* The first chunk is the head (PNG, third edition, 5.2 and 11.2.1). */
static bool read_png(int fd, int64_t size, struct picture *out)
{
    uint8_t head[33];
    (void)size;
    if (!read_at(fd, 0, head, sizeof head) || memcmp(head, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16) != 0) return false;
    int64_t width = big_endian(head + 16, 4), height = big_endian(head + 20, 4);
    return set_size(out, width, height) && width <= INT32_MAX && height <= INT32_MAX;
}

/* GIF89a, 17 and 18. */
static bool read_gif(int fd, int64_t size, struct picture *out)
{
    uint8_t head[13];
    (void)size;
    if (!read_at(fd, 0, head, sizeof head) || (memcmp(head, "GIF87a", 6) != 0 && memcmp(head, "GIF89a", 6) != 0))
        return false;
    return set_size(out, head[6] | head[7] << 8, head[8] | head[9] << 8);
}

/* Not zeros and fill bytes, nor the markers that stand alone. */
static bool begins_segment(const uint8_t *at)
{
    return at[0] == 0xff && at[1] > 0x01 && at[1] != 0xff && (at[1] < 0xd0 || at[1] > 0xd8);
}

/* Every frame header but those of other uses: C4 tables of Huffman codes, C8 reserved, CC conditioning. */
static bool begins_frame(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* Segments stand before the frame header, some of them long (ITU-T T.81, B.1.1 and B.2.2). Between them cameras leave
 * stray bytes, which decoders pass over. */
static bool read_jpeg(int fd, int64_t size, struct picture *out)
{
    uint8_t head[10]; /* marker, length, precision, lines, samples a line, components */
    int64_t at = 2;
    if (!read_at(fd, 0, head, 2) || memcmp(head, "\xff\xd8", 2) != 0) return false;
    for (int steps = 0; steps < JPEG_STEPS_MOST && read_at(fd, at, head, sizeof head); steps++) {
        uint8_t marker = head[1];
        int64_t len = big_endian(head + 2, 2);
        if (!begins_segment(head)) {
            at++;
            continue;
        }
        if (marker == 0xd9 || marker == 0xda || len < 2) return false; /* the end, or pixels without a frame */
        if (begins_frame(marker))
            return len == 8 + 3 * head[9] && head[9] && at + 2 + len <= size &&
                   set_size(out, big_endian(head + 7, 2), big_endian(head + 5, 2));
        at += 2 + len;
    }
    return false;
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
    {"image/png", read_png},
    {"image/jpeg", read_jpeg},
    {"image/gif", read_gif},
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
