/* civetweb, included whole: its public interface reads requests only from sockets, with threads and a queue of its own,
 * and a worker here must not wait for an idle client (front.h).
 *
 * Used of it: its parser of heads and its reader of bodies, over a connection without a socket. It looks with poll()
 * and reads with recv(); both are replaced, the first by a yes, the second by the worker's own reading, which keeps the
 * deadlines. Its context holds the settings that these two ask for, and no thread. It asks isprint() for what a head
 * may hold, and so would refuse a tab, which may stand in any header's value (RFC 9110, 5.5); that is replaced, too.
 *
 * What civetweb leaves to be checked: its parser stops without a word at the 65th header and at a line that it does not
 * understand (a folded one, for instance), and skips empty lines into what an earlier connection left in the buffer; so
 * where each piece of the head lies is compared with where it must lie (head_fault). */
#include <ctype.h>
#include <poll.h>
#include <sys/socket.h>

static int poll_nothing(struct pollfd *sockets, nfds_t n, int ms);
static ssize_t receive_on(int socket, void *at, size_t room, int flags);
static int may_stand_in_a_head(int c);

#define poll poll_nothing
#define recv receive_on
#undef isprint
#define isprint may_stand_in_a_head
#include "civetweb.c"
#undef poll
#undef recv
#undef isprint

/* civetweb forbids the standard names from here on. */
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef snprintf
#undef vsnprintf

#include "base/check.h"
#include "http/civet.h"
#include "http/head.h"
#include "http/target.h"

struct civet {
    struct mg_context context;
    struct mg_connection conn;
    struct target target; /* of this request */
    ssize_t (*receive)(void *ctx, char *at, size_t room);
    void *ctx;
    char buffer[CIVET_ROOM];
};

/* Whose bytes civetweb is reading on this thread. */
static _Thread_local struct civet *reading;

static int poll_nothing(struct pollfd *sockets, nfds_t n, int ms)
{
    (void)n, (void)ms;
    sockets->revents = POLLIN;
    return 1;
}

static ssize_t receive_on(int socket, void *at, size_t room, int flags)
{
    (void)socket, (void)flags;
    return reading->receive(reading->ctx, at, room);
}

static int may_stand_in_a_head(int c)
{
    return c == '\t' || (c >= ' ' && c <= '~');
}

struct civet *civet_new(ssize_t (*receive)(void *ctx, char *at, size_t room), void *ctx)
{
    static const struct {
        int option;
        const char *value;
    } settings[] = {{REQUEST_TIMEOUT, "1000"}, {AUTHENTICATION_DOMAIN, ""}};
    struct civet *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->receive = receive;
    c->ctx = ctx;
    for (size_t i = 0; i < COUNT(settings); i++)
        c->context.dd.config[settings[i].option] = (char *)(uintptr_t)settings[i].value;
    c->context.context_type = CONTEXT_SERVER;
    c->conn.phys_ctx = &c->context;
    c->conn.dom_ctx = &c->context.dd;
    c->conn.client.sock = INVALID_SOCKET;
    c->conn.buf = c->buffer;
    c->conn.buf_size = CIVET_ROOM;
    return c;
}

void civet_free(struct civet *c)
{
    free(c);
}

void civet_begin(struct civet *c, struct view early)
{
    ASSERT(early.len <= CIVET_ROOM);
    if (early.len) memcpy(c->buffer, early.at, early.len);
    c->conn.data_len = (int)early.len;
    c->conn.handled_requests = 0;
}

/* civetweb's status for what never became a request, put right. -2 is its word for a head that does not fit; a body has
 * not been looked at yet. */
static int status_of_error(const struct mg_connection *conn, int status)
{
    const struct mg_request_info *ri = &conn->request_info;
    if (conn->request_len == -2 || status == 413) return 431;
    int fault = ri->http_version ? head_line_fault(ri, is_valid_http_method(ri->request_method)) : 0;
    return fault ? fault : 400;
}

int civet_next(struct civet *c)
{
    struct mg_connection *conn = &c->conn;
    const struct mg_request_info *ri = &conn->request_info;
    char reason[100];
    int status;
    reading = c;
    if (!get_request(conn, reason, sizeof reason, &status)) return status ? status_of_error(conn, status) : -1;
    int fault = head_line_fault(ri, true);
    if (fault) return fault;
    if (!target_read(&c->target, view_of(ri->request_uri), !strcmp(ri->request_method, "OPTIONS"))) return 400;
    return head_fault(ri, conn->buf + conn->request_len, conn->is_chunked);
}

struct view civet_method(const struct civet *c)
{
    const char *method = c->conn.request_info.request_method;
    return view_of(method ? method : "");
}

void civet_target(struct civet *c, struct view *path, struct view *query)
{
    *path = c->target.path;
    *query = c->target.query;
}

bool civet_is_1_0(const struct civet *c)
{
    return !strcmp(c->conn.request_info.http_version, "1.0");
}

const char *civet_header(const struct civet *c, const char *name)
{
    const struct mg_request_info *ri = &c->conn.request_info;
    for (int i = 0; i < ri->num_headers; i++)
        if (!strcasecmp(ri->http_headers[i].name, name)) return ri->http_headers[i].value;
    return NULL;
}

/* civetweb takes any other word of the header's for a wish to close: "Upgrade, HTTP2-Settings" is none. */
bool civet_keeps(const struct civet *c)
{
    const struct mg_request_info *ri = &c->conn.request_info;
    bool keeps = !civet_is_1_0(c);
    for (int i = 0; i < ri->num_headers; i++) {
        struct view options = view_of(ri->http_headers[i].value);
        if (strcasecmp(ri->http_headers[i].name, "Connection") != 0) continue;
        while (options.at) {
            struct view option = view_trim(view_cut(&options, ','));
            if (view_is_nocase(option, "close")) return false;
            if (view_is_nocase(option, "keep-alive")) keeps = true;
        }
    }
    return keeps;
}

bool civet_chunked(const struct civet *c)
{
    return c->conn.is_chunked;
}

int64_t civet_length(const struct civet *c)
{
    return c->conn.request_info.content_length;
}

int64_t civet_left(const struct civet *c)
{
    return c->conn.content_len - c->conn.consumed_content;
}

bool civet_read(struct civet *c, char *at, size_t n)
{
    reading = c;
    return !n || mg_read_inner(&c->conn, at, n) == (int)n;
}

bool civet_read_on(struct civet *c, char *at, size_t n)
{
    c->conn.content_len += (int64_t)n;
    return civet_read(c, at, n);
}

void civet_chunks_end(struct civet *c)
{
    c->conn.is_chunked = 4; /* civetweb's word for it */
}

bool civet_whole(const struct civet *c)
{
    return c->conn.is_chunked ? c->conn.is_chunked == 4 : !civet_left(c);
}

bool civet_here(const struct civet *c)
{
    return !c->conn.is_chunked && c->conn.data_len >= c->conn.request_len + c->conn.content_len;
}

bool civet_more(const struct civet *c)
{
    return c->conn.data_len > c->conn.request_len + c->conn.content_len;
}

struct view civet_rest(struct civet *c)
{
    struct mg_connection *conn = &c->conn;
    int64_t end = conn->request_len + conn->content_len;
    ASSERT(civet_whole(c));
    conn->data_len = end < conn->data_len ? (int)(conn->data_len - end) : 0;
    if (conn->data_len) memmove(conn->buf, conn->buf + end, (size_t)conn->data_len);
    conn->request_len = 0;
    conn->content_len = conn->consumed_content = 0;
    return (struct view){conn->buf, (size_t)conn->data_len};
}
