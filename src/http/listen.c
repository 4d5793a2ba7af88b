/* Every address is bound here before civetweb binds it, which says why it could not only in a line of its log. A trial
 * binds but does not listen: nobody can connect to a socket that is about to go away. */
#include "http/listen.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECURE "https://"

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

/* 0, or errno. A port 0 is replaced by the one that was given. */
static int try_bind(const char *host, uint16_t *port)
{
    union address a;
    socklen_t len = fill(&a, host, *port);
    int one = 1, error = 0;
    int s = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0) return errno;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (a.any.sa_family == AF_INET6) setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(s, &a.any, len) || getsockname(s, &a.any, &len))
        error = errno;
    else
        *port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
    close(s);
    return error;
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

static void append(struct str *list, const char *host, uint16_t port, bool secure)
{
    str_addf(list, strchr(host, ':') ? "%s[%s]:%u%s" : "%s%s:%u%s", list->len ? "," : "", host, (unsigned)port,
        secure ? "s" : "");
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

/* Both families on one port. With port 0 the second may find it taken: then another is tried. */
static int bind_both(const char *v4, const char *v6, struct str *list, uint16_t *port, bool secure)
{
    uint16_t wanted = *port;
    for (int tries = 0;; tries++) {
        *port = wanted;
        int error = try_bind(v4, port);
        if (error) return error;
        int second = try_bind(v6, port);
        if (second == EADDRINUSE && !wanted && tries < 20) continue;
        if (second && !family_missing(second)) return second;
        append(list, v4, *port, secure);
        if (!second) append(list, v6, *port, secure);
        return 0;
    }
}

bool listen_secure(const char *text)
{
    return view_starts(view_of(text), SECURE);
}

enum status listen_resolve(const char *text, struct str *list, uint16_t *port, struct failure *f)
{
    char host[64];
    union address probe;
    bool secure = listen_secure(text);
    if (!split(secure ? text + strlen(SECURE) : text, host, port))
        return fail(f, INVALID,
            "Cannot understand --listen %s: it must be ADDR:PORT, as in localhost:3000 or [::1]:3000, or https:// and "
            "that.",
            text);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(host, names[i].name)) continue;
        int error = bind_both(names[i].v4, names[i].v6, list, port, secure);
        return error ? cannot(text, error, f) : OK;
    }
    if (!fill(&probe, host, *port))
        return fail(f, INVALID, "Cannot understand --listen %s: %s is no address; localhost and * are the only names.",
            text, host);
    int error = try_bind(host, port);
    if (error) return cannot(text, error, f);
    append(list, host, *port, secure);
    return OK;
}
