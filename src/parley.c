/* The assembly: what is opened, in which order, and closed in the reverse. */
#include "parley/parley.h"
#include "api/app.h"
#include "api/auth.h"
#include "api/cache.h"
#include "api/feed.h"
#include "api/idempotency.h"
#include "api/notices.h"
#include "api/openapi.h"
#include "api/pending.h"
#include "api/presence.h"
#include "api/token.h"
#include "api/typing.h"
#include "api/upload.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/tls.h"
#include "http/listen.h"
#include "http/server.h"
#include "store/former.h"
#include "store/read.h"
#include "store/standing.h"
#include "store/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define READERS       8
#define REQUEST_ARENA ((size_t)64 << 20)
#define DEFERRED      ((size_t)64 << 20) /* of requests that wait for their commit */
#define SECRET_BYTES  32
#define SETUP_BYTES   16
#define SETUP_LEAST   16 /* characters: nobody guesses them, so that nothing need slow down who tries */
/* Threads, for each that works, in which passwords are looked at or wait for that, and in which requests wait for
 * others with their Idempotency-Keys. */
#define SIGN_INS 2
#define TURNS    3
/* A machine with little room for addresses has little memory. */
#define STANDING_BYTES ((size_t)(SIZE_MAX > UINT32_MAX ? 4 : 1) << 20)
#define FORMER_BYTES   (STANDING_BYTES / 4)
#define STOPPING       VIEW("event: bye\ndata: {\"reason\":\"stopping\"}\n\n")

_Static_assert(SIGN_INS + TURNS <= SERVER_PAUSES, "some threads are always there for other requests");

struct parley {
    struct app app;
    struct server *server;
    struct tls *tls; /* NULL: no address has it */
    int folder;      /* held with a lock: two servers on one folder would undo each other's work */
    char *secret;
    char *database;
    char setup_token[2 * SETUP_BYTES + 1]; /* one that was made; "": none */
};

static enum status open_folder(struct parley *p, const char *path, struct failure *f)
{
    if (mkdir(path, 0700) && errno != EEXIST)
        return fail(
            f, IO_ERROR, "Cannot make the data folder %s: %s; name another with --data.", path, strerror(errno));
    p->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->folder < 0)
        return fail(
            f, IO_ERROR, "Cannot open the data folder %s: %s; name another with --data.", path, strerror(errno));
    if (flock(p->folder, LOCK_EX | LOCK_NB))
        return fail(
            f, UNAVAILABLE, "Another Parley uses the data folder %s; stop it or name another with --data.", path);
    return OK;
}

static enum status read_secret(struct parley *p, int file, const char *path, struct failure *f)
{
    char text[4096];
    ssize_t n = read(file, text, sizeof text - 1);
    if (n < 0) return fail(f, IO_ERROR, "Cannot read the secret in %s/secret: %s.", path, strerror(errno));
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r')) n--;
    text[n] = 0;
    if (!n)
        return fail(f, IO_ERROR, "The secret in %s/secret is empty; remove the file or write a secret in it.", path);
    p->secret = strdup(text);
    return p->secret ? OK : fail(f, NO_MEMORY, "Out of memory.");
}

/* Written under another name and renamed, so that there is either a whole secret or none. */
static enum status make_secret(struct parley *p, const char *path, struct failure *f)
{
    uint8_t random[SECRET_BYTES];
    char text[2 * SECRET_BYTES + 2];
    if (!crypt_random(random, sizeof random)) return fail(f, IO_ERROR, "The system gives no random numbers.");
    crypt_hex(random, sizeof random, text);
    p->secret = strdup(text);
    if (!p->secret) return fail(f, NO_MEMORY, "Out of memory.");
    size_t len = strlen(text);
    text[len++] = '\n';
    int file = openat(p->folder, "secret.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = file >= 0 && write(file, text, len) == (ssize_t)len && !fsync(file);
    int error = errno;
    if (file >= 0) close(file);
    if (ok && (renameat(p->folder, "secret.new", p->folder, "secret") || fsync(p->folder))) {
        ok = false;
        error = errno;
    }
    if (!ok)
        return fail(f, IO_ERROR,
            "Cannot keep a secret in the data folder %s: %s; make it writable or set PAYLOAD_SECRET.", path,
            strerror(error));
    return OK;
}

static enum status open_secret(struct parley *p, const struct parley_options *o, struct failure *f)
{
    if (o->secret) {
        p->secret = strdup(o->secret);
        return p->secret ? OK : fail(f, NO_MEMORY, "Out of memory.");
    }
    int file = openat(p->folder, "secret", O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) return make_secret(p, o->data, f);
    if (file < 0) return fail(f, IO_ERROR, "Cannot open the secret %s/secret: %s.", o->data, strerror(errno));
    enum status status = read_secret(p, file, o->data, f);
    close(file);
    return status;
}

/* It is sent in a header. */
static enum status open_setup(struct parley *p, const struct parley_options *o, struct failure *f)
{
    uint8_t random[SETUP_BYTES];
    p->app.setup_token = view_of(o->setup_token);
    if (!o->setup_token) return OK;
    if (!strcmp(o->setup_token, "auto")) {
        if (!crypt_random(random, sizeof random)) return fail(f, IO_ERROR, "The system gives no random numbers.");
        crypt_hex(random, sizeof random, p->setup_token);
        p->app.setup_token = view_of(p->setup_token);
        return OK;
    }
    size_t len = 0;
    while (o->setup_token[len] > ' ' && o->setup_token[len] <= '~') len++;
    if (len < SETUP_LEAST || o->setup_token[len])
        return fail(f, INVALID, "--setup-token must be auto, or at least %d printable ASCII characters without spaces.",
            SETUP_LEAST);
    return OK;
}

static enum status name_database(struct parley *p, const struct parley_options *o, struct failure *f)
{
    struct str path = {0};
    if (o->database)
        str_addz(&path, o->database);
    else
        str_addf(&path, "%s/parley.db", o->data);
    p->database = str_detach(&path);
    return p->database ? OK : fail(f, NO_MEMORY, "Out of memory.");
}

/* Half of it is a mistake: what somebody believes to be sealed must not be served in the open. */
static enum status open_tls(struct parley *p, const struct parley_options *o, struct failure *f)
{
    const char *secure = NULL;
    p->app.only_tls = true;
    for (size_t i = 0; i < o->nlisten; i++)
        if (listen_secure(o->listen[i]))
            secure = o->listen[i];
        else
            p->app.only_tls = false;
    if (!secure && !o->tls_cert && !o->tls_key) return OK;
    if (!o->tls_cert && secure)
        return fail(f, INVALID, "To listen on %s a certificate is needed: name its file with --tls-cert.", secure);
    if (!o->tls_cert)
        return fail(
            f, INVALID, "The key %s is given without a certificate: name its file with --tls-cert.", o->tls_key);
    if (!secure)
        return fail(f, INVALID,
            "The certificate %s is given, but no address has TLS: write https:// before one in --listen.", o->tls_cert);
    enum status status = tls_open(&p->tls, o->tls_cert, o->tls_key, f);
    const char *doubt = status ? NULL : tls_doubt(p->tls);
    if (doubt) log_warning("the certificate in %s %s", o->tls_cert, doubt);
    return status;
}

/* A stream is a descriptor: take as many as the system lets us have. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit)) log_warning("cannot raise the limit of open files: %s", strerror(errno));
}

/* On the applier's thread: a session is over, or all of a user's. */
static void end_streams(void *ctx, const struct collection *c, int64_t user, struct view session)
{
    (void)c; /* there is one auth collection */
    delivery_end(ctx, (uint64_t)user, feed_session(session));
}

/* On the applier's thread. */
static void tell_name(void *ctx, const struct profile *profile)
{
    notice_profile(ctx, profile);
}

/* On a thread of the delivery's. */
static void tell_presence(void *ctx, struct delivery *d)
{
    presence_tell(ctx, d);
}

/* As many at once as there are cores, and some that wait. */
static struct password_gate *open_gate(int workers)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int most = workers * SIGN_INS;
    int running = cores < 1 ? 1 : cores < most ? (int)cores : most;
    return password_gate_new(running, most - running);
}

static enum status open_app(struct parley *p, const struct parley_options *o, struct failure *f)
{
    struct app *app = &p->app;
    app->started = clock_wall() / 1000;
    if (!token_key(view_of(p->secret), app->token_key)) return fail(f, NO_MEMORY, "Out of memory.");
    app->presence = presence_new();
    app->typing = typing_new();
    if (!app->presence || !app->typing) return fail(f, NO_MEMORY, "Out of memory.");
    app->delivery = delivery_new(&(struct delivery_options){.threads = (int)o->delivery_threads,
        .lag_bytes = o->stream_lag_bytes,
        .lag_ms = o->stream_lag_seconds * 1000,
        .over = VIEW(FEED_OVER),
        .tick = tell_presence,
        .ctx = app->presence});
    if (!app->delivery) return fail(f, UNAVAILABLE, "The system gives no further threads or descriptors.");
    app->formers = formers_new(FORMER_BYTES);
    if (!app->formers) return fail(f, NO_MEMORY, "Out of memory.");
    enum status status = broker_open(&app->broker,
        &(struct broker_options){.database = p->database,
            .keep_changes = o->keep_changes,
            .delivery = app->delivery,
            .log_bytes = (uint64_t)o->log_bytes,
            .max_filters = (size_t)o->max_filters,
            .formers = app->formers},
        f);
    if (!status) status = pool_open(&app->pool, p->database, READERS, f);
    if (!status && o->text_index) status = text_open(&app->text, p->database, f);
    if (status) return status;
    app->standings = standings_new(STANDING_BYTES, app->formers, app->text);
    app->cache = cache_new((size_t)o->cache_bytes);
    app->quota = quota_new((size_t)o->max_streams, (size_t)o->streams_per_ip);
    if (!app->quota || !app->standings || !app->cache) return fail(f, NO_MEMORY, "Out of memory.");
    broker_on_end(app->broker, end_streams, app->delivery);
    broker_on_rename(app->broker, tell_name, app->delivery);
    broker_on_done(app->broker, pending_done, NULL);
    app->passwords = open_gate((int)o->workers);
    app->mailer = mailer_new(o->mail_command);
    app->private_messages = o->private_messages;
    app->ui_dir = o->ui_dir;
    app->openapi = openapi_new(app);
    app->idempotency = idempotency_new(view_of(p->secret), (int)o->workers * TURNS);
    if (!app->passwords || !app->mailer || !app->openapi || !app->idempotency)
        return fail(f, NO_MEMORY, "Out of memory.");
    app->upload_bytes = o->upload_bytes;
    return uploads_open(app, o->uploads ? o->uploads : o->data, f);
}

enum status parley_open(struct parley **out, const struct parley_options *o, struct failure *f)
{
    struct parley *p = calloc(1, sizeof *p);
    *out = NULL;
    if (!p) return fail(f, NO_MEMORY, "Out of memory.");
    p->folder = -1;
    raise_descriptors();
    enum status status = origins_read(&p->app.cors, "--cors", o->cors, f);
    if (!status) status = origins_read(&p->app.csrf, "--csrf", o->csrf ? o->csrf : "*", f);
    if (!status) status = open_setup(p, o, f);
    if (!status) status = open_tls(p, o, f);
    if (!status) status = open_folder(p, o->data, f);
    if (!status) status = open_secret(p, o, f);
    if (!status) status = name_database(p, o, f);
    if (!status) status = open_app(p, o, f);
    if (!status)
        status = server_open(&p->server,
            &(struct server_options){.listen = o->listen,
                .nlisten = o->nlisten,
                .tls = p->tls,
                .workers = (int)o->workers,
                .connections = (size_t)o->max_connections,
                .unsent = (size_t)o->unsent_bytes,
                .head_ms = o->head_timeout * 1000,
                .body_ms = o->body_timeout * 1000,
                .idle_ms = o->idle_timeout * 1000,
                .arena_cap = REQUEST_ARENA,
                .deferred = DEFERRED,
                .metrics = &p->app.metrics,
                .handle = api_handle,
                .refuse = api_refuse,
                .ctx = &p->app},
            f);
    if (status) {
        parley_close(p);
        return status;
    }
    *out = p;
    return OK;
}

uint16_t parley_port(const struct parley *p, size_t n)
{
    return server_port(p->server, n);
}

const char *parley_setup_token(struct parley *p)
{
    bool any = true;
    struct failure ignored;
    if (!*p->setup_token || auth_any(&p->app, &any, &ignored)) return NULL;
    return any ? NULL : p->setup_token;
}

enum status parley_renew_certificate(struct parley *p, struct failure *f)
{
    return p->tls ? tls_renew(p->tls, f) : fail(f, INVALID, "There is no certificate.");
}

void parley_drain(struct parley *p, int64_t ms)
{
    delivery_drain(p->app.delivery, ms, STOPPING);
}

bool parley_drained(struct parley *p, int64_t ms)
{
    return delivery_wait_empty(p->app.delivery, ms);
}

void parley_close(struct parley *p)
{
    if (!p) return;
    server_close(p->server);
    delivery_free(p->app.delivery, STOPPING);
    presence_free(p->app.presence);
    typing_free(p->app.typing);
    quota_free(p->app.quota);
    uploads_close(&p->app);
    cache_free(p->app.cache);
    standings_free(p->app.standings);
    text_close(p->app.text);
    pool_close(p->app.pool);
    broker_close(p->app.broker);
    formers_free(p->app.formers);
    openapi_free(p->app.openapi);
    idempotency_free(p->app.idempotency);
    mailer_free(p->app.mailer);
    password_gate_free(p->app.passwords);
    tls_free(p->tls);
    if (p->folder >= 0) close(p->folder);
    free(p->secret);
    free(p->database);
    free(p);
}
