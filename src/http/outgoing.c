/* A plain socket is sent to in one system call, both texts together, and a file without passing through here. With TLS
 * what is sent is gathered into pieces of a record each: what is small leaves as one record, in one packet. A record
 * that did not go out whole must be offered again as it was: it begins where it began, and what lies there stays. */
#include "http/outgoing.h"
#include "base/clock.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define TURN   (1 << 20) /* bytes that one client may take before others have their turn */
#define RECORD 16384     /* the most that one holds */

static void skip(struct view *v, size_t *n)
{
    size_t here = *n < v->len ? *n : v->len;
    v->at += here;
    v->len -= here;
    *n -= here;
}

/* So many bytes of the texts have gone out. */
static void advance(struct outgoing *o, size_t n)
{
    o->taken += n;
    skip(&o->head, &n);
    skip(&o->body, &n);
}

static enum sent stopped(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? SENT_FULL : SENT_NONE;
}

static enum sent send_texts(struct outgoing *o, int socket)
{
    while (o->head.len + o->body.len) {
        struct iovec parts[2] = {
            {(void *)(uintptr_t)o->head.at, o->head.len}, {(void *)(uintptr_t)o->body.at, o->body.len}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        ssize_t n = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT | (o->file.len ? MSG_MORE : 0));
        if (n < 0) return stopped(n);
        advance(o, (size_t)n);
    }
    return SENT_ALL;
}

static enum sent send_file(struct outgoing *o, int socket)
{
    for (size_t turn = 0; o->file.len;) {
        if (turn >= TURN) return SENT_SOME;
        off_t at = (off_t)o->file.from;
        ssize_t n = sendfile(socket, o->file.fd, &at, o->file.len < TURN ? (size_t)o->file.len : TURN);
        if (n <= 0) return stopped(n);
        turn += (size_t)n;
        o->taken += (size_t)n;
        o->file.from += n;
        o->file.len -= n;
    }
    return SENT_ALL;
}

static enum sent send_piece(struct peer *peer, struct view piece, size_t *n)
{
    ssize_t sent = peer_send(peer, piece);
    *n = sent > 0 ? (size_t)sent : 0;
    return sent > 0 ? SENT_ALL : sent == PEER_UNTIL_WRITABLE ? SENT_FULL : SENT_NONE;
}

static size_t gather(char *to, size_t room, struct view from)
{
    size_t n = from.len < room ? from.len : room;
    if (n) memcpy(to, from.at, n);
    return n;
}

static enum sent send_texts_sealed(struct outgoing *o, struct peer *peer)
{
    char record[RECORD];
    enum sent sent = SENT_ALL;
    for (size_t turn = 0, gone; sent == SENT_ALL && o->head.len + o->body.len; turn += gone) {
        if (turn >= TURN) return SENT_SOME;
        size_t n = gather(record, RECORD, o->head);
        n += gather(record + n, RECORD - n, o->body);
        sent = send_piece(peer, (struct view){record, n}, &gone);
        advance(o, gone);
    }
    return sent;
}

static enum sent send_file_sealed(struct outgoing *o, struct peer *peer)
{
    char record[RECORD];
    enum sent sent = SENT_ALL;
    for (size_t turn = 0, gone; sent == SENT_ALL && o->file.len; turn += gone) {
        if (turn >= TURN) return SENT_SOME;
        ssize_t got;
        do got = pread(o->file.fd, record, o->file.len < RECORD ? (size_t)o->file.len : RECORD, (off_t)o->file.from);
        while (got < 0 && errno == EINTR);
        if (got <= 0) return SENT_NONE;
        sent = send_piece(peer, (struct view){record, (size_t)got}, &gone);
        o->taken += gone;
        o->file.from += (int64_t)gone;
        o->file.len -= (int64_t)gone;
    }
    return sent;
}

enum sent outgoing_send(struct outgoing *o, struct peer *peer)
{
    o->sent = peer->tls ? send_texts_sealed(o, peer) : send_texts(o, peer->socket);
    if (o->sent == SENT_ALL) o->sent = peer->tls ? send_file_sealed(o, peer) : send_file(o, peer->socket);
    return o->sent;
}

bool outgoing_finish(struct outgoing *o, struct peer *peer, int64_t until)
{
    while (outgoing_send(o, peer) != SENT_ALL) {
        int64_t left = until - clock_monotonic();
        struct pollfd p = {.fd = peer->socket, .events = POLLOUT};
        if (o->sent == SENT_NONE || left <= 0) return false;
        if (o->sent == SENT_FULL) poll(&p, 1, (int)left);
    }
    return true;
}

bool outgoing_takes(const struct outgoing *o, const struct str *body)
{
    return body->len && o->body.len && o->body.at >= body->at && o->body.at < body->at + body->len;
}

struct outgoing *outgoing_keep(const struct outgoing *o, struct str *body)
{
    struct outgoing *kept = malloc(sizeof *kept);
    if (!kept) return NULL;
    *kept = *o;
    str_add(&kept->own_head, o->head);
    if (kept->own_head.failed) {
        str_release(&kept->own_head);
        free(kept);
        return NULL;
    }
    kept->head = str_view(&kept->own_head);
    if (outgoing_takes(o, body)) {
        kept->own_body = *body;
        *body = (struct str){0};
    }
    kept->wanted = kept->taken + OUTGOING_SLICE;
    return kept;
}

size_t outgoing_bytes(const struct outgoing *o)
{
    return sizeof *o + o->own_head.room + o->own_body.room;
}

bool outgoing_moves(struct outgoing *o)
{
    if (o->taken < o->wanted) return false;
    o->wanted = o->taken + OUTGOING_SLICE;
    return true;
}

void outgoing_release(struct outgoing *o)
{
    if (o->file.fd >= 0) close(o->file.fd);
    o->file.fd = -1;
    str_release(&o->own_head);
    str_release(&o->own_body);
}

void outgoing_free(struct outgoing *o)
{
    if (o) outgoing_release(o);
    free(o);
}
