/* A metric is a row, which knows its samples one by one. What the system will not tell is left out. */
#include "api/metrics.h"
#include "api/presence.h"
#include "base/check.h"
#include "http/connection.h"
#include "parley/parley.h"
#include "stream/end.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *version(size_t i)
{
    return i ? NULL : PARLEY_VERSION;
}

static int64_t one(struct app *app, size_t i)
{
    (void)app;
    (void)i;
    return 1;
}

static int64_t started(struct app *app, size_t i)
{
    (void)i;
    return app->started;
}

/* Pages, the second word of statm (proc(5)). */
static int64_t resident(struct app *app, size_t i)
{
    char text[128];
    long long pages = -1;
    (void)app;
    (void)i;
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t n = read(file, text, sizeof text - 1);
    close(file);
    text[n > 0 ? n : 0] = 0;
    return sscanf(text, "%*s %lld", &pages) == 1 ? pages * sysconf(_SC_PAGESIZE) : -1;
}

/* Linux 6.2 and later tells the number as the folder's size; older ones have it counted. */
static int64_t descriptors(struct app *app, size_t i)
{
    struct stat found;
    int64_t n = -3; /* ".", ".." and the folder's own */
    (void)app;
    (void)i;
    if (!stat("/proc/self/fd", &found) && found.st_size > 0) return found.st_size;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) return -1;
    while (readdir(folder)) n++;
    closedir(folder);
    return n;
}

static const char *code(size_t i)
{
    static const char *const codes[] = {"2xx", "3xx", "4xx", "5xx"};
    return i < COUNT(codes) ? codes[i] : NULL;
}

static int64_t requests(struct app *app, size_t i)
{
    return (int64_t)counter_read(&app->metrics.requests[i + 2]);
}

static int64_t connections(struct app *app, size_t i)
{
    (void)i;
    return gauge_read(&app->metrics.connections);
}

static const char *const waits[] = {[STAGE_NEW] = "request",
    [STAGE_HEAD] = "head",
    [STAGE_BODY] = "body",
    [STAGE_ANSWER] = "reader",
    [STAGE_IDLE] = "next-request",
    [STAGE_PARTING] = "end",
    [WAITS_QUEUED] = "turn"};

static const char *wait_label(size_t i)
{
    return i < COUNT(waits) ? waits[i] : NULL;
}

static int64_t connections_waiting(struct app *app, size_t i)
{
    return gauge_read(&app->metrics.connections_waiting[i]);
}

static int64_t connections_accepted(struct app *app, size_t i)
{
    (void)i;
    return (int64_t)counter_read(&app->metrics.connections_accepted);
}

static int64_t connections_refused(struct app *app, size_t i)
{
    (void)i;
    return (int64_t)counter_read(&app->metrics.connections_refused);
}

static int64_t streams(struct app *app, size_t i)
{
    (void)i;
    return (int64_t)quota_count(app->quota);
}

static int64_t streams_opened(struct app *app, size_t i)
{
    (void)i;
    return (int64_t)counter_read(&app->metrics.streams_opened);
}

static const struct {
    const char *reason;
    enum quota_result why;
} refusals[] = {{"max-streams", QUOTA_FULL}, {"max-streams-per-ip", QUOTA_ADDRESS_FULL}};

static const char *refusal(size_t i)
{
    return i < COUNT(refusals) ? refusals[i].reason : NULL;
}

static int64_t streams_refused(struct app *app, size_t i)
{
    return (int64_t)counter_read(&app->metrics.streams_refused[refusals[i].why]);
}

static const char *end(size_t i)
{
    return i < NSTREAM_ENDS ? stream_end_name((enum stream_end)i) : NULL;
}

static int64_t streams_closed(struct app *app, size_t i)
{
    return (int64_t)counter_read(&app->metrics.streams_closed[i]);
}

static int64_t online(struct app *app, size_t i)
{
    (void)i;
    return (int64_t)presence_count(app->presence);
}

static int64_t changes(struct app *app, size_t i)
{
    struct changelog_span span;
    (void)i;
    channels_span(broker_channels(app->broker), &span);
    return span.head;
}

static const struct {
    const char *name, *type, *help;
    const char *label;                          /* NULL: one sample without a label */
    const char *(*value)(size_t i);             /* of the i-th sample's label; NULL: there are no more */
    int64_t (*read)(struct app *app, size_t i); /* negative: not known */
} rows[] = {
    {"parley_build_info", "gauge", "The version that runs.", "version", version, one},
    {"process_start_time_seconds", "gauge", "When the server started, in seconds since 1970.", NULL, NULL, started},
    {"process_resident_memory_bytes", "gauge", "Memory that is resident.", NULL, NULL, resident},
    {"process_open_fds", "gauge", "Descriptors that are open.", NULL, NULL, descriptors},
    {"parley_requests_total", "counter", "Requests that were answered, streams among them.", "code", code, requests},
    {"parley_connections", "gauge", "Connections that are open, streams not among them.", NULL, NULL, connections},
    {"parley_connections_waiting", "gauge", "Connections that hold no thread, by what they wait for.", "for",
        wait_label, connections_waiting},
    {"parley_connections_accepted_total", "counter", "Connections that were accepted.", NULL, NULL,
        connections_accepted},
    {"parley_connections_refused_total", "counter", "Connections that were one too many.", NULL, NULL,
        connections_refused},
    {"parley_streams", "gauge", "Streams that are open.", NULL, NULL, streams},
    {"parley_streams_opened_total", "counter", "Streams that were opened.", NULL, NULL, streams_opened},
    {"parley_streams_refused_total", "counter", "Streams that were turned away, by the limit that did it.", "reason",
        refusal, streams_refused},
    {"parley_streams_closed_total", "counter", "Streams that ended, by the reason.", "reason", end, streams_closed},
    {"parley_users_online", "gauge", "Users with a stream that asks for who is there, or a moment ago.", NULL, NULL,
        online},
    {"parley_changes_total", "counter", "Documents created, changed and deleted, since the database began.", NULL, NULL,
        changes},
};

static void add_sample(struct str *out, const char *name, const char *label, const char *value, int64_t n)
{
    if (n < 0) return;
    str_addz(out, name);
    if (label) str_addf(out, "{%s=\"%s\"}", label, value);
    str_addc(out, ' ');
    str_add_integer(out, n);
    str_addc(out, '\n');
}

enum status metrics_get(struct call *call, struct failure *f)
{
    struct str *out = &call->rs->body;
    const char *value;
    (void)f;
    for (size_t k = 0; k < COUNT(rows); k++) {
        const char *name = rows[k].name;
        str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, rows[k].help, name, rows[k].type);
        if (!rows[k].label) add_sample(out, name, NULL, NULL, rows[k].read(call->app, 0));
        for (size_t i = 0; rows[k].label && (value = rows[k].value(i)); i++)
            add_sample(out, name, rows[k].label, value, rows[k].read(call->app, i));
    }
    call->type = VIEW("text/plain; version=0.0.4; charset=utf-8");
    return OK;
}

_Static_assert(NSTREAM_ENDS <= METRIC_REASONS && QUOTA_NO_MEMORY < METRIC_REASONS, "each reason has a counter");
