/* What a handler asks of its request: headers, the body, the peer. */
#include "http/worker.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#define UNREAD_MOST 65536 /* bytes of an unread body that are worth reading for the connection's sake */
#define PIECE       16384

struct view request_header(const struct request *rq, const char *name)
{
    const struct worker *w = rq->connection;
    const char *value = civet_header(w->civet, name);
    return value ? view_trim(view_of(value)) : (struct view){0};
}

/* The client may be waiting for a word before it sends its body. */
static void send_continue(struct worker *w, const struct request *rq)
{
    if (rq->http_1_0 || w->continued) return;
    if (!view_is_nocase(request_header(rq, "Expect"), "100-continue")) return;
    w->continued = true;
    struct view word = VIEW("HTTP/1.1 100 Continue\r\n\r\n");
    if (peer_send(&w->connection->peer, word) != (ssize_t)word.len) w->ends = true;
}

static bool read_piece(struct worker *w, char *at, size_t room, size_t *got)
{
    if (room > PIECE) room = PIECE;
    if (!civet_chunked(w->civet)) {
        bool good = civet_read(w->civet, at, room);
        *got = good ? room : 0;
        return good;
    }
    bool good = chunked_read(&w->chunked, at, room, got);
    if (good && w->chunked.state == CHUNKED_END) civet_chunks_end(w->civet);
    return good;
}

static enum status fail_body(struct worker *w, struct failure *f, enum status status, const char *reason)
{
    bool stopping = status == INVALID && atomic_load(w->stopping);
    w->response.close = true;
    return stopping ? fail(f, UNAVAILABLE, "The server is stopping.") : fail(f, status, "%s", reason);
}

static enum status read_chunks(struct request *rq, size_t limit, struct view *body, struct failure *f)
{
    struct worker *w = rq->connection;
    struct str *in = &w->chunks;
    size_t got;
    str_reset(in);
    do {
        if (!str_reserve(in, PIECE)) return fail_body(w, f, NO_MEMORY, "Out of memory.");
        if (!read_piece(w, in->at + in->len, PIECE, &got))
            return fail_body(w, f, INVALID, "The request's body is cut off or malformed.");
        in->len += got;
        if (in->len > limit) return fail_body(w, f, TOO_LARGE, "The request's body is too large.");
    } while (got);
    body->at = arena_copy(rq->arena, str_view(in));
    body->len = in->len;
    if (in->room > WORKER_KEEP) str_release(in);
    return body->at ? OK : fail_body(w, f, NO_MEMORY, "Out of memory.");
}

static enum status read_length(struct request *rq, size_t len, struct view *body, struct failure *f)
{
    struct worker *w = rq->connection;
    char *at = arena_alloc(rq->arena, len + 1);
    size_t got;
    if (!at) return fail_body(w, f, NO_MEMORY, "Out of memory.");
    for (size_t have = 0; have < len; have += got)
        if (!read_piece(w, at + have, len - have, &got))
            return fail_body(w, f, INVALID, "The request's body is cut off.");
    *body = (struct view){at, len};
    return OK;
}

enum status request_read(struct request *rq, char *at, size_t room, size_t *got, struct failure *f)
{
    struct worker *w = rq->connection;
    *got = 0;
    if (civet_whole(w->civet)) return OK;
    int64_t left = civet_left(w->civet);
    if (!civet_chunked(w->civet) && (uint64_t)left < room) room = (size_t)left;
    send_continue(w, rq);
    if (read_piece(w, at, room, got)) return OK;
    return fail_body(w, f, INVALID, "The request's body is cut off or malformed.");
}

enum status request_body(struct request *rq, size_t limit, struct view *body, struct failure *f)
{
    struct worker *w = rq->connection;
    bool chunked = civet_chunked(w->civet);
    int64_t length = civet_length(w->civet);
    *body = (struct view){0};
    if (!chunked && length < 0) return OK;
    if (!chunked && (uint64_t)length > limit) return fail_body(w, f, TOO_LARGE, "The request's body is too large.");
    if (chunked || length) send_continue(w, rq);
    return chunked ? read_chunks(rq, limit, body, f) : read_length(rq, (size_t)length, body, f);
}

void request_pause(struct request *rq)
{
    const struct worker *w = rq->connection;
    relief_pause(w->relief);
}

void request_go_on(struct request *rq)
{
    const struct worker *w = rq->connection;
    relief_go_on(w->relief);
}

bool request_detach(struct request *rq, struct peer *peer)
{
    struct worker *w = rq->connection;
    if (!civet_whole(w->civet) || civet_more(w->civet)) return false;
    *peer = front_detach(w->front, w->connection);
    w->connection = NULL;
    return true;
}

/* Not worth reading: a long body, one of unknown length, and one that the client may never send, having been promised a
 * word first. */
void body_settle(struct worker *w, const struct request *rq)
{
    bool waits = !w->continued && request_header(rq, "Expect").at;
    if (civet_whole(w->civet)) return;
    if (civet_chunked(w->civet) || civet_left(w->civet) > UNREAD_MOST || waits) w->response.close = true;
}

void body_skip(struct worker *w)
{
    char dropped[4096];
    while (!civet_whole(w->civet) && !w->ends) {
        size_t left = (size_t)civet_left(w->civet);
        if (!civet_read(w->civet, dropped, left < sizeof dropped ? left : sizeof dropped)) w->ends = true;
    }
}
