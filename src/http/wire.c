/* A plain socket is sent to in one system call, both texts together, and a file without passing through here. With TLS
 * what is sent is gathered into pieces of a record each: what is small leaves as one record, in one packet. */
#include "http/wire.h"
#include "base/clock.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define SLICE         65536
#define SLICE_TIME_MS 30000
#define FILE_PIECE    (1 << 20) /* after which the peer's pace is looked at */
#define HURRY_MS      1000
#define RECORD        16384 /* the most that one holds */
#define PACE_LEAST    1024  /* bytes a second, over all the time that the server has waited for them */
#define CROWD_LEAST   65536 /* the same, where workers are scarce */
#define CROWD_MS      1000
#define LOOK_UP_MS    250 /* how soon a waiting thread sees `*hurry` */

/* Waits until the socket is ready for `events` or `deadline` has passed, but no longer than it takes to look up. */
static void wait_for(int socket, short events, int64_t deadline)
{
    struct pollfd p = {.fd = socket, .events = events};
    int64_t left = deadline - clock_monotonic();
    poll(&p, 1, left < LOOK_UP_MS ? (int)(left > 0 ? left : 0) : LOOK_UP_MS);
}

static void begin_to_wait(struct crowd *crowd)
{
    atomic_fetch_add(&crowd->waiting, 1);
    if (crowd->pause) crowd->pause(crowd->ctx);
}

static void end_to_wait(struct crowd *crowd)
{
    if (crowd->go_on) crowd->go_on(crowd->ctx);
    atomic_fetch_sub(&crowd->waiting, 1);
}

static bool crowded(const struct crowd *crowd)
{
    return atomic_load(&crowd->waiting) > crowd->most;
}

/* How long a peer may still take. */
struct patience {
    size_t sent, slice;      /* bytes; a new deadline with every slice */
    int64_t since, deadline; /* 0: it has not been waited for yet */
    bool hurried;
};

/* Is its last second over? A peer may take all it gets of a file and yet be long, where the disk is the slower. */
static bool too_late(struct patience *p, struct crowd *crowd)
{
    if (!p->hurried && atomic_load(crowd->hurry)) {
        int64_t soon = clock_monotonic() + HURRY_MS;
        if (!p->deadline || soon < p->deadline) p->deadline = soon;
        p->hurried = true;
    }
    return p->hurried && clock_monotonic() >= p->deadline;
}

/* Waits until the peer takes more. False: its time is over. */
static bool wait_for_more(struct patience *p, int socket, struct crowd *crowd)
{
    if (!p->hurried && (!p->deadline || p->sent >= p->slice)) {
        p->since = clock_monotonic();
        p->deadline = p->since + SLICE_TIME_MS;
        p->slice = p->sent + SLICE;
    }
    if (too_late(p, crowd)) return false;
    begin_to_wait(crowd);
    wait_for(socket, POLLOUT, p->deadline);
    int64_t now = clock_monotonic();
    bool given_up = crowded(crowd) && now - p->since >= CROWD_MS;
    end_to_wait(crowd);
    return now < p->deadline && !given_up;
}

static bool try_again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* All of a piece, which is no longer than a record. */
static bool send_record(struct peer *peer, struct view piece, struct patience *patience, struct crowd *crowd)
{
    while (piece.len) {
        ssize_t n = peer_send(peer, piece);
        if (n == PEER_GONE) return false;
        if (n < 0 && !wait_for_more(patience, peer->socket, crowd)) return false;
        if (n < 0) continue;
        patience->sent += (size_t)n;
        piece.at += n;
        piece.len -= (size_t)n;
    }
    return true;
}

static size_t take(char *to, size_t room, struct view *from)
{
    size_t n = from->len < room ? from->len : room;
    if (n) memcpy(to, from->at, n);
    from->at += n;
    from->len -= n;
    return n;
}

static bool send_records(struct peer *peer, struct view first, struct view second, struct crowd *crowd)
{
    char record[RECORD];
    struct patience patience = {0};
    while (first.len || second.len) {
        size_t n = take(record, RECORD, &first);
        n += take(record + n, RECORD - n, &second);
        if (!send_record(peer, (struct view){record, n}, &patience, crowd)) return false;
    }
    return true;
}

static bool send_file_records(struct peer *peer, int fd, int64_t from, int64_t len, struct crowd *crowd)
{
    char record[RECORD];
    struct patience patience = {0};
    for (int64_t sent = 0; sent < len;) {
        if (too_late(&patience, crowd)) return false;
        size_t n = len - sent < RECORD ? (size_t)(len - sent) : RECORD;
        ssize_t got = pread(fd, record, n, (off_t)(from + sent));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || !send_record(peer, (struct view){record, (size_t)got}, &patience, crowd)) return false;
        sent += got;
    }
    return true;
}

static bool send_both(int socket, struct view first, struct view second, bool more, struct crowd *crowd)
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
        if (!wait_for_more(&patience, socket, crowd)) return false;
    }
}

bool wire_send(struct peer *peer, struct view first, struct view second, bool more, struct crowd *crowd)
{
    if (peer->tls) return send_records(peer, first, second, crowd);
    return send_both(peer->socket, first, second, more, crowd);
}

static bool send_file(int socket, int fd, int64_t from, int64_t len, struct crowd *crowd)
{
    struct patience patience = {0};
    off_t at = (off_t)from;
    while ((int64_t)at < from + len) {
        if (too_late(&patience, crowd)) return false;
        size_t left = (size_t)(from + len - (int64_t)at);
        ssize_t n = sendfile(socket, fd, &at, left < FILE_PIECE ? left : FILE_PIECE);
        if (n == 0 || (n < 0 && !try_again())) return false;
        if (n > 0) patience.sent += (size_t)n;
        if (n < 0 && !wait_for_more(&patience, socket, crowd)) return false;
    }
    return true;
}

bool wire_send_file(struct peer *peer, int fd, int64_t from, int64_t len, struct crowd *crowd)
{
    if (peer->tls) return send_file_records(peer, fd, from, len, crowd);
    return send_file(peer->socket, fd, from, len, crowd);
}

/* Has the client had its time, or let the server wait longer than it may? `waited`: since its last byte. */
static bool too_slow(const struct pace *pace, int64_t waited)
{
    bool scarce = crowded(pace->crowd);
    int64_t all = pace->waited + waited, trial = scarce && CROWD_MS < pace->patience ? CROWD_MS : pace->patience;
    int64_t least = scarce ? CROWD_LEAST : PACE_LEAST;
    return waited >= pace->patience || (all >= trial && (int64_t)pace->got < all * least / 1000);
}

/* peer_receive, once it gives something. What came before the hurry is taken. */
static ssize_t await(struct peer *peer, char *at, size_t room, struct pace *pace)
{
    int64_t since = clock_monotonic(), waited = 0;
    ssize_t n;
    for (;;) {
        bool over = pace->late || atomic_load(pace->crowd->hurry);
        n = peer_receive(peer, at, room);
        if (n >= 0) break;
        if (over) return 0;
        if (n == PEER_AGAIN) continue;
        wait_for(peer->socket, n == PEER_UNTIL_WRITABLE ? POLLOUT : POLLIN, since + pace->patience);
        waited = clock_monotonic() - since;
        pace->late = too_slow(pace, waited);
    }
    pace->waited += waited;
    return n;
}

ssize_t wire_receive(struct peer *peer, char *at, size_t room, struct pace *pace)
{
    ssize_t n = peer_receive(peer, at, room);
    if (n < 0) {
        begin_to_wait(pace->crowd);
        n = await(peer, at, room, pace);
        end_to_wait(pace->crowd);
    }
    pace->got += (size_t)n;
    return n;
}
