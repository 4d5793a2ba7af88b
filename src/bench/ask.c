#include "bench/ask.h"
#include "base/clock.h"
#include "bench/link.h"
#include "bench/reply.h"
#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define PATIENCE_MS 10000

/* Until the connection is open, or something can be read. */
static enum status wait_for(struct link *l, const struct target *t, int64_t deadline, struct failure *f)
{
    struct epoll_event event;
    int64_t left = deadline - clock_monotonic();
    if (left <= 0 || epoll_wait(l->epoll, &event, 1, (int)left) < 1)
        return fail(f, UNAVAILABLE, "%s does not answer.", t->authority);
    if (link_go_on(l, t)) return OK;
    if (!l->complaint) return fail(f, UNAVAILABLE, "Cannot connect to %s: %s.", t->authority, strerror(errno));
    return fail(f, UNAVAILABLE, "Cannot speak TLS with %s: %s.", t->authority, l->complaint);
}

static enum status open_link(struct link *l, const struct target *t, int epoll, int64_t deadline, struct failure *f)
{
    enum status status = OK;
    if (!link_open(l, t, epoll, l, 0))
        return fail(f, UNAVAILABLE, "Cannot connect to %s: %s.", t->authority, strerror(errno));
    while (!status && l->state != LINK_OPEN) status = wait_for(l, t, deadline, f);
    return status;
}

static enum status read_answer(
    struct link *l, const struct target *t, struct reply *r, int64_t deadline, struct failure *f)
{
    char bytes[4096];
    while (r->state != REPLY_WHOLE) {
        ssize_t n = link_receive(l, bytes, sizeof bytes);
        enum status status = OK;
        if (n == LINK_NOTHING) status = wait_for(l, t, deadline, f);
        if (status) return status;
        if (n > 0) reply_take(r, bytes, (size_t)n);
        if (r->state == REPLY_BAD || (n == 0 && !reply_end(r)))
            return fail(f, UNAVAILABLE, "%s does not speak HTTP/1.1.", t->authority);
    }
    return OK;
}

/* `*json`: the body, to be put; NULL when it is none. */
static enum status ask(const struct target *t, const struct template_options *options, int *answered,
    struct json_object **json, struct failure *f)
{
    struct template request;
    struct link l = {0};
    struct str body = {0};
    struct reply r = {.body = &body};
    int64_t deadline = clock_monotonic() + PATIENCE_MS;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    *json = NULL;
    enum status status = template_make(&request, t, options, f);
    if (!status && epoll < 0) status = fail(f, IO_ERROR, "There is no epoll: %s.", strerror(errno));
    if (!status) status = open_link(&l, t, epoll, deadline, f);
    if (!status && !link_send(&l, str_view(&request.text))) status = fail(f, UNAVAILABLE, "%s hangs up.", t->authority);
    if (!status) status = read_answer(&l, t, &r, deadline, f);
    *answered = r.status;
    if (!status && body.len) *json = json_tokener_parse(body.at);
    link_close(&l);
    template_release(&request);
    str_release(&body);
    if (epoll >= 0) close(epoll);
    return status;
}

static struct json_object *member(struct json_object *json, const char *name)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(json, name, &value) ? value : NULL;
}

enum status ask_for_life(const struct target *t, struct failure *f)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct link l = {0};
    if (epoll < 0) return fail(f, IO_ERROR, "There is no epoll: %s.", strerror(errno));
    enum status status = open_link(&l, t, epoll, clock_monotonic() + PATIENCE_MS, f);
    link_close(&l);
    close(epoll);
    return status;
}

enum status ask_for_token(struct target *t, const char *email, const char *password, struct failure *f)
{
    struct str text = {0};
    struct json_object *json = NULL;
    int answered = 0;
    str_addz(&text, "{\"email\":");
    str_add_json(&text, view_of(email));
    str_addz(&text, ",\"password\":");
    str_add_json(&text, view_of(password));
    str_addz(&text, "}");
    enum status status = text.failed ? fail(f, NO_MEMORY, "Out of memory.") : OK;
    struct template_options login = {.method = "POST", .path = "/api/users/login", .body = text.at};
    if (!status) status = ask(t, &login, &answered, &json, f);
    const char *token = json_object_get_string(member(json, "token"));
    if (!status && !token) status = fail(f, INVALID, "The server does not let %s in: it answers %d.", email, answered);
    str_reset(&text);
    str_addf(&text, "Authorization: JWT %s", token);
    if (!status) status = target_header(t, text.at, f);
    json_object_put(json);
    str_release(&text);
    return status;
}

/* The first user in the list who is not `other`; 0: there is none. */
static int64_t someone_else(struct json_object *list, int64_t other)
{
    struct json_object *docs = member(list, "docs");
    size_t n = json_object_is_type(docs, json_type_array) ? json_object_array_length(docs) : 0;
    for (size_t i = 0; i < n; i++) {
        int64_t id = json_object_get_int64(member(json_object_array_get_idx(docs, i), "id"));
        if (id && id != other) return id;
    }
    return 0;
}

enum status ask_for_users(const struct target *t, int64_t *sender, int64_t *receiver, struct failure *f)
{
    const struct template_options who = {.method = "GET", .path = "/api/users/me"};
    const struct template_options all = {.method = "GET", .path = "/api/users?limit=2&depth=0"};
    struct json_object *me = NULL, *users = NULL;
    int answered = 0;
    enum status status = ask(t, &who, &answered, &me, f);
    if (!status) status = ask(t, &all, &answered, &users, f);
    *sender = json_object_get_int64(member(member(me, "user"), "id"));
    if (!*sender) *sender = someone_else(users, 0);
    *receiver = someone_else(users, *sender);
    if (!*receiver) *receiver = *sender;
    if (!status && !*sender)
        status = fail(f, INVALID,
            "The server does not tell its users: name --sender and --receiver, or sign in with --email "
            "and --password.");
    json_object_put(me);
    json_object_put(users);
    return status;
}
