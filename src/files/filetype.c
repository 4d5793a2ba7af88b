#include "files/filetype.h"
#include "base/lock.h"
#include <errno.h>
#include <magic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_AT 65536
#define TEXT    "text/plain"
#define BYTES   "application/octet-stream"

/* types.magic as libmagic's compiler leaves it; the build puts it here. */
extern const char filetype_signatures[], filetype_signatures_end[];

struct filetypes {
    struct lock lock; /* libmagic's handle serves one thread at a time */
    magic_t magic;
};

enum status filetypes_open(struct filetypes **out, struct failure *f)
{
    /* The other tests of libmagic answer what is asked nowhere here, or look into archives. */
    int flags = MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_APPTYPE | MAGIC_NO_CHECK_ELF |
                MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_JSON;
    struct filetypes *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t) return fail(f, NO_MEMORY, "Out of memory.");
    lock_init(&t->lock);
    t->magic = magic_open(flags);
    void *signatures[] = {(void *)(uintptr_t)filetype_signatures};
    size_t sizes[] = {(size_t)(filetype_signatures_end - filetype_signatures)};
    if (!t->magic || magic_load_buffers(t->magic, signatures, sizes, 1)) {
        enum status status =
            t->magic ? fail(f, IO_ERROR, "libmagic: %s", magic_error(t->magic)) : fail(f, NO_MEMORY, "Out of memory.");
        filetypes_close(t);
        return status;
    }
    *out = t;
    return OK;
}

void filetypes_close(struct filetypes *t)
{
    if (!t) return;
    if (t->magic) magic_close(t->magic);
    lock_destroy(&t->lock);
    free(t);
}

enum status filetypes_detect(struct filetypes *t, int fd, char type[MIME_MOST + 1], struct failure *f)
{
    char *head = malloc(LOOK_AT);
    ssize_t n = head ? pread(fd, head, LOOK_AT, 0) : -1;
    enum status status = OK;
    strcpy(type, BYTES);
    if (!head)
        status = fail(f, NO_MEMORY, "Out of memory.");
    else if (n < 0)
        status = fail(f, IO_ERROR, "Cannot read an uploaded file: %s", strerror(errno));
    /* libmagic looks at no file of one byte; two of the same are text when one is. */
    if (n == 1) head[n++] = head[0];
    if (n > 0) {
        lock_take(&t->lock);
        const char *found = magic_buffer(t->magic, head, (size_t)n);
        if (found && strlen(found) <= MIME_MOST) strcpy(type, found);
        lock_drop(&t->lock);
    }
    free(head);
    return status;
}

void filetype_essence(struct view sent, char type[MIME_MOST + 1])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+/"; /* RFC 6838, 4.2 */
    struct view essence = view_trim(view_cut(&sent, ';'));
    size_t slashes = 0;
    type[0] = 0;
    if (!essence.len || essence.len > MIME_MOST) return;
    for (size_t i = 0; i < essence.len; i++) {
        char c = essence.at[i] >= 'A' && essence.at[i] <= 'Z' ? (char)(essence.at[i] + 32) : essence.at[i];
        slashes += c == '/';
        type[i] = c;
        type[i + 1] = 0;
        if (c && strchr(allowed, c)) continue;
        type[0] = 0;
        return;
    }
    if (slashes != 1 || type[0] == '/' || type[essence.len - 1] == '/') type[0] = 0;
}

static const struct {
    const char *extension, *type;
} by_extension[] = {
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"ics", "text/calendar"},
    {"json", "application/json"},
    {"log", TEXT},
    {"md", "text/markdown"},
    {"txt", TEXT},
    {"vcf", "text/vcard"},
    {"xml", "application/xml"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
};

const char *filetype_of_extension(struct view extension)
{
    for (size_t i = 0; i < sizeof by_extension / sizeof *by_extension; i++)
        if (view_is_nocase(extension, by_extension[i].extension)) return by_extension[i].type;
    return NULL;
}

/* Containers, whose name for the whole says more than their first bytes do. */
static bool is_vague(const char *type)
{
    static const char *const vague[] = {TEXT, BYTES, "application/zip", "application/gzip", "application/x-cfb"};
    for (size_t i = 0; i < sizeof vague / sizeof *vague; i++)
        if (!strcmp(type, vague[i])) return true;
    return false;
}

static bool starts(const char *type, const char *prefix)
{
    return !strncmp(type, prefix, strlen(prefix));
}

const char *filetype_choose(const char *detected, const char *declared, struct view extension)
{
    if (!is_vague(detected)) return detected;
    if (starts(declared, "multipart/")) declared = ""; /* only its parameters would say where a part ends */
    bool shows = starts(declared, "image/") || !strcmp(declared, "application/pdf") ||
                 (!strcmp(detected, TEXT) && (starts(declared, "audio/") || starts(declared, "video/")));
    if (*declared && strcmp(declared, BYTES) != 0 && !shows) return declared;
    const char *named = strcmp(detected, TEXT) ? NULL : filetype_of_extension(extension);
    return named ? named : detected;
}

bool filetype_is_xml(const char *type)
{
    static const char *const names[] = {"application/xml", "text/xml", "text/xsl", "text/rdf"};
    size_t len = strlen(type);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(type, names[i])) return true;
    return len > 4 && !strcmp(type + len - 4, "+xml");
}

/* A type, and the extensions that stand for it, each between two bars. */
static const struct {
    const char *type, *extensions;
} restricted[] = {
    {"application/ecmascript", ""},
    {"application/java-archive", "|jar|ear|war|"},
    {"application/javascript", ""},
    {"application/vnd.microsoft.portable-executable", "|exe|dll|"},
    {"application/x-apple-diskimage", "|dmg|"},
    {"application/x-apple-installer", "|pkg|"},
    {"application/x-asp", "|asp|aspx|"},
    {"application/x-command", "|command|"},
    {"application/x-cpl", "|cpl|"},
    {"application/x-debian-package", "|deb|"},
    {"application/x-desktop", "|desktop|"},
    {"application/x-ecmascript", ""},
    {"application/x-executable", "|exe|com|app|action|"},
    {"application/x-hta", "|hta|"},
    {"application/x-httpd-php", "|php|phtml|"},
    {"application/x-javascript", ""},
    {"application/x-jsp", "|jsp|"},
    {"application/x-ms-dos-executable", "|exe|com|"},
    {"application/x-ms-shortcut", "|lnk|"},
    {"application/x-ms-wsh", "|ws|wsc|wsf|wsh|"},
    {"application/x-msdos-program", "|bat|cmd|"},
    {"application/x-msdownload", "|exe|dll|scr|"},
    {"application/x-msi", "|msi|"},
    {"application/x-powershell", "|ps1|psc1|psd1|psh|psm1|"},
    {"application/x-redhat-package-manager", "|rpm|"},
    {"application/x-registry", "|reg|"},
    {"application/x-url", "|url|"},
    {"application/x-vbscript", "|vbe|vbs|"},
    {"application/x-workflow", "|workflow|"},
    {"application/xhtml+xml", ""},
    {"text/ecmascript", ""},
    {"text/html", "|htm|html|shtml|xhtml|"},
    {"text/javascript", "|js|jse|"},
    {"text/javascript1.0", ""},
    {"text/javascript1.1", ""},
    {"text/javascript1.2", ""},
    {"text/javascript1.3", ""},
    {"text/javascript1.4", ""},
    {"text/javascript1.5", ""},
    {"text/jscript", ""},
    {"text/livescript", ""},
    {"text/x-ecmascript", ""},
    {"text/x-javascript", ""},
    {"text/x-perl", "|pl|"},
    {"text/x-python", "|py|"},
    {"text/x-ruby", "|rb|"},
};

static bool lists(const char *extensions, struct view extension)
{
    struct view rest = view_of(extensions);
    while (extension.len && rest.at)
        if (view_equal(view_cut(&rest, '|'), extension)) return true;
    return false;
}

bool filetype_restricted(const char *declared, struct view extension)
{
    char lower[16];
    if (extension.len >= sizeof lower) extension.len = 0;
    for (size_t i = 0; i < extension.len; i++)
        lower[i] = extension.at[i] >= 'A' && extension.at[i] <= 'Z' ? (char)(extension.at[i] + 32) : extension.at[i];
    for (size_t i = 0; i < sizeof restricted / sizeof *restricted; i++)
        if (!strcmp(restricted[i].type, declared) ||
            lists(restricted[i].extensions, (struct view){lower, extension.len}))
            return true;
    return false;
}
