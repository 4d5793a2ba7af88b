/* Uploaded files: what they are by their content, how large a picture is, and what an SVG holds. */
#include "files/picture.h"
#include "files/filetype.h"
#include "files/svg.h"
#include "fuzz.h"
#include <sys/mman.h>
#include <unistd.h>

static const char *const types[] = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff",
    "image/avif", "image/svg+xml", "image/vnd.microsoft.icon"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct filetypes *filetypes;
    static int fd = -1;
    struct failure f;
    char type[MIME_MOST + 1];
    struct svg svg;
    if (!filetypes) ASSERT(!filetypes_open(&filetypes, &f));
    if (fd < 0) fd = memfd_create("input", 0);
    ASSERT(!ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size && lseek(fd, 1, SEEK_SET) == 1);
    ASSERT(!filetypes_detect(filetypes, fd, type, &f) && memchr(type, '/', strlen(type)));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct picture picture;
        if (!picture_read(types[i], fd, (int64_t)size, &picture)) continue;
        ASSERT(picture.width >= 0 && picture.height >= 0);
    }
    ASSERT(svg_inspect(fd, (int64_t)size, &svg));
    ASSERT(svg.width >= 0 && svg.height >= 0);
    ASSERT(lseek(fd, 0, SEEK_CUR) == 1);
    return 0;
}
