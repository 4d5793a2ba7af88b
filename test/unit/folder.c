#include "files/folder.h"
#include "base/check.h"
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PART "0123456789abcdef0123456789abcdef"

struct world {
    char parent[64];
    struct folder *folder;
    struct failure f;
    int descriptors;
};

/* ---- what lies on the disk ---- */

static const char *path(const struct world *w, const char *below)
{
    static char text[600];
    snprintf(text, sizeof text, "%s/%s", w->parent, below);
    return text;
}

static void put(const struct world *w, const char *below, const char *text)
{
    FILE *file = fopen(path(w, below), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool is_there(const struct world *w, const char *below)
{
    struct stat stat;
    return !lstat(path(w, below), &stat);
}

static void expect_text(const struct world *w, const char *below, struct view wanted)
{
    FILE *file = fopen(path(w, below), "r");
    assert_non_null(file);
    char *text = malloc(wanted.len + 2);
    size_t len = fread(text, 1, wanted.len + 2, file);
    fclose(file);
    assert_int_equal(len, wanted.len);
    assert_memory_equal(text, wanted.at, len);
    free(text);
}

static int count(const char *folder)
{
    int n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.') n++;
    closedir(dir);
    return n;
}

static int count_parts(const struct world *w)
{
    return count(path(w, "media.part"));
}

static void remove_all(const char *folder)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char name[600];
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || !unlink(name)) continue;
        remove_all(name);
    }
    closedir(dir);
    rmdir(folder);
}

static void open_folder(struct world *w)
{
    assert_int_equal(folder_open(&w->folder, w->parent, "media", &w->f), OK);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->descriptors = count("/proc/self/fd");
    strcpy(w->parent, "/tmp/parley-unit-XXXXXX");
    if (!mkdtemp(w->parent)) return -1;
    open_folder(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    folder_close(w->folder);
    int left = count("/proc/self/fd") - w->descriptors;
    remove_all(w->parent);
    free(w);
    return left;
}

static struct part begin(struct world *w, const char *text)
{
    struct part p;
    assert_int_equal(part_begin(w->folder, &p, &w->f), OK);
    assert_true(p.open);
    assert_int_equal(part_write(&p, view_of(text), &w->f), OK);
    assert_int_equal(p.size, strlen(text));
    return p;
}

static void publish(struct world *w, const char *text, const char *name)
{
    struct part p = begin(w, text);
    assert_int_equal(folder_publish(w->folder, &p, name, &w->f), OK);
    assert_false(p.open);
}

/* ---- the tests ---- */

static void folder__a_part_becomes_a_file(void **state)
{
    struct world *w = *state;
    struct part p = begin(w, "hello ");
    struct stat stat_;
    assert_int_equal(strlen(p.name), PART_NAME_LENGTH);
    assert_int_equal(count_parts(w), 1);
    assert_int_equal(part_write(&p, VIEW("world"), &w->f), OK);
    assert_int_equal(part_write(&p, (struct view){0}, &w->f), OK);
    assert_int_equal(p.size, 11);
    assert_false(is_there(w, "media/a.txt"));
    assert_int_equal(folder_publish(w->folder, &p, "a.txt", &w->f), OK);
    assert_false(p.open);
    part_drop(w->folder, &p);
    expect_text(w, "media/a.txt", VIEW("hello world"));
    assert_int_equal(count_parts(w), 0);
    assert_int_equal(stat(path(w, "media/a.txt"), &stat_), 0);
    assert_int_equal(stat_.st_mode & 0777, 0600);
}

static void folder__a_part_is_dropped(void **state)
{
    struct world *w = *state;
    struct part p = begin(w, "hello"), never = {0};
    part_drop(w->folder, &p);
    assert_false(p.open);
    part_drop(w->folder, &p);
    part_drop(w->folder, &never);
    assert_int_equal(count_parts(w), 0);
    assert_int_equal(count(path(w, "media")), 0);
}

static void folder__parts_of_a_crash_are_removed_and_nothing_else(void **state)
{
    struct world *w = *state;
    static const char *const others[] = {"media.part/notes.txt", "media.part/" PART "0",
        "media.part/0123456789ABCDEF0123456789ABCDEF", "media/" PART, "media/a.txt"};
    folder_close(w->folder);
    put(w, "media.part/" PART, "half");
    for (size_t i = 0; i < COUNT(others); i++) put(w, others[i], "x");
    assert_int_equal(mkdir(path(w, "media.part/ffffffffffffffffffffffffffffffff"), 0700), 0);
    open_folder(w);
    assert_false(is_there(w, "media.part/" PART));
    for (size_t i = 0; i < COUNT(others); i++) assert_true(is_there(w, others[i]));
    assert_true(is_there(w, "media.part/ffffffffffffffffffffffffffffffff"));
}

static void folder__no_file_is_replaced(void **state)
{
    struct world *w = *state;
    publish(w, "first", "a.txt");
    assert_int_equal(symlink("nowhere", path(w, "media/dangling")), 0);
    assert_int_equal(symlink("a.txt", path(w, "media/link")), 0);
    assert_int_equal(mkdir(path(w, "media/folder"), 0700), 0);
    static const char *const taken[] = {"a.txt", "dangling", "link", "folder"};
    struct part p = begin(w, "second");
    for (size_t i = 0; i < COUNT(taken); i++) {
        assert_int_equal(folder_publish(w->folder, &p, taken[i], &w->f), CONFLICT);
        assert_true(p.open);
    }
    expect_text(w, "media/a.txt", VIEW("first"));
    assert_int_equal(folder_publish(w->folder, &p, "b.txt", &w->f), OK);
    expect_text(w, "media/b.txt", VIEW("second"));
    assert_false(is_there(w, "media/nowhere"));
}

static const char *const no_names[] = {"", ".", "..", "/", "a/b", "/a", "a/", "../a", "../media.part/" PART, "./a"};

static void folder__a_name_is_one_piece_of_a_path(void **state)
{
    struct world *w = *state;
    struct file file;
    struct part copy = {0}, p = begin(w, "x");
    put(w, "a", "outside");
    for (size_t i = 0; i < COUNT(no_names); i++) {
        assert_int_equal(folder_publish(w->folder, &p, no_names[i], &w->f), INVALID);
        assert_int_equal(folder_remove(w->folder, no_names[i], &w->f), INVALID);
        assert_int_equal(folder_find(w->folder, no_names[i], &file, &w->f), NOT_FOUND);
        assert_int_equal(folder_copy(w->folder, no_names[i], &copy, &w->f), NOT_FOUND);
        assert_false(copy.open);
    }
    expect_text(w, "a", VIEW("outside"));
    static const char *const names[] = {"...", "..a", ".a", "a\\b", "~", "-", "a b", "\xff", "%2e", "*", "\n"};
    part_drop(w->folder, &p);
    for (size_t i = 0; i < COUNT(names); i++) {
        publish(w, "x", names[i]);
        assert_int_equal(folder_find(w->folder, names[i], &file, &w->f), OK);
        close(file.fd);
        assert_int_equal(folder_remove(w->folder, names[i], &w->f), OK);
    }
    assert_int_equal(count(path(w, "media")), 0);
}

static void folder__names_have_a_length(void **state)
{
    struct world *w = *state;
    char name[300] = "";
    struct file file;
    memset(name, 'a', 255);
    publish(w, "x", name);
    assert_int_equal(folder_find(w->folder, name, &file, &w->f), OK);
    close(file.fd);
    name[255] = 'a';
    struct part p = begin(w, "x");
    assert_int_equal(folder_publish(w->folder, &p, name, &w->f), IO_ERROR);
    part_drop(w->folder, &p);
    assert_int_equal(folder_find(w->folder, name, &file, &w->f), NOT_FOUND);
}

static void folder__finds_plain_files(void **state)
{
    struct world *w = *state;
    struct file file;
    char text[16];
    publish(w, "hello", "a.txt");
    assert_int_equal(folder_find(w->folder, "a.txt", &file, &w->f), OK);
    assert_int_equal(file.size, 5);
    assert_true(file.modified > 1500000000000000000 && file.modified / 1000000000 <= (int64_t)time(NULL) + 1);
    assert_int_equal(read(file.fd, text, sizeof text), 5);
    assert_true(fcntl(file.fd, F_GETFD) & FD_CLOEXEC);
    close(file.fd);
    publish(w, "", "empty");
    assert_int_equal(folder_find(w->folder, "empty", &file, &w->f), OK);
    assert_int_equal(file.size, 0);
    close(file.fd);
    assert_int_equal(folder_find(w->folder, "none", &file, &w->f), NOT_FOUND);
    assert_string_equal(w->f.reason, "Not Found");
}

static void folder__finds_nothing_that_is_no_plain_file(void **state)
{
    struct world *w = *state;
    struct file file;
    struct part copy = {0};
    put(w, "secret", "x");
    assert_int_equal(mkdir(path(w, "media/folder"), 0700), 0);
    assert_int_equal(symlink("../secret", path(w, "media/link")), 0);
    assert_int_equal(symlink("link2", path(w, "media/link2")), 0);
    assert_int_equal(mkfifo(path(w, "media/fifo"), 0600), 0);
    static const char *const names[] = {"folder", "link", "link2", "fifo"};
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(folder_find(w->folder, names[i], &file, &w->f), NOT_FOUND);
        assert_int_equal(folder_copy(w->folder, names[i], &copy, &w->f), NOT_FOUND);
    }
}

static void folder__a_socket_is_no_plain_file(void **state)
{
    struct world *w = *state;
    struct file file;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path(w, "media/socket"));
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(folder_find(w->folder, "socket", &file, &w->f), NOT_FOUND);
    close(s);
}

static void folder__copies(void **state)
{
    struct world *w = *state;
    struct str large = {0};
    struct part p;
    while (large.len < 3500000) str_addf(&large, "%zu,", large.len);
    publish(w, large.at, "large");
    publish(w, "", "empty");
    assert_int_equal(folder_copy(w->folder, "large", &p, &w->f), OK);
    assert_int_equal(p.size, large.len);
    assert_int_equal(folder_publish(w->folder, &p, "large-1", &w->f), OK);
    expect_text(w, "media/large-1", str_view(&large));
    expect_text(w, "media/large", str_view(&large));
    assert_int_equal(folder_copy(w->folder, "empty", &p, &w->f), OK);
    assert_int_equal(p.size, 0);
    assert_int_equal(folder_publish(w->folder, &p, "empty-1", &w->f), OK);
    assert_int_equal(folder_copy(w->folder, "large", &p, &w->f), OK);
    part_drop(w->folder, &p);
    assert_int_equal(count_parts(w), 0);
    str_release(&large);
}

static void folder__removes(void **state)
{
    struct world *w = *state;
    struct file file;
    publish(w, "x", "a.txt");
    put(w, "kept", "x");
    assert_int_equal(symlink("../kept", path(w, "media/link")), 0);
    assert_int_equal(folder_remove(w->folder, "a.txt", &w->f), OK);
    assert_int_equal(folder_remove(w->folder, "a.txt", &w->f), OK);
    assert_int_equal(folder_remove(w->folder, "link", &w->f), OK);
    assert_int_equal(folder_sync(w->folder, &w->f), OK);
    assert_int_equal(folder_find(w->folder, "a.txt", &file, &w->f), NOT_FOUND);
    assert_true(is_there(w, "kept"));
    publish(w, "y", "a.txt");
    expect_text(w, "media/a.txt", VIEW("y"));
}

/* A full disk, as far as a limit on the size of files is one. */
static void folder__says_when_there_is_no_space(void **state)
{
    struct world *w = *state;
    struct rlimit before, small;
    struct part p = begin(w, "12345"), copy;
    publish(w, "0123456789", "ten");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){8, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = part_write(&p, VIEW("67890"), &w->f);
    enum status copied = folder_copy(w->folder, "ten", &copy, &w->f);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, NO_SPACE);
    assert_int_equal(p.size, 8);
    part_drop(w->folder, &p);
    assert_int_equal(copied, NO_SPACE);
    assert_string_equal(w->f.reason, "The server's disk is full.");
    part_drop(w->folder, &copy);
    assert_int_equal(count_parts(w), 0);
}

static void folder__makes_what_is_missing(void **state)
{
    struct world *w = *state;
    struct folder *folder;
    char parent[128];
    struct stat stat_;
    snprintf(parent, sizeof parent, "%s", path(w, "uploads"));
    assert_int_equal(folder_open(&folder, parent, "media", &w->f), OK);
    folder_close(folder);
    assert_int_equal(folder_open(&folder, parent, "media", &w->f), OK);
    folder_close(folder);
    assert_int_equal(stat(path(w, "uploads/media"), &stat_), 0);
    assert_int_equal(stat_.st_mode & 0777, 0700);
    folder_close(NULL);
}

static void folder__says_why_it_cannot_open(void **state)
{
    struct world *w = *state;
    static const char *const cases[][2] = {{"file", "media"}, {"none/none", "media"}, {"", "file"}, {"", "half"}};
    put(w, "file", "x");
    put(w, "half.part", "x");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct folder *folder = w->folder;
        char parent[128];
        snprintf(parent, sizeof parent, "%s", path(w, cases[i][0]));
        w->f = (struct failure){0};
        assert_int_equal(folder_open(&folder, parent, cases[i][1], &w->f), IO_ERROR);
        assert_null(folder);
        assert_non_null(strstr(w->f.reason, w->parent));
        assert_non_null(strstr(w->f.reason, "--uploads"));
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(folder__a_part_becomes_a_file),
        CASE(folder__a_part_is_dropped),
        CASE(folder__parts_of_a_crash_are_removed_and_nothing_else),
        CASE(folder__no_file_is_replaced),
        CASE(folder__a_name_is_one_piece_of_a_path),
        CASE(folder__names_have_a_length),
        CASE(folder__finds_plain_files),
        CASE(folder__finds_nothing_that_is_no_plain_file),
        CASE(folder__a_socket_is_no_plain_file),
        CASE(folder__copies),
        CASE(folder__removes),
        CASE(folder__says_when_there_is_no_space),
        CASE(folder__makes_what_is_missing),
        CASE(folder__says_why_it_cannot_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
