#include "bench/link.h"
#include "bench/tool.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static bool watch(struct link *l, int operation, bool write)
{
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = l->tag};
    if (operation == EPOLL_CTL_MOD && write == l->wants_write) return true;
    l->wants_write = write;
    return !epoll_ctl(l->epoll, operation, l->peer.socket, &event);
}

static bool lost(struct link *l)
{
    int error = errno;
    link_close(l);
    errno = error;
    return false;
}

static bool to_loopback(const struct target *t)
{
    const struct sockaddr_in *to = (const void *)&t->address;
    return to->sin_family == AF_INET && ntohl(to->sin_addr.s_addr) >> 24 == 127;
}

static bool come_from(int socket, size_t place)
{
    int one = 1;
    struct sockaddr_in from = loopback(link_host(place), 0);
    setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    return !bind(socket, (const struct sockaddr *)&from, sizeof from);
}

bool link_open(struct link *l, const struct target *t, int epoll, void *tag, size_t place)
{
    int one = 1;
    int s = socket(t->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0) return false;
    *l = (struct link){.peer = peer_plain(s), .state = LINK_CONNECTING, .epoll = epoll, .tag = tag};
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (to_loopback(t) && !come_from(s, place)) return lost(l);
    if (connect(s, (const struct sockaddr *)&t->address, t->address_len) && errno != EINPROGRESS) return lost(l);
    if (!watch(l, EPOLL_CTL_ADD, true)) return lost(l);
    return true;
}

static bool connected(struct link *l, const struct target *t)
{
    int error = 0;
    socklen_t len = sizeof error;
    struct sockaddr_storage other;
    socklen_t other_len = sizeof other;
    getsockopt(l->peer.socket, SOL_SOCKET, SO_ERROR, &error, &len);
    errno = error;
    if (error) return lost(l);
    if (getpeername(l->peer.socket, (struct sockaddr *)&other, &other_len)) return true; /* not yet */
    l->state = t->tls ? LINK_SHAKING_HANDS : LINK_OPEN;
    if (t->tls && !peer_secure_to(&l->peer, t->tls, t->host)) {
        errno = ENOMEM;
        return lost(l);
    }
    return true;
}

static bool shake_hands(struct link *l)
{
    int answer = PEER_AGAIN;
    while (answer == PEER_AGAIN) answer = peer_shake_hands(&l->peer);
    if (answer == PEER_UNTIL_READABLE) return watch(l, EPOLL_CTL_MOD, false) || lost(l);
    if (answer == PEER_UNTIL_WRITABLE) return watch(l, EPOLL_CTL_MOD, true) || lost(l);
    if (answer <= 0) {
        l->complaint = peer_complaint();
        errno = EPROTO;
        return lost(l);
    }
    l->state = LINK_OPEN;
    return true;
}

static bool send_rest(struct link *l)
{
    size_t sent = 0;
    while (sent < l->rest.len) {
        ssize_t n = peer_send(&l->peer, (struct view){l->rest.at + sent, l->rest.len - sent});
        if (n == PEER_UNTIL_WRITABLE) break;
        errno = EPIPE;
        if (n <= 0) return lost(l);
        sent += (size_t)n;
    }
    l->rest.len -= sent;
    if (l->rest.len)
        memmove(l->rest.at, l->rest.at + sent, l->rest.len);
    else
        str_release(&l->rest);
    return watch(l, EPOLL_CTL_MOD, l->rest.len > 0) || lost(l);
}

bool link_go_on(struct link *l, const struct target *t)
{
    if (l->state == LINK_CONNECTING && !connected(l, t)) return false;
    if (l->state == LINK_SHAKING_HANDS && !shake_hands(l)) return false;
    return l->state != LINK_OPEN || send_rest(l);
}

bool link_send(struct link *l, struct view bytes)
{
    if (!l->rest.len) {
        ssize_t n = peer_send(&l->peer, bytes);
        errno = EPIPE;
        if (n == PEER_GONE) return lost(l);
        if (n > 0) bytes = (struct view){bytes.at + n, bytes.len - (size_t)n};
        if (!bytes.len) return true;
    }
    str_add(&l->rest, bytes);
    errno = ENOMEM;
    if (l->rest.failed) return lost(l);
    return watch(l, EPOLL_CTL_MOD, true) || lost(l);
}

ssize_t link_receive(struct link *l, char *at, size_t room)
{
    ssize_t n;
    do n = peer_receive(&l->peer, at, room);
    while (n == PEER_AGAIN);
    return n < 0 ? LINK_NOTHING : n;
}

void link_close(struct link *l)
{
    if (l->state == LINK_CLOSED) return;
    peer_close(&l->peer);
    str_release(&l->rest);
    l->state = LINK_CLOSED;
}
