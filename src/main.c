/* The program: reads its options, opens the server, waits for a signal, closes it; after SIGTERM the streams end
 * before, one after the other. SIGHUP, where there is TLS: the certificate is read again. Exit 0 after SIGTERM or
 * SIGINT, 2 for bad options, 1 for anything else, with one sentence on standard error. `parley bench` is another
 * program in the same file (bench/bench.h). */
#include "base/log.h"
#ifdef PARLEY_BENCH
#include "bench/bench.h"
#endif
#include "options.h"
#include "parley/parley.h"
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_level level_of(const char *name)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return (enum log_level)i;
    return LOG_INFO;
}

/* glibc gives nearly every thread a heap of its own, eight for each core. Here what one thread takes another frees, and
 * each heap grows to its own peak. */
static void share_heaps(void)
{
#ifdef M_ARENA_MAX
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    mallopt(M_ARENA_MAX, cores > 0 ? (int)cores : 1);
#endif
}

/* One line an address, once it serves, and one for whoever is to make the first account. */
static void announce(struct parley *p, const struct parley_options *o)
{
    for (size_t i = 0; i < o->nlisten; i++) {
        const char *text = o->listen[i], *colon = strrchr(text, ':');
        const char *scheme = strstr(text, "://") ? "" : "http://";
        int len = colon ? (int)(colon - text) : 0;
        printf("Parley is listening on %s%.*s:%u\n", scheme, len, text, (unsigned)parley_port(p, i));
    }
    const char *token = parley_setup_token(p);
    if (token) printf("The first account needs the setup token %s\n", token);
    fflush(stdout);
}

static void renew_certificate(struct parley *p)
{
    struct failure f = {0};
    if (parley_renew_certificate(p, &f))
        log_error("the certificate stays as it was: %s", f.reason);
    else
        log_info("the certificate has been read again");
}

/* Until all streams have gone, or another signal comes. */
static void drain(struct parley *p, const sigset_t *signals, int64_t seconds)
{
    const struct timespec none = {0};
    int64_t step = 100, left = seconds * 1000 + 1000;
    parley_drain(p, seconds * 1000);
    for (; left > 0 && !parley_drained(p, step); left -= step) {
        int again = sigtimedwait(signals, NULL, &none);
        if (again > 0 && again != SIGHUP) return;
    }
}

int main(int argc, char **argv)
{
    struct options o;
    struct parley *p;
    struct failure f = {0};
    char reason[300];
    sigset_t signals;
    int signal_number = 0;

#ifdef PARLEY_BENCH
    if (argc > 1 && !strcmp(argv[1], "bench")) return bench_main(argc - 1, argv + 1);
#endif
    if (!options_read(&o, argc, argv, reason, sizeof reason)) {
        fprintf(stderr, "parley: %s\n", reason);
        options_release(&o);
        return 2;
    }
    if (o.help || o.markdown || o.version) {
        if (o.version)
            printf("parley " PARLEY_VERSION "\n");
        else
            options_print(o.markdown);
        options_release(&o);
        return fflush(stdout) ? 1 : 0;
    }
    /* Blocked before the first thread, so that every thread leaves them to this one. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (o.parley.tls_cert) sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    log_setup(level_of(o.log_level), !strcmp(o.log_format, "json"));
    share_heaps();

    if (parley_open(&p, &o.parley, &f)) {
        fprintf(stderr, "parley: %s\n", f.reason);
        options_release(&o);
        return f.status == INVALID ? 2 : 1;
    }
    announce(p, &o.parley);
    while (!sigwait(&signals, &signal_number) && signal_number == SIGHUP) renew_certificate(p);
    log_info("stopping after signal %d", signal_number);
    if (signal_number == SIGTERM && o.drain) drain(p, &signals, o.drain);
    parley_close(p);
    options_release(&o);
    return 0;
}
