/* A line is put together on the stack: it can be written when there is no memory left, which is when it is wanted, and
 * no lock is taken. One write() of less than PIPE_BUF bytes is not torn apart by other writers, on a pipe either. */
#include "base/log.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_LENGTH 2048 /* the line end among them */

static enum log_level lowest_wanted = LOG_INFO;
static bool as_json;

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARNING] = "warning", [LOG_ERROR] = "error"};

void log_setup(enum log_level lowest, bool json)
{
    lowest_wanted = lowest;
    as_json = json;
}

bool log_wants(enum log_level level)
{
    return level >= lowest_wanted;
}

/* How the first character of `rest` is written, and `*used`, how many bytes of `rest` that stands for. U+0080 to U+009F
 * are controls too: a terminal obeys them. */
static struct view written_as(struct view rest, char escaped[8], size_t *used)
{
    unsigned char first = (unsigned char)rest.at[0];
    size_t bad, len = utf8_character(rest, &bad);
    unsigned control = 0;
    *used = len ? len : bad;
    if (len == 0) return VIEW("\xef\xbf\xbd");
    if (len == 2 && first == 0xc2 && (unsigned char)rest.at[1] < 0xa0)
        control = (unsigned char)rest.at[1];
    else if (first < 0x20 || first == 0x7f)
        control = first;
    else if (!as_json || (first != '"' && first != '\\'))
        return (struct view){rest.at, len};
    const char *format = control == 0 ? "\\%c" : as_json || control > 0x7f ? "\\u%04x" : "\\x%02x";
    snprintf(escaped, 8, format, control ? control : first);
    return view_of(escaped);
}

void log_write(enum log_level level, const char *format, ...)
{
    /* The caller may read errno after it has logged it. */
    int kept = errno;
    if (!log_wants(level)) return;
    ASSERT((size_t)level < COUNT(level_names));

    char message[LINE_LENGTH], line[LINE_LENGTH], iso[ISO_LENGTH + 1];
    va_list values;
    va_start(values, format);
    if (vsnprintf(message, sizeof message, format, values) < 0) message[0] = 0;
    va_end(values);
    clock_iso(clock_wall(), iso);

    struct view tail = as_json ? VIEW("\"}\n") : VIEW("\n");
    int head = snprintf(line, sizeof line, as_json ? "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"" : "%s %s ", iso,
        level_names[level]);
    size_t len = (size_t)head, used;
    for (struct view rest = view_of(message); rest.len > 0; rest.at += used, rest.len -= used) {
        char escaped[8];
        struct view piece = written_as(rest, escaped, &used);
        if (len + piece.len + tail.len > sizeof line) break;
        memcpy(line + len, piece.at, piece.len);
        len += piece.len;
    }
    memcpy(line + len, tail.at, tail.len);
    len += tail.len;

    ssize_t written;
    do written = write(STDERR_FILENO, line, len);
    while (written < 0 && errno == EINTR);
    errno = kept;
}
