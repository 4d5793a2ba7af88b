#include "options.h"
#include "parley/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { TYPE_TEXT, TYPE_NUMBER, TYPE_CHOICE };

static const struct row {
    const char *flag, *environment;
    enum type type;
    const char *fallback; /* as text */
    int64_t least, most;
    const char *argument; /* DIR; for a choice: what may be chosen */
    const char *help;
} rows[] = {
#define TEXT(member, flag, environment, fallback, argument, help)                                                      \
    {flag, environment, TYPE_TEXT, fallback, 0, 0, argument, help},
#define NUMBER(...) NUMBER_OF(__VA_ARGS__) /* with what a macro's name stands for */
#define NUMBER_OF(member, flag, environment, fallback, least, most, help)                                              \
    {flag, environment, TYPE_NUMBER, #fallback, least, most, "N", help},
#define CHOICE(member, flag, environment, fallback, choices, help)                                                     \
    {flag, environment, TYPE_CHOICE, fallback, 0, 0, choices, help},
    OPTIONS_TABLE(TEXT, NUMBER, CHOICE)
#undef TEXT
#undef NUMBER
#undef CHOICE
};

enum {
#define TEXT(member, ...)   ROW_##member,
#define NUMBER(member, ...) ROW_##member,
#define CHOICE(member, ...) ROW_##member,
    OPTIONS_TABLE(TEXT, NUMBER, CHOICE)
#undef TEXT
#undef NUMBER
#undef CHOICE
        NROWS
};

/* Payload's names, for people who come from there. */
static const char *const payload_rows[][2] = {
    {"PAYLOAD_SECRET", "the secret that signs tokens; default: one that is made and kept in DIR/secret"},
    {"DATABASE_URI", "file:./x.db, the database; default: DIR/parley.db"},
    {"PORT", "the port on localhost, where --listen is not given"},
};

static bool chosen(const char *choices, const char *value)
{
    struct view rest = view_of(choices);
    while (rest.at) {
        struct view one = view_cut(&rest, '|');
        if (*value && view_is(one, value)) return true;
    }
    return false;
}

static bool add_listen(struct options *o, const char *value)
{
    if (o->parley.nlisten == PARLEY_MAX_LISTEN) return false;
    o->parley.listen[o->parley.nlisten++] = value;
    return true;
}

static bool set(struct options *o, size_t row, const char *name, const char *value, char *reason, size_t size)
{
    const struct row *r = &rows[row];
    int64_t number = 0;
    if (r->type == TYPE_NUMBER && (!view_integer(view_of(value), &number) || number < r->least || number > r->most)) {
        snprintf(reason, size, "%s must be a whole number from %lld to %lld, not \"%s\".", name, (long long)r->least,
            (long long)r->most, value);
        return false;
    }
    if (r->type == TYPE_CHOICE && !chosen(r->argument, value)) {
        snprintf(reason, size, "%s must be one of %s, not \"%s\".", name, r->argument, value);
        return false;
    }
    if (r->type == TYPE_TEXT && !*value) {
        snprintf(reason, size, "%s must not be empty.", name);
        return false;
    }
    switch (row) {
    case ROW_listen:
        if (!add_listen(o, value)) {
            snprintf(reason, size, "%s may be given %d times.", name, PARLEY_MAX_LISTEN);
            return false;
        }
        break;
    case ROW_tls_cert: o->parley.tls_cert = value; break;
    case ROW_tls_key: o->parley.tls_key = value; break;
    case ROW_data: o->parley.data = value; break;
    case ROW_uploads: o->parley.uploads = value; break;
    case ROW_upload_bytes: o->parley.upload_bytes = number; break;
    case ROW_ui_dir: o->parley.ui_dir = value; break;
    case ROW_mail_command: o->parley.mail_command = value; break;
    case ROW_cors: o->parley.cors = value; break;
    case ROW_csrf: o->parley.csrf = value; break;
    case ROW_workers: o->parley.workers = number; break;
    case ROW_max_connections: o->parley.max_connections = number; break;
    case ROW_head_timeout: o->parley.head_timeout = number; break;
    case ROW_body_timeout: o->parley.body_timeout = number; break;
    case ROW_idle_timeout: o->parley.idle_timeout = number; break;
    case ROW_delivery_threads: o->parley.delivery_threads = number; break;
    case ROW_cache_bytes: o->parley.cache_bytes = number; break;
    case ROW_log_bytes: o->parley.log_bytes = number; break;
    case ROW_stream_lag_bytes: o->parley.stream_lag_bytes = number; break;
    case ROW_stream_lag_seconds: o->parley.stream_lag_seconds = number; break;
    case ROW_max_filters: o->parley.max_filters = number; break;
    case ROW_drain: o->drain = number; break;
    case ROW_max_streams: o->parley.max_streams = number; break;
    case ROW_streams_per_ip: o->parley.streams_per_ip = number; break;
    case ROW_keep_changes: o->parley.keep_changes = number; break;
    case ROW_messages: o->parley.private_messages = !strcmp(value, "private"); break;
    case ROW_log_level: o->log_level = value; break;
    case ROW_log_format: o->log_format = value; break;
    }
    return true;
}

static bool read_environment(struct options *o, char *reason, size_t size)
{
    for (size_t i = 0; i < NROWS; i++) {
        const char *value = getenv(rows[i].environment);
        if (value && !set(o, i, rows[i].environment, value, reason, size)) return false;
    }
    return true;
}

static bool read_payload_names(struct options *o, char *reason, size_t size)
{
    const char *secret = getenv("PAYLOAD_SECRET"), *database = getenv("DATABASE_URI"), *port = getenv("PORT");
    int64_t number;
    if (secret && *secret) o->parley.secret = secret;
    if (database && *database) {
        if (strncmp(database, "file:", 5) || !database[5]) {
            snprintf(reason, size, "DATABASE_URI must be file: and a path, as in file:./x.db, not \"%s\".", database);
            return false;
        }
        database += 5;
        if (!strncmp(database, "//", 2)) database += 2; /* file:///x.db is /x.db */
        o->database = strdup(database);
        if (o->database) o->database[strcspn(o->database, "?")] = 0;
        o->parley.database = o->database;
    }
    if (port && *port && !o->parley.nlisten) {
        if (!view_integer(view_of(port), &number) || number < 0 || number > 65535) {
            snprintf(reason, size, "PORT must be a whole number from 0 to 65535, not \"%s\".", port);
            return false;
        }
        snprintf(o->port, sizeof o->port, "localhost:%d", (int)number);
        return add_listen(o, o->port);
    }
    return true;
}

/* "--flag value" and "--flag=value". */
static bool read_arguments(struct options *o, int argc, char **argv, char *reason, size_t size)
{
    bool listens = false;
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i], *value = strchr(argument, '=');
        size_t len = value ? (size_t)(value - argument) : strlen(argument), row = 0;
        if (!strcmp(argument, "--help") || !strcmp(argument, "-h"))
            o->help = true;
        else if (!strcmp(argument, "--help-markdown"))
            o->markdown = true;
        else if (!strcmp(argument, "--version"))
            o->version = true;
        else {
            while (row < NROWS && (strlen(rows[row].flag) != len || strncmp(rows[row].flag, argument, len))) row++;
            if (row == NROWS) {
                snprintf(reason, size, "There is no option %.*s; --help lists them.", (int)len, argument);
                return false;
            }
            if (value)
                value++;
            else if (i + 1 < argc)
                value = argv[++i];
            else {
                snprintf(reason, size, "%s needs a value: %s.", rows[row].flag, rows[row].argument);
                return false;
            }
            /* Addresses on the command line stand instead of the environment's, not beside them. */
            if (row == ROW_listen && !listens) o->parley.nlisten = 0;
            listens = listens || row == ROW_listen;
            if (!set(o, row, rows[row].flag, value, reason, size)) return false;
        }
    }
    return true;
}

bool options_read(struct options *o, int argc, char **argv, char *reason, size_t size)
{
    *o = (struct options){0};
    for (size_t i = 0; i < NROWS; i++)
        if (i != ROW_listen && *rows[i].fallback && !set(o, i, rows[i].flag, rows[i].fallback, reason, size))
            return false;
    if (!read_environment(o, reason, size) || !read_payload_names(o, reason, size) ||
        !read_arguments(o, argc, argv, reason, size))
        return false;
    if (!o->parley.nlisten) return set(o, ROW_listen, "--listen", rows[ROW_listen].fallback, reason, size);
    return true;
}

void options_release(struct options *o)
{
    free(o->database);
    o->database = NULL;
}

static void print_markdown(void)
{
    printf("| option | environment | default | what it is |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < NROWS; i++) {
        const struct row *r = &rows[i];
        printf("| `%s ", r->flag);
        for (const char *c = r->argument; *c; c++) printf(*c == '|' ? "\\|" : "%c", *c);
        printf("` | `%s` | %s%s%s | %s", r->environment, *r->fallback ? "`" : "", r->fallback, *r->fallback ? "`" : "",
            r->help);
        if (r->type == TYPE_NUMBER) printf(" (%lld to %lld)", (long long)r->least, (long long)r->most);
        printf(" |\n");
    }
    for (size_t i = 0; i < sizeof payload_rows / sizeof *payload_rows; i++)
        printf("| | `%s` | | %s |\n", payload_rows[i][0], payload_rows[i][1]);
}

void options_print(bool markdown)
{
    if (markdown) {
        print_markdown();
        return;
    }
    printf("parley [OPTIONS]: a chat server with Payload's REST API and a stream of messages\n\n");
    for (size_t i = 0; i < NROWS; i++) {
        const struct row *r = &rows[i];
        printf("  %s %s\n        %s (default %s", r->flag, r->argument, r->help, *r->fallback ? r->fallback : "none");
        if (r->type == TYPE_NUMBER) printf(", %lld to %lld", (long long)r->least, (long long)r->most);
        printf("; environment %s)\n", r->environment);
    }
    printf("  --version\n  --help\n\nThe environment may also hold Payload's names:\n");
    for (size_t i = 0; i < sizeof payload_rows / sizeof *payload_rows; i++)
        printf("  %s\n        %s\n", payload_rows[i][0], payload_rows[i][1]);
}
