/* A server's certificate with its key, and how its clients are spoken to; a client's beliefs beside it. TLS 1.2 and up,
 * the ciphers that OpenSSL takes for strong, HTTP/1.1 alone (ALPN), no renegotiation; a session is taken up again by
 * the client's ticket, so that nothing is kept here for it. */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include "parley/attributes.h"
#include "parley/status.h"
#include <stdbool.h>

struct tls;
struct ssl_st;

/* Reads the certificate, with the chain behind it, and the key, both PEM; `key` NULL: it is in the certificate's file.
 * The names are borrowed until tls_free. INVALID: the failure says which file it is and what is wrong with it. */
MUST_CHECK enum status tls_open(struct tls **out, const char *certificate, const char *key, struct failure *f);
/* Reads the files again. Connections that are made from then on use what they hold; after a failure nothing has
 * changed. Any thread. */
MUST_CHECK enum status tls_renew(struct tls *t, struct failure *f);
/* What clients will hold against the certificate: "has expired", "is not valid yet"; NULL: its time is right. Any
 * thread. */
const char *tls_doubt(struct tls *t);
/* Takes NULL. Connections go on without it. */
void tls_free(struct tls *t);

/* A client's part: which servers it believes to be who they say. `authorities`: a PEM file of those who may sign for
 * one; NULL: the system's. `anyone`: it believes each. Free it as above; tls_renew and tls_doubt are not for it. */
MUST_CHECK enum status tls_open_client(struct tls **out, const char *authorities, bool anyone, struct failure *f);

/* For base/peer.c: what a connection begins with; SSL_free() it. NULL: no memory. Any thread. */
MUST_CHECK struct ssl_st *tls_connection(struct tls *t);
/* The same of a client, to the server of that name or IP address. */
MUST_CHECK struct ssl_st *tls_connection_to(struct tls *t, const char *host);

#endif
