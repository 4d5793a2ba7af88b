/* civetweb, included whole: its public API gives no way to take a socket over, and a stream must leave its worker.
 *
 * How a socket is taken: the connection's socket is copied and replaced by an invalid one, and the connection is told
 * to close; its worker then goes on to the next one. That is right only when nothing of a further request has been read
 * into its buffer.
 *
 * civetweb sends nothing of its own: the handler runs before civetweb looks at the request, and its error answers are
 * replaced through its callback. */
#include "civetweb.c"

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
#include "http/civet.h"
#include "http/listen.h"

#define MAX_LISTEN    16
#define MAX_HEADERS   (MG_MAX_HEADERS - 1) /* with more, civetweb drops some without a word */
#define QUEUE         1024
#define UNREAD_MOST   65536 /* bytes of an unread body that are worth reading for the connection's sake */
#define LINGER_MS     2000
#define LINGER_MOST   ((size_t)8 << 20)
#define STOP_STEP_MS  20
#define WORKER_THREAD 1 /* civetweb's number for them */

struct server {
    /* fixed after open */
    struct server_options options;
    struct mg_context *context;
    uint16_t ports[MAX_LISTEN];
    int listeners[2 * MAX_LISTEN]; /* civetweb's listening sockets */
    size_t nlisteners;
    /* under lock */
    struct lock lock;
    struct worker *workers; /* linked by next */
};

/* What a worker keeps between requests. Made and freed on its own thread. */
struct worker {
    struct server *server;
    struct worker *next; /* under the server's lock */
    int socket;          /* under the server's lock: the connection's while it is civetweb's; else -1 */
    struct arena arena;
    struct response response;
    struct str out;
    bool unread; /* the client may still be sending what nobody reads */
};

static _Thread_local struct worker *here;

static void worker_socket(int socket)
{
    lock_take(&here->server->lock);
    here->socket = socket;
    lock_drop(&here->server->lock);
}

static void *worker_start(const struct mg_context *context, int type)
{
    if (type != WORKER_THREAD) return NULL;
    struct worker *w = calloc(1, sizeof *w);
    ASSERT(w);
    w->server = mg_get_user_data(context);
    w->socket = -1;
    arena_init(&w->arena, w->server->options.arena_cap);
    lock_take(&w->server->lock);
    w->next = w->server->workers;
    w->server->workers = w;
    lock_drop(&w->server->lock);
    here = w;
    return w;
}

static void worker_end(const struct mg_context *context, int type, void *pointer)
{
    struct worker *w = pointer;
    (void)context;
    if (type != WORKER_THREAD) return;
    lock_take(&w->server->lock);
    struct worker **at = &w->server->workers;
    while (*at != w) at = &(*at)->next;
    *at = w->next;
    lock_drop(&w->server->lock);
    arena_release(&w->arena);
    response_release(&w->response);
    str_release(&w->out);
    free(w);
    here = NULL;
}

static int connection_begins(const struct mg_connection *conn, void **data)
{
    (void)data;
    worker_socket(conn->client.sock);
    return 0;
}

/* A socket that is closed with bytes unread takes the answer with it (RFC 9112, 9.6): say that no more comes, then read
 * on for a while. */
static void linger(int socket)
{
    static _Thread_local char waste[16384];
    int64_t end = clock_monotonic() + LINGER_MS;
    size_t read = 0;
    shutdown(socket, SHUT_WR);
    while (read < LINGER_MOST) {
        struct pollfd p = {.fd = socket, .events = POLLIN};
        int64_t left = end - clock_monotonic();
        if (left <= 0 || poll(&p, 1, (int)left) <= 0) return;
        ssize_t n = recv(socket, waste, sizeof waste, MSG_DONTWAIT);
        if (n <= 0) return;
        read += (size_t)n;
    }
}

static void connection_ends(const struct mg_connection *conn)
{
    if (here->unread && conn->client.sock != INVALID_SOCKET) linger(conn->client.sock);
    here->unread = false;
    worker_socket(-1);
}

/* The answer in one buffer and, if it fits the socket, one send. */
static void send_response(struct mg_connection *conn, struct response *rs, bool head_only)
{
    struct str *out = &here->out;
    char date[HTTP_DATE_LENGTH + 1];
    struct view body = rs->body.len ? str_view(&rs->body) : rs->fixed;
    if (rs->headers.failed || rs->body.failed) {
        static const char busy[] = "{\"errors\":[{\"message\":\"Out of memory.\"}]}";
        log_error("out of memory for an answer");
        str_reset(&rs->headers);
        response_header(rs, "Content-Type", VIEW("application/json"));
        rs->status = 503;
        rs->close = true;
        body = view_of(busy);
    }
    if (rs->close) conn->must_close = 1;
    bool bodiless = rs->status == 304 || rs->status == 204;
    clock_http_date(clock_wall(), date);
    str_reset(out);
    str_addf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", rs->status, response_reason(rs->status), date);
    str_add(out, str_view(&rs->headers));
    if (!bodiless) str_addf(out, "Content-Length: %zu\r\n", body.len);
    str_addf(out, "Connection: %s\r\n\r\n", should_keep_alive(conn) ? "keep-alive" : "close");
    if (!head_only && !bodiless) str_add(out, body);
    if (out->failed)
        conn->must_close = 1; /* nothing can be said any more */
    else if (mg_write(conn, out->at, out->len) != (int)out->len)
        conn->must_close = 1;
    if (out->room > (size_t)1 << 20) str_release(out);
    if (rs->body.room > (size_t)1 << 20) str_release(&rs->body);
}

static void response_start(struct response *rs)
{
    str_reset(&rs->headers);
    str_reset(&rs->body);
    rs->status = 200;
    rs->fixed = (struct view){0};
    rs->close = false;
}

static void refuse(struct mg_connection *conn, int status)
{
    struct server *s = here->server;
    response_start(&here->response);
    here->response.status = status;
    here->response.close = true;
    s->options.refuse(s->options.ctx, status, &here->response);
    here->unread = true;
    send_response(conn, &here->response, false);
}

/* civetweb's own error answers. */
static int on_error(struct mg_connection *conn, int status, const char *message)
{
    (void)message;
    if (!here) return 0;
    if (conn->request_len == -2) status = 431; /* its mark for a head that does not fit; it says 400 */
    refuse(conn, status);
    return 0;
}

static int on_log(const struct mg_connection *conn, const char *message)
{
    (void)conn;
    log_warning("civetweb: %s", message);
    return 1;
}

/* Framing that two readers could understand differently (RFC 9112, 6.3 and 3.2) and heads that lost a part. Returns the
 * status to refuse with; 0: all right. */
static int misframed(const struct mg_request_info *ri)
{
    const char *length = NULL;
    size_t hosts = 0;
    bool encoded = false;
    if (ri->num_headers > MAX_HEADERS) return 431;
    for (int i = 0; i < ri->num_headers; i++) {
        const char *name = ri->http_headers[i].name, *value = ri->http_headers[i].value;
        if (!strcasecmp(name, "Host")) hosts++;
        if (!strcasecmp(name, "Transfer-Encoding")) encoded = true;
        if (strcasecmp(name, "Content-Length")) continue;
        if (length && strcmp(length, value)) return 400;
        length = value;
        if (!*value || strspn(value, "0123456789") != strlen(value)) return 400;
    }
    if (length && encoded) return 400;
    if (hosts > 1 || (!hosts && !strcmp(ri->http_version, "1.1"))) return 400;
    return 0;
}

static enum method method_of(const char *name)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(name, names[i])) return (enum method)i;
    return METHOD_OTHER;
}

/* An unread body must be read before the next request can be; a long one is not worth it. */
static void settle_body(struct mg_connection *conn)
{
    int64_t unread = conn->content_len - conn->consumed_content;
    if (conn->is_chunked ? conn->is_chunked == 4 : unread <= UNREAD_MOST) return;
    conn->must_close = 1;
    here->unread = true;
}

static int on_request(struct mg_connection *conn)
{
    const struct mg_request_info *ri = mg_get_request_info(conn);
    struct server *s = here->server;
    int refused = misframed(ri);
    if (refused) {
        refuse(conn, refused);
        return refused;
    }
    response_start(&here->response);
    struct request rq = {.method = method_of(ri->request_method),
        .method_name = view_of(ri->request_method),
        .path = view_of(ri->local_uri_raw),
        .query = view_of(ri->query_string),
        .remote = view_of(ri->remote_addr),
        .http_1_0 = !strcmp(ri->http_version, "1.0"),
        .arena = &here->arena,
        .connection = conn};
    s->options.handle(s->options.ctx, &rq, &here->response);
    if (conn->client.sock != INVALID_SOCKET) {
        settle_body(conn);
        send_response(conn, &here->response, rq.method == METHOD_HEAD);
    }
    arena_reset(&here->arena);
    return here->response.status;
}

struct view request_header(const struct request *rq, const char *name)
{
    const struct mg_request_info *ri = mg_get_request_info(rq->connection);
    for (int i = 0; i < ri->num_headers; i++)
        if (!strcasecmp(ri->http_headers[i].name, name)) return view_trim(view_of(ri->http_headers[i].value));
    return (struct view){0};
}

static enum status body_failed(struct mg_connection *conn, struct failure *f, enum status status, const char *reason)
{
    conn->must_close = 1;
    return fail(f, status, "%s", reason);
}

enum status request_body(struct request *rq, size_t limit, struct view *body, struct failure *f)
{
    struct mg_connection *conn = rq->connection;
    struct str *in = &here->out; /* free until the answer */
    bool sent = conn->is_chunked || request_header(rq, "Content-Length").at;
    *body = (struct view){0};
    if (!sent) return OK;
    if (!conn->is_chunked && conn->content_len > (int64_t)limit)
        return body_failed(conn, f, TOO_LARGE, "The body is too large.");
    if (view_is_nocase(request_header(rq, "Expect"), "100-continue"))
        mg_write(conn, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    str_reset(in);
    for (;;) {
        if (!str_reserve(in, 16384)) return body_failed(conn, f, NO_MEMORY, "Out of memory.");
        int n = mg_read(conn, in->at + in->len, 16384);
        if (n <= 0) break;
        in->len += (size_t)n;
        if (in->len > limit) return body_failed(conn, f, TOO_LARGE, "The body is too large.");
    }
    bool whole = conn->is_chunked ? conn->is_chunked == 4 : (int64_t)in->len == conn->content_len;
    if (!whole) return body_failed(conn, f, INVALID, "The body is cut off or malformed.");
    body->at = arena_copy(rq->arena, str_view(in));
    body->len = in->len;
    return body->at ? OK : body_failed(conn, f, NO_MEMORY, "Out of memory.");
}

int request_detach(struct request *rq)
{
    struct mg_connection *conn = rq->connection;
    int one = 1, socket = conn->client.sock;
    if (conn->ssl || conn->is_chunked || conn->request_len + conn->content_len != conn->data_len) return -1;
    worker_socket(-1);
    conn->client.sock = INVALID_SOCKET;
    conn->must_close = 1;
    fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return socket;
}

/* Before civetweb's threads start, whose the listeners are from then on. */
static void keep_listeners(const struct mg_context *context)
{
    struct server *s = mg_get_user_data(context);
    for (unsigned i = 0; i < context->num_listening_sockets && i < COUNT(s->listeners); i++)
        s->listeners[s->nlisteners++] = context->listening_sockets[i].sock;
}

static enum status start(struct server *s, const char *ports, struct failure *f)
{
    char workers[16], queue[16];
    char message[256] = "";
    snprintf(workers, sizeof workers, "%d", s->options.workers);
    snprintf(queue, sizeof queue, "%d", QUEUE);
    const char *options[] = {"listening_ports", ports, "num_threads", workers, "connection_queue", queue,
        "listen_backlog", queue, "max_request_size", "16384", "enable_keep_alive", "yes", "keep_alive_timeout_ms",
        "5000", "request_timeout_ms", "30000", "tcp_nodelay", "1", "decode_url", "no", "enable_auth_domain_check", "no",
        NULL};
    struct mg_callbacks callbacks = {.begin_request = on_request,
        .http_error = on_error,
        .log_message = on_log,
        .init_context = keep_listeners,
        .init_thread = worker_start,
        .exit_thread = worker_end,
        .init_connection = connection_begins,
        .connection_close = connection_ends};
    struct mg_init_data init = {.callbacks = &callbacks, .user_data = s, .configuration_options = options};
    struct mg_error_data error = {.text = message, .text_buffer_size = sizeof message};
    s->context = mg_start2(&init, &error);
    return s->context ? OK : fail(f, UNAVAILABLE, "Cannot listen on %s: %s.", ports, message);
}

enum status server_open(struct server **out, const struct server_options *options, struct failure *f)
{
    struct server *s = calloc(1, sizeof *s);
    struct str list = {0};
    enum status status = OK;
    *out = NULL;
    if (!s) return fail(f, NO_MEMORY, "Out of memory.");
    ASSERT(options->nlisten <= MAX_LISTEN);
    s->options = *options;
    lock_init(&s->lock);
    signal(SIGPIPE, SIG_IGN);
    mg_init_library(0);
    for (size_t i = 0; i < options->nlisten && !status; i++)
        status = listen_resolve(options->listen[i], &list, &s->ports[i], f);
    if (!status && list.failed) status = fail(f, NO_MEMORY, "Out of memory.");
    if (!status) status = start(s, list.at, f);
    str_release(&list);
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

/* Workers that wait for a head wake up by the end of what their clients could still say; answers still go out. */
static void *hush(void *ctx)
{
    struct server *s = ctx;
    for (;;) {
        lock_take(&s->lock);
        bool some = s->workers != NULL;
        for (struct worker *w = s->workers; w; w = w->next)
            if (w->socket >= 0) shutdown(w->socket, SHUT_RD);
        lock_drop(&s->lock);
        if (!some) return NULL;
        nanosleep(&(struct timespec){.tv_nsec = STOP_STEP_MS * 1000000L}, NULL);
    }
}

void server_close(struct server *s)
{
    if (!s) return;
    if (s->context) {
        pthread_t helper;
        /* No further connection: the listeners' poll wakes at once. */
        for (size_t i = 0; i < s->nlisteners; i++) shutdown(s->listeners[i], SHUT_RDWR);
        bool hushed = !pthread_create(&helper, NULL, hush, s);
        mg_stop(s->context);
        if (hushed) pthread_join(helper, NULL);
    }
    mg_exit_library();
    lock_destroy(&s->lock);
    free(s);
}
