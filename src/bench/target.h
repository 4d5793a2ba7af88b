/* The server that a load is put on: where it is, how it is spoken to, and what every request to it carries. */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include "parley/attributes.h"
#include "parley/status.h"
#include "parley/str.h"
#include <sys/socket.h>

struct tls;

struct target {
    char host[256];      /* a name or an address, without brackets */
    char authority[272]; /* what Host says: with brackets and port */
    const char *path;    /* of the URL, with its query; "": it has none */
    struct sockaddr_storage address;
    socklen_t address_len;
    struct tls *tls;    /* NULL: plain HTTP */
    struct str headers; /* lines that each request has, CRLF behind each */
};

/* What of a target is said. */
struct target_options {
    const char *url;         /* http://HOST[:PORT][/PATH] or https://…; borrowed */
    const char *authorities; /* PEM file; NULL: the system's */
    bool anyone;             /* any certificate is believed */
};

/* Finds the server's address, by connecting to it once. INVALID: what is said is wrong; UNAVAILABLE: nobody is there.
 */
MUST_CHECK enum status target_open(struct target *t, const struct target_options *options, struct failure *f);
/* Another line for every request, as "Name: value". Not while requests are made. INVALID: it is no header's line. */
MUST_CHECK enum status target_header(struct target *t, const char *line, struct failure *f);
/* A target that was not opened must be zeroed. */
void target_close(struct target *t);

#endif
