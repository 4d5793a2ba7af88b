#include "files/filetype.h"
#include "base/check.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sample.h"

static struct filetypes *types;

static const char *detect(struct view bytes)
{
    static char type[MIME_MOST + 1];
    struct failure f;
    int fd = sample(bytes);
    lseek(fd, 1, SEEK_SET);
    assert_int_equal(filetypes_detect(types, fd, type, &f), OK);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 1);
    close(fd);
    return type;
}

static void expect(struct view bytes, const char *wanted)
{
    const char *got = detect(bytes);
    if (strcmp(got, wanted) != 0) print_error("of \"%.*s\", %zu bytes\n", (int)bytes.len, bytes.at, bytes.len);
    assert_string_equal(got, wanted);
}

/* ---- what content shows ---- */

/* `head`, zeros up to `at`, `more`. */
static const struct sample {
    const char *type;
    struct view head;
    size_t at;
    struct view more;
} samples[] = {
    /* pictures */
    {"image/png", VIEW("\x89PNG\r\n\x1a\n"), 8, VIEW("\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\2\0\0\0")},
    {"image/jpeg", VIEW("\xff\xd8\xff\xe0\0\20JFIF\0\1\1\0\0\1\0\1\0\0"), 20, VIEW("\xff\xdb")},
    {"image/jpeg", VIEW("\xff\xd8\xff\xe1"), 4, VIEW("\0\10Exif\0\0")},
    {"image/gif", VIEW("GIF87a\1\0\1\0\0\0\0"), 13, VIEW(";")},
    {"image/gif", VIEW("GIF89a\1\0\1\0\0\0\0"), 13, VIEW(";")},
    {"image/webp", VIEW("RIFF\x24\0\0\0WEBPVP8 "), 16, VIEW("\x18\0\0\0")},
    {"image/webp", VIEW("RIFF\x24\0\0\0WEBPVP8L"), 16, VIEW("\x18\0\0\0\x2f")},
    {"image/webp", VIEW("RIFF\x24\0\0\0WEBPVP8X"), 16, VIEW("\12\0\0\0")},
    {"image/jxl", VIEW("\xff\x0a\xfa\x1f"), 40, VIEW("\0")},
    {"image/jxl", VIEW("\0\0\0\x0cJXL \r\n\x87\n"), 12,
        VIEW("\0\0\0\x14"
             "ftypjxl ")},
    {"image/tiff", VIEW("II*\0\10\0\0\0"), 8, VIEW("\0\0")},
    {"image/tiff", VIEW("MM\0*\0\0\0\10"), 8, VIEW("\0\0")},
    {"image/bmp", VIEW("BM\x3a\0\0\0"), 10, VIEW("\x36\0\0\0\x28\0\0\0")},
    {"image/bmp", VIEW("BM\xff\xff\xff\x7f"), 10, VIEW("\x8a\0\0\0\x7c\0\0\0")},
    {"image/x-icon", VIEW("\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0"), 22, VIEW("\0")},
    {"image/vnd.adobe.photoshop", VIEW("8BPS\0\1"), 12, VIEW("\0\3")},
    /* ISO base media */
    {"image/avif",
        VIEW("\0\0\0\x1c"
             "ftypavif\0\0\0\0mif1miaf"),
        40, VIEW("x")},
    {"image/avif",
        VIEW("\0\0\0\x1c"
             "ftypavis\0\0\0\0msf1miaf"),
        40, VIEW("x")},
    {"image/avif",
        VIEW("\0\0\0\x1c"
             "ftypmif1\0\0\0\0avifmiaf"),
        40, VIEW("x")},
    {"image/avif",
        VIEW("\0\0\0\x20"
             "ftypmif1\0\0\0\0mif1avifmiaf"),
        40, VIEW("x")},
    {"image/heic",
        VIEW("\0\0\0\x18"
             "ftypheic\0\0\0\0mif1heic"),
        40, VIEW("x")},
    {"image/heic",
        VIEW("\0\0\0\x18"
             "ftypheix\0\0\0\0mif1heic"),
        40, VIEW("x")},
    {"image/heic",
        VIEW("\0\0\0\x18"
             "ftypmif1\0\0\0\0heicmif1"),
        40, VIEW("x")},
    {"image/heic",
        VIEW("\0\0\0\x18"
             "ftypmif1\0\0\0\0mif1heic"),
        40, VIEW("x")},
    {"audio/x-m4a",
        VIEW("\0\0\0\x20"
             "ftypM4A \0\0\0\0"),
        40, VIEW("x")},
    {"audio/mp4",
        VIEW("\0\0\0\x20"
             "ftypM4B \0\0\0\0"),
        40, VIEW("x")},
    {"video/quicktime",
        VIEW("\0\0\0\x14"
             "ftypqt  \0\0\2\0qt  "),
        40, VIEW("x")},
    {"video/3gpp",
        VIEW("\0\0\0\x18"
             "ftyp3gp5\0\0\1\0"),
        40, VIEW("x")},
    {"video/mp4",
        VIEW("\0\0\0\x20"
             "ftypisom\0\0\2\0isomiso2"),
        40, VIEW("x")},
    {"video/mp4",
        VIEW("\0\0\0\x18"
             "ftypiso6\0\0\0\1"),
        40, VIEW("x")},
    {"video/mp4",
        VIEW("\0\0\0\x18"
             "ftypmp42\0\0\0\0"),
        40, VIEW("x")},
    {"video/mp4",
        VIEW("\0\0\0\x18"
             "ftypM4V \0\0\0\0"),
        40, VIEW("x")},
    {"video/mp4",
        VIEW("\0\0\0\x18"
             "ftypavc1\0\0\0\0"),
        40, VIEW("x")},
    {"video/mp4",
        VIEW("\0\0\0\x18"
             "ftypdash\0\0\0\0"),
        40, VIEW("x")},
    {"application/octet-stream",
        VIEW("\0\0\0\x18"
             "ftypwhat\0\0\0\0"),
        40, VIEW("x")},
    /* sound and film */
    {"audio/mpeg", VIEW("ID3\4\0\0\0\0\0\x0a"), 20, VIEW("\xff\xfb\x90")},
    {"audio/mpeg", VIEW("ID3\3\0\0\0\0\7\x76TSSE\0\0\0\x0f"), 1024, VIEW("\xff\xfb")},
    {"audio/mpeg", VIEW("ID3\2\0\0\0\0\7\x76TT2"), 40, VIEW("x")},
    {"audio/mpeg", VIEW("\xff\xfb\x90\x64"), 40, VIEW("x")},
    {"audio/mpeg", VIEW("\xff\xfa\x90\x64"), 40, VIEW("x")},
    {"audio/mpeg", VIEW("\xff\xf3\x90\x64"), 40, VIEW("x")},
    {"audio/aac", VIEW("\xff\xf1\x50\x80"), 40, VIEW("x")},
    {"audio/aac", VIEW("\xff\xf9\x50\x80"), 40, VIEW("x")},
    {"audio/ogg", VIEW("OggS\0\2"), 26, VIEW("\1\x13OpusHead\1")},
    {"audio/ogg", VIEW("OggS\0\2"), 26, VIEW("\1\x1e\1vorbis")},
    {"audio/ogg", VIEW("OggS\0\2"), 26,
        VIEW("\1\x33\x7f"
             "FLAC")},
    {"audio/ogg", VIEW("OggS\0\2"), 26, VIEW("\1\x50Speex   ")},
    {"video/ogg", VIEW("OggS\0\2"), 26, VIEW("\1\x2a\x80theora")},
    {"audio/flac", VIEW("fLaC\0\0\0\x22"), 40, VIEW("x")},
    {"audio/flac", VIEW("fLaC\x80\0\0\x22"), 40, VIEW("x")},
    {"audio/wav", VIEW("RIFF\x24\0\0\0WAVEfmt \x10\0\0\0"), 40, VIEW("x")},
    {"audio/wav", VIEW("RIFF\x24\xff\xff\x1fWAVEJUNK"), 40, VIEW("x")},
    {"audio/aiff",
        VIEW("FORM\0\0\0\x2e"
             "AIFFCOMM"),
        40, VIEW("x")},
    {"audio/midi", VIEW("MThd\0\0\0\6\0\1\0\1\0\x60"), 14, VIEW("MTrk")},
    {"audio/amr", VIEW("#!AMR\n\x3c"), 20, VIEW("x")},
    {"video/x-msvideo", VIEW("RIFF\x24\0\0\0AVI LIST"), 40, VIEW("x")},
    {"video/webm",
        VIEW("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\xf7\x81\1\x42\xf2\x81\4\x42\xf3\x81\10\x42\x82\x84webm"), 40,
        VIEW("x")},
    {"video/matroska",
        VIEW("\x1a\x45\xdf\xa3\xa3\x42\x86\x81\1\x42\xf7\x81\1\x42\xf2\x81\4\x42\xf3\x81\10\x42\x82\x88matroska"), 40,
        VIEW("x")},
    {"video/x-flv", VIEW("FLV\1\5\0\0\0\x09"), 13, VIEW("\x12")},
    {"video/mpeg", VIEW("\0\0\1\xba\x44"), 20, VIEW("x")},
    /* documents */
    {"application/pdf", VIEW("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), 16, VIEW("1 0 obj")},
    {"application/postscript", VIEW("%!PS-Adobe-3.0\n"), 15, VIEW("%%EOF\n")},
    {"application/rtf", VIEW("{\\rtf1\\ansi"), 11, VIEW(" hello}")},
    {"application/x-cfb", VIEW("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), 512, VIEW("x")},
    {"application/x-sqlite3", VIEW("SQLite format 3\0\x10\0\1\1"), 100, VIEW("\x0d")},
    /* archives */
    {"application/zip", VIEW("PK\3\4\x14\0\0\0\10\0"), 26, VIEW("\5\0\0\0a.txthello")},
    {"application/zip", VIEW("PK\5\6"), 22, VIEW("")},
    {"application/epub+zip", VIEW("PK\3\4\x14\0\0\0\0\0"), 30, VIEW("mimetypeapplication/epub+zipPK")},
    {"application/vnd.oasis.opendocument.text", VIEW("PK\3\4"), 30,
        VIEW("mimetypeapplication/vnd.oasis.opendocument.textPK")},
    {"application/vnd.oasis.opendocument.spreadsheet", VIEW("PK\3\4"), 30,
        VIEW("mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK")},
    {"application/vnd.oasis.opendocument.presentation", VIEW("PK\3\4"), 30,
        VIEW("mimetypeapplication/vnd.oasis.opendocument.presentationPK")},
    {"application/zip", VIEW("PK\3\4"), 30, VIEW("[Content_Types].xmlPK")},
    {"application/gzip", VIEW("\x1f\x8b\10\0\0\0\0\0\0\3"), 20, VIEW("x")},
    {"application/x-bzip2", VIEW("BZh91AY&SY\1\2"), 20, VIEW("x")},
    {"application/x-bzip2", VIEW("BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0"), 14, VIEW("")},
    {"application/x-xz",
        VIEW("\xfd"
             "7zXZ\0\0\4"),
        20, VIEW("x")},
    {"application/zstd", VIEW("\x28\xb5\x2f\xfd\4"), 20, VIEW("x")},
    {"application/x-7z-compressed", VIEW("7z\xbc\xaf\x27\x1c\0\4"), 20, VIEW("x")},
    {"application/x-rar-compressed", VIEW("Rar!\x1a\7\0"), 20, VIEW("x")},
    {"application/x-rar-compressed", VIEW("Rar!\x1a\7\1\0"), 20, VIEW("x")},
    /* fonts */
    {"font/woff", VIEW("wOFF\0\1\0\0\0\0\1\0\0\12"), 44, VIEW("x")},
    {"font/woff", VIEW("wOFFOTTO\0\0\1\0\0\12"), 44, VIEW("x")},
    {"font/woff2", VIEW("wOF2\0\1\0\0\0\0\1\0\0\12"), 44, VIEW("x")},
    {"font/ttf", VIEW("\0\1\0\0\0\x10\1\0\0\4\0\0"), 44, VIEW("cmap")},
    {"font/otf", VIEW("OTTO\0\12\0\x80"), 44, VIEW("CFF ")},
    /* programs */
    {"application/x-elf",
        VIEW("\x7f"
             "ELF\2\1\1"),
        64, VIEW("x")},
    {"application/x-msdownload", VIEW("MZ\x90\0\3"), 0x3c, VIEW("\x40\0\0\0PE\0\0")},
    {"application/wasm", VIEW("\0asm\1\0\0\0"), 8, VIEW("")},
    {"application/x-java-applet", VIEW("\xca\xfe\xba\xbe\0\0\0\x3d"), 20, VIEW("x")},
};

static void sample_write(const struct sample *s, struct str *out)
{
    str_reset(out);
    str_add(out, s->head);
    while (out->len < s->at) str_addc(out, 0);
    str_add(out, s->more);
}

static void filetype__shows_in_the_first_bytes(void **state)
{
    (void)state;
    struct str bytes = {0};
    for (size_t i = 0; i < COUNT(samples); i++) {
        sample_write(&samples[i], &bytes);
        expect(str_view(&bytes), samples[i].type);
    }
    str_release(&bytes);
}

/* At every length the type is that one, a vaguer one, or none; and nothing is read behind the end. */
static void filetype__of_files_that_are_cut_off(void **state)
{
    (void)state;
    struct str bytes = {0};
    for (size_t i = 0; i < COUNT(samples); i++) {
        sample_write(&samples[i], &bytes);
        size_t most = bytes.len < 80 ? bytes.len : 80;
        for (size_t len = 0; len < most; len++) {
            const char *got = detect((struct view){bytes.at, len});
            bool good = !strcmp(got, samples[i].type) || !strcmp(got, "text/plain") ||
                        !strcmp(got, "application/octet-stream") || !strcmp(got, "application/zip");
            if (!good) print_error("%s, %zu bytes: %s\n", samples[i].type, len, got);
            assert_true(good);
        }
    }
    str_release(&bytes);
}

static void filetype__of_nothing_and_of_anything(void **state)
{
    (void)state;
    static const struct {
        struct view bytes;
        const char *type;
    } rows[] = {
        {VIEW(""), "application/octet-stream"}, {VIEW("\0\1\2\3"), "application/octet-stream"},
        {VIEW("hello\0world"), "application/octet-stream"}, {VIEW("\0\0"), "application/octet-stream"},
        {VIEW("BM\0\0\1"), "application/octet-stream"}, {VIEW("MZ\0\0\1"), "application/octet-stream"},
        {VIEW("RIFF\0\0\0\0what"), "application/octet-stream"},
        {VIEW("\xca\xfe\xba\xbe\0\0\0\2"), "application/octet-stream"}, /* Mach-O */
        {VIEW("\0\0\2\0\1\0\x10\x10\0\0"), "application/octet-stream"}, /* a cursor */
    };
    for (size_t i = 0; i < COUNT(rows); i++) expect(rows[i].bytes, rows[i].type);
}

static void filetype__of_texts(void **state)
{
    (void)state;
    static const struct view texts[] = {
        VIEW("hello\n"),
        VIEW("a,b\r\n1,2\r\n"),
        VIEW("{\"a\":[1,2]}"),
        VIEW("<html><script>alert(1)</script></html>"),
        VIEW("<?xml version=\"1.0\"?><a/>"),
        VIEW("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        VIEW("#!/bin/sh\necho\n"),
        VIEW("ünï 文 \xf0\x9f\x98\x80\n"),
        VIEW("\xef\xbb\xbfhello\n"),
        VIEW("caf\xe9 in Latin-1\n"),
        VIEW("\xff\xfeh\0i\0\n\0"),
        VIEW("\xfe\xff\0h\0i\0\n"),
        VIEW("\x1b[31mred\x1b[0m\n"),
        VIEW("From: a@example.com\nSubject: x\n\nhello\n"),
        VIEW("%!"),
        VIEW("%PDF is a format"),
        VIEW("GIF89 is a format"),
    };
    for (size_t i = 0; i < COUNT(texts); i++) expect(texts[i], "text/plain");
    /* Longer than what is looked at, which ends within a character. */
    struct str large = {0};
    str_addz(&large, "x");
    while (large.len < 200000) str_addz(&large, "文é");
    expect(str_view(&large), "text/plain");
    str_release(&large);
}

/* libmagic looks at nothing of one byte. */
static void filetype__of_one_byte(void **state)
{
    (void)state;
    expect(VIEW("a"), "text/plain");
    expect(VIEW("\n"), "text/plain");
    expect(VIEW("\0"), "application/octet-stream");
    expect(VIEW("\1"), "application/octet-stream");
}

/* Signatures of letters only, at the beginning of a sentence. */
static void filetype__of_texts_that_begin_like_something_else(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "BM is short for bitmap, and this text is longer than the head of one.",
        "MZ are the initials of Mark Zbikowski; every program for Windows begins with them.",
        "PK are the initials of Phil Katz.",
        "II* is how a TIFF file begins.",
        "MM and II are both possible.",
        "8BPS is Photoshop.",
        "OggS comes first, and then, at the right place, OpusHead or vorbis.",
        "MThd is MIDI.",
        "FLV is film.",
        "Rar! it says.",
        "7z is an archive.",
        "SQLite format 3 is a text, too.",
        "ID3 is a tag of sound files.",
        "ID3\nis a tag of sound files.",
        "ID3v2.4 is its version.",
        "fLaC is without loss.",
        "BZh is how bzip2 begins.",
        "BZh9 is how bzip2 begins.",
        "OTTO is a name.",
        "OTTO\nOTTO\n",
        "wOFF and wOF2 are fonts.",
        "wOF2 is a font.",
        "RIFF is WEBP here.",
        "RIFF or WAVE.",
        "RIFF or AVI files.",
        "FORM or AIFF files.",
        "#!AMR is how AMR begins.",
        "Box ftypisom is the first of a film.",
        "Box ftypheic is the first of a picture.",
    };
    for (size_t i = 0; i < COUNT(texts); i++) expect(view_of(texts[i]), "text/plain");
    struct str text = {0};
    while (text.len < 257) str_addc(&text, 'x');
    str_addz(&text, "ustar is what stands there in a tar archive.");
    expect(str_view(&text), "text/plain");
    str_release(&text);
}

/* POSIX.1-1988 and GNU: a head with its sum. */
static void filetype__of_a_tar_archive(void **state)
{
    (void)state;
    static const struct view magics[] = {VIEW("ustar\000000"), VIEW("ustar  \0")};
    for (size_t i = 0; i < COUNT(magics); i++) {
        char block[1536] = "a.txt";
        unsigned sum = 0;
        memcpy(block + 100, "0000644\0000000000\0000000000\00000000000005\00000000000000", 48);
        memset(block + 148, ' ', 8);
        block[156] = '0';
        memcpy(block + 257, magics[i].at, magics[i].len);
        memcpy(block + 512, "hello", 5);
        for (size_t k = 0; k < 512; k++) sum += (unsigned char)block[k];
        snprintf(block + 148, 8, "%06o", sum);
        expect((struct view){block, sizeof block}, "application/x-tar");
    }
}

static void filetype__says_when_a_file_cannot_be_read(void **state)
{
    (void)state;
    char type[MIME_MOST + 1];
    struct failure f;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(filetypes_detect(types, ends[0], type, &f), IO_ERROR);
    assert_string_equal(type, "application/octet-stream");
    close(ends[0]);
    close(ends[1]);
}

static void *detect_often(void *wanted)
{
    struct view bytes = view_of(wanted);
    char type[MIME_MOST + 1];
    struct failure f;
    int fd = sample(bytes);
    bool good = true;
    for (int i = 0; i < 300; i++)
        good = good && !filetypes_detect(types, fd, type, &f) &&
               !strcmp(type, *bytes.at == '%' ? "application/pdf" : "text/plain");
    close(fd);
    return good ? wanted : NULL;
}

static void filetype__is_asked_by_several_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    static char pdf[] = "%PDF-1.4\n", text[] = "hello\n";
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, detect_often, i % 2 ? pdf : text), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_non_null(good);
    }
}

/* ---- what a client says ---- */

static void filetype__essence(void **state)
{
    (void)state;
    static const struct {
        struct view sent;
        const char *wanted;
    } rows[] = {
        {VIEW("text/csv"), "text/csv"},
        {VIEW("Text/CSV; charset=utf-8"), "text/csv"},
        {VIEW("  text/csv  ;x"), "text/csv"},
        {VIEW("image/svg+xml"), "image/svg+xml"},
        {VIEW("application/vnd.oasis.opendocument.text"), "application/vnd.oasis.opendocument.text"},
        {VIEW("a/b"), "a/b"},
        {VIEW(""), ""},
        {VIEW(";"), ""},
        {VIEW("text"), ""},
        {VIEW("/"), ""},
        {VIEW("/csv"), ""},
        {VIEW("text/"), ""},
        {VIEW("text/csv/x"), ""},
        {VIEW("text/c sv"), ""},
        {VIEW("text/csv, text/html"), ""},
        {VIEW("text/*"), ""},
        {VIEW("text/\"csv\""), ""},
        {VIEW("text/c\0sv"), ""},
        {VIEW("text/csv\0"), ""},
        {VIEW("text/csv\r\nX: y"), ""},
        {VIEW("text/\xc3\xbc"), ""},
    };
    char type[MIME_MOST + 1], longest[MIME_MOST + 2];
    for (size_t i = 0; i < COUNT(rows); i++) {
        filetype_essence(rows[i].sent, type);
        assert_string_equal(type, rows[i].wanted);
    }
    filetype_essence((struct view){0}, type);
    assert_string_equal(type, "");
    memset(longest, 'a', sizeof longest);
    longest[1] = '/';
    filetype_essence((struct view){longest, MIME_MOST}, type);
    assert_int_equal(strlen(type), MIME_MOST);
    filetype_essence((struct view){longest, MIME_MOST + 1}, type);
    assert_string_equal(type, "");
}

static void filetype__of_an_extension(void **state)
{
    (void)state;
    assert_string_equal(filetype_of_extension(VIEW("csv")), "text/csv");
    assert_string_equal(filetype_of_extension(VIEW("JSON")), "application/json");
    assert_null(filetype_of_extension(VIEW("")));
    assert_null(filetype_of_extension(VIEW("svg")));
    assert_null(filetype_of_extension(VIEW("html")));
    assert_null(filetype_of_extension(VIEW("csv\0")));
}

#define TEXT  "text/plain"
#define BYTES "application/octet-stream"

static void filetype__is_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *detected, *declared, *extension, *wanted;
    } rows[] = {
        /* content shows */
        {"image/png", "text/plain", "txt", "image/png"},
        {"application/pdf", "", "", "application/pdf"},
        {"application/epub+zip", "application/zip", "zip", "application/epub+zip"},
        {"audio/mpeg", "video/mp4", "mp4", "audio/mpeg"},
        /* content is vague, and the client's word is as good */
        {TEXT, "text/csv", "", "text/csv"},
        {TEXT, "application/json", "txt", "application/json"},
        {TEXT, "text/calendar", "csv", "text/calendar"},
        {BYTES, "application/x-custom", "", "application/x-custom"},
        {BYTES, "audio/x-odd", "", "audio/x-odd"},
        {"application/zip", "application/java", "", "application/java"},
        {"application/gzip", "application/x-tgz", "tgz", "application/x-tgz"},
        {"application/x-cfb", "application/msword", "doc", "application/msword"},
        /* it would have shown */
        {TEXT, "image/png", "png", TEXT},
        {TEXT, "image/svg+xml", "svg", TEXT},
        {TEXT, "application/pdf", "pdf", TEXT},
        {TEXT, "audio/mpeg", "mp3", TEXT},
        {TEXT, "video/mp4", "csv", "text/csv"},
        {BYTES, "image/png", "png", BYTES},
        {BYTES, "application/pdf", "json", BYTES},
        {"application/zip", "image/png", "csv", "application/zip"},
        /* nothing is said */
        {TEXT, "", "csv", "text/csv"},
        {TEXT, "", "odd", TEXT},
        {TEXT, BYTES, "json", "application/json"},
        {BYTES, "", "csv", BYTES},
        {BYTES, BYTES, "", BYTES},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = filetype_choose(rows[i].detected, rows[i].declared, view_of(rows[i].extension));
        if (strcmp(got, rows[i].wanted) != 0) print_error("row %zu\n", i);
        assert_string_equal(got, rows[i].wanted);
    }
}

/* One part of a stream, whose boundary only its parameters would tell. */
static void filetype__is_never_multipart(void **state)
{
    (void)state;
    assert_string_equal(filetype_choose(TEXT, "multipart/x-mixed-replace", VIEW("")), TEXT);
    assert_string_equal(filetype_choose(BYTES, "multipart/related", VIEW("")), BYTES);
}

static void filetype__is_xml(void **state)
{
    (void)state;
    static const char *const xml[] = {
        "application/xml", "text/xml", "image/svg+xml", "application/xhtml+xml", "a/b+xml"};
    static const char *const other[] = {
        "", "text/plain", "application/json", "+xml", "text/xmlx", "application/xml-dtd", "xml"};
    for (size_t i = 0; i < COUNT(xml); i++) assert_true(filetype_is_xml(xml[i]));
    for (size_t i = 0; i < COUNT(other); i++) assert_false(filetype_is_xml(other[i]));
}

/* Browsers read these as XML as well, and so run what is in them. */
static void filetype__is_xml_to_some_browser(void **state)
{
    (void)state;
    assert_true(filetype_is_xml("text/xsl"));
    assert_true(filetype_is_xml("text/rdf"));
}

static void filetype__restricted(void **state)
{
    (void)state;
    static const struct {
        const char *declared, *extension;
        bool wanted;
    } rows[] = {
        {"", "html", true},
        {"", "HTML", true},
        {"", "hTm", true},
        {"", "js", true},
        {"", "exe", true},
        {"", "psm1", true},
        {"", "workflow", true},
        {"text/html", "", true},
        {"text/html", "png", true},
        {"text/javascript", "txt", true},
        {"application/xhtml+xml", "", true},
        {"image/png", "php", true},
        {"", "", false},
        {"", "txt", false},
        {"", "ht", false},
        {"", "htmlx", false},
        {"", "|", false},
        {"", "htm|html", false},
        {"", "htm\0l", true},
        {"", "html ", false},
        {"", "abcdefghijklmnop", false},
        {"text/htm", "txt", false},
        {"text/plain", "png", false},
        {"image/svg+xml", "svg", false},
        {"application/xml", "xml", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool got = filetype_restricted(rows[i].declared, view_of(rows[i].extension));
        if (got != rows[i].wanted) print_error("row %zu\n", i);
        assert_int_equal(got, rows[i].wanted);
    }
}

/* Every name of JavaScript (WHATWG MIME Sniffing, 4.6): a page that can be made to load it would run it. */
static void filetype__restricted_whatever_a_script_is_called(void **state)
{
    (void)state;
    static const char *const scripts[] = {"application/ecmascript", "application/javascript",
        "application/x-ecmascript", "application/x-javascript", "text/ecmascript", "text/javascript",
        "text/javascript1.0", "text/javascript1.1", "text/javascript1.2", "text/javascript1.3", "text/javascript1.4",
        "text/javascript1.5", "text/jscript", "text/livescript", "text/x-ecmascript", "text/x-javascript"};
    for (size_t i = 0; i < COUNT(scripts); i++) assert_true(filetype_restricted(scripts[i], VIEW("txt")));
}

static int setup(void **state)
{
    (void)state;
    struct failure f;
    return filetypes_open(&types, &f);
}

static int teardown(void **state)
{
    (void)state;
    filetypes_close(types);
    filetypes_close(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filetype__shows_in_the_first_bytes),
        cmocka_unit_test(filetype__of_files_that_are_cut_off),
        cmocka_unit_test(filetype__of_nothing_and_of_anything),
        cmocka_unit_test(filetype__of_texts),
        cmocka_unit_test(filetype__of_one_byte),
        cmocka_unit_test(filetype__of_texts_that_begin_like_something_else),
        cmocka_unit_test(filetype__of_a_tar_archive),
        cmocka_unit_test(filetype__says_when_a_file_cannot_be_read),
        cmocka_unit_test(filetype__is_asked_by_several_threads),
        cmocka_unit_test(filetype__essence),
        cmocka_unit_test(filetype__of_an_extension),
        cmocka_unit_test(filetype__is_chosen),
        cmocka_unit_test(filetype__is_never_multipart),
        cmocka_unit_test(filetype__is_xml),
        cmocka_unit_test(filetype__is_xml_to_some_browser),
        cmocka_unit_test(filetype__restricted),
        cmocka_unit_test(filetype__restricted_whatever_a_script_is_called),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
