/* The options of `parley bench`, from one table as the server's are. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "base/flag.h"

struct bench_options {
    const char *url;
    const char *kind; /* get, post, streams */
    int64_t connections, busy, threads, rate, seconds, timeout;
    bool fresh;
    /* requests */
    const char *body;
    struct flag_texts headers;
    int64_t sender, receiver; /* 0: the server is asked */
    const char *token, *email, *password;
    const char *authorities;
    bool insecure;
    /* streams */
    int64_t streams, stalled, messages, window, missed, at_once;
    const char *publish;
    /* what is told */
    const char *processes;
    bool json, quiet, help;
};

/* False: `reason` says what is wrong, in one sentence. */
MUST_CHECK bool bench_options_read(struct bench_options *o, int argc, char **argv, char *reason, size_t size);
/* --help's text. */
void bench_options_print(void);

#endif
