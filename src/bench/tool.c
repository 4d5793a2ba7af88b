#include "bench/tool.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

void pause_for(uint64_t nanoseconds)
{
    struct timespec t = {.tv_sec = (time_t)(nanoseconds / SECOND), .tv_nsec = (long)(nanoseconds % SECOND)};
    nanosleep(&t, NULL); /* a signal ends it early: that is what people send it for */
}

void die(const char *sentence, ...)
{
    va_list values;
    va_start(values, sentence);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, sentence, values);
    fputc('\n', stderr);
    va_end(values);
    exit(1);
}

void *need(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p) die("There is no memory for %zu bytes.", count * size);
    return p;
}

void raise_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files)) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

struct sockaddr_in loopback(unsigned host, int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(0x7f000000u | host)};
}
