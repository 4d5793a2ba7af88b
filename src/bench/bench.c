#include "bench/bench.h"
#include "bench/ask.h"
#include "bench/kind.h"
#include "bench/watch.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

void bench_body(const struct bench *b, const char *content, struct str *out)
{
    if (b->options->body)
        str_addz(out, b->options->body);
    else
        str_addf(out, "{\"sender\":%lld,\"receiver\":%lld,\"content\":\"%s\"}", (long long)b->sender,
            (long long)b->receiver, content);
}

static enum status sign_in(struct bench *b, struct failure *f)
{
    const struct bench_options *o = b->options;
    enum status status = OK;
    for (size_t i = 0; i < o->headers.n && !status; i++) status = target_header(&b->target, o->headers.at[i], f);
    if (!status && o->token) {
        struct str line = {0};
        str_addf(&line, "Authorization: JWT %s", o->token);
        status = line.failed ? fail(f, NO_MEMORY, "Out of memory.") : target_header(&b->target, line.at, f);
        str_release(&line);
    }
    if (!status && o->email) status = ask_for_token(&b->target, o->email, o->password, f);
    return status;
}

static enum status find_people(struct bench *b, struct failure *f)
{
    const struct bench_options *o = b->options;
    bool streams = !strcmp(o->kind, "streams"), sends = streams ? o->connections > 0 : !strcmp(o->kind, "post");
    b->sender = o->sender;
    b->receiver = o->receiver;
    if (!sends || o->body || (o->sender && o->receiver)) return OK;
    int64_t sender, receiver;
    enum status status = ask_for_users(&b->target, &sender, &receiver, f);
    if (!b->sender) b->sender = sender;
    if (!b->receiver) b->receiver = receiver;
    return status;
}

static enum status run(struct bench *b, bool *right, struct failure *f)
{
    const struct bench_options *o = b->options;
    const struct target_options where = {o->url, o->authorities, o->insecure};
    enum status status = target_open(&b->target, &where, f);
    if (!status) status = ask_for_life(&b->target, f);
    if (!status) status = sign_in(b, f);
    if (!status) status = find_people(b, f);
    if (status) return status;
    watch_begin(o->quiet);
    return strcmp(o->kind, "streams") ? requests_run(b, right, f) : streams_run(b, right, f);
}

int bench_main(int argc, char **argv)
{
    struct bench_options o;
    struct failure f;
    char reason[300];
    bool right = false;
    if (!bench_options_read(&o, argc, argv, reason, sizeof reason)) {
        fprintf(stderr, "parley: %s\n", reason);
        return 2;
    }
    if (o.help) {
        bench_options_print();
        return fflush(stdout) ? 1 : 0;
    }
    raise_descriptors();
    signal(SIGPIPE, SIG_IGN);
    struct bench b = {.options = &o, .timeout = (uint64_t)o.timeout * SECOND};
    if (getrandom(&b.run, sizeof b.run, 0) != sizeof b.run) b.run = (uint32_t)now();
    enum status status = run(&b, &right, &f);
    target_close(&b.target);
    if (status) {
        fprintf(stderr, "parley: %s\n", f.reason);
        return status == INVALID ? 2 : 1;
    }
    return fflush(stdout) || !right ? 1 : 0;
}
