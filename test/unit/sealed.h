/* What tests of TLS share: certificates in a folder, and a connection over a socket pair: a peer at one end, OpenSSL's
 * own client at the other, both in one thread. */
#ifndef TEST_SEALED_H
#define TEST_SEALED_H

#include "base/peer.h"
#include "base/tls.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], file[3][96];

static inline EVP_PKEY *make_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    return key;
}

/* Valid from so many seconds after now to so many. */
static inline X509 *make_certificate(EVP_PKEY *key, const char *name, long from, long to)
{
    X509 *c = X509_new();
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), from);
    X509_gmtime_adj(X509_getm_notAfter(c), to);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(c, X509_get_subject_name(c));
    X509_set_pubkey(c, key);
    assert_true(X509_sign(c, key, EVP_sha256()) > 0);
    return c;
}

/* Either may be NULL. */
static inline void write_pem(const char *path, X509 *certificate, EVP_PKEY *key, const char *password)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    if (certificate) assert_int_equal(PEM_write_X509(out, certificate), 1);
    if (key)
        assert_int_equal(PEM_write_PrivateKey(
                             out, key, password ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL, (void *)(uintptr_t)password),
            1);
    assert_int_equal(fclose(out), 0);
}

static inline void write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* file[0] holds a certificate of that name and its key. */
static inline void write_pair(const char *name, long from, long to)
{
    EVP_PKEY *key = make_key();
    X509 *certificate = make_certificate(key, name, from, to);
    write_pem(file[0], certificate, key, NULL);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static inline int make_folder(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(folder, sizeof folder, "/tmp/parley-peer-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    for (int i = 0; i < 3; i++) snprintf(file[i], sizeof file[i], "%s/%d.pem", folder, i);
    write_pair("first", -10, 1000);
    return 0;
}

static inline int remove_folder(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) unlink(file[i]);
    return rmdir(folder);
}

/* ---- a connection ---- */

struct sealed {
    struct tls *tls;
    SSL_CTX *context;
    SSL *client;
    int socket; /* the client's */
    struct peer peer;
};

static inline void connect_pair(struct sealed *s)
{
    int ends[2], most = 40000;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &most, sizeof most), 0);
    s->peer = peer_plain(ends[0]);
    s->socket = ends[1];
    s->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(s->context, 0);
    s->client = SSL_new(s->context);
    SSL_set_fd(s->client, s->socket);
    assert_true(peer_secure(&s->peer, s->tls));
}

static inline void open_sealed(struct sealed *s)
{
    struct failure f = {0};
    *s = (struct sealed){0};
    assert_int_equal(tls_open(&s->tls, file[0], NULL, &f), OK);
    connect_pair(s);
}

static inline void leave(struct sealed *s)
{
    SSL_free(s->client);
    SSL_CTX_free(s->context);
    if (s->socket >= 0) close(s->socket);
    if (s->peer.socket >= 0) peer_close(&s->peer);
}

static inline void close_sealed(struct sealed *s)
{
    leave(s);
    tls_free(s->tls);
}

/* What the server's side says at the end. */
static inline int shake_hands(struct sealed *s)
{
    int answer = PEER_AGAIN;
    for (int i = 0; i < 20 && answer < 0; i++) {
        SSL_connect(s->client);
        answer = peer_shake_hands(&s->peer);
    }
    SSL_connect(s->client);
    ERR_clear_error();
    return answer;
}

static inline void client_says(struct sealed *s, const char *text)
{
    assert_int_equal(SSL_write(s->client, text, (int)strlen(text)), (int)strlen(text));
}

/* All that has come to the client: appended to `got`. False: its end, with a word (ZERO_RETURN). */
static inline bool client_reads(struct sealed *s, struct str *got)
{
    char bytes[8192];
    int n;
    while ((n = SSL_read(s->client, bytes, sizeof bytes)) > 0) str_add(got, (struct view){bytes, (size_t)n});
    return SSL_get_error(s->client, n) == SSL_ERROR_WANT_READ;
}

#endif
