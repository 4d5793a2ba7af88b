/* Three things that OpenSSL does not do by itself.
 *
 * No call runs for as long as a client likes: without SSL_MODE_AUTO_RETRY (tls.c) SSL_read comes back after each record
 * that holds nothing for us (a key update, a handshake of TLS 1.2 that is refused). It then says WANT_READ, as it does
 * when the socket is empty; which of the two it is, is asked of the socket. For a reader that is only told of edges the
 * difference is all: what it leaves in the socket it may never be told of again.
 *
 * No edge is lost in sending: OpenSSL hands a record to the socket until it is taken whole or the socket takes nothing,
 * and only in the second case says WANT_WRITE.
 *
 * Errors are kept in a queue of each thread, where they stay until somebody clears them: SSL_get_error looks there, so
 * it is cleared before each call. */
#include "base/peer.h"
#include "base/tls.h"
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNREAD_MOST 16 /* pages of what is not read to the end */

static bool socket_holds_more(const struct peer *p)
{
    int held = 0;
    return !ioctl(p->socket, FIONREAD, &held) && held > 0;
}

/* What to answer to a call of OpenSSL's that did not do it. */
static int answer_of(const struct peer *p, int result)
{
    switch (SSL_get_error(p->tls, result)) {
    case SSL_ERROR_WANT_READ: return socket_holds_more(p) ? PEER_AGAIN : PEER_UNTIL_READABLE;
    case SSL_ERROR_WANT_WRITE: return PEER_UNTIL_WRITABLE;
    default: return PEER_GONE;
    }
}

/* Takes `ssl`, which may be NULL. */
static bool lay_over(struct peer *p, SSL *ssl)
{
    if (ssl && SSL_set_fd(ssl, p->socket) == 1) {
        p->tls = ssl;
        return true;
    }
    SSL_free(ssl);
    return false;
}

bool peer_secure(struct peer *p, struct tls *tls)
{
    if (!lay_over(p, tls_connection(tls))) return false;
    SSL_set_accept_state(p->tls);
    return true;
}

bool peer_secure_to(struct peer *p, struct tls *tls, const char *host)
{
    if (!lay_over(p, tls_connection_to(tls, host))) return false;
    SSL_set_connect_state(p->tls);
    return true;
}

int peer_shake_hands(struct peer *p)
{
    ERR_clear_error();
    int result = SSL_do_handshake(p->tls);
    if (result == 1) return 1;
    int answer = answer_of(p, result);
    if (answer == PEER_GONE && ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) return PEER_NOT_TLS;
    return answer;
}

const char *peer_complaint(void)
{
    return ERR_reason_error_string(ERR_peek_error());
}

ssize_t peer_send(struct peer *p, struct view bytes)
{
    if (!p->tls) {
        ssize_t n;
        do n = send(p->socket, bytes.at, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n > 0) return n;
        return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? PEER_UNTIL_WRITABLE : PEER_GONE;
    }
    ERR_clear_error();
    int n = SSL_write(p->tls, bytes.at, bytes.len < INT_MAX ? (int)bytes.len : INT_MAX);
    if (n > 0) return n;
    return answer_of(p, n) == PEER_UNTIL_WRITABLE ? PEER_UNTIL_WRITABLE : PEER_GONE;
}

ssize_t peer_receive(struct peer *p, char *at, size_t room)
{
    if (!p->tls) {
        ssize_t n;
        do n = recv(p->socket, at, room, MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n > 0) return n;
        return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? PEER_UNTIL_READABLE : PEER_GONE;
    }
    ERR_clear_error();
    int n = SSL_read(p->tls, at, room < INT_MAX ? (int)room : INT_MAX);
    return n > 0 ? n : answer_of(p, n);
}

int peer_look(struct peer *p)
{
    char first;
    ERR_clear_error();
    int n = SSL_peek(p->tls, &first, 1);
    int answer = n > 0 ? 1 : answer_of(p, n);
    return answer == PEER_GONE ? 1 : answer;
}

/* What lies unread in a socket makes its end a reset, which may overtake what was sent. Without TLS that is the
 * client's doing; here it may be a word that TLS says behind every other. */
static void throw_away(const struct peer *p)
{
    char waste[4096];
    for (int i = 0; i < UNREAD_MOST && recv(p->socket, waste, sizeof waste, MSG_DONTWAIT) > 0; i++) continue;
}

void peer_finish(struct peer *p)
{
    if (!p->tls) return;
    ERR_clear_error();
    if (SSL_is_init_finished(p->tls)) SSL_shutdown(p->tls);
    SSL_free(p->tls);
    p->tls = NULL;
    throw_away(p);
}

void peer_close(struct peer *p)
{
    peer_finish(p);
    shutdown(p->socket, SHUT_WR);
    close(p->socket);
    p->socket = -1;
}
