/* bare THREADS: what a machine can do at most. A server that appends what is posted to one buffer of events, as they
 * are, and sends each stream what it has not got yet, by send() in a loop in each of its threads. Nothing is stored,
 * checked or limited; the requests it understands are those of the load beside it. It prints its port. */
#include "bench/tool.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS       256
#define STREAMS_MOST 65536 /* of a thread */
#define FRAMES_MOST  (1 << 20)
#define LOG_BYTES    ((size_t)1 << 30)
#define REQUEST_MOST 65536
#define BACKLOG      4096
#define BEHIND_MS    1 /* until a socket that was full is tried again */

static const char stream_head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: open\n\n";
static const char posted[] = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";

/* All frames so far. The main thread appends, and moves the end when the bytes are there. */
static char *frames;
static atomic_size_t frames_end;
static size_t ends[FRAMES_MOST]; /* of frame n, which has the id n */
static size_t nframes;

struct reader {
    int socket;
    size_t at;
};

struct crew {
    pthread_t thread;
    int bell;
    atomic_size_t nreaders; /* grows only */
    struct reader *readers;
};

struct request {
    int socket;
    size_t have;
    char text[REQUEST_MOST + 1];
};

static struct crew *crews;
static size_t ncrews;

/* True: some are behind. */
static bool send_all(struct crew *crew)
{
    size_t n = atomic_load(&crew->nreaders), end = atomic_load(&frames_end);
    bool behind = false;
    for (size_t i = 0; i < n; i++) {
        struct reader *r = &crew->readers[i];
        if (r->at >= end || r->socket < 0) continue;
        ssize_t sent = send(r->socket, frames + r->at, end - r->at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0)
            r->at += (size_t)sent;
        else if (errno != EAGAIN) {
            close(r->socket);
            r->socket = -1;
            continue;
        }
        behind = behind || r->at < end;
    }
    return behind;
}

static void *deliver(void *ctx)
{
    struct crew *crew = ctx;
    bool behind = false;
    for (;;) {
        struct pollfd bell = {.fd = crew->bell, .events = POLLIN};
        uint64_t rung;
        if (poll(&bell, 1, behind ? BEHIND_MS : -1) > 0 && read(crew->bell, &rung, sizeof rung) < 0) continue;
        behind = send_all(crew);
    }
    return NULL;
}

static void ring(struct crew *crew)
{
    uint64_t one = 1;
    if (write(crew->bell, &one, sizeof one) < 0) die("a thread cannot be woken: %s", strerror(errno));
}

/* The socket is a stream from now on, behind the frame that its cursor names or at the end. */
static void add_stream(struct request *q)
{
    static size_t next;
    struct crew *crew = &crews[next];
    next = next + 1 < ncrews ? next + 1 : 0;
    size_t n = atomic_load(&crew->nreaders);
    const char *cursor = strcasestr(q->text, "\r\nLast-Event-ID:");
    size_t frame = cursor ? strtoul(cursor + 16, NULL, 10) : nframes;
    if (n == STREAMS_MOST) die("too many streams");
    if (frame > nframes) frame = nframes;
    if (send(q->socket, stream_head, sizeof stream_head - 1, MSG_NOSIGNAL) < 0) {
        close(q->socket);
        return;
    }
    crew->readers[n] = (struct reader){.socket = q->socket, .at = frame ? ends[frame] : 0};
    atomic_store(&crew->nreaders, n + 1);
    if (crew->readers[n].at < atomic_load(&frames_end)) ring(crew);
}

static void append(const char *body, size_t len)
{
    size_t at = ends[nframes];
    if (nframes + 1 == FRAMES_MOST || at + len + 64 > LOG_BYTES) die("the buffer is full");
    at += (size_t)sprintf(frames + at, "id: %zu\nevent: message\ndata: ", nframes + 1);
    memcpy(frames + at, body, len);
    memcpy(frames + at + len, "\n\n", 2);
    ends[++nframes] = at + len + 2;
}

/* How long a whole POST is; 0: it is not all here. */
static size_t post_len(const struct request *q, const char **body)
{
    const char *end = strstr(q->text, "\r\n\r\n"), *length = strcasestr(q->text, "\r\nContent-Length:");
    if (!end || !length) return 0;
    *body = end + 4;
    size_t len = (size_t)(*body - q->text) + strtoul(length + 17, NULL, 10);
    return q->have >= len ? len : 0;
}

/* False: the request has no more use for its socket. True in `*grown`: there is a new frame. */
static bool take(int epoll, struct request *q, bool *grown)
{
    const char *body;
    ssize_t n = recv(q->socket, q->text + q->have, REQUEST_MOST - q->have, MSG_DONTWAIT);
    if (n <= 0) {
        close(q->socket);
        return false;
    }
    q->have += (size_t)n;
    q->text[q->have] = 0;
    if (q->text[0] == 'G' && strstr(q->text, "\r\n\r\n")) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, q->socket, NULL);
        add_stream(q);
        return false;
    }
    size_t len = q->text[0] == 'P' ? post_len(q, &body) : 0;
    if (!len) return true;
    append(body, len - (size_t)(body - q->text));
    q->have = 0;
    *grown = true;
    send(q->socket, posted, sizeof posted - 1, MSG_NOSIGNAL);
    return true;
}

static void accept_all(int listener, int epoll)
{
    int one = 1, socket;
    while ((socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct request *q = malloc(sizeof *q);
        if (!q) die("no memory for a request");
        q->socket = socket;
        q->have = 0;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = q};
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event)) die("no epoll: %s", strerror(errno));
    }
}

static int listen_somewhere(void)
{
    struct sockaddr_in at = loopback(1, 0);
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, BACKLOG) ||
        getsockname(listener, (struct sockaddr *)&at, &len))
        die("cannot listen: %s", strerror(errno));
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return listener;
}

static void serve(int listener, int epoll)
{
    for (;;) {
        struct epoll_event events[EVENTS];
        bool grown = false;
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct request *q = events[i].data.ptr;
            if (!q)
                accept_all(listener, epoll);
            else if (!take(epoll, q, &grown))
                free(q);
        }
        if (!grown) continue;
        atomic_store(&frames_end, ends[nframes]);
        for (size_t i = 0; i < ncrews; i++) ring(&crews[i]);
    }
}

int main(int argc, char **argv)
{
    raise_descriptors();
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ncrews = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (!ncrews) die("bare THREADS");
    frames = mmap(NULL, LOG_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (frames == MAP_FAILED) die("no memory for frames");
    crews = need(ncrews, sizeof *crews);
    for (size_t i = 0; i < ncrews; i++) {
        crews[i].readers = need(STREAMS_MOST, sizeof *crews[i].readers);
        crews[i].bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (crews[i].bell < 0 || pthread_create(&crews[i].thread, NULL, deliver, &crews[i])) die("no thread");
    }
    int listener = listen_somewhere(), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event)) die("no epoll: %s", strerror(errno));
    serve(listener, epoll);
}
