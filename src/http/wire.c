#include "http/wire.h"
#include "base/clock.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define SLICE         65536
#define SLICE_TIME_MS 30000
#define HURRY_MS      1000
#define DRAIN_MS      1000
#define LOOK_UP_MS    250 /* how soon a waiting thread sees `*hurry` */

/* Waits until the socket is ready for `events` or `deadline` has passed, but no longer than it takes to look up. */
static void wait_for(int socket, short events, int64_t deadline)
{
    struct pollfd p = {.fd = socket, .events = events};
    int64_t left = deadline - clock_monotonic();
    poll(&p, 1, left < LOOK_UP_MS ? (int)(left > 0 ? left : 0) : LOOK_UP_MS);
}

bool wire_send(int socket, struct view first, struct view second, const atomic_bool *hurry)
{
    struct iovec parts[2] = {{(void *)(uintptr_t)first.at, first.len}, {(void *)(uintptr_t)second.at, second.len}};
    size_t all = first.len + second.len, sent = 0, slice = SLICE;
    int64_t deadline = 0;
    bool hurried = false;
    for (;;) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        ssize_t n = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return false;
        size_t done = n > 0 ? (size_t)n : 0;
        sent += done;
        if (sent == all) return true;
        for (int i = 0; i < 2; i++) {
            size_t here = done < parts[i].iov_len ? done : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + here;
            parts[i].iov_len -= here;
            done -= here;
        }
        if (!deadline || sent >= slice) {
            deadline = clock_monotonic() + SLICE_TIME_MS;
            slice = sent + SLICE;
        }
        if (atomic_load(hurry)) {
            int64_t soon = clock_monotonic() + HURRY_MS;
            if (!hurried && soon < deadline) deadline = soon;
            hurried = true;
            slice = all + 1;
        }
        wait_for(socket, POLLOUT, deadline);
        if (clock_monotonic() >= deadline) return false;
    }
}

void wire_drain(int socket, const atomic_bool *hurry)
{
    char dropped[4096];
    int64_t deadline = clock_monotonic() + DRAIN_MS;
    shutdown(socket, SHUT_WR);
    while (!atomic_load(hurry) && clock_monotonic() < deadline) {
        ssize_t n = recv(socket, dropped, sizeof dropped, MSG_DONTWAIT);
        if (n == 0) return;
        if (n > 0) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return;
        wait_for(socket, POLLIN, deadline);
    }
}
