#include "options.h"
#include "base/check.h"
#include "parley/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct flag rows[] = {
#define TEXT(member, flag, environment, fallback, argument, help)                                                      \
    {flag, environment, FLAG_TEXT, fallback, 0, 0, argument, help,                                                     \
        FLAG_AT(const char *, struct options, parley.member)},
#define NUMBER(member, ...) NUMBER_AT(parley.member, __VA_ARGS__)
#define NUMBER_AT(...)      NUMBER_OF(__VA_ARGS__) /* with what a macro's name stands for */
#define NUMBER_OF(member, flag, environment, fallback, least, most, help)                                              \
    {flag, environment, FLAG_NUMBER, #fallback, least, most, "N", help, FLAG_AT(int64_t, struct options, member)},
#define OWN_TEXTS(member, flag, environment, fallback, most, argument, help)                                           \
    {flag, environment, FLAG_TEXTS, fallback, 0, most, argument, help,                                                 \
        FLAG_AT(struct flag_texts, struct options, member)},
#define OWN_CHOICE(member, flag, environment, fallback, choices, help)                                                 \
    {flag, environment, FLAG_CHOICE, fallback, 0, 0, choices, help, FLAG_AT(const char *, struct options, member)},
    OPTIONS_TABLE(TEXT, NUMBER, OWN_TEXTS, NUMBER_AT, OWN_CHOICE)
#define ASKED(flag, member)                                                                                            \
    {.name = flag, .type = FLAG_SWITCH, .fallback = "", .offset = FLAG_AT(bool, struct options, member)},
        ASKED("--help", help) ASKED("-h", help) ASKED("--help-markdown", markdown) ASKED("--version", version)};

static const struct flags flags = {rows, COUNT(rows)};

/* Payload's names, for people who come from there. */
static const char *const payload_rows[][2] = {
    {"PAYLOAD_SECRET", "the secret that signs tokens; default: one that is made and kept in DIR/secret"},
    {"DATABASE_URI", "file:./x.db, the database; default: DIR/parley.db"},
    {"PORT", "the port on localhost, where --listen is not given"},
};

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
    if (port && *port && !getenv("PARLEY_LISTEN")) {
        if (!view_integer(view_of(port), &number) || number < 0 || number > 65535) {
            snprintf(reason, size, "PORT must be a whole number from 0 to 65535, not \"%s\".", port);
            return false;
        }
        snprintf(o->port, sizeof o->port, "localhost:%d", (int)number);
        o->listen.at[0] = o->port;
    }
    return true;
}

bool options_read(struct options *o, int argc, char **argv, char *reason, size_t size)
{
    *o = (struct options){0};
    flags_default(&flags, o);
    if (!flags_environment(&flags, o, reason, size) || !read_payload_names(o, reason, size) ||
        !flags_arguments(&flags, o, argc, argv, NULL, reason, size))
        return false;
    o->parley.nlisten = o->listen.n;
    memcpy(o->parley.listen, o->listen.at, o->listen.n * sizeof *o->listen.at);
    o->parley.text_index = !strcmp(o->text_index, "on");
    o->parley.private_messages = !strcmp(o->messages, "private");
    return true;
}

void options_release(struct options *o)
{
    free(o->database);
    o->database = NULL;
}

void options_print(bool markdown)
{
    if (markdown) {
        printf("| option | environment | default | what it is |\n| --- | --- | --- | --- |\n");
        flags_print_markdown(&flags);
        for (size_t i = 0; i < COUNT(payload_rows); i++)
            printf("| | `%s` | | %s |\n", payload_rows[i][0], payload_rows[i][1]);
        return;
    }
    printf("parley [OPTIONS]: a chat server with Payload's REST API and a stream of messages\n\n");
    flags_print(&flags);
    printf("  --version\n  --help\n\nThe environment may also hold Payload's names:\n");
    for (size_t i = 0; i < COUNT(payload_rows); i++)
        printf("  %s\n        %s\n", payload_rows[i][0], payload_rows[i][1]);
#ifdef PARLEY_BENCH
    printf("\nparley bench URL puts a load on a server; parley bench --help lists its options.\n");
#endif
}
