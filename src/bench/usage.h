/* What processes and their sockets cost, as the kernel counts it. */
#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a server on this machine: its process and those that it started. */
struct usage {
    bool gone;           /* a process is not there any more: the rest is not known */
    double user, kernel; /* CPU seconds */
    double memory;       /* bytes of its own, not those of files; shared ones are divided among those that share them */
    double slab;         /* of the whole machine: bytes of sockets, their inodes, files and epoll entries; -1: only root
                            may know */
};

/* `pids`: comma-separated; NULL: none, and nothing is read. */
struct usage usage_read(const char *pids);

/* Bytes that the kernel holds in the buffers of a port's established IPv4 sockets, of those whose other end is at
 * loopback(host) or, with host 0, anywhere. `*count`: how many there are. */
double usage_buffers(int port, unsigned host, size_t *count);

#endif
