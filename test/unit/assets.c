/* What a client takes, and what the folder for developers gives. */
#include "http/assets.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void assets__gzip_is_taken_when_it_is_named_and_not_refused(void **state)
{
    static const struct {
        const char *wanted;
        bool taken;
    } cases[] = {
        {"gzip", true},
        {"gzip, deflate", true},
        {"deflate, GZIP", true},
        {"x-gzip", true},
        {"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
        {"gzip ; q=0.001", true},
        {"*", true},
        {"gzip;q=0", false},
        {"gzip;q=0.000", false},
        {"gzip;q=0, *", false},
        {"*, gzip;q=0", false},
        {"*;q=0", false},
        {"identity", false},
        {"gzipped", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (assets_gzip_taken(view_of(cases[i].wanted)) != cases[i].taken) fail_msg("%s", cases[i].wanted);
    assert_false(assets_gzip_taken((struct view){0}));
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void assets__a_folder_gives_its_files_and_nothing_else(void **state)
{
    static const struct {
        const char *path;
        int64_t length; /* -1: there is none */
    } cases[] = {
        {"/", 6},
        {"/index.html", 6},
        {"/a/app.js", 3},
        {"/a", -1},
        {"/a/", -1},
        {"/none.js", -1},
        {"/../outside", -1},
        {"/a/../../outside", -1},
        {"/.hidden", -1},
        {"/a%2fapp.js", -1},
        {"", -1},
    };
    char top[] = "/tmp/parley-assets-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(top));
    assert_int_equal(chdir(top), 0);
    assert_int_equal(mkdir("ui", 0700), 0);
    assert_int_equal(mkdir("ui/a", 0700), 0);
    write_file("ui/index.html", "<html>");
    write_file("ui/a/app.js", "0;\n");
    write_file("ui/.hidden", "no");
    write_file("outside", "no");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request rq = {.method = METHOD_GET, .path = view_of(cases[i].path)};
        struct response rs = {0};
        bool found = assets_serve("ui", &rq, &rs);
        if (found != (cases[i].length >= 0)) fail_msg("%s", cases[i].path);
        if (found) assert_int_equal(rs.file.len, cases[i].length);
        response_release(&rs);
    }
    unlink("ui/index.html");
    unlink("ui/a/app.js");
    unlink("ui/.hidden");
    unlink("outside");
    rmdir("ui/a");
    rmdir("ui");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(top), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assets__gzip_is_taken_when_it_is_named_and_not_refused),
        cmocka_unit_test(assets__a_folder_gives_its_files_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
