#include "base/flag.h"
#include "base/check.h"
#include "parley/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool chosen(const char *choices, const char *value)
{
    struct view rest = view_of(choices);
    while (rest.at) {
        struct view one = view_cut(&rest, '|');
        if (*value && view_is(one, value)) return true;
    }
    return false;
}

/* `name`: what the value is called in errors, the flag's name or its environment's. */
static bool set(const struct flag *flag, void *into, const char *name, const char *value, char *reason, size_t size)
{
    void *at = (char *)into + flag->offset;
    int64_t number = 0;
    switch (flag->type) {
    case FLAG_NUMBER:
        if (!view_integer(view_of(value), &number) || number < flag->least || number > flag->most) {
            snprintf(reason, size, "%s must be a whole number from %lld to %lld, not \"%s\".", name,
                (long long)flag->least, (long long)flag->most, value);
            return false;
        }
        *(int64_t *)at = number;
        return true;
    case FLAG_CHOICE:
        if (!chosen(flag->argument, value)) {
            snprintf(reason, size, "%s must be one of %s, not \"%s\".", name, flag->argument, value);
            return false;
        }
        *(const char **)at = value;
        return true;
    case FLAG_TEXT:
    case FLAG_TEXTS:
        if (!*value) {
            snprintf(reason, size, "%s must not be empty.", name);
            return false;
        }
        if (flag->type == FLAG_TEXT) {
            *(const char **)at = value;
            return true;
        }
        struct flag_texts *texts = at;
        if (texts->stale) *texts = (struct flag_texts){0};
        if (texts->n == (size_t)flag->most) {
            snprintf(reason, size, "%s may be given %lld times.", name, (long long)flag->most);
            return false;
        }
        texts->at[texts->n++] = value;
        return true;
    case FLAG_SWITCH: *(bool *)at = true; return true;
    }
    return false;
}

static void outdate(const struct flags *flags, void *into)
{
    for (size_t i = 0; i < flags->n; i++)
        if (flags->rows[i].type == FLAG_TEXTS)
            ((struct flag_texts *)(void *)((char *)into + flags->rows[i].offset))->stale = true;
}

void flags_default(const struct flags *flags, void *into)
{
    char reason[300];
    for (size_t i = 0; i < flags->n; i++) {
        const struct flag *flag = &flags->rows[i];
        ASSERT(flag->type != FLAG_TEXTS || flag->most <= FLAG_TEXTS_MOST);
        ASSERT(!*flag->fallback || set(flag, into, flag->name, flag->fallback, reason, sizeof reason));
    }
}

bool flags_environment(const struct flags *flags, void *into, char *reason, size_t size)
{
    outdate(flags, into);
    for (size_t i = 0; i < flags->n; i++) {
        const struct flag *flag = &flags->rows[i];
        const char *value = flag->environment ? getenv(flag->environment) : NULL;
        if (value && !set(flag, into, flag->environment, value, reason, size)) return false;
    }
    return true;
}

static const struct flag *find(const struct flags *flags, struct view name)
{
    for (size_t i = 0; i < flags->n; i++)
        if (view_is(name, flags->rows[i].name)) return &flags->rows[i];
    return NULL;
}

bool flags_arguments(
    const struct flags *flags, void *into, int argc, char **argv, const char **word, char *reason, size_t size)
{
    outdate(flags, into);
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i], *value = argument[0] == '-' ? strchr(argument, '=') : NULL;
        struct view name = {argument, value ? (size_t)(value - argument) : strlen(argument)};
        const struct flag *flag = find(flags, name);
        if (!flag && word && !*word && argument[0] != '-') {
            *word = argument;
            continue;
        }
        if (!flag) {
            snprintf(reason, size, "There is no option %.*s; --help lists them.", VIEW_ARGS(name));
            return false;
        }
        if (flag->type == FLAG_SWITCH && value) {
            snprintf(reason, size, "%s takes no value.", flag->name);
            return false;
        }
        if (value)
            value++;
        else if (flag->type != FLAG_SWITCH && i + 1 < argc)
            value = argv[++i];
        else if (flag->type != FLAG_SWITCH) {
            snprintf(reason, size, "%s needs a value: %s.", flag->name, flag->argument);
            return false;
        }
        if (!set(flag, into, flag->name, value, reason, size)) return false;
    }
    return true;
}

void flags_print(const struct flags *flags)
{
    for (size_t i = 0; i < flags->n; i++) {
        const struct flag *f = &flags->rows[i];
        if (!f->help) continue;
        printf("  %s%s%s\n        %s", f->name, *f->argument ? " " : "", f->argument, f->help);
        const char *mark = " (";
        if (f->type != FLAG_SWITCH) {
            printf("%sdefault %s", mark, *f->fallback ? f->fallback : "none");
            mark = f->type == FLAG_NUMBER ? ", " : "; ";
        }
        if (f->type == FLAG_NUMBER) {
            printf("%s%lld to %lld", mark, (long long)f->least, (long long)f->most);
            mark = "; ";
        }
        if (f->environment) printf("%senvironment %s", mark, f->environment);
        printf("%s\n", f->type != FLAG_SWITCH || f->environment ? ")" : "");
    }
}

void flags_print_markdown(const struct flags *flags)
{
    for (size_t i = 0; i < flags->n; i++) {
        const struct flag *f = &flags->rows[i];
        if (!f->help) continue;
        printf("| `%s ", f->name);
        for (const char *c = f->argument; *c; c++) printf(*c == '|' ? "\\|" : "%c", *c);
        printf("` | `%s` | %s%s%s | %s", f->environment, *f->fallback ? "`" : "", f->fallback, *f->fallback ? "`" : "",
            f->help);
        if (f->type == FLAG_NUMBER) printf(" (%lld to %lld)", (long long)f->least, (long long)f->most);
        printf(" |\n");
    }
}
