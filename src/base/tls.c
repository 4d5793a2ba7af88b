#include "base/tls.h"
#include "base/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tls {
    /* fixed after open */
    const char *certificate, *key; /* a server's */
    /* under lock */
    struct lock lock;
    SSL_CTX *context; /* each connection holds one more reference */
};

/* ---- reading the files ---- */

static enum status refuse(struct failure *f, const char *what, const char *path)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    return fail(f, INVALID, "Cannot use the %s in %s: %s.", what, path, reason ? reason : "out of memory");
}

/* OpenSSL says less about a file that is not there. */
static enum status look_into(const char *what, const char *path, struct failure *f)
{
    char first;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n = file < 0 ? -1 : read(file, &first, 1);
    int error = errno;
    if (file >= 0) close(file);
    if (n < 0) return fail(f, INVALID, "Cannot read the %s %s: %s.", what, path, strerror(error));
    return n ? OK : fail(f, INVALID, "The %s %s is empty.", what, path);
}

/* Nobody is asked for it: the server may have been started by a machine. */
static int no_password(char *at, int size, int writing, void *ctx)
{
    (void)at, (void)size, (void)writing, (void)ctx;
    return -1;
}

static enum status read_certificate(SSL_CTX *context, const char *path, struct failure *f)
{
    enum status status = look_into("certificate", path, f);
    if (status) return status;
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, path) == 1) return OK;
    if (ERR_GET_REASON(ERR_peek_error()) == PEM_R_NO_START_LINE)
        return fail(f, INVALID, "There is no certificate in %s: it must be PEM, with the chain behind it.", path);
    return refuse(f, "certificate", path);
}

static EVP_PKEY *read_key_file(const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    EVP_PKEY *key = file ? PEM_read_bio_PrivateKey(file, NULL, no_password, NULL) : NULL;
    BIO_free(file);
    return key;
}

static enum status why_no_key(const char *path, struct failure *f)
{
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (reason == PEM_R_BAD_PASSWORD_READ)
        return fail(
            f, INVALID, "The key in %s is encrypted: write one that needs no password, for this user alone.", path);
    if (reason == PEM_R_NO_START_LINE || reason == ERR_R_UNSUPPORTED)
        return fail(f, INVALID, "There is no private key in %s: it must be PEM; --tls-key names another file.", path);
    return refuse(f, "key", path);
}

static enum status read_key(SSL_CTX *context, const struct tls *t, struct failure *f)
{
    enum status status = look_into("key", t->key, f);
    if (status) return status;
    ERR_clear_error();
    EVP_PKEY *key = read_key_file(t->key);
    if (!key)
        status = why_no_key(t->key, f);
    else if (!X509_check_private_key(SSL_CTX_get0_certificate(context), key))
        status = fail(f, INVALID, "The key in %s does not belong to the certificate in %s.", t->key, t->certificate);
    else if (SSL_CTX_use_PrivateKey(context, key) != 1)
        status = refuse(f, "key", t->key);
    EVP_PKEY_free(key);
    return status;
}

/* ---- how clients are spoken to ---- */

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *len, const unsigned char *offered,
    unsigned offered_len, void *ctx)
{
    static const char ours[] = "\x08http/1.1";
    unsigned char *found = NULL;
    (void)ssl, (void)ctx;
    int result = SSL_select_next_proto(&found, len, (const unsigned char *)ours, sizeof ours - 1, offered, offered_len);
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* The last option takes a connection that ends without a word as one that ends with it: bodies have a length of their
 * own, and one who sent half of one is still told what was wrong. */
static void set_up(SSL_CTX *context)
{
    static const unsigned char offered[] = "\x08http/1.1";
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(
        context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_alpn_protos(context, offered, sizeof offered - 1);
}

static enum status make_context(const struct tls *t, SSL_CTX **out, struct failure *f)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    *out = NULL;
    if (!context) return fail(f, NO_MEMORY, "Out of memory.");
    set_up(context);
    enum status status = read_certificate(context, t->certificate, f);
    if (!status) status = read_key(context, t, f);
    if (status)
        SSL_CTX_free(context);
    else
        *out = context;
    return status;
}

enum status tls_open(struct tls **out, const char *certificate, const char *key, struct failure *f)
{
    *out = NULL;
    struct tls *t = calloc(1, sizeof *t);
    if (!t) return fail(f, NO_MEMORY, "Out of memory.");
    t->certificate = certificate;
    t->key = key ? key : certificate;
    lock_init(&t->lock);
    enum status status = make_context(t, &t->context, f);
    if (status)
        tls_free(t);
    else
        *out = t;
    return status;
}

enum status tls_renew(struct tls *t, struct failure *f)
{
    SSL_CTX *fresh, *old;
    enum status status = make_context(t, &fresh, f);
    if (status) return status;
    lock_take(&t->lock);
    old = t->context;
    t->context = fresh;
    lock_drop(&t->lock);
    SSL_CTX_free(old);
    return OK;
}

/* SSL_CTX_free() it. */
static SSL_CTX *borrow(struct tls *t)
{
    lock_take(&t->lock);
    SSL_CTX *context = t->context;
    SSL_CTX_up_ref(context);
    lock_drop(&t->lock);
    return context;
}

const char *tls_doubt(struct tls *t)
{
    SSL_CTX *context = borrow(t);
    const X509 *certificate = SSL_CTX_get0_certificate(context);
    const char *doubt = NULL;
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) doubt = "has expired";
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) doubt = "is not valid yet";
    SSL_CTX_free(context);
    return doubt;
}

struct ssl_st *tls_connection(struct tls *t)
{
    SSL_CTX *context = borrow(t);
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    return ssl;
}

/* ---- a client ---- */

enum status tls_open_client(struct tls **out, const char *authorities, bool anyone, struct failure *f)
{
    *out = NULL;
    struct tls *t = calloc(1, sizeof *t);
    SSL_CTX *context = t ? SSL_CTX_new(TLS_client_method()) : NULL;
    if (!context) {
        free(t);
        return fail(f, NO_MEMORY, "Out of memory.");
    }
    lock_init(&t->lock);
    t->context = context;
    set_up(context);
    ERR_clear_error();
    int believed =
        authorities ? SSL_CTX_load_verify_file(context, authorities) : SSL_CTX_set_default_verify_paths(context);
    SSL_CTX_set_verify(context, anyone ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (believed == 1) {
        *out = t;
        return OK;
    }
    enum status status = authorities ? look_into("certificate", authorities, f) : OK;
    if (!status) status = refuse(f, "certificates", authorities ? authorities : "the system's folder");
    tls_free(t);
    return status;
}

struct ssl_st *tls_connection_to(struct tls *t, const char *host)
{
    SSL *ssl = tls_connection(t);
    if (!ssl) return NULL;
    X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
    bool address = X509_VERIFY_PARAM_set1_ip_asc(wanted, host) == 1;
    /* Names alone are told to a server that may have several (RFC 6066, 3). */
    if (address || (SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1)) return ssl;
    SSL_free(ssl);
    return NULL;
}

void tls_free(struct tls *t)
{
    if (!t) return;
    SSL_CTX_free(t->context);
    lock_destroy(&t->lock);
    free(t);
}
