/* Texts of options: the arguments of a command line, one a line, and lists of origins. */
#include "base/flag.h"
#include "api/origins.h"
#include "fuzz.h"

#define WORDS_MOST 16

struct settings {
    struct flag_texts many;
    const char *text, *choice;
    int64_t number;
    bool on;
};

static const struct flag rows[] = {
    {.name = "--many", .type = FLAG_TEXTS, .most = 2, .fallback = "one", .offset = offsetof(struct settings, many)},
    {.name = "--text", .type = FLAG_TEXT, .fallback = "", .offset = offsetof(struct settings, text)},
    {.name = "--number",
        .type = FLAG_NUMBER,
        .fallback = "5",
        .least = -3,
        .most = 99,
        .offset = offsetof(struct settings, number)},
    {.name = "--choice",
        .type = FLAG_CHOICE,
        .fallback = "this",
        .argument = "this|that",
        .offset = offsetof(struct settings, choice)},
    {.name = "--on", .type = FLAG_SWITCH, .fallback = "", .offset = offsetof(struct settings, on)},
};
static const struct flags flags = {rows, sizeof rows / sizeof *rows};

static void check_origins(const char *text)
{
    struct origins origins;
    struct failure f;
    if (origins_read(&origins, "--cors", text, &f)) return;
    struct view rest = origins.list, first = view_trim(view_cut(&rest, ','));
    if (!origins.any && !view_is(first, "*")) ASSERT(origins_list(&origins, first));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char self[] = "parley";
    char *text = malloc(size + 1), *words[WORDS_MOST + 1] = {self}, *rest = text;
    char reason[100];
    int n = 1;
    struct settings s = {0};
    const char *word = NULL;
    ASSERT(text);
    memcpy(text, data, size);
    text[size] = 0;
    check_origins(text);
    while (rest && n < WORDS_MOST) words[n++] = strsep(&rest, "\n");
    flags_default(&flags, &s);
    bool good = flags_arguments(&flags, &s, n, words, &word, reason, sizeof reason);
    ASSERT(!good || (s.number >= -3 && s.number <= 99 && s.many.n >= 1 && s.many.n <= 2));
    ASSERT(!good || !strcmp(s.choice, "this") || !strcmp(s.choice, "that"));
    ASSERT(good || memchr(reason, 0, sizeof reason));
    free(text);
    return 0;
}
