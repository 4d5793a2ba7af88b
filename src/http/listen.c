/* A socket is bound and listens before the next address is looked at: two that only are bound may share a port. */
#include "http/listen.h"
#include "base/check.h"
#include "parley/str.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECURE      "https://"
#define UNSENT_MOST 131072 /* bytes of one connection */

static const struct {
    const char *name;
    const char *v4, *v6;
} names[] = {
    {"localhost", "127.0.0.1", "::1"},
    {"*", "0.0.0.0", "::"},
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t fill(union address *a, const char *host, uint16_t port)
{
    memset(a, 0, sizeof *a);
    if (inet_pton(AF_INET, host, &a->v4.sin_addr) == 1) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_port = htons(port);
        return sizeof a->v4;
    }
    if (inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1) {
        a->v6.sin6_family = AF_INET6;
        a->v6.sin6_port = htons(port);
        return sizeof a->v6;
    }
    return 0;
}

/* A socket that listens, or -1 with errno. A port 0 is replaced by the one that was given. The connections take over
 * that small answers leave at once, that the system asks now and then for the other end, and that what it holds for one
 * that takes nothing is little: by itself it would take 4 MB of each answer. */
static int open_socket(const char *host, uint16_t *port)
{
    union address a;
    socklen_t len = fill(&a, host, *port);
    int one = 1, unsent = UNSENT_MOST;
    int s = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0) return -1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(s, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    if (a.any.sa_family == AF_INET6) setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(s, &a.any, len) || listen(s, SOMAXCONN) || getsockname(s, &a.any, &len)) {
        int error = errno;
        close(s);
        errno = error;
        return -1;
    }
    *port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
    return s;
}

static bool family_missing(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

static enum status cannot(const char *text, int error, struct failure *f)
{
    switch (error) {
    case EADDRINUSE:
        return fail(f, UNAVAILABLE,
            "Cannot listen on %s: the port is taken; stop the program that has it or choose another with --listen.",
            text);
    case EACCES:
        return fail(
            f, UNAVAILABLE, "Cannot listen on %s: not allowed; choose a port from 1024 up with --listen.", text);
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return fail(f, UNAVAILABLE,
            "Cannot listen on %s: this machine has no such address; choose another with --listen.", text);
    default:
        return fail(f, UNAVAILABLE, "Cannot listen on %s: %s; choose another with --listen.", text, strerror(error));
    }
}

static void append(struct listeners *to, int socket, bool secure)
{
    to->at[to->n].socket = socket;
    to->at[to->n++].secure = secure;
}

/* "[::1]:3000" or "127.0.0.1:3000". */
static bool split(const char *text, char host[64], uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    int64_t number;
    if (!colon || !view_integer(view_of(colon + 1), &number) || number < 0 || number > 65535) return false;
    struct view name = {text, (size_t)(colon - text)};
    if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']') {
        name.at++;
        name.len -= 2;
    } else if (memchr(name.at, ':', name.len)) {
        return false;
    }
    if (name.len >= 64) return false;
    snprintf(host, 64, "%.*s", VIEW_ARGS(name));
    *port = (uint16_t)number;
    return true;
}

/* Both families on one port; 0, or errno. With port 0 the second may find it taken: then another is tried. */
static int open_both(const char *v4, const char *v6, struct listeners *to, uint16_t *port, bool secure)
{
    uint16_t wanted = *port;
    for (int tries = 0;; tries++) {
        *port = wanted;
        int first = open_socket(v4, port);
        if (first < 0) return errno;
        int second = open_socket(v6, port), error = errno;
        if (second >= 0 || family_missing(error)) {
            append(to, first, secure);
            if (second >= 0) append(to, second, secure);
            return 0;
        }
        close(first);
        if (error != EADDRINUSE || wanted || tries == 20) return error;
    }
}

bool listen_secure(const char *text)
{
    return view_starts(view_of(text), SECURE);
}

enum status listen_open(const char *text, struct listeners *to, uint16_t *port, struct failure *f)
{
    char host[64];
    union address probe;
    bool secure = listen_secure(text);
    ASSERT(to->n + 2 <= LISTENERS_MOST);
    if (!split(secure ? text + strlen(SECURE) : text, host, port))
        return fail(f, INVALID,
            "Cannot understand --listen %s: it must be ADDR:PORT, as in localhost:3000 or [::1]:3000, or https:// and "
            "that.",
            text);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(host, names[i].name)) continue;
        int error = open_both(names[i].v4, names[i].v6, to, port, secure);
        return error ? cannot(text, error, f) : OK;
    }
    if (!fill(&probe, host, *port))
        return fail(f, INVALID, "Cannot understand --listen %s: %s is no address; localhost and * are the only names.",
            text, host);
    int socket = open_socket(host, port);
    if (socket < 0) return cannot(text, errno, f);
    append(to, socket, secure);
    return OK;
}

void listen_close(struct listeners *l)
{
    while (l->n) close(l->at[--l->n].socket);
}
