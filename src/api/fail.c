#include "api/fail.h"
#include "base/check.h"
#include "base/log.h"

static const int http_statuses[] = {
    [OK] = 200,
    [INVALID] = 400,
    [UNAUTHORIZED] = 401,
    [FORBIDDEN] = 403,
    [NOT_FOUND] = 404,
    [CONFLICT] = 409,
    [TOO_LARGE] = 413,
    [MISMATCH] = 422,
    [TOO_MANY] = 429,
    [UNAVAILABLE] = 503,
    [NO_SPACE] = 507,
    [NO_MEMORY] = 503,
    [IO_ERROR] = 500,
};

static int http_status(enum status status)
{
    ASSERT((size_t)status < COUNT(http_statuses));
    return http_statuses[status];
}

void fail_add_message(struct str *out, const struct failure *f)
{
    bool several = f->nflaws > 1;
    switch (f->shape) {
    case FAILURE_PLAIN: str_addz(out, f->reason); return;
    case FAILURE_VALIDATION:
        str_addz(out, several ? "The following fields are invalid: " : "The following field is invalid: ");
        break;
    case FAILURE_QUERY:
        str_addz(out, several ? "The following paths cannot be queried: " : "The following path cannot be queried: ");
        break;
    }
    for (size_t i = 0; i < f->nflaws; i++) {
        if (i) str_addz(out, ", ");
        str_addz(out, f->flaws[i].label ? f->flaws[i].label : f->flaws[i].path);
    }
}

static void add_member(struct str *out, const char *name, const char *text)
{
    if (!text) return;
    if (out->at[out->len - 1] != '{') str_addc(out, ',');
    str_addf(out, "\"%s\":", name);
    str_add_json(out, view_of(text));
}

static void add_flaws(struct str *out, const struct failure *f)
{
    str_addc(out, '[');
    for (size_t i = 0; i < f->nflaws; i++) {
        str_addz(out, i ? ",{" : "{");
        add_member(out, "label", f->flaws[i].label);
        add_member(out, "message", f->flaws[i].message);
        add_member(out, "path", f->flaws[i].path);
        add_member(out, "tableName", f->flaws[i].table);
        str_addc(out, '}');
    }
    str_addc(out, ']');
}

static void add_body(struct str *out, const struct failure *f)
{
    struct str message = {0};
    str_addz(out, "{\"errors\":[{");
    if (f->shape == FAILURE_QUERY) {
        str_addz(out, "\"name\":\"QueryError\",\"data\":");
        add_flaws(out, f);
        str_addc(out, ',');
    } else if (f->shape == FAILURE_VALIDATION) {
        str_addz(out, "\"name\":\"ValidationError\",\"data\":{");
        if (f->id) str_addf(out, "\"id\":%lld,", f->id);
        if (f->slug) str_addf(out, "\"collection\":\"%s\",", f->slug);
        str_addz(out, "\"errors\":");
        add_flaws(out, f);
        str_addz(out, "},");
    }
    str_addz(out, "\"message\":");
    fail_add_message(&message, f);
    str_add_json(out, str_view(&message));
    str_addz(out, "}]}");
    str_release(&message);
}

void fail_respond(struct response *rs, const struct failure *f)
{
    rs->status = http_status(f->status);
    str_reset(&rs->body);
    rs->fixed = (struct view){0};
    response_drop_file(rs);
    if (f->retry_after) response_headerf(rs, "Retry-After", "%d", f->retry_after);
    switch (f->status) {
    case IO_ERROR:
        /* What the machine said is for its operator. */
        log_error("a request failed: %s", f->reason);
        str_addz(&rs->body, "{\"errors\":[{\"message\":\"Something went wrong.\"}]}");
        break;
    case NO_SPACE:
    case NO_MEMORY:
    case UNAVAILABLE:
        /* Of a limit its client is told; a line for each would be the next thing that clients can fill. */
        if (!f->retry_after) log_warning("a request was refused: %s", f->reason);
        if (!f->retry_after) response_header(rs, "Retry-After", VIEW("1"));
        add_body(&rs->body, f);
        break;
    default: add_body(&rs->body, f);
    }
}

void fail_no_route(struct response *rs, struct view path)
{
    struct str message = {0};
    while (path.len > 1 && path.at[path.len - 1] == '/') path.len--;
    rs->status = 404;
    str_addf(&message, "Route not found \"%.*s\"", VIEW_ARGS(path));
    str_reset(&rs->body);
    str_addz(&rs->body, "{\"message\":");
    str_add_json(&rs->body, str_view(&message));
    str_addc(&rs->body, '}');
    str_release(&message);
}
