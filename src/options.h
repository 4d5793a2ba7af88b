/* The options, once: flag, environment name, type, default, bounds, help. From this table come the parser
 * (base/flag.h), --help, the errors and the README's table. The members are those of struct parley_options, of OWN_…
 * those of struct options.
 *
 * TEXT(member, flag, environment, fallback, argument, help)
 * NUMBER(member, flag, environment, fallback, least, most, help)
 * OWN_TEXTS(member, flag, environment, fallback, the most that may be given, argument, help)
 * OWN_NUMBER(member, flag, environment, fallback, least, most, help)
 * OWN_CHOICE(member, flag, environment, fallback, choices separated by "|", help) */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "base/flag.h"
#include "parley/parley.h"
#include <stdbool.h>

/* A machine with little room for addresses has little memory. */
#if SIZE_MAX > UINT32_MAX
#define LOG_BYTES_DEFAULT    16777216
#define CACHE_BYTES_DEFAULT  8388608
#define UNSENT_BYTES_DEFAULT 67108864
#else
#define LOG_BYTES_DEFAULT    4194304
#define CACHE_BYTES_DEFAULT  1048576
#define UNSENT_BYTES_DEFAULT 8388608
#endif

#define OPTIONS_TABLE(TEXT, NUMBER, OWN_TEXTS, OWN_NUMBER, OWN_CHOICE)                                                 \
    OWN_TEXTS(listen, "--listen", "PARLEY_LISTEN", "localhost:3000", PARLEY_MAX_LISTEN, "ADDR:PORT",                   \
        "where to listen; may be given up to 8 times; localhost is 127.0.0.1 and ::1, * is every address, port 0 "     \
        "any; https://ADDR:PORT has TLS")                                                                              \
    TEXT(tls_cert, "--tls-cert", "PARLEY_TLS_CERT", "", "FILE",                                                        \
        "the certificate for TLS, PEM, its chain behind it; SIGHUP reads it and its key again")                        \
    TEXT(tls_key, "--tls-key", "PARLEY_TLS_KEY", "", "FILE",                                                           \
        "the certificate's key, PEM; default: it is in --tls-cert's file")                                             \
    TEXT(data, "--data", "PARLEY_DATA", "./parley-data", "DIR", "the folder for everything that is kept")              \
    TEXT(uploads, "--uploads", "PARLEY_UPLOADS", "", "DIR",                                                            \
        "the folder for uploaded files, with one folder for each collection in it, as DIR/media; default: --data's")   \
    NUMBER(upload_bytes, "--upload-bytes", "PARLEY_UPLOAD_BYTES", 268435456, 1, 1099511627776,                         \
        "the most bytes that an uploaded file may have")                                                               \
    NUMBER(workers, "--workers", "PARLEY_WORKERS", 16, 1, 4096,                                                        \
        "requests that are worked on at once; those that wait for their client, a commit or each other do not count")  \
    NUMBER(max_connections, "--max-connections", "PARLEY_MAX_CONNECTIONS", 0, 0, 10000000,                             \
        "connections at once, streams not among them; beyond, 503; 0: as many as the limit of open files lets in")     \
    NUMBER(head_timeout, "--head-timeout", "PARLEY_HEAD_TIMEOUT", 10, 1, 3600,                                         \
        "seconds that a request's head may take, and a new connection until it has sent one")                          \
    NUMBER(body_timeout, "--body-timeout", "PARLEY_BODY_TIMEOUT", 10, 1, 3600,                                         \
        "seconds that a request's body may stand still; one over 16 KiB must also bring 1 KiB a second")               \
    NUMBER(idle_timeout, "--idle-timeout", "PARLEY_IDLE_TIMEOUT", 60, 1, 86400,                                        \
        "seconds that a connection may wait between two requests")                                                     \
    NUMBER(unsent_bytes, "--unsent-bytes", "PARLEY_UNSENT_BYTES", UNSENT_BYTES_DEFAULT, 65536, 1099511627776,          \
        "memory for what clients have not taken of their answers yet; where that is used up, one that does not take "  \
        "its answer at once loses the rest, and is closed. Files need none")                                           \
    NUMBER(delivery_threads, "--delivery-threads", "PARLEY_DELIVERY_THREADS", 2, 1, 64, "threads that send streams")   \
    NUMBER(log_bytes, "--log-bytes", "PARLEY_LOG_BYTES", LOG_BYTES_DEFAULT, 65536, 1099511627776,                      \
        "memory for the newest changes of each collection, from which streams are sent; what is older comes from the " \
        "database")                                                                                                    \
    NUMBER(cache_bytes, "--cache-bytes", "PARLEY_CACHE_BYTES", CACHE_BYTES_DEFAULT, 0, 1099511627776,                  \
        "memory for lists, counts and documents that are answered again while nothing is written; 0: none are kept")   \
    NUMBER(stream_lag_bytes, "--stream-lag-bytes", "PARLEY_STREAM_LAG_BYTES", 67108864, 0, 1099511627776,              \
        "a stream that is more bytes behind is closed; 0: never")                                                      \
    NUMBER(stream_lag_seconds, "--stream-lag-seconds", "PARLEY_STREAM_LAG_SECONDS", 60, 0, 86400,                      \
        "a stream that is behind, or takes nothing of what there is, for longer is closed; 0: never")                  \
    NUMBER(max_filters, "--max-filters", "PARLEY_MAX_FILTERS", 1000, 0, 1000000,                                       \
        "the most different filters of streams that each change must be compared with; one that names ids, senders "   \
        "or receivers costs nothing and does not count")                                                               \
    OWN_NUMBER(drain, "--drain", "PARLEY_DRAIN", 5, 0, 3600,                                                           \
        "seconds over which the streams are closed after SIGTERM; SIGINT, or a second signal, closes them at once")    \
    NUMBER(max_streams, "--max-streams", "PARLEY_MAX_STREAMS", 65536, 1, 10000000,                                     \
        "the most streams that may be open; a further one is told to come back later")                                 \
    NUMBER(streams_per_ip, "--max-streams-per-ip", "PARLEY_MAX_STREAMS_PER_IP", 0, 0, 10000000,                        \
        "the most of them from one IP address, of IPv6 from one /64; 0: no limit, as behind a proxy, where all have "  \
        "one address")                                                                                                 \
    NUMBER(keep_changes, "--keep-changes", "PARLEY_KEEP_CHANGES", 1000000, 1, 1000000000,                              \
        "changes kept for streams that come back")                                                                     \
    OWN_CHOICE(text_index, "--text-index", "PARLEY_TEXT_INDEX", "on", "on|off",                                        \
        "an index for searching texts, in a file <database>-text, a quarter as large as the database")                 \
    TEXT(ui_dir, "--ui-dir", "PARLEY_UI_DIR", "", "DIR",                                                               \
        "serves the chat page from the files of this folder, for those who work on it; default: it is in the program") \
    TEXT(mail_command, "--mail-command", "PARLEY_MAIL_COMMAND", "", "COMMAND",                                         \
        "sends a mail on its standard input, as sendmail -t does; without it no mail is sent")                         \
    TEXT(cors, "--cors", "PARLEY_CORS", "http://localhost:3000,http://localhost:5173", "ORIGINS",                      \
        "origins whose pages may read the answers, with commas; * alone is any, but then without cookies")             \
    TEXT(csrf, "--csrf", "PARLEY_CSRF", "*", "ORIGINS",                                                                \
        "origins whose pages may act with the cookie, this server's own among them; * alone is any")                   \
    TEXT(setup_token, "--setup-token", "PARLEY_SETUP_TOKEN", "", "TEXT|auto",                                          \
        "the first account is made with this token alone, of at least 16 characters; auto: one that is made at each "  \
        "start, and told while there is no account")                                                                   \
    OWN_CHOICE(messages, "--messages", "PARLEY_MESSAGES", "open", "open|private",                                      \
        "private: a message is read by its sender and receiver alone and written in no other's name, and files are "   \
        "read by those who are signed in")                                                                             \
    OWN_CHOICE(                                                                                                        \
        log_level, "--log-level", "PARLEY_LOG_LEVEL", "info", "debug|info|warning|error", "the least that is logged")  \
    OWN_CHOICE(log_format, "--log-format", "PARLEY_LOG_FORMAT", "text", "text|json", "how log lines are written")

struct options {
    struct parley_options parley;
    struct flag_texts listen; /* parley.listen */
    const char *text_index;   /* parley.text_index */
    const char *messages;     /* parley.private_messages */
    const char *log_level;
    const char *log_format;
    int64_t drain; /* seconds */
    bool help, version, markdown;
    char port[32];  /* where PORT's listen text lies */
    char *database; /* owned */
};

/* From the environment, then the arguments, which win. Payload's own names count too: PAYLOAD_SECRET, DATABASE_URI
 * (file:…) and PORT. False: `reason` says what is wrong, in one sentence. */
MUST_CHECK bool options_read(struct options *o, int argc, char **argv, char *reason, size_t size);
void options_release(struct options *o);
/* --help's text; `markdown`: the README's table. */
void options_print(bool markdown);

#endif
