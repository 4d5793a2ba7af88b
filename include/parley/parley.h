/* A Parley server inside a program: open it, learn its ports, close it. main.c, the tests and embedders use only this.
 */
#ifndef PARLEY_PARLEY_H
#define PARLEY_PARLEY_H

#include "parley/attributes.h"
#include "parley/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARLEY_VERSION    "0.1.0"
#define PARLEY_MAX_LISTEN 8

/* Every text is borrowed until parley_close. What each means stands in the table in src/options.h. */
struct parley_options {
    const char *listen[PARLEY_MAX_LISTEN]; /* "ADDR:PORT", "[ADDR]:PORT", "localhost:PORT" (both families); with TLS:
                                              "https://" and one of these */
    size_t nlisten;
    const char *tls_cert;     /* PEM file: the certificate and its chain; NULL: there is no TLS */
    const char *tls_key;      /* PEM file; NULL: the key is in tls_cert */
    const char *data;         /* folder */
    const char *database;     /* file; NULL: <data>/parley.db */
    const char *secret;       /* NULL: kept in <data>/secret, made if missing */
    const char *uploads;      /* folder of the uploaded files, one folder a collection; NULL: <data> */
    const char *ui_dir;       /* folder of the page's files; NULL: those in the program */
    const char *mail_command; /* sends a mail on its standard input; NULL: no mail is sent */
    const char *cors;         /* origins whose pages may read the answers: "*" or a list; NULL: none */
    const char *csrf;         /* origins whose pages may act with the cookie, in the same form; NULL: any */
    const char *setup_token;  /* the first account needs it; "auto": one that is made; NULL: it needs none */
    int64_t workers;          /* requests that are worked on at once */
    int64_t max_connections;  /* at once, streams not among them; 0: as many as the limit of open files lets in */
    int64_t head_timeout;     /* seconds; of these three 0 is the default, 10, 10 and 60 */
    int64_t body_timeout;     /* seconds */
    int64_t idle_timeout;     /* seconds */
    int64_t unsent_bytes;     /* memory for what clients have not taken of their answers yet; 0: 64 MiB */
    int64_t delivery_threads; /* threads that send streams */
    int64_t max_streams;      /* that may be open; 0: no limit */
    int64_t streams_per_ip;   /* of them from one address; 0: no limit */
    int64_t upload_bytes;     /* the most that an uploaded file may have */
    int64_t keep_changes;     /* rows of the change log that are kept for reconnecting streams */
    int64_t cache_bytes;      /* memory for answers that are given again; 0: none are */
    int64_t log_bytes;        /* memory for each collection's newest changes, as streams show them */
    int64_t stream_lag_bytes, stream_lag_seconds; /* a stream that is more behind is closed; 0: never */
    int64_t max_filters;                          /* of streams, which each change must be compared with */
    bool text_index;                              /* texts are searched with one, in a file <database>-text */
    bool private_messages;                        /* each is read by its sender and its receiver alone */
};

struct parley;

/* Opens the database, the broker, the streams and the listeners, in this order; serves when it returns OK.
 * On any other status `*f` names the thing and what to do about it, and nothing is left open. */
MUST_CHECK enum status parley_open(struct parley **out, const struct parley_options *options, struct failure *f);

/* The n-th listening port (a port 0 has been replaced by the one the system gave); 0 beyond the last. */
uint16_t parley_port(const struct parley *p, size_t n);

/* The setup token, where it was made here and is needed: while there is no account. Else NULL. */
const char *parley_setup_token(struct parley *p);

/* Reads the certificate and its key again, for connections that are made from then on; after a failure the old ones
 * stay in use. Any thread. INVALID: as for parley_open, or there is no TLS. */
MUST_CHECK enum status parley_renew_certificate(struct parley *p, struct failure *f);

/* Takes no further streams, and ends those that there are, spread over so many milliseconds. Once. */
void parley_drain(struct parley *p, int64_t ms);
/* Waits until there is no stream, at most `ms`; whether there is none. */
bool parley_drained(struct parley *p, int64_t ms);

/* Stops accepting, ends the streams, lets requests under way finish, closes the database. Takes NULL. */
void parley_close(struct parley *p);

#endif
