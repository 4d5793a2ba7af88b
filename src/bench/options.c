#include "bench/options.h"
#include "base/check.h"
#include <stdio.h>
#include <string.h>

#define TEXT(flag, member, environment, argument, help)                                                                \
    {                                                                                                                  \
        flag, environment, FLAG_TEXT, "", 0, 0, argument, help, FLAG_AT(const char *, struct bench_options, member)    \
    }
#define NUMBER(flag, member, fallback, least, most, help)                                                              \
    {                                                                                                                  \
        flag, NULL, FLAG_NUMBER, #fallback, least, most, "N", help, FLAG_AT(int64_t, struct bench_options, member)     \
    }
#define SWITCH(flag, member, help)                                                                                     \
    {                                                                                                                  \
        flag, NULL, FLAG_SWITCH, "", 0, 0, "", help, FLAG_AT(bool, struct bench_options, member)                       \
    }

static const struct flag rows[] = {
    {"--kind", NULL, FLAG_CHOICE, "get", 0, 0, "get|post|streams",
        "get: the URL's path is read; post: messages are sent, or --body to the URL's path; streams: the URL's path is "
        "read as an event stream, default /api/messages/sse?limit=0, and messages are sent that must come to each",
        FLAG_AT(const char *, struct bench_options, kind)},
    NUMBER("--connections", connections, 64, 0, 1000000,
        "connections that make requests, one at a time each; of streams: those that send messages, 0: none does"),
    NUMBER("--busy", busy, 0, 0, 1000000,
        "of them, those that go on behind their first answer, the others stay open and idle; 0: all go on"),
    SWITCH("--fresh", fresh, "each request has a connection of its own"),
    NUMBER("--threads", threads, 1, 1, 256, "threads that make requests; of streams: that read"),
    NUMBER("--rate", rate, 0, 0, 10000000,
        "requests, or messages, a second: an open loop, whose latency counts from when each was due; 0: a closed loop, "
        "in "
        "which each connection makes its next request when the last was answered"),
    NUMBER("--seconds", seconds, 10, 1, 1000000, "how long"),
    NUMBER("--timeout", timeout, 10, 1, 3600, "seconds until an answer, or what a stream must get, is given up"),
    TEXT("--body", body, NULL, "JSON", "what is sent; of streams: with one # in it, where the message's mark goes"),
    {"--header", NULL, FLAG_TEXTS, "", 0, FLAG_TEXTS_MOST, "\"NAME: VALUE\"",
        "sent with each request; may be given up to 8 times",
        FLAG_AT(struct flag_texts, struct bench_options, headers)},
    NUMBER("--sender", sender, 0, 0, 9007199254740991, "who sends the messages, a user's id; 0: the server is asked"),
    NUMBER("--receiver", receiver, 0, 0, 9007199254740991, "to whom; 0: the server is asked"),
    TEXT("--token", token, "PARLEY_BENCH_TOKEN", "TOKEN", "signs each request"),
    TEXT("--email", email, "PARLEY_BENCH_EMAIL", "EMAIL", "signs in before, with --password"),
    TEXT("--password", password, "PARLEY_BENCH_PASSWORD", "PASSWORD", "signs in before, with --email"),
    TEXT("--ca", authorities, NULL, "FILE", "PEM: who may sign the certificate of https://…; default: the system's"),
    SWITCH("--insecure", insecure, "any certificate will do"),
    NUMBER("--streams", streams, 1000, 1, 1000000, "streams that are opened"),
    NUMBER("--stalled", stalled, 0, 0, 1000000, "streams more, that are never read"),
    TEXT("--publish", publish, NULL, "PATH", "where messages are sent; default: /api/messages"),
    NUMBER("--messages", messages, 100000, 1, 100000000, "without --rate: the most messages that are sent"),
    NUMBER("--window", window, 0, 0, 100000000,
        "without --rate: messages that may be on the way to the streams at a time; 0: no limit"),
    NUMBER("--missed", missed, 0, 0, 1000000,
        "the streams come back, with a cursor, for so many messages that were sent meanwhile; 0: they are new"),
    NUMBER("--at-once", at_once, 0, 0, 1000000,
        "with --missed: streams that come back at a time, each closed when it has all; 0: all, and they stay"),
    TEXT("--processes", processes, NULL, "PID,PID…",
        "the server's, on this machine: their CPU time and memory are measured too"),
    SWITCH("--json", json, "the results as one JSON object; times are milliseconds"),
    SWITCH("--quiet", quiet, "no line of progress each second"),
    {.name = "--help", .type = FLAG_SWITCH, .fallback = "", .offset = FLAG_AT(bool, struct bench_options, help)},
    {.name = "-h", .type = FLAG_SWITCH, .fallback = "", .offset = FLAG_AT(bool, struct bench_options, help)},
};

static const struct flags flags = {rows, COUNT(rows)};

/* What does not go together. */
static const char *quarrel(const struct bench_options *o)
{
    bool streams = !strcmp(o->kind, "streams");
    if (!o->url) return "A URL is needed: parley bench http://localhost:3000/api/messages.";
    if (o->processes && o->processes[strspn(o->processes, "0123456789,")])
        return "--processes must be numbers with commas between them.";
    if (!o->email != !o->password) return "--email and --password need each other.";
    if (o->email && o->token) return "--token and --email are two ways to sign in: give one.";
    if (o->body && !strcmp(o->kind, "get")) return "--body is for --kind post and streams.";
    if (!o->connections && !streams) return "--connections 0 is for --kind streams.";
    if (!o->connections && o->missed) return "--missed needs a connection that sends what is missed.";
    if (o->busy > o->connections) return "--busy cannot be more than --connections.";
    if (o->busy && o->fresh) return "--busy is about connections that stay, and --fresh keeps none.";
    if (streams && o->rate && (double)o->rate * (double)o->seconds > 1e8)
        return "--rate and --seconds make more messages than can be told apart.";
    return NULL;
}

bool bench_options_read(struct bench_options *o, int argc, char **argv, char *reason, size_t size)
{
    *o = (struct bench_options){0};
    flags_default(&flags, o);
    if (!flags_environment(&flags, o, reason, size) || !flags_arguments(&flags, o, argc, argv, &o->url, reason, size))
        return false;
    const char *wrong = o->help ? NULL : quarrel(o);
    if (wrong) snprintf(reason, size, "%s", wrong);
    return !wrong;
}

void bench_options_print(void)
{
    printf(
        "parley bench URL [OPTIONS]: puts a load on a server, and tells what it took: requests, latency, errors\n\n");
    flags_print(&flags);
    printf("  --help\n\n"
           "It ends with 0; with 1 when requests failed, streams were lost or messages did not come to each stream "
           "once and\n"
           "in order; with 2 for bad options. Ctrl-C ends it early, and it tells what it has.\n");
}
