#include "http/wire.h"
#include "base/clock.h"
#include <errno.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define SLICE         65536
#define SLICE_TIME_MS 30000
#define FILE_PIECE    (1 << 20) /* after which the peer's pace is looked at */
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

/* How long a peer may still take. */
struct patience {
    size_t sent, slice; /* bytes; a new deadline with every slice */
    int64_t deadline;   /* 0: it has not been waited for yet */
    bool hurried;
};

/* Waits until the peer takes more. False: its time is over. */
static bool wait_for_more(struct patience *p, int socket, const atomic_bool *hurry)
{
    if (!p->hurried && (!p->deadline || p->sent >= p->slice)) {
        p->deadline = clock_monotonic() + SLICE_TIME_MS;
        p->slice = p->sent + SLICE;
    }
    if (!p->hurried && atomic_load(hurry)) {
        int64_t soon = clock_monotonic() + HURRY_MS;
        if (soon < p->deadline) p->deadline = soon;
        p->hurried = true;
    }
    wait_for(socket, POLLOUT, p->deadline);
    return clock_monotonic() < p->deadline;
}

static bool try_again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

bool wire_send(int socket, struct view first, struct view second, bool more, const atomic_bool *hurry)
{
    struct iovec parts[2] = {{(void *)(uintptr_t)first.at, first.len}, {(void *)(uintptr_t)second.at, second.len}};
    struct patience patience = {0};
    for (;;) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        ssize_t n = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
        if (n < 0 && !try_again()) return false;
        size_t done = n > 0 ? (size_t)n : 0;
        patience.sent += done;
        if (patience.sent == first.len + second.len) return true;
        for (int i = 0; i < 2; i++) {
            size_t here = done < parts[i].iov_len ? done : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + here;
            parts[i].iov_len -= here;
            done -= here;
        }
        if (!wait_for_more(&patience, socket, hurry)) return false;
    }
}

bool wire_send_file(int socket, int fd, int64_t from, int64_t len, const atomic_bool *hurry)
{
    struct patience patience = {0};
    off_t at = (off_t)from;
    while ((int64_t)at < from + len) {
        size_t left = (size_t)(from + len - (int64_t)at);
        ssize_t n = sendfile(socket, fd, &at, left < FILE_PIECE ? left : FILE_PIECE);
        if (n == 0 || (n < 0 && !try_again())) return false;
        if (n > 0) patience.sent += (size_t)n;
        if (n < 0 && !wait_for_more(&patience, socket, hurry)) return false;
    }
    return true;
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
        if (!try_again()) return;
        wait_for(socket, POLLIN, deadline);
    }
}
