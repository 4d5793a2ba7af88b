#include "bench/template.h"
#include <string.h>

enum status template_make(
    struct template *t, const struct target *target, const struct template_options *o, struct failure *f)
{
    const char *body = o->body ? o->body : "", *mark = o->marked ? strchr(body, '#') : NULL;
    size_t len = strlen(body), before = mark ? (size_t)(mark - body) : len;
    *t = (struct template){0};
    if (o->marked && (!mark || strchr(mark + 1, '#')))
        return fail(f, INVALID, "The body must have one # in it, where a message's mark goes, not as \"%s\".", body);
    if (mark) len += MARK_LENGTH - 1;
    str_addf(&t->text, "%s %s%s HTTP/1.1\r\nHost: %s\r\n", o->method, *o->path == '/' ? "" : "/", o->path,
        target->authority);
    str_add(&t->text, str_view(&target->headers));
    str_addz(&t->text, o->headers);
    if (o->body) str_addf(&t->text, "Content-Type: application/json\r\nContent-Length: %zu\r\n", len);
    str_addz(&t->text, "\r\n");
    str_add(&t->text, (struct view){body, before});
    if (mark) {
        static const char room[MARK_LENGTH] = {0};
        t->mark_at = t->text.len;
        str_add(&t->text, (struct view){room, sizeof room});
        str_addz(&t->text, mark + 1);
    }
    return t->text.failed ? fail(f, NO_MEMORY, "Out of memory.") : OK;
}

void template_release(struct template *t)
{
    str_release(&t->text);
}
