#include "bench/target.h"
#include "base/tls.h"
#include "bench/tool.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define CONNECT_SECONDS 10

/* [ADDR]:PORT, HOST:PORT, or either without a port. */
static bool read_authority(struct target *t, struct view authority, char port[8])
{
    struct view host = authority, digits = {0};
    int64_t number = t->tls ? 443 : 80;
    const char *end = authority.len && authority.at[0] == '[' ? memchr(authority.at, ']', authority.len) : NULL;
    if (end) {
        host = (struct view){authority.at + 1, (size_t)(end - authority.at) - 1};
        digits = (struct view){end + 1, authority.len - host.len - 2};
        if (digits.len && digits.at[0] != ':') return false;
        if (digits.len) digits = (struct view){digits.at + 1, digits.len - 1};
    } else {
        digits = authority;
        host = view_cut(&digits, ':');
    }
    if (digits.at && digits.len && (!view_integer(digits, &number) || number < 1 || number > 65535)) return false;
    if (!host.len || host.len >= sizeof t->host || memchr(host.at, '@', host.len)) return false;
    snprintf(t->host, sizeof t->host, "%.*s", VIEW_ARGS(host));
    snprintf(t->authority, sizeof t->authority, "%.*s", VIEW_ARGS(authority));
    snprintf(port, 8, "%d", (int)number);
    return true;
}

static bool answers(const struct addrinfo *at)
{
    struct timeval patience = {.tv_sec = CONNECT_SECONDS};
    int s = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0) return false;
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    bool connected = !connect(s, at->ai_addr, at->ai_addrlen);
    int error = errno;
    close(s);
    errno = error;
    return connected;
}

static enum status find_address(struct target *t, const char *port, struct failure *f)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *all, *one;
    int error = getaddrinfo(t->host, port, &wanted, &all);
    if (error) return fail(f, INVALID, "There is no address for %s: %s.", t->host, gai_strerror(error));
    for (one = all; one && !answers(one); one = one->ai_next) continue;
    if (one) {
        memcpy(&t->address, one->ai_addr, one->ai_addrlen);
        t->address_len = one->ai_addrlen;
    }
    enum status status = one ? OK : fail(f, UNAVAILABLE, "Cannot connect to %s: %s.", t->authority, strerror(errno));
    freeaddrinfo(all);
    return status;
}

enum status target_open(struct target *t, const struct target_options *options, struct failure *f)
{
    const char *url = options->url;
    bool secure = view_starts(view_of(url), "https://");
    char port[8];
    *t = (struct target){0};
    if (!secure && !view_starts(view_of(url), "http://"))
        return fail(f, INVALID, "The URL must begin with http:// or https://, not \"%s\".", url);
    if (secure) {
        enum status status = tls_open_client(&t->tls, options->authorities, options->anyone, f);
        if (status) return status;
    }
    url += secure ? 8 : 7;
    struct view authority = {url, strcspn(url, "/?#")};
    t->path = url + authority.len;
    if (*t->path && *t->path != '/')
        return fail(f, INVALID, "The URL's path must begin with a slash, in \"%s\".", options->url);
    for (const char *c = t->path; *c; c++)
        if (*c <= ' ' || *c == '#' || *c == 0x7f)
            return fail(f, INVALID, "The URL's path must be encoded, in \"%s\".", options->url);
    if (!read_authority(t, authority, port))
        return fail(f, INVALID, "The URL must name a host and may name a port, in \"%s\".", options->url);
    return find_address(t, port, f);
}

enum status target_header(struct target *t, const char *line, struct failure *f)
{
    const char *colon = strchr(line, ':');
    if (!colon || colon == line || strpbrk(line, "\r\n"))
        return fail(f, INVALID, "A header must be \"Name: value\", not \"%s\".", line);
    str_addf(&t->headers, "%s\r\n", line);
    return t->headers.failed ? fail(f, NO_MEMORY, "Out of memory.") : OK;
}

void target_close(struct target *t)
{
    tls_free(t->tls);
    str_release(&t->headers);
    *t = (struct target){0};
}
