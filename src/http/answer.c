/* An answer is not sent by civetweb, whose functions send nothing once the server is being stopped: a write that has
 * been committed would then go unanswered. */
#include "http/answer.h"

void answer_release(struct answer *a)
{
    str_release(&a->head);
}

void answer_start(struct response *rs, int status)
{
    str_reset(&rs->headers);
    str_reset(&rs->body);
    response_drop_file(rs);
    rs->status = status;
    rs->fixed = (struct view){0};
    rs->close = false;
}

void answer_refuse(struct response *rs, int status, const struct server_options *options)
{
    answer_start(rs, status);
    options->refuse(options->ctx, status, rs);
    rs->close = true;
    /* Without memory even for this: the status alone. */
    if (rs->headers.failed) str_reset(&rs->headers);
    if (rs->body.failed) str_reset(&rs->body);
}

static const char *date(struct answer *a)
{
    int64_t now = clock_wall(), second = now / 1000;
    if (second != a->second || !a->date[0]) clock_http_date(now, a->date);
    a->second = second;
    return a->date;
}

static void add_head(struct answer *a, const struct response *rs, bool bodiless, size_t len, bool keep)
{
    struct str *head = &a->head;
    str_reset(head);
    str_addz(head, "HTTP/1.1 ");
    str_add_integer(head, rs->status);
    str_addc(head, ' ');
    str_addz(head, response_reason(rs->status));
    str_addz(head, "\r\nDate: ");
    str_addz(head, date(a));
    if (!bodiless) {
        str_addz(head, "\r\nContent-Length: ");
        str_add_integer(head, (int64_t)len);
    }
    str_addz(head, keep ? "\r\nConnection: keep-alive\r\n" : "\r\nConnection: close\r\n");
    str_add(head, str_view(&rs->headers));
    str_addz(head, "\r\n");
}

static struct view body_of(const struct response *rs)
{
    return rs->file.open ? (struct view){0} : rs->body.len ? str_view(&rs->body) : rs->fixed;
}

bool answer_send(
    struct answer *a, struct response *rs, bool head_only, bool *keep, struct peer *peer, struct crowd *crowd)
{
    static const char least[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    struct view body = body_of(rs);
    bool bodiless = rs->status == 204 || rs->status == 304;
    add_head(a, rs, bodiless, rs->file.open ? (size_t)rs->file.len : body.len, *keep);
    if (a->head.failed) *keep = false;
    if (a->head.failed || head_only || bodiless) {
        body = (struct view){0};
        response_drop_file(rs);
    }
    struct view head = a->head.failed ? view_of(least) : str_view(&a->head);
    bool sent = wire_send(peer, head, body, rs->file.open && rs->file.len, crowd);
    if (sent && rs->file.open) sent = wire_send_file(peer, rs->file.fd, rs->file.from, rs->file.len, crowd);
    response_drop_file(rs);
    *keep = *keep && sent;
    return sent;
}

void answer_text(struct answer *a, struct response *rs, struct str *text)
{
    struct view body = body_of(rs);
    add_head(a, rs, false, body.len, false);
    str_add(text, str_view(&a->head));
    str_add(text, body);
    if (a->head.failed) text->failed = true;
}
