/* civetweb, included whole: its public interface gives no way to take a socket over, and a stream must leave its
 * worker.
 *
 * Who says what: the handler runs before civetweb looks at the request's target (begin_request), and its own error
 * answers are replaced (http_error), so that every byte a client sees is made here or in wire.c. An answer is not sent
 * by mg_write, which sends nothing once the server is being stopped: a write that has been committed would then go
 * unanswered.
 *
 * What civetweb leaves to be checked. Its parser stops without a word at the 65th header and at a line that it does not
 * understand (a folded one, for instance), and skips empty lines into what an earlier connection left in the buffer; so
 * where each piece of the head lies is compared with where it must lie (head_fault). It answers neither "OPTIONS *" nor
 * an absolute target with another port than the listener's (left_over). It forgets the connections that nobody has
 * taken when it stops (master_ends). Its accept loop spins when there are no descriptors left (accept_patiently).
 *
 * TLS is laid under civetweb, whose own is not built: what it reads with poll() and recv() comes from the worker's peer
 * (poll_peer, receive_from_peer). It learns which of its listeners are meant by an "s" behind the port, and carries
 * that from the listener to the connection; a connection so marked it would leave to code that is not there, so the
 * mark is put where the redirecting listeners have theirs (context_begins) and taken away before it means anything
 * (connection_begins).
 *
 * How a socket is taken: it is replaced by an invalid one in the connection, which is told to close; the worker then
 * goes on to the next connection. That is right only when nothing of a further request has been read into the buffer.
 */
#include <poll.h>
#include <sys/socket.h>

static int accept_patiently(int listener, struct sockaddr *address, socklen_t *len);
static int poll_peer(struct pollfd *sockets, nfds_t n, int ms);
static ssize_t receive_from_peer(int socket, void *at, size_t room, int flags);

#define accept accept_patiently
#define poll   poll_peer
#define recv   receive_from_peer
#include "civetweb.c"
#undef accept
#undef poll
#undef recv

/* civetweb forbids the standard names from here on. */
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef snprintf
#undef vsnprintf

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "http/chunked.h"
#include "http/civet.h"
#include "http/head.h"
#include "http/listen.h"
#include "http/wire.h"

#define MAX_LISTEN       16
#define MAX_WORKERS      4096
#define QUEUE            "1024" /* connections that wait for a worker, and as many that wait to be accepted */
#define UNREAD_MOST      65536  /* bytes of an unread body that are worth reading for the connection's sake */
#define PIECE            16384  /* of a body; a client that needs half a minute for one is given up */
#define KEEP             262144 /* bytes a worker's buffer may keep for the next answer */
#define NO_DESCRIPTOR_MS 50     /* to wait before the next try to accept */
#define STOP_STEP_MS     5
#define WORKER_THREAD    1 /* civetweb's number for them */

/* What a worker keeps between requests. */
struct worker {
    /* fixed after open */
    struct server *server;
    /* under the server's lock */
    int socket; /* the connection's while it is civetweb's; else -1 */
    /* the worker's thread only */
    struct peer peer; /* of the connection; no socket: it was given away, or cannot be read */
    struct arena arena;
    struct response response;
    struct str head, chunks;
    struct chunked chunked;
    bool answered;  /* this request, in whatever way */
    bool continued; /* 100 Continue has been sent */
    int64_t second; /* that `date` stands for */
    char date[HTTP_DATE_LENGTH + 1];
};

struct server {
    /* fixed after open */
    struct server_options options;
    struct mg_context *context;
    uint16_t ports[MAX_LISTEN];
    int listeners[2 * MAX_LISTEN]; /* civetweb's sockets */
    size_t nlisteners;
    struct worker *workers;
    /* under lock */
    struct lock lock;
    int started; /* of the workers */
    /* atomic */
    atomic_bool stopping;
};

/* While a server is being opened on this thread: where civetweb's first complaint goes. */
static _Thread_local char *complaint;
#define COMPLAINT_LENGTH 128

static int accept_patiently(int listener, struct sockaddr *address, socklen_t *len)
{
    static _Thread_local int64_t said;
    int socket = accept(listener, address, len);
    if (socket >= 0 || (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)) return socket;
    int64_t now = clock_monotonic();
    if (!said || now - said > 10000) log_warning("cannot accept a connection: %s", strerror(errno));
    if (!said || now - said > 10000) said = now;
    nanosleep(&(struct timespec){.tv_nsec = NO_DESCRIPTOR_MS * 1000000L}, NULL);
    return -1;
}

/* Where civetweb's reading happens. NULL: this thread is none of the workers. */
static _Thread_local struct worker *this_worker;

static int poll_peer(struct pollfd *sockets, nfds_t n, int ms)
{
    struct peer *peer = this_worker ? &this_worker->peer : NULL;
    if (!peer || (peer->socket >= 0 && !peer->tls)) return poll(sockets, n, ms);
    sockets->revents = POLLIN;
    return peer->socket < 0 ? 1 : wire_await(peer, ms);
}

static ssize_t receive_from_peer(int socket, void *at, size_t room, int flags)
{
    struct peer *peer = &this_worker->peer;
    if (peer->socket >= 0 && !peer->tls) return recv(socket, at, room, flags);
    return peer->socket < 0 ? 0 : peer_receive(peer, at, room);
}

/* civetweb's status for what never became a request, put right. */
static int status_of_error(const struct mg_connection *conn, int status)
{
    /* -2 is its word for a head that does not fit; a body has not been looked at yet. */
    if (conn->request_len == -2 || status == 413) return 431;
    if (conn->request_len < 0 && get_http_header_len(conn->buf, conn->data_len) == 0) return 408;
    return status == 411 ? 400 : status;
}

/* ---- answers ---- */

static bool body_whole(const struct mg_connection *conn)
{
    return conn->is_chunked ? conn->is_chunked == 4 : conn->consumed_content == conn->content_len;
}

static void response_start(struct response *rs, int status)
{
    str_reset(&rs->headers);
    str_reset(&rs->body);
    response_drop_file(rs);
    rs->status = status;
    rs->fixed = (struct view){0};
    rs->close = false;
}

static void fill_refusal(struct worker *w, int status)
{
    response_start(&w->response, status);
    w->server->options.refuse(w->server->options.ctx, status, &w->response);
    w->response.close = true;
    /* Without memory even for this: the status alone. */
    if (w->response.headers.failed) str_reset(&w->response.headers);
    if (w->response.body.failed) str_reset(&w->response.body);
}

static const char *date(struct worker *w)
{
    int64_t now = clock_wall(), second = now / 1000;
    if (second != w->second || !w->date[0]) clock_http_date(now, w->date);
    w->second = second;
    return w->date;
}

static void forget_large(struct str *s)
{
    if (s->room > KEEP) str_release(s);
}

static void answer(struct mg_connection *conn, bool head_only)
{
    static const char least[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    struct worker *w = conn->tls_user_ptr;
    struct response *rs = &w->response;
    struct str *head = &w->head;
    if (rs->headers.failed || rs->body.failed) fill_refusal(w, 503);
    struct view body = rs->file.open ? (struct view){0} : rs->body.len ? str_view(&rs->body) : rs->fixed;
    bool bodiless = rs->status == 204 || rs->status == 304;
    size_t len = rs->file.open ? (size_t)rs->file.len : body.len;
    bool keep = !rs->close && !atomic_load(&w->server->stopping) && conn->protocol_type == PROTOCOL_TYPE_HTTP1 &&
                should_keep_alive(conn);
    str_reset(head);
    str_addz(head, "HTTP/1.1 ");
    str_add_integer(head, rs->status);
    str_addc(head, ' ');
    str_addz(head, response_reason(rs->status));
    str_addz(head, "\r\nDate: ");
    str_addz(head, date(w));
    if (!bodiless) {
        str_addz(head, "\r\nContent-Length: ");
        str_add_integer(head, (int64_t)len);
    }
    str_addz(head, keep ? "\r\nConnection: keep-alive\r\n" : "\r\nConnection: close\r\n");
    str_add(head, str_view(&rs->headers));
    str_addz(head, "\r\n");
    keep = keep && !head->failed;
    struct view text = head->failed ? view_of(least) : str_view(head);
    if (head->failed || head_only || bodiless) {
        body = (struct view){0};
        response_drop_file(rs);
    }
    bool sent = wire_send(&w->peer, text, body, rs->file.open && rs->file.len, &w->server->stopping);
    if (sent && rs->file.open)
        sent = wire_send_file(&w->peer, rs->file.fd, rs->file.from, rs->file.len, &w->server->stopping);
    response_drop_file(rs);
    if (!keep || !sent) conn->must_close = 1;
    /* With TLS a client answers the end with a word of its own, which must not meet a closed socket either. */
    if (!keep && sent && (!body_whole(conn) || w->peer.tls)) wire_drain(&w->peer, &w->server->stopping);
    w->answered = true;
    forget_large(head);
    forget_large(&rs->headers);
    forget_large(&rs->body);
}

static void refuse(struct mg_connection *conn, int status)
{
    const char *method = conn->request_info.request_method;
    /* Where the head is not to be trusted, neither is the body's length: there may be more to come. */
    conn->content_len = conn->consumed_content + 1;
    fill_refusal(conn->tls_user_ptr, status);
    answer(conn, method && !strcmp(method, "HEAD"));
}

/* ---- requests ---- */

static enum method method_of(const char *name)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(name, names[i])) return (enum method)i;
    return METHOD_OTHER;
}

static bool pull(void *ctx, void *at, size_t n)
{
    struct mg_connection *conn = ctx;
    conn->content_len += (int64_t)n;
    return mg_read_inner(conn, at, n) == (int)n;
}

/* An unread body must be read before the next request can be; civetweb does that when the connection is to stay. Not
 * worth it: a long one, one of unknown length, and one that the client may never send, having been promised a word
 * first. */
static void settle_body(struct mg_connection *conn, const struct request *rq)
{
    struct worker *w = conn->tls_user_ptr;
    int64_t unread = conn->content_len - conn->consumed_content;
    bool waits = !w->continued && request_header(rq, "Expect").at;
    if (!body_whole(conn) && (conn->is_chunked || unread > UNREAD_MOST || waits)) w->response.close = true;
}

static int serve(struct mg_connection *conn, struct view path)
{
    const struct mg_request_info *ri = &conn->request_info;
    struct worker *w = conn->tls_user_ptr;
    struct server *s = w->server;
    int fault = head_fault(ri, conn->buf + conn->request_len, conn->is_chunked);
    if (fault) {
        refuse(conn, fault);
        return fault;
    }
    response_start(&w->response, 200);
    w->continued = false;
    w->chunked = (struct chunked){.pull = pull, .ctx = conn};
    struct request rq = {.method = method_of(ri->request_method),
        .method_name = view_of(ri->request_method),
        .path = path,
        .query = view_of(ri->query_string),
        .remote = view_of(ri->remote_addr),
        .http_1_0 = !strcmp(ri->http_version, "1.0"),
        .arena = &w->arena,
        .connection = conn};
    s->options.handle(s->options.ctx, &rq, &w->response);
    if (w->peer.socket >= 0) {
        settle_body(conn, &rq);
        answer(conn, rq.method == METHOD_HEAD);
    }
    w->answered = true;
    arena_reset(&w->arena);
    return w->response.status;
}

struct view request_header(const struct request *rq, const char *name)
{
    const struct mg_connection *conn = rq->connection;
    const struct mg_request_info *ri = &conn->request_info;
    for (int i = 0; i < ri->num_headers; i++)
        if (!strcasecmp(ri->http_headers[i].name, name)) return view_trim(view_of(ri->http_headers[i].value));
    return (struct view){0};
}

/* The client may be waiting for a word before it sends its body. */
static void send_continue(struct mg_connection *conn, const struct request *rq)
{
    struct worker *w = conn->tls_user_ptr;
    if (rq->http_1_0 || w->continued) return;
    if (!view_is_nocase(request_header(rq, "Expect"), "100-continue")) return;
    w->continued = true;
    struct view word = VIEW("HTTP/1.1 100 Continue\r\n\r\n");
    if (!wire_send(&w->peer, word, (struct view){0}, false, &w->server->stopping)) conn->must_close = 1;
}

static bool read_piece(struct mg_connection *conn, char *at, size_t room, size_t *got)
{
    struct worker *w = conn->tls_user_ptr;
    if (room > PIECE) room = PIECE;
    if (!conn->is_chunked) {
        int n = room ? mg_read(conn, at, room) : 0;
        *got = n > 0 ? (size_t)n : 0;
        return *got == room;
    }
    bool good = chunked_read(&w->chunked, at, room, got);
    if (!good) conn->is_chunked = 2; /* civetweb's word for a broken one; 4: read to its end */
    if (w->chunked.state == CHUNKED_END) conn->is_chunked = 4;
    return good;
}

static enum status fail_body(struct mg_connection *conn, struct failure *f, enum status status, const char *reason)
{
    struct worker *w = conn->tls_user_ptr;
    bool stopping = status == INVALID && atomic_load(&w->server->stopping);
    w->response.close = true;
    return stopping ? fail(f, UNAVAILABLE, "The server is stopping.") : fail(f, status, "%s", reason);
}

static enum status read_chunks(struct request *rq, size_t limit, struct view *body, struct failure *f)
{
    struct mg_connection *conn = rq->connection;
    struct str *in = &((struct worker *)conn->tls_user_ptr)->chunks;
    size_t got;
    str_reset(in);
    do {
        if (!str_reserve(in, PIECE)) return fail_body(conn, f, NO_MEMORY, "Out of memory.");
        if (!read_piece(conn, in->at + in->len, PIECE, &got))
            return fail_body(conn, f, INVALID, "The request's body is cut off or malformed.");
        in->len += got;
        if (in->len > limit) return fail_body(conn, f, TOO_LARGE, "The request's body is too large.");
    } while (got);
    body->at = arena_copy(rq->arena, str_view(in));
    body->len = in->len;
    forget_large(in);
    return body->at ? OK : fail_body(conn, f, NO_MEMORY, "Out of memory.");
}

static enum status read_length(struct request *rq, size_t len, struct view *body, struct failure *f)
{
    struct mg_connection *conn = rq->connection;
    char *at = arena_alloc(rq->arena, len + 1);
    size_t got;
    if (!at) return fail_body(conn, f, NO_MEMORY, "Out of memory.");
    for (size_t have = 0; have < len; have += got)
        if (!read_piece(conn, at + have, len - have, &got))
            return fail_body(conn, f, INVALID, "The request's body is cut off.");
    *body = (struct view){at, len};
    return OK;
}

enum status request_read(struct request *rq, char *at, size_t room, size_t *got, struct failure *f)
{
    struct mg_connection *conn = rq->connection;
    *got = 0;
    if (body_whole(conn)) return OK;
    int64_t left = conn->content_len - conn->consumed_content;
    if (!conn->is_chunked && (uint64_t)left < room) room = (size_t)left;
    send_continue(conn, rq);
    if (read_piece(conn, at, room, got)) return OK;
    return fail_body(conn, f, INVALID, "The request's body is cut off or malformed.");
}

enum status request_body(struct request *rq, size_t limit, struct view *body, struct failure *f)
{
    struct mg_connection *conn = rq->connection;
    *body = (struct view){0};
    if (!conn->is_chunked && conn->request_info.content_length < 0) return OK;
    if (!conn->is_chunked && (uint64_t)conn->content_len > limit)
        return fail_body(conn, f, TOO_LARGE, "The request's body is too large.");
    if (conn->is_chunked || conn->content_len) send_continue(conn, rq);
    if (conn->is_chunked) return read_chunks(rq, limit, body, f);
    return read_length(rq, (size_t)conn->content_len, body, f);
}

static void worker_socket(struct worker *w, int socket)
{
    lock_take(&w->server->lock);
    w->socket = socket;
    lock_drop(&w->server->lock);
}

bool request_detach(struct request *rq, struct peer *peer)
{
    struct mg_connection *conn = rq->connection;
    struct worker *w = conn->tls_user_ptr;
    int one = 1, socket = w->peer.socket;
    if (!body_whole(conn) || conn->data_len > conn->request_len + conn->content_len) return false;
    worker_socket(w, -1);
    *peer = w->peer;
    w->peer = peer_plain(-1);
    conn->client.sock = INVALID_SOCKET;
    conn->must_close = 1;
    fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return true;
}

/* ---- civetweb's callbacks ---- */

static int on_request(struct mg_connection *conn)
{
    return serve(conn, view_of(conn->request_info.local_uri_raw));
}

/* Nothing was sent, for want of memory: the client is not kept waiting. */
static void request_ends(const struct mg_connection *conn, int status)
{
    struct worker *w = conn->tls_user_ptr;
    (void)status;
    if (!w->answered) ((struct mg_connection *)(uintptr_t)conn)->must_close = 1;
    w->answered = false;
}

static int on_error(struct mg_connection *conn, int status, const char *message)
{
    (void)message;
    refuse(conn, status_of_error(conn, status));
    return 0;
}

static int on_log(const struct mg_connection *conn, const char *message)
{
    (void)conn;
    if (!complaint)
        log_warning("civetweb: %s", message);
    else if (!*complaint)
        snprintf(complaint, COMPLAINT_LENGTH, "%s", message);
    return 1;
}

/* Before any thread is started: the list itself is the master's, which frees it when it stops. */
static void context_begins(const struct mg_context *context)
{
    struct server *s = mg_get_user_data(context);
    ASSERT(context->num_listening_sockets <= COUNT(s->listeners));
    for (unsigned i = 0; i < context->num_listening_sockets; i++) {
        struct socket *listener = &context->listening_sockets[i];
        s->listeners[s->nlisteners++] = listener->sock;
        listener->ssl_redir = listener->is_ssl;
        listener->is_ssl = 0;
    }
}

static void *thread_begins(const struct mg_context *context, int type)
{
    struct server *s = mg_get_user_data(context);
    if (type != WORKER_THREAD) return NULL;
    lock_take(&s->lock);
    struct worker *w = &s->workers[s->started++];
    lock_drop(&s->lock);
    this_worker = w;
    return w;
}

/* The master ends last: what still waits in the queue, and what a worker had taken but not begun, is closed by nobody.
 */
static void master_ends(struct mg_context *context)
{
    for (; context->sq_tail < context->sq_head; context->sq_tail++)
        close(context->squeue[context->sq_tail % context->sq_size].sock);
    for (unsigned i = 0; i < context->cfg_worker_threads; i++)
        if (context->worker_connections[i].client.sock > 0) close(context->worker_connections[i].client.sock);
}

static void thread_ends(const struct mg_context *context, int type, void *pointer)
{
    struct worker *w = pointer;
    if (type != WORKER_THREAD) {
        master_ends((struct mg_context *)(uintptr_t)context);
        return;
    }
    arena_release(&w->arena);
    response_release(&w->response);
    str_release(&w->head);
    str_release(&w->chunks);
}

static int connection_begins(const struct mg_connection *conn, void **data)
{
    struct worker *w = conn->tls_user_ptr;
    bool secure = conn->client.ssl_redir;
    (void)data;
    ((struct mg_connection *)(uintptr_t)conn)->client.ssl_redir = 0;
    w->peer = peer_plain(conn->client.sock);
    worker_socket(w, conn->client.sock);
    if (secure && !wire_secure(&w->peer, w->server->options.tls, &w->server->stopping)) {
        const char *complaint_of_tls = peer_complaint();
        if (complaint_of_tls) log_debug("no TLS with %s: %s", conn->request_info.remote_addr, complaint_of_tls);
        peer_finish(&w->peer);
        w->peer = peer_plain(-1);
    }
    return 0;
}

/* A whole request that civetweb did not pass on, because its target is "*" or looks like another server's. */
static void left_over(struct mg_connection *conn)
{
    struct mg_request_info *ri = &conn->request_info;
    const char *host = strstr(ri->request_uri, "://");
    struct view path = view_of(host ? strchr(host + 3, '/') : ri->request_uri);
    char *query = strchr(path.at, '?');
    ri->query_string = query ? query + 1 : NULL;
    if (query) {
        *query = '\0';
        path = view_of(path.at);
    }
    serve(conn, path);
}

static void connection_ends(const struct mg_connection *conn)
{
    const struct mg_request_info *ri = &conn->request_info;
    struct worker *w = conn->tls_user_ptr;
    if (conn->request_len > 0 && conn->status_code == -1 && ri->request_uri && !ri->local_uri)
        left_over((struct mg_connection *)(uintptr_t)conn);
    w->answered = false;
    worker_socket(w, -1);
    peer_finish(&w->peer);
    w->peer = peer_plain(-1);
}

/* ---- the server ---- */

static enum status start(struct server *s, const char *addresses, struct failure *f)
{
    char workers[16], first[COMPLAINT_LENGTH] = "";
    snprintf(workers, sizeof workers, "%d", s->options.workers);
    const char *options[] = {"listening_ports", addresses, "num_threads", workers, "connection_queue", QUEUE,
        "listen_backlog", QUEUE, "max_request_size", "16384", "enable_keep_alive", "yes", "keep_alive_timeout_ms",
        "10000", "request_timeout_ms", "30000", "tcp_nodelay", "1", "decode_url", "no", "enable_auth_domain_check",
        "no", NULL};
    struct mg_callbacks callbacks = {.begin_request = on_request,
        .end_request = request_ends,
        .http_error = on_error,
        .log_message = on_log,
        .init_context = context_begins,
        .init_thread = thread_begins,
        .exit_thread = thread_ends,
        .init_connection = connection_begins,
        .connection_close = connection_ends};
    complaint = first;
    s->context = mg_start(&callbacks, s, options);
    complaint = NULL;
    if (!s->context) return fail(f, UNAVAILABLE, "Cannot start the HTTP server: %s.", *first ? first : "out of memory");
    if (*first) log_warning("civetweb: %s", first);
    return OK;
}

/* Between listen_resolve and civetweb's bind a port may be taken: the second look finds another, or says which. */
static enum status listen_and_start(struct server *s, struct failure *f)
{
    struct str list = {0};
    enum status status = OK;
    for (int tries = 0; tries < 2; tries++) {
        str_reset(&list);
        status = OK;
        for (size_t i = 0; i < s->options.nlisten && !status; i++)
            status = listen_resolve(s->options.listen[i], &list, &s->ports[i], f);
        if (!status && list.failed) status = fail(f, NO_MEMORY, "Out of memory.");
        if (status) break;
        status = start(s, list.at, f);
        if (!status) break;
    }
    str_release(&list);
    return status;
}

enum status server_open(struct server **out, const struct server_options *options, struct failure *f)
{
    *out = NULL;
    if (options->nlisten < 1 || options->nlisten > MAX_LISTEN)
        return fail(f, INVALID, "Between 1 and %d addresses can be listened on.", MAX_LISTEN);
    if (options->workers < 1 || options->workers > MAX_WORKERS)
        return fail(f, INVALID, "There must be between 1 and %d workers.", MAX_WORKERS);
    struct server *s = calloc(1, sizeof *s);
    if (!s) return fail(f, NO_MEMORY, "Out of memory.");
    for (size_t i = 0; i < options->nlisten; i++) ASSERT(options->tls || !listen_secure(options->listen[i]));
    s->options = *options;
    lock_init(&s->lock);
    signal(SIGPIPE, SIG_IGN);
    mg_init_library(0);
    s->workers = calloc((size_t)options->workers, sizeof *s->workers);
    for (int i = 0; s->workers && i < options->workers; i++) {
        s->workers[i] = (struct worker){.server = s, .socket = -1, .peer = {.socket = -1}};
        arena_init(&s->workers[i].arena, options->arena_cap);
    }
    enum status status = s->workers ? listen_and_start(s, f) : fail(f, NO_MEMORY, "Out of memory.");
    if (status) {
        server_close(s);
        return status;
    }
    *out = s;
    return OK;
}

uint16_t server_port(const struct server *s, size_t n)
{
    return n < s->options.nlisten ? s->ports[n] : 0;
}

/* Workers that wait for their clients wake up by the end of what these could still say; answers still go out. A socket
 * may have been closed between the look and the call: at worst another connection, ending as well, hears less. */
static void hush(struct server *s)
{
    for (int i = 0; i < s->options.workers; i++) {
        lock_take(&s->lock);
        int socket = s->workers[i].socket;
        lock_drop(&s->lock);
        if (socket >= 0) shutdown(socket, SHUT_RD);
    }
}

/* civetweb's threads read its stop flag without a lock or an atomic; ThreadSanitizer is told of these two functions
 * (test/tsan.supp) and no more. */
static void stop_flag_raise(struct mg_context *context)
{
    STOP_FLAG_ASSIGN(&context->stop_flag, 1);
}

static bool stop_flag_answered(struct mg_context *context)
{
    return STOP_FLAG_IS_TWO(&context->stop_flag);
}

/* In place of mg_stop, which only sleeps until the last thread has looked up. The listeners' end wakes the master. */
static void stop(struct server *s)
{
    pthread_t master = s->context->masterthreadid;
    for (size_t i = 0; i < s->nlisteners; i++) shutdown(s->listeners[i], SHUT_RDWR);
    stop_flag_raise(s->context);
    while (!stop_flag_answered(s->context)) {
        hush(s);
        nanosleep(&(struct timespec){.tv_nsec = STOP_STEP_MS * 1000000L}, NULL);
    }
    mg_join_thread(master);
    free_context(s->context);
}

void server_close(struct server *s)
{
    if (!s) return;
    atomic_store(&s->stopping, true);
    if (s->context) stop(s);
    mg_exit_library();
    lock_destroy(&s->lock);
    free(s->workers);
    free(s);
}
