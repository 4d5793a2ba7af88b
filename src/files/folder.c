/* Parts lie in a folder of their own, "media.part" beside "media", so that no name a client chooses can meet one of
 * theirs, and so that all of them may be removed at an opening.
 *
 * Not taken: hard links from the part to the file, which would show after a crash what was half done: memory cards are
 * often formatted with FAT, which has none. */
#include "files/folder.h"
#include "base/crypt.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_PIECE ((size_t)1 << 20)

struct folder {
    int files, parts;
};

static enum status fail_disk(struct failure *f, const char *doing, int error)
{
    /* Not for long: each that is open will be closed. */
    if (error == EMFILE || error == ENFILE) return fail(f, UNAVAILABLE, "The server has too many files open.");
    if (error == ENOSPC || error == EDQUOT || error == EFBIG) return fail(f, NO_SPACE, "The server's disk is full.");
    return fail(f, IO_ERROR, "%s: %s", doing, strerror(error));
}

static enum status open_one(int *out, const char *path, struct failure *f)
{
    if (mkdir(path, 0700) && errno != EEXIST)
        return fail(f, IO_ERROR, "Cannot make the folder %s: %s; name another with --uploads.", path, strerror(errno));
    *out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*out < 0)
        return fail(f, IO_ERROR, "Cannot open the folder %s: %s; name another with --uploads.", path, strerror(errno));
    return OK;
}

/* Only what has the look of a part is removed: the folder may be shared by mistake. */
static void remove_parts(struct folder *folder)
{
    int copy = dup(folder->parts);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        if (copy >= 0) close(copy);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strlen(entry->d_name) == PART_NAME_LENGTH && strspn(entry->d_name, "0123456789abcdef") == PART_NAME_LENGTH)
            unlinkat(folder->parts, entry->d_name, 0);
    closedir(dir);
}

enum status folder_open(struct folder **out, const char *parent, const char *name, struct failure *f)
{
    struct folder *folder = calloc(1, sizeof *folder);
    struct str path = {0};
    *out = NULL;
    if (!folder) return fail(f, NO_MEMORY, "Out of memory.");
    folder->files = folder->parts = -1;
    enum status status = OK;
    if (mkdir(parent, 0700) && errno != EEXIST)
        status =
            fail(f, IO_ERROR, "Cannot make the folder %s: %s; name another with --uploads.", parent, strerror(errno));
    str_addf(&path, "%s/%s", parent, name);
    if (!status) status = path.failed ? fail(f, NO_MEMORY, "Out of memory.") : open_one(&folder->files, path.at, f);
    str_addz(&path, ".part");
    if (!status) status = path.failed ? fail(f, NO_MEMORY, "Out of memory.") : open_one(&folder->parts, path.at, f);
    str_release(&path);
    if (status) {
        folder_close(folder);
        return status;
    }
    remove_parts(folder);
    *out = folder;
    return OK;
}

void folder_close(struct folder *folder)
{
    if (!folder) return;
    if (folder->files >= 0) close(folder->files);
    if (folder->parts >= 0) close(folder->parts);
    free(folder);
}

enum status part_begin(struct folder *folder, struct part *p, struct failure *f)
{
    uint8_t random[PART_NAME_LENGTH / 2];
    *p = (struct part){0};
    if (!crypt_random(random, sizeof random)) return fail(f, IO_ERROR, "The system gives no random numbers.");
    crypt_hex(random, sizeof random, p->name);
    p->fd = openat(folder->parts, p->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (p->fd < 0) return fail_disk(f, "Cannot make a file for an upload", errno);
    p->open = true;
    return OK;
}

enum status part_write(struct part *p, struct view bytes, struct failure *f)
{
    while (bytes.len) {
        ssize_t n = write(p->fd, bytes.at, bytes.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_disk(f, "Cannot write an uploaded file", errno);
        p->size += n;
        bytes = (struct view){bytes.at + n, bytes.len - (size_t)n};
    }
    return OK;
}

void part_drop(struct folder *folder, struct part *p)
{
    if (!p->open) return;
    unlinkat(folder->parts, p->name, 0);
    close(p->fd);
    p->open = false;
}

static bool is_name(const char *name)
{
    return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/');
}

/* Where the file system cannot move without replacing, it is looked first: only another program could come between, as
 * this one never publishes one name twice at a time. */
static int move_new(struct folder *folder, const char *from, const char *to)
{
    struct stat there;
    if (!renameat2(folder->parts, from, folder->files, to, RENAME_NOREPLACE)) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    if (!fstatat(folder->files, to, &there, AT_SYMLINK_NOFOLLOW)) return EEXIST;
    return renameat(folder->parts, from, folder->files, to) ? errno : 0;
}

enum status folder_publish(struct folder *folder, struct part *p, const char *name, struct failure *f)
{
    if (!is_name(name)) return fail(f, INVALID, "Invalid filename");
    if (fsync(p->fd)) return fail_disk(f, "Cannot keep an uploaded file", errno);
    int error = move_new(folder, p->name, name);
    if (error == EEXIST) return fail(f, CONFLICT, "There is a file of that name.");
    if (error) return fail_disk(f, "Cannot keep an uploaded file", error);
    close(p->fd);
    p->open = false;
    return folder_sync(folder, f);
}

enum status folder_copy(struct folder *folder, const char *name, struct part *p, struct failure *f)
{
    struct file file;
    enum status status = folder_find(folder, name, &file, f);
    if (status) return status;
    status = part_begin(folder, p, f);
    while (!status && p->size < file.size) {
        ssize_t n = sendfile(p->fd, file.fd, NULL, COPY_PIECE);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) status = fail_disk(f, "Cannot copy a file", n ? errno : EIO);
        if (n > 0) p->size += n;
    }
    close(file.fd);
    return status;
}

enum status folder_remove(struct folder *folder, const char *name, struct failure *f)
{
    if (!is_name(name)) return fail(f, INVALID, "Invalid filename");
    if (unlinkat(folder->files, name, 0) && errno != ENOENT) return fail_disk(f, "Cannot remove a file", errno);
    return OK;
}

enum status folder_sync(struct folder *folder, struct failure *f)
{
    /* Some file systems cannot sync a folder, and say so. */
    if (fsync(folder->files) && errno != EINVAL && errno != ENOTSUP)
        return fail_disk(f, "Cannot keep a folder's names", errno);
    return OK;
}

enum status folder_find(struct folder *folder, const char *name, struct file *out, struct failure *f)
{
    struct stat stat;
    if (!is_name(name)) return fail(f, NOT_FOUND, "Not Found");
    out->fd = openat(folder->files, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    /* ENXIO: a socket, or a device that is not there. */
    if (out->fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENAMETOOLONG || errno == ENXIO))
        return fail(f, NOT_FOUND, "Not Found");
    if (out->fd < 0) return fail_disk(f, "Cannot open a file", errno);
    if (fstat(out->fd, &stat) || !S_ISREG(stat.st_mode)) {
        close(out->fd);
        return fail(f, NOT_FOUND, "Not Found");
    }
    out->size = stat.st_size;
    out->modified = (int64_t)stat.st_mtim.tv_sec * 1000000000 + stat.st_mtim.tv_nsec;
    return OK;
}
