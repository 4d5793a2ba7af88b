#include "bench/watch.h"
#include "bench/tool.h"
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;
static struct {
    bool quiet, terminal, written;
    uint64_t began, next;
} watch;

static void note(int number)
{
    (void)number;
    interrupted = 1;
}

void watch_begin(bool quiet)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    watch.quiet = quiet;
    watch.terminal = isatty(STDERR_FILENO);
    watch.began = now();
    watch.next = watch.began + SECOND;
}

bool watch_interrupted(void)
{
    return interrupted;
}

bool watch_due(void)
{
    uint64_t at = now();
    if (at < watch.next) return false;
    while (watch.next <= at) watch.next += SECOND;
    return !watch.quiet;
}

void watch_line(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fprintf(stderr, "%s%3.0f s  ", watch.terminal ? "\r\033[K" : "", seconds_of(now() - watch.began));
    vfprintf(stderr, format, values);
    if (!watch.terminal) fputc('\n', stderr);
    fflush(stderr);
    va_end(values);
    watch.written = true;
}

void watch_end(void)
{
    if (watch.terminal && watch.written) fputs("\r\033[K", stderr);
    watch.written = false;
}
