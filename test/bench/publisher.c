#include "publisher.h"
#include "token.h"
#include "tool.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS      64
#define ANSWER_MOST (64 << 10)
#define PATIENCE    (10 * SECOND)
#define LOOK_AGAIN  (SECOND / 5000) /* when the window is full */

struct connection {
    int socket;
    bool busy;
    struct token token; /* of the message that is under way */
    size_t have;        /* of the answer */
    char answer[ANSWER_MOST + 1];
};

struct publisher {
    struct publisher_options options;
    int epoll;
    char *request;
    size_t request_len, token_at;
    size_t busy;
    struct publisher_result result;
    struct connection connections[];
};

static void connect_one(struct publisher *p, struct connection *c)
{
    struct sockaddr_in to = loopback(1, p->options.port);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int one = 1;
    c->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->socket < 0 || connect(c->socket, (struct sockaddr *)&to, sizeof to) ||
        epoll_ctl(p->epoll, EPOLL_CTL_ADD, c->socket, &event))
        die("cannot connect to port %d: %s", p->options.port, strerror(errno));
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void make_request(struct publisher *p)
{
    const char *body = p->options.body, *mark = strchr(body, '#');
    char head[512];
    if (!mark || strchr(mark + 1, '#')) die("the body must have one '#' in it");
    size_t before = (size_t)(mark - body), after = strlen(mark + 1);
    int n = snprintf(head, sizeof head,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
        p->options.path, p->options.port, before + TOKEN_LENGTH + after);
    if (n < 0 || (size_t)n >= sizeof head) die("the request is too long");
    p->token_at = (size_t)n + before;
    p->request_len = p->token_at + TOKEN_LENGTH + after;
    p->request = need(p->request_len, 1);
    memcpy(p->request, head, (size_t)n);
    memcpy(p->request + n, body, before);
    memcpy(p->request + p->token_at + TOKEN_LENGTH, mark + 1, after);
}

struct publisher *publisher_new(const struct publisher_options *options)
{
    struct publisher *p = need(1, sizeof *p + (size_t)options->connections * sizeof *p->connections);
    p->options = *options;
    p->result.sent = need(options->messages / 64 + 1, sizeof *p->result.sent);
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (p->epoll < 0) die("no epoll: %s", strerror(errno));
    make_request(p);
    for (int i = 0; i < options->connections; i++) connect_one(p, &p->connections[i]);
    return p;
}

static void finish(struct publisher *p, struct connection *c, bool acknowledged)
{
    c->busy = false;
    c->have = 0;
    p->busy--;
    if (!acknowledged) {
        p->result.failed++;
        return;
    }
    p->result.acknowledged++;
    p->result.sent[c->token.number / 64] |= UINT64_C(1) << c->token.number % 64;
    histogram_add(&p->result.answer, now() - c->token.due);
}

static void reconnect(struct publisher *p, struct connection *c)
{
    close(c->socket);
    if (c->busy) finish(p, c, false);
    connect_one(p, c);
}

static void post(struct publisher *p, struct connection *c, uint64_t due)
{
    c->token = (struct token){.number = (uint32_t)p->result.posted++, .due = due};
    c->busy = true;
    p->busy++;
    token_write(p->request + p->token_at, c->token);
    if (send(c->socket, p->request, p->request_len, MSG_NOSIGNAL) != (ssize_t)p->request_len) reconnect(p, c);
}

/* The length of a whole answer; 0: it is not here yet. */
static size_t answer_len(const char *answer, size_t have)
{
    const char *end = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "\r\nContent-Length:");
    if (!end) return 0;
    size_t len = (size_t)(end + 4 - answer);
    if (length && length < end) len += strtoul(length + 17, NULL, 10);
    return have >= len ? len : 0;
}

static void read_answer(struct publisher *p, struct connection *c)
{
    ssize_t n = recv(c->socket, c->answer + c->have, ANSWER_MOST - c->have, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0 || !c->busy) {
        reconnect(p, c);
        return;
    }
    c->have += (size_t)n;
    c->answer[c->have] = 0;
    if (answer_len(c->answer, c->have))
        finish(p, c, c->have > 9 && c->answer[9] == '2');
    else if (c->have == ANSWER_MOST)
        die("an answer is longer than %d bytes", ANSWER_MOST);
}

/* Waits at most so long, and takes the answers that came. */
static void listen_for(struct publisher *p, uint64_t nanoseconds)
{
    struct epoll_event events[EVENTS];
    struct timespec t = {.tv_sec = (time_t)(nanoseconds / SECOND), .tv_nsec = (long)(nanoseconds % SECOND)};
    int n = epoll_pwait2(p->epoll, events, EVENTS, &t, NULL);
    for (int i = 0; i < n; i++) read_answer(p, events[i].data.ptr);
}

static struct connection *free_one(struct publisher *p)
{
    if (p->busy == (size_t)p->options.connections) return NULL;
    for (int i = 0; i < p->options.connections; i++)
        if (!p->connections[i].busy) return &p->connections[i];
    return NULL;
}

static bool window_full(const struct publisher *p)
{
    if (!p->options.window) return false;
    struct readers_progress progress = readers_progress(p->options.readers);
    size_t streams = progress.ready - progress.lost;
    return !streams || p->result.posted >= progress.received / streams + p->options.window;
}

/* Posts what is due, and returns how long there is nothing to post but for answers that come. */
static uint64_t post_due(struct publisher *p, size_t first, size_t end, uint64_t began, double rate)
{
    struct connection *c;
    while (p->result.posted < end && (c = free_one(p))) {
        uint64_t at = now(), due = at;
        if (rate > 0) due = began + (uint64_t)((double)(p->result.posted - first) / rate * (double)SECOND);
        if (due > at) return due - at;
        if (window_full(p)) return LOOK_AGAIN;
        post(p, c, due);
    }
    return PATIENCE;
}

static double thread_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void publisher_run(struct publisher *p, size_t count, double rate, uint64_t duration)
{
    uint64_t began = now(), stop = duration ? began + duration : UINT64_MAX;
    double cpu = thread_cpu();
    size_t first = p->result.posted, end = first + count;
    if (end > p->options.messages) end = p->options.messages;
    while (p->result.posted < end && now() < stop) {
        uint64_t wait = post_due(p, first, end, began, rate), left = stop - now();
        listen_for(p, wait < left || now() > stop ? wait : left);
    }
    for (uint64_t patient = now() + PATIENCE; p->busy && now() < patient;) listen_for(p, SECOND / 10);
    for (int i = 0; i < p->options.connections; i++)
        if (p->connections[i].busy) reconnect(p, &p->connections[i]);
    p->result.seconds += (double)(now() - began) / (double)SECOND;
    p->result.cpu += thread_cpu() - cpu;
}

const struct publisher_result *publisher_result(const struct publisher *p)
{
    return &p->result;
}

void publisher_free(struct publisher *p)
{
    if (!p) return;
    for (int i = 0; i < p->options.connections; i++) close(p->connections[i].socket);
    close(p->epoll);
    free(p->request);
    free(p->result.sent);
    free(p);
}
