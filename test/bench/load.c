/* load fan|resume NAME=VALUE…: puts a load on a server's event stream and prints what was measured, as one JSON object.
 *
 *   fan     opens `streams`, then posts `rate` messages a second (0: as many as fit, `window` under way) for `seconds`;
 *           with connections=0 it only waits. `stalled` streams more are opened and never read.
 *   resume  takes a cursor, posts `missed` messages, then opens `streams` that come back with that cursor, `at-once` at
 *           a time (0: all together). With at-once each is closed when it has caught up.
 *
 * The server's figures (CPU, memory) are those of the processes in `pids`; memory for a stream is what the second half
 * of them added, so that what a server takes once is not counted. */
#include "publisher.h"
#include "readers.h"
#include "tool.h"
#include "usage.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SETTLE        (SECOND * 3 / 10)
#define LOOK          (SECOND / 1000)
#define STALLED_HOST  0x0201 /* 127.0.2.1: so that the kernel's memory for them can be told apart */
#define OPENED_GENTLY 256    /* fan: at a time */

static struct settings {
    long port, streams, stalled, threads, connections, rate, seconds, window, messages, missed, at_once, patience;
    const char *subscribe, *publish, *body, *pids;
} settings = {.threads = 1, .connections = 32, .seconds = 10, .patience = 30, .pids = ""};

static const struct row {
    const char *name;
    long *number; /* or */
    const char **text;
} rows[] = {
    {"port", &settings.port, NULL},
    {"streams", &settings.streams, NULL},
    {"stalled", &settings.stalled, NULL},
    {"threads", &settings.threads, NULL},         /* that read */
    {"connections", &settings.connections, NULL}, /* that post */
    {"rate", &settings.rate, NULL},
    {"seconds", &settings.seconds, NULL},
    {"window", &settings.window, NULL},
    {"messages", &settings.messages, NULL}, /* the most, where rate and missed do not tell */
    {"missed", &settings.missed, NULL},
    {"at-once", &settings.at_once, NULL},
    {"patience", &settings.patience, NULL}, /* seconds until a wait is given up */
    {"subscribe", NULL, &settings.subscribe},
    {"publish", NULL, &settings.publish},
    {"body", NULL, &settings.body}, /* of a POST, with one '#' */
    {"pids", NULL, &settings.pids},
};

static void read_settings(char **arguments)
{
    for (; *arguments; arguments++) {
        char *value = strchr(*arguments, '='), *end = NULL;
        const struct row *row = rows, *last = rows + sizeof rows / sizeof *rows;
        if (!value) die("%s is not NAME=VALUE", *arguments);
        *value++ = 0;
        while (row < last && strcmp(row->name, *arguments)) row++;
        if (row == last) die("there is no setting %s", *arguments);
        if (row->text) *row->text = value;
        if (row->number) *row->number = strtol(value, &end, 10);
        if (end && (end == value || *end || *row->number < 0)) die("%s: \"%s\" is no number", row->name, value);
    }
    if (!settings.port || !settings.subscribe || !settings.threads) die("port, subscribe and threads are needed");
    if (settings.connections && (!settings.publish || !settings.body)) die("publish and body are needed");
    if (!settings.messages)
        settings.messages = settings.missed ? settings.missed + 1 : settings.rate * settings.seconds;
}

static struct readers_options reader_options(void)
{
    return (struct readers_options){.port = (int)settings.port,
        .path = settings.subscribe,
        .threads = (int)settings.threads,
        .streams = (size_t)settings.streams,
        .messages = (size_t)settings.messages,
        .at_once = OPENED_GENTLY};
}

static struct publisher *new_publisher(struct readers *readers)
{
    return publisher_new(&(struct publisher_options){.port = (int)settings.port,
        .path = settings.publish,
        .body = settings.body,
        .connections = (int)settings.connections,
        .messages = (size_t)settings.messages,
        .readers = readers,
        .window = (size_t)settings.window});
}

/* Until so many streams are ready or lost. */
static void wait_ready(struct readers *readers, size_t streams)
{
    uint64_t patient = now() + (uint64_t)settings.patience * SECOND;
    for (;;) {
        struct readers_progress p = readers_progress(readers);
        if (p.ready + p.lost >= streams || now() > patient) return;
        pause_for(LOOK);
    }
}

/* Until `messages` have come to every stream; longer than `patience` only as long as something comes. */
static void wait_received(struct readers *readers, size_t messages)
{
    uint64_t patience = (uint64_t)settings.patience * SECOND, patient = now() + patience;
    for (;;) {
        struct readers_progress p = readers_progress(readers);
        if (p.received >= (uint64_t)messages * (p.ready - p.lost) || now() > patient) return;
        pause_for(LOOK);
    }
}

static int *open_stalled(void)
{
    int *sockets = need((size_t)settings.stalled, sizeof *sockets);
    struct sockaddr_in from = loopback(STALLED_HOST, 0), to = loopback(1, (int)settings.port);
    for (long i = 0; i < settings.stalled; i++) {
        sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (sockets[i] < 0 || bind(sockets[i], (struct sockaddr *)&from, sizeof from) ||
            connect(sockets[i], (struct sockaddr *)&to, sizeof to) ||
            dprintf(sockets[i], "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n",
                settings.subscribe) < 0)
            die("a stalled stream cannot be opened");
    }
    return sockets;
}

static void close_stalled(int *sockets)
{
    for (long i = 0; i < settings.stalled; i++) close(sockets[i]);
    free(sockets);
}

static void print_usage(const char *name, const struct usage *from, const struct usage *to, double seconds)
{
    printf("\"%s\":{\"user\":%.3f,\"kernel\":%.3f,\"seconds\":%.3f},", name, to->user - from->user,
        to->kernel - from->kernel, seconds);
}

static void print_histogram(const char *name, const struct histogram *h)
{
    printf("\"%s\":", name);
    histogram_print(h, stdout);
    putchar(',');
}

static void print_readers(const struct readers_result *r)
{
    print_histogram("latency", &r->latency);
    print_histogram("opening", &r->opening);
    print_histogram("arrival", &r->arrival);
    printf("\"missing\":%llu,\"duplicates\":%llu,\"disorder\":%llu,\"foreign\":%llu,\"frame_bytes\":%.0f}\n",
        (unsigned long long)r->missing, (unsigned long long)r->duplicates, (unsigned long long)r->disorder,
        (unsigned long long)r->foreign, r->frame_bytes);
}

static void print_publisher(const struct publisher *publisher)
{
    const struct publisher_result *r = publisher_result(publisher);
    printf("\"posted\":%zu,\"acknowledged\":%zu,\"failed\":%zu,\"posting_seconds\":%.3f,", r->posted, r->acknowledged,
        r->failed, r->seconds);
    print_histogram("answer", &r->answer);
}

/* What the second half of the streams added, for each of them. The load's own sockets are in the slab too. */
static void print_memory(const struct usage *half, const struct usage *full, size_t streams)
{
    size_t count;
    double buffers = usage_buffers((int)settings.port, 0, &count);
    printf("\"user_bytes\":%.0f,", (full->memory - half->memory) / (double)streams);
    if (full->slab >= 0) printf("\"slab_bytes\":%.0f,", (full->slab - half->slab) / (double)streams / 2);
    printf("\"buffer_bytes\":%.0f,\"resident_bytes\":%.0f,", count ? buffers / (double)count : 0, full->memory);
}

static void print_progress(const struct readers_progress *p)
{
    printf("\"ready\":%zu,\"lost\":%zu,\"received\":%llu,", p->ready, p->lost, (unsigned long long)p->received);
}

/* Opens all streams, in two halves with a look at the server after each. */
static int *open_fan(struct readers *readers, struct usage *full)
{
    size_t streams = (size_t)settings.streams, half = streams / 2;
    readers_open(readers, half);
    wait_ready(readers, half);
    pause_for(SETTLE);
    struct usage at_half = usage_read(settings.pids);
    readers_open(readers, streams);
    wait_ready(readers, streams);
    int *stalled = open_stalled();
    pause_for(SETTLE);
    *full = usage_read(settings.pids);
    print_memory(&at_half, full, streams - half);
    return stalled;
}

static void post_for_a_while(struct publisher *publisher)
{
    uint64_t duration = (uint64_t)settings.seconds * SECOND;
    if (!publisher)
        pause_for(duration);
    else if (settings.rate)
        publisher_run(publisher, (size_t)(settings.rate * settings.seconds), (double)settings.rate, 0);
    else
        publisher_run(publisher, (size_t)settings.messages, 0, duration);
}

static void print_stalled(void)
{
    size_t count;
    double bytes = usage_buffers((int)settings.port, STALLED_HOST, &count);
    if (settings.stalled)
        printf("\"stalled_open\":%zu,\"stalled_bytes\":%.0f,", count, count ? bytes / (double)count : 0);
}

/* Posts, waits until all has come, and prints what that took. */
static void measure_fan(struct readers *readers, struct publisher *publisher, const struct usage *before)
{
    double reading = readers_cpu(readers);
    uint64_t began = now();
    post_for_a_while(publisher);
    uint64_t posted = now();
    struct readers_progress then = readers_progress(readers);
    struct usage after = usage_read(settings.pids);
    print_stalled();
    if (publisher) wait_received(readers, publisher_result(publisher)->acknowledged);
    struct readers_progress last = readers_progress(readers);
    struct usage drained = usage_read(settings.pids);
    uint64_t ended = last.last_at > began ? last.last_at : now();
    print_usage("posting", before, &after, (double)(posted - began) / (double)SECOND);
    print_usage("all", before, &drained, (double)(ended - began) / (double)SECOND);
    printf("\"received_while_posting\":%llu,\"reading_cpu\":%.3f,\"posting_cpu\":%.3f,",
        (unsigned long long)then.received, readers_cpu(readers) - reading,
        publisher ? publisher_result(publisher)->cpu : 0);
    print_progress(&last);
}

static void fan(void)
{
    struct readers_options options = reader_options();
    struct readers *readers = readers_new(&options);
    struct publisher *publisher = settings.connections ? new_publisher(readers) : NULL;
    struct usage full;
    putchar('{');
    int *stalled = open_fan(readers, &full);
    measure_fan(readers, publisher, &full);
    if (publisher) print_publisher(publisher);
    struct readers_result *result = readers_free(readers, publisher ? publisher_result(publisher)->sent : NULL);
    print_readers(result);
    free(result);
    close_stalled(stalled);
    publisher_free(publisher);
}

/* One stream reads the first message; the id of its event is the cursor, and the message is not to be seen again. */
static struct readers_result *take_cursor(struct publisher *publisher)
{
    struct readers_options options = reader_options();
    options.streams = 1;
    options.threads = 1;
    struct readers *readers = readers_new(&options);
    readers_open(readers, 1);
    wait_ready(readers, 1);
    pause_for(SETTLE);
    publisher_run(publisher, 1, 0, 0);
    wait_received(readers, 1);
    struct readers_result *result = readers_free(readers, NULL);
    if (!result->id[0] || !result->latency.count) die("the first message did not come");
    return result;
}

static void resume(void)
{
    struct publisher *publisher = new_publisher(NULL);
    struct readers_result *first = take_cursor(publisher);
    publisher_run(publisher, (size_t)settings.missed, 0, 0);
    const struct publisher_result *posted = publisher_result(publisher);
    if (posted->failed) die("%zu messages were not taken", posted->failed);

    struct readers_options options = reader_options();
    options.cursor = first->id;
    options.missed = (uint32_t)settings.missed;
    options.messages = posted->posted;
    options.at_once = settings.at_once ? (size_t)settings.at_once : options.streams;
    options.close_ready = settings.at_once > 0;
    struct readers *readers = readers_new(&options);
    struct usage before = usage_read(settings.pids);
    uint64_t began = now();
    readers_open(readers, options.streams);
    wait_ready(readers, options.streams);
    struct readers_progress last = readers_progress(readers);
    struct usage after = usage_read(settings.pids);
    double reading = readers_cpu(readers);
    double seconds = (double)(last.last_at - began) / (double)SECOND;

    putchar('{');
    print_usage("all", &before, &after, seconds);
    printf("\"seconds\":%.4f,\"reading_cpu\":%.3f,", seconds, reading);
    print_progress(&last);
    print_publisher(publisher);
    /* The stream that took the cursor had the first message. */
    posted->sent[0] &= ~UINT64_C(1);
    struct readers_result *result = readers_free(readers, posted->sent);
    print_readers(result);
    free(result);
    free(first);
    publisher_free(publisher);
}

int main(int argc, char **argv)
{
    tool_begin();
    bool fans = argc > 1 && !strcmp(argv[1], "fan"), resumes = argc > 1 && !strcmp(argv[1], "resume");
    if (!fans && !resumes) die("load fan|resume NAME=VALUE…");
    read_settings(argv + 2);
    if (fans)
        fan();
    else
        resume();
    return 0;
}
