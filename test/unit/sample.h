/* A file in memory, for what reads files. */
#ifndef UNIT_SAMPLE_H
#define UNIT_SAMPLE_H

#include "parley/str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* Its descriptor, to be closed; the offset is behind the bytes. */
static inline int sample(struct view bytes)
{
    int fd = memfd_create("sample", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t done = 0; done < bytes.len;) {
        ssize_t n = write(fd, bytes.at + done, bytes.len - done);
        assert_true(n > 0);
        done += (size_t)n;
    }
    return fd;
}

#endif
