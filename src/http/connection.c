/* A plain socket is looked at where its bytes lie; SO_RCVLOWAT keeps it silent until there is enough of them to change
 * the answer, so that a half-open client costs nothing. What TLS hides, and what a pipelining client has sent of a
 * further request, is read into `early`. */
#include "http/connection.h"
#include "base/check.h"
#include "base/log.h"
#include "base/tls.h"
#include "http/arrival.h"
#include "http/outgoing.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_PIECES 32 /* read before others have their turn */

struct connection *connection_new(int socket, const struct sockaddr *remote, bool secure)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    const void *address = remote->sa_family == AF_INET6
                              ? (const void *)&((const struct sockaddr_in6 *)(const void *)remote)->sin6_addr
                              : (const void *)&((const struct sockaddr_in *)(const void *)remote)->sin_addr;
    inet_ntop(remote->sa_family, address, c->remote, sizeof c->remote);
    c->peer = peer_plain(socket);
    c->secure = secure;
    c->low_water = 1;
    c->timed = STAGES;
    list_init(&c->link);
    return c;
}

void connection_free(struct connection *c)
{
    ASSERT(!c->exchange);
    if (c->peer.socket >= 0) peer_close(&c->peer);
    outgoing_free(c->outgoing);
    str_release(&c->early);
    free(c);
}

static void low_water(struct connection *c, size_t bytes)
{
    int n = (int)bytes;
    if (n == c->low_water) return;
    setsockopt(c->peer.socket, SOL_SOCKET, SO_RCVLOWAT, &n, sizeof n);
    c->low_water = n;
}

static enum heard judge(struct connection *c, struct view bytes, bool ended, size_t *wanted)
{
    struct arrival a = arrival_of(bytes);
    *wanted = a.wanted;
    c->long_body = a.long_body && !ended;
    if (a.wanted <= bytes.len || ended) return HEARD_ALL;
    c->stage = a.head ? STAGE_BODY : STAGE_HEAD;
    return HEARD_PART;
}

enum heard connection_look(struct connection *c, bool ended, char *room)
{
    size_t wanted = 1;
    ssize_t n = recv(c->peer.socket, room, ARRIVAL_MOST, MSG_PEEK | MSG_DONTWAIT);
    if (n == 0) return HEARD_END;
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? HEARD_PART : HEARD_END;
    enum heard heard = judge(c, (struct view){room, (size_t)n}, ended, &wanted);
    low_water(c, heard == HEARD_ALL ? 1 : wanted);
    c->arrived = heard == HEARD_ALL;
    return heard;
}

static enum heard shake_hands(struct connection *c, struct tls *tls)
{
    static const char plain[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 36\r\n"
                                "Connection: close\r\n\r\nThis port speaks TLS: use https://.\n";
    int answer;
    if (!c->peer.tls && !peer_secure(&c->peer, tls)) return HEARD_END;
    do answer = peer_shake_hands(&c->peer);
    while (answer == PEER_AGAIN);
    c->writable = answer == PEER_UNTIL_WRITABLE;
    if (answer == PEER_UNTIL_READABLE || answer == PEER_UNTIL_WRITABLE) return HEARD_PART;
    c->shaken = answer > 0;
    if (answer > 0) return HEARD_ALL;
    if (answer == PEER_NOT_TLS) {
        peer_finish(&c->peer);
        return peer_send(&c->peer, view_of(plain)) > 0 ? HEARD_SAY : HEARD_END;
    }
    const char *complaint = peer_complaint();
    if (complaint) log_debug("no TLS with %s: %s", c->remote, complaint);
    return HEARD_END;
}

enum heard connection_hear(struct connection *c, struct tls *tls)
{
    struct str *early = &c->early;
    size_t wanted;
    c->writable = false;
    if (!c->secure && !early->len) return c->arrived ? HEARD_ALL : HEARD_PART;
    if (c->secure && !c->shaken) {
        enum heard heard = shake_hands(c, tls);
        if (heard != HEARD_ALL) return heard;
    }
    for (;;) {
        if (early->len && judge(c, str_view(early), false, &wanted) == HEARD_ALL) return HEARD_ALL;
        if (!str_reserve(early, ARRIVAL_MOST - early->len)) return HEARD_END;
        ssize_t n = peer_receive(&c->peer, early->at + early->len, ARRIVAL_MOST - early->len);
        if (n == PEER_AGAIN) continue;
        c->writable = n == PEER_UNTIL_WRITABLE;
        if (n < 0) break;
        if (n == PEER_GONE) return early->len ? HEARD_ALL : HEARD_END;
        early->len += (size_t)n;
    }
    if (!early->len) str_release(early);
    return HEARD_PART;
}

void connection_part(struct connection *c)
{
    low_water(c, 1);
    peer_finish(&c->peer);
    shutdown(c->peer.socket, SHUT_WR);
    c->writable = false;
    c->stage = STAGE_PARTING;
}

enum heard connection_drain(struct connection *c)
{
    char dropped[4096];
    for (int i = 0; i < DRAIN_PIECES; i++) {
        ssize_t n = recv(c->peer.socket, dropped, sizeof dropped, MSG_DONTWAIT);
        if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? HEARD_PART : HEARD_END;
        if (n == 0) return HEARD_END;
    }
    return HEARD_PART;
}
