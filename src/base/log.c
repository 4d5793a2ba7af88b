#include "base/log.h"
#include "base/clock.h"
#include "parley/str.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static enum log_level lowest = LOG_INFO;
static bool as_json;

void log_setup(enum log_level level, bool json)
{
    lowest = level;
    as_json = json;
}

bool log_wants(enum log_level level)
{
    return level >= lowest;
}

/* Control characters would make two lines of one, or paint the terminal. */
static void escape(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (; *text && n + 5 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x20 && c != 0x7f)
            out[n++] = *text;
        else
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
    }
    out[n] = 0;
}

void log_write(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char message[LINE_MAX_BYTES - 128], iso[ISO_LENGTH + 1];
    struct str line = {0};
    va_list values;
    if (!log_wants(level)) return;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    clock_iso(clock_wall(), iso);
    if (as_json) {
        str_addf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", iso, names[level]);
        str_add_json(&line, view_of(message));
        str_addz(&line, "}\n");
    } else {
        char escaped[LINE_MAX_BYTES];
        escape(escaped, sizeof escaped, message);
        str_addf(&line, "%s %-7s %s\n", iso, names[level], escaped);
    }
    ssize_t written = line.failed ? 0 : write(STDERR_FILENO, line.at, line.len);
    (void)written; /* nobody is left to tell */
    str_release(&line);
}
