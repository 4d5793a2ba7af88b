#include "files/picture.h"
#include "base/check.h"
#include "parley/str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sample.h"

#define PNG  "image/png"
#define JPEG "image/jpeg"
#define GIF  "image/gif"
#define WEBP "image/webp"
#define SVG  "image/svg+xml"

static bool look(const char *mime, struct view bytes, struct picture *out)
{
    int fd = sample(bytes);
    lseek(fd, 3, SEEK_SET);
    bool good = picture_read(mime, fd, (int64_t)bytes.len, out);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 3);
    close(fd);
    return good;
}

static void expect(const char *mime, struct view bytes, int64_t width, int64_t height)
{
    struct picture p = {-1, -1, false};
    if (!look(mime, bytes, &p)) print_error("%s of %lld x %lld\n", mime, (long long)width, (long long)height);
    assert_int_equal(p.width, width);
    assert_int_equal(p.height, height);
    assert_int_equal(p.focal, strcmp(mime, SVG) != 0);
}

static void refuse(const char *mime, struct view bytes)
{
    struct picture p;
    bool good = look(mime, bytes, &p);
    if (good) print_error("%s, %zu bytes: %lld x %lld\n", mime, bytes.len, (long long)p.width, (long long)p.height);
    assert_false(good);
}

/* ---- pictures made by hand ---- */

static void add_be(struct str *s, uint32_t n, int bytes)
{
    while (bytes--) str_addc(s, (char)(n >> 8 * bytes));
}

static void add_le(struct str *s, uint32_t n, int bytes)
{
    for (int i = 0; i < bytes; i++) str_addc(s, (char)(n >> 8 * i));
}

static void add_zeros(struct str *s, size_t n)
{
    while (n--) str_addc(s, 0);
}

/* A chunk with a sum that nobody looks at. */
static void add_chunk(struct str *s, const char *type, struct view data)
{
    add_be(s, (uint32_t)data.len, 4);
    str_addz(s, type);
    str_add(s, data);
    add_be(s, 0, 4);
}

static struct str png(uint32_t width, uint32_t height, const char *rest_of_head)
{
    struct str s = {0}, head = {0};
    str_add(&s, VIEW("\x89PNG\r\n\x1a\n"));
    add_be(&head, width, 4);
    add_be(&head, height, 4);
    str_add(&head, (struct view){rest_of_head, 5});
    add_chunk(&s, "IHDR", str_view(&head));
    str_release(&head);
    if (rest_of_head[1] == 3) add_chunk(&s, "PLTE", VIEW("\1\2\3"));
    add_chunk(&s, "IDAT", VIEW("\x78\x9c\x63\0\0\0\1\0\1"));
    add_chunk(&s, "IEND", VIEW(""));
    return s;
}

static struct str gif(const char *version, uint32_t width, uint32_t height)
{
    struct str s = {0};
    str_addz(&s, version);
    add_le(&s, width, 2);
    add_le(&s, height, 2);
    str_add(&s, VIEW("\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2\x44\1\0;"));
    return s;
}

static void add_segment(struct str *s, int marker, size_t len)
{
    str_addc(s, (char)0xff);
    str_addc(s, (char)marker);
    add_be(s, (uint32_t)len + 2, 2);
}

static void add_frame(struct str *s, int marker, int bits, uint32_t width, uint32_t height, int components)
{
    add_segment(s, marker, 6 + 3 * (size_t)components);
    str_addc(s, (char)bits);
    add_be(s, height, 2);
    add_be(s, width, 2);
    str_addc(s, (char)components);
    for (int i = 1; i <= components; i++) {
        str_addc(s, (char)i);
        str_addc(s, 0x11);
        str_addc(s, 0);
    }
}

static void add_quantization(struct str *s)
{
    add_segment(s, 0xdb, 65);
    str_addc(s, 0);
    for (int i = 0; i < 64; i++) str_addc(s, 1);
}

static void add_scan(struct str *s)
{
    add_segment(s, 0xda, 6);
    str_add(s, VIEW("\1\1\0\0\x3f\0"));
    str_add(s, VIEW("\x12\x34\xff\0\x56\xff\xd9"));
}

static struct str jpeg(int frame, uint32_t width, uint32_t height, int components)
{
    struct str s = {0};
    str_add(&s, VIEW("\xff\xd8"));
    add_segment(&s, 0xe0, 14);
    str_add(&s, VIEW("JFIF\0\1\1\0\0\1\0\1\0\0"));
    add_quantization(&s);
    add_frame(&s, frame, 8, width, height, components);
    add_scan(&s);
    return s;
}

static struct str webp(struct view chunks)
{
    struct str s = {0};
    str_addz(&s, "RIFF");
    add_le(&s, (uint32_t)chunks.len + 4, 4);
    str_addz(&s, "WEBP");
    str_add(&s, chunks);
    return s;
}

static struct str webp_lossy(uint32_t width, uint32_t height)
{
    struct str chunk = {0};
    str_addz(&chunk, "VP8 ");
    add_le(&chunk, 30, 4);
    str_add(&chunk, VIEW("\x10\2\0\x9d\1\x2a")); /* a key frame whose first part has 16 bytes */
    add_le(&chunk, width, 2);
    add_le(&chunk, height, 2);
    add_zeros(&chunk, 20);
    struct str s = webp(str_view(&chunk));
    str_release(&chunk);
    return s;
}

static struct str webp_lossless(uint32_t width, uint32_t height)
{
    struct str chunk = {0};
    str_addz(&chunk, "VP8L");
    add_le(&chunk, 26, 4);
    str_addc(&chunk, 0x2f);
    add_le(&chunk, (width - 1) | (height - 1) << 14, 4);
    add_zeros(&chunk, 21);
    struct str s = webp(str_view(&chunk));
    str_release(&chunk);
    return s;
}

/* With a colour profile of that size before the pixels. */
static struct str webp_extended(uint32_t width, uint32_t height, size_t profile)
{
    struct str chunk = {0};
    str_addz(&chunk, "VP8X");
    add_le(&chunk, 10, 4);
    add_le(&chunk, profile ? 0x20 : 0, 4);
    add_le(&chunk, width - 1, 3);
    add_le(&chunk, height - 1, 3);
    if (profile) {
        str_addz(&chunk, "ICCP");
        add_le(&chunk, (uint32_t)profile, 4);
        add_zeros(&chunk, profile);
    }
    struct str pixels = webp_lossless(width, height);
    str_add(&chunk, (struct view){pixels.at + 12, pixels.len - 12});
    str_release(&pixels);
    struct str s = webp(str_view(&chunk));
    str_release(&chunk);
    return s;
}

/* ---- the tests ---- */

static void expect_once(const char *mime, struct str s, int64_t width, int64_t height)
{
    expect(mime, str_view(&s), width, height);
    str_release(&s);
}

static void refuse_once(const char *mime, struct str s)
{
    refuse(mime, str_view(&s));
    str_release(&s);
}

static void picture__size_of_a_png(void **state)
{
    (void)state;
    expect_once(PNG, png(1, 1, "\10\2\0\0\0"), 1, 1);
    expect_once(PNG, png(640, 480, "\10\6\0\0\0"), 640, 480);
    expect_once(PNG, png(300, 70000, "\20\2\0\0\1"), 300, 70000);
    expect_once(PNG, png(5, 6, "\1\0\0\0\0"), 5, 6);
    expect_once(PNG, png(5, 6, "\10\3\0\0\0"), 5, 6);
    expect_once(PNG, png(5, 6, "\10\4\0\0\0"), 5, 6);
}

static void picture__size_of_a_gif(void **state)
{
    (void)state;
    expect_once(GIF, gif("GIF87a", 1, 1), 1, 1);
    expect_once(GIF, gif("GIF89a", 640, 480), 640, 480);
    expect_once(GIF, gif("GIF89a", 65535, 65535), 65535, 65535);
}

static void picture__size_of_a_jpeg(void **state)
{
    (void)state;
    expect_once(JPEG, jpeg(0xc0, 640, 480, 3), 640, 480);
    expect_once(JPEG, jpeg(0xc1, 640, 480, 3), 640, 480);
    expect_once(JPEG, jpeg(0xc2, 65535, 1, 1), 65535, 1);
    expect_once(JPEG, jpeg(0xc0, 5, 6, 4), 5, 6);
}

static void picture__size_of_a_webp(void **state)
{
    (void)state;
    expect_once(WEBP, webp_lossy(640, 480), 640, 480);
    expect_once(WEBP, webp_lossless(640, 480), 640, 480);
    expect_once(WEBP, webp_lossless(16384, 16384), 16384, 16384);
    expect_once(WEBP, webp_extended(640, 480, 0), 640, 480);
    expect_once(WEBP, webp_extended(640, 480, 100000), 640, 480);
}

static void picture__size_of_an_svg(void **state)
{
    (void)state;
    expect(SVG, VIEW("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"30\" height=\"20\"/>"), 30, 20);
    refuse(SVG, VIEW("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"));
    refuse(SVG, VIEW("<svg width=\"30\" height=\"20\"/>"));
    refuse(SVG, VIEW("<html xmlns=\"http://www.w3.org/1999/xhtml\" width=\"30\" height=\"20\"/>"));
}

static void picture__types(void **state)
{
    (void)state;
    static const char *const pictures[] = {PNG, JPEG, GIF, WEBP, SVG, "image/avif", "image/jxl", "image/tiff"};
    static const char *const others[] = {
        "", "image/bmp", "image/heic", "image/x-icon", "text/plain", "image/", "IMAGE/PNG"};
    struct picture p;
    for (size_t i = 0; i < COUNT(pictures); i++) assert_true(picture_type(pictures[i]));
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_false(picture_type(others[i]));
        assert_false(look(others[i], VIEW("BM"), &p));
    }
    for (size_t i = 5; i < COUNT(pictures); i++) expect(pictures[i], VIEW("anything"), 0, 0);
}

/* The frame header may lie behind a camera's thumbnail, a map of its colours, and comments. */
static void picture__size_of_a_jpeg_behind_much_else(void **state)
{
    (void)state;
    struct str s = {0};
    str_add(&s, VIEW("\xff\xd8"));
    add_segment(&s, 0xe1, 65533);
    str_add(&s, VIEW("Exif\0\0"));
    /* The thumbnail is a picture, too, and not the one. */
    struct str thumbnail = jpeg(0xc0, 160, 120, 3);
    str_add(&s, str_view(&thumbnail));
    add_zeros(&s, 65533 - 6 - thumbnail.len);
    str_release(&thumbnail);
    add_segment(&s, 0xe2, 40000);
    add_zeros(&s, 40000);
    for (int i = 0; i < 20; i++) {
        add_segment(&s, 0xfe, 65533);
        for (int k = 0; k < 65533; k++) str_addc(&s, (char)(k % 7 ? 0xff : 0xc0));
    }
    add_quantization(&s);
    size_t before = s.len;
    add_frame(&s, 0xc2, 8, 4000, 3000, 3);
    size_t after = s.len;
    add_scan(&s);
    expect(JPEG, str_view(&s), 4000, 3000);
    static const size_t cuts[] = {100, 65537, 100000};
    for (size_t i = 0; i < COUNT(cuts); i++) refuse(JPEG, (struct view){s.at, cuts[i]});
    for (size_t len = before; len < after; len++) refuse(JPEG, (struct view){s.at, len});
    str_release(&s);
}

static void picture__fill_bytes_before_a_marker(void **state)
{
    (void)state;
    struct str s = {0};
    str_add(&s, VIEW("\xff\xd8\xff\xff\xff\xff"));
    add_segment(&s, 0xfe, 3);
    str_addz(&s, "abc");
    for (int i = 0; i < 300; i++) str_addc(&s, (char)0xff);
    add_frame(&s, 0xc0, 8, 4, 3, 3);
    add_scan(&s);
    expect(JPEG, str_view(&s), 4, 3);
    str_release(&s);
}

static void picture__stray_bytes_before_a_marker(void **state)
{
    (void)state;
    struct str s = {0};
    str_add(&s, VIEW("\xff\xd8"));
    add_zeros(&s, 2000);
    str_add(&s, VIEW("\xff\0\xff\x01\xff\xd0\xff\xd8"));
    add_segment(&s, 0xfe, 3);
    str_addz(&s, "abcabc");
    add_frame(&s, 0xc0, 8, 4, 3, 3);
    add_scan(&s);
    expect(JPEG, str_view(&s), 4, 3);
    str_reset(&s);
    str_add(&s, VIEW("\xff\xd8"));
    add_zeros(&s, 1000000); /* not more than a decoder would put up with */
    add_frame(&s, 0xc0, 8, 4, 3, 3);
    refuse(JPEG, str_view(&s));
    str_release(&s);
}

/* Its size is known from its head on; before, it is no picture. `whole`: bytes of that head. */
static void cut_everywhere(const char *mime, struct str s, size_t whole, int64_t width, int64_t height)
{
    struct picture p;
    for (size_t len = 0; len < s.len; len++) {
        struct view part = {s.at, len};
        if (len >= whole)
            expect(mime, part, width, height);
        else if (look(mime, part, &p)) {
            /* Not more than what is right. */
            assert_int_equal(p.width, width);
            assert_int_equal(p.height, height);
        }
    }
    str_release(&s);
}

static void picture__cut_off_at_every_byte(void **state)
{
    (void)state;
    cut_everywhere(PNG, png(0x0304, 0x0506, "\10\6\0\0\0"), 33, 0x0304, 0x0506);
    cut_everywhere(PNG, png(300, 200, "\10\3\0\0\0"), 50, 300, 200);
    cut_everywhere(JPEG, jpeg(0xc0, 0x0304, 0x0506, 3), 110, 0x0304, 0x0506);
    cut_everywhere(WEBP, webp_lossy(0x0304, 0x0506), 40, 0x0304, 0x0506);
    cut_everywhere(WEBP, webp_lossless(0x0304, 0x0506), 40, 0x0304, 0x0506);
    cut_everywhere(WEBP, webp_extended(0x0304, 0x0506, 0), 40, 0x0304, 0x0506);
}

static void picture__a_gif_cut_off_at_every_byte(void **state)
{
    (void)state;
    cut_everywhere(GIF, gif("GIF89a", 0x0304, 0x0506), 13, 0x0304, 0x0506);
    refuse(GIF, VIEW("GIF89a"));
    refuse(GIF, VIEW("GIF89a\4\3\6"));
}

static void picture__broken(void **state)
{
    (void)state;
    static const char *const mimes[] = {PNG, JPEG, GIF, WEBP, SVG};
    for (size_t i = 0; i < COUNT(mimes); i++) {
        refuse(mimes[i], VIEW(""));
        refuse(mimes[i], VIEW("\0"));
        refuse(mimes[i], VIEW("hello, this is a text of more than forty bytes"));
    }
    refuse_once(PNG, png(0, 5, "\10\2\0\0\0"));
    refuse_once(PNG, png(5, 0, "\10\2\0\0\0"));
    refuse_once(PNG, png(0x80000000, 5, "\10\2\0\0\0"));
    refuse_once(JPEG, jpeg(0xc0, 0, 5, 3));
    refuse(PNG, VIEW("\x89PNG\r\n\x1a\n\0\0\0\rIDATxxxxxxxxxxxxxxxxxxxxxxxxx"));
    refuse(JPEG, VIEW("\xff\xd8\xff\xd9"));
    refuse(JPEG, VIEW("\xff\xd8\xff\xe0\0\0\xff\xc0\0\x11\10\0\1\0\1\3\1\x11\0\2\x11\0\3\x11\0"));
    refuse(JPEG, VIEW("\xff\xd8\xff\xe0\0\1\xff\xc0\0\x11\10\0\1\0\1\3\1\x11\0\2\x11\0\3\x11\0"));
    refuse(WEBP, VIEW("RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x01\0\0\x9d\1\x2a\4\0\3\0"));
}

static void picture__a_gif_without_a_size_is_broken(void **state)
{
    (void)state;
    refuse_once(GIF, gif("GIF89a", 0, 5));
    refuse_once(GIF, gif("GIF89a", 5, 0));
    refuse_once(GIF, gif("GIF88a", 5, 5));
}

/* The pixels are never decoded: nobody needs room for them. */
static void picture__of_many_pixels(void **state)
{
    (void)state;
    expect_once(PNG, png(20000, 20000, "\10\6\0\0\0"), 20000, 20000);
    expect_once(PNG, png(0x7fffffff, 0x7fffffff, "\10\6\0\0\0"), 0x7fffffff, 0x7fffffff);
    expect_once(JPEG, jpeg(0xc0, 65535, 65535, 3), 65535, 65535);
}

/* Of another type, whatever its name says. */
static void picture__is_of_its_type(void **state)
{
    (void)state;
    static const char *const mimes[] = {PNG, JPEG, GIF, WEBP};
    struct str files[] = {png(4, 3, "\10\2\0\0\0"), jpeg(0xc0, 4, 3, 3), gif("GIF89a", 4, 3), webp_lossy(4, 3)};
    static const struct view others[] = {
        VIEW("P5 4 3 255\nxxxxxxxxxxxx"),
        VIEW("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\4\0\0\0\3\0\0\0\1\0\x18\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0"
             "\0\0\0\0\0\0"),
        VIEW("\0\0\2\0\0\0\0\0\0\0\0\0\4\0\3\0\x18\0\0\0\0\0\0\0\0\0\0\0"),
        VIEW("8BPS\0\1\0\0\0\0\0\0\0\3\0\0\0\3\0\0\0\4\0\10\0\3\0\0\0\0\0\0\0\0"),
        VIEW("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 3 +X 4\n"),
    };
    for (size_t i = 0; i < COUNT(mimes); i++) {
        for (size_t k = 0; k < COUNT(files); k++)
            if (i != k) refuse(mimes[i], str_view(&files[k]));
        for (size_t k = 0; k < COUNT(others); k++) refuse(mimes[i], others[k]);
    }
    for (size_t k = 0; k < COUNT(files); k++) str_release(&files[k]);
}

/* A broken picture is not read as another kind from its middle on. */
static void picture__a_broken_one_is_not_another(void **state)
{
    (void)state;
    struct str s = {0};
    str_add(&s, VIEW("\xff\xd8"));
    add_segment(&s, 0xfe, 300);
    while (s.len < 256) str_addc(&s, 'x');
    str_add(&s, VIEW("\0\0\2\0\0\0\0\0\0\0\0\0\x39\x30\x39\x30\x18\0")); /* a TGA's head */
    while (s.len < 2 + 302) str_addc(&s, 0);
    str_add(&s, VIEW("\xff\xd9"));
    for (size_t len = 0; len <= s.len; len++) refuse(JPEG, (struct view){s.at, len});
    str_release(&s);
}

/* A disk that fails in the middle must not hold the worker for ever. */
static void picture__a_file_shorter_than_it_was(void **state)
{
    (void)state;
    static const char *const mimes[] = {PNG, JPEG, GIF, WEBP};
    struct str files[] = {png(4, 3, "\10\2\0\0\0"), jpeg(0xc0, 4, 3, 3), gif("GIF89a", 4, 3), webp_lossy(4, 3)};
    struct picture p;
    alarm(60);
    for (size_t i = 0; i < COUNT(files); i++) {
        for (size_t len = 0; len < files[i].len; len++) {
            int fd = sample((struct view){files[i].at, len});
            bool good = picture_read(mimes[i], fd, 1000000, &p);
            assert_true(!good || p.width == 4);
            close(fd);
        }
        str_release(&files[i]);
    }
    alarm(0);
}

/* Any change to a head gives a size or a refusal, and reads nothing that is not there. */
static void picture__any_byte_changed(void **state)
{
    (void)state;
    static const char *const mimes[] = {PNG, JPEG, GIF, WEBP, WEBP, WEBP};
    struct str files[] = {png(4, 3, "\10\3\0\0\0"), jpeg(0xc0, 4, 3, 3), gif("GIF89a", 4, 3), webp_lossy(4, 3),
        webp_lossless(4, 3), webp_extended(4, 3, 10)};
    struct picture p;
    alarm(120);
    for (size_t i = 0; i < COUNT(files); i++) {
        for (size_t k = 0; k < files[i].len; k++) {
            char was = files[i].at[k];
            for (int to = 0; to < 256; to += to < 4 || to > 251 ? 1 : 13) {
                files[i].at[k] = (char)to;
                if (look(mimes[i], str_view(&files[i]), &p)) assert_true(p.width > 0 && p.height > 0);
            }
            files[i].at[k] = was;
        }
        str_release(&files[i]);
    }
    alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picture__size_of_a_png),
        cmocka_unit_test(picture__size_of_a_gif),
        cmocka_unit_test(picture__size_of_a_jpeg),
        cmocka_unit_test(picture__size_of_a_webp),
        cmocka_unit_test(picture__size_of_an_svg),
        cmocka_unit_test(picture__types),
        cmocka_unit_test(picture__size_of_a_jpeg_behind_much_else),
        cmocka_unit_test(picture__fill_bytes_before_a_marker),
        cmocka_unit_test(picture__stray_bytes_before_a_marker),
        cmocka_unit_test(picture__cut_off_at_every_byte),
        cmocka_unit_test(picture__a_gif_cut_off_at_every_byte),
        cmocka_unit_test(picture__broken),
        cmocka_unit_test(picture__a_gif_without_a_size_is_broken),
        cmocka_unit_test(picture__of_many_pixels),
        cmocka_unit_test(picture__is_of_its_type),
        cmocka_unit_test(picture__a_broken_one_is_not_another),
        cmocka_unit_test(picture__a_file_shorter_than_it_was),
        cmocka_unit_test(picture__any_byte_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
