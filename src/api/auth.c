#include "api/auth.h"
#include "api/reader.h"
#include "api/sessions.h"
#include "api/token.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "schema/json.h"
#include "schema/registry.h"
#include "store/read.h"

#define RESET_BYTES 20
#define STRATEGY    "local-jwt"

/* What came sealed is never to be sent open. What a proxy says of its own side is not asked: anyone can say it. */
static void set_cookie(struct call *call, struct view token, int64_t expires)
{
    char date[HTTP_DATE_LENGTH + 1];
    clock_http_date(expires * 1000, date);
    response_headerf(call->rs, "Set-Cookie", TOKEN_COOKIE "=%.*s; Expires=%s; Path=/; HttpOnly=true; SameSite=Lax%s",
        VIEW_ARGS(token), date, call->rq->secure ? "; Secure" : "");
}

/* The signed-in user's document as the auth routes show it. */
static void add_user(struct str *out, const struct doc *doc, struct json_object *select)
{
    struct doc_style style = {.select = select_parse(doc->collection, select),
        .sessions_shown = true,
        .sessions_first = true,
        .strategy = STRATEGY};
    doc_add_json(out, doc, &style);
}

static struct json_object *selected(const struct call *call)
{
    return json_member(call->query, "select");
}

enum status auth_any(const struct app *app, bool *out, struct failure *f)
{
    struct db *db = pool_take(app->pool);
    enum status status = read_any(db, collection_auth(), out, f);
    pool_give(app->pool, db);
    return status;
}

enum status auth_init(struct call *call, struct failure *f)
{
    bool any = false;
    enum status status = auth_any(call->app, &any, f);
    str_addf(&call->rs->body, "{\"initialized\":%s}", any ? "true" : "false");
    return status;
}

static enum status own_doc(const struct call *call, struct doc *doc, struct failure *f)
{
    struct db *db = pool_take(call->app->pool);
    enum status status = read_one(db, call->collection, call->reader.id, call->arena, doc, f);
    pool_give(call->app->pool, db);
    return status;
}

enum status auth_me(struct call *call, struct failure *f)
{
    struct str *out = &call->rs->body;
    struct doc doc;
    if (!call->reader.signed_in || own_doc(call, &doc, f) == NOT_FOUND) {
        str_addz(out, "{\"user\":null,\"message\":\"Account\"}");
        return OK;
    }
    if (f->status) return f->status;
    str_addz(out, "{\"user\":");
    add_user(out, &doc, selected(call));
    str_addf(out,
        ",\"collection\":\"%s\",\"strategy\":\"" STRATEGY "\",\"exp\":%lld,\"token\":", call->collection->slug,
        (long long)call->reader.expires);
    str_add_json(out, call->reader.token);
    str_addz(out, ",\"message\":\"Account\"}");
    return OK;
}

/* A session that begins now, and the token for it. */
struct entry {
    struct session session;
    int64_t now, expires;   /* seconds */
    struct view salt, hash; /* the password in a new form; at == NULL: it has one */
};

static enum status entry_new(struct entry *e, const struct call *call, struct failure *f)
{
    char *id = arena_alloc(call->arena, UUID_LENGTH + 1);
    if (!id) return fail(f, NO_MEMORY, "Out of memory.");
    if (!crypt_uuid(id)) return fail(f, IO_ERROR, "The system gives no random numbers.");
    e->now = clock_wall() / 1000;
    e->expires = e->now + TOKEN_SECONDS;
    e->session.id = (struct view){id, UUID_LENGTH};
    e->session.agent = request_header(call->rq, "User-Agent");
    if (e->session.agent.len > AGENT_MOST) e->session.agent.len = AGENT_MOST;
    enum status status = call_now(call, 0, &e->session.created_at, f);
    return status ? status : call_now(call, (int64_t)TOKEN_SECONDS * 1000, &e->session.expires_at, f);
}

static enum status make_token(
    struct call *call, const struct entry *e, int64_t id, struct view email, struct view *out, struct failure *f)
{
    struct token token = {.id = id,
        .collection = view_of(call->collection->slug),
        .email = email,
        .session = e->session.id,
        .issued = e->now,
        .expires = e->expires};
    struct str text = {0};
    token_add(&text, &token, view_of(call->app->token_key));
    out->at = text.failed ? NULL : arena_copy(call->arena, str_view(&text));
    out->len = text.len;
    str_release(&text);
    if (!out->at) return fail(f, NO_MEMORY, "Out of memory.");
    set_cookie(call, *out, e->expires);
    return OK;
}

static void hide_updated_at(struct doc *doc)
{
    int i = field_find(doc->collection, VIEW("updatedAt"));
    if (i >= 0) doc->values[i] = value_null();
}

/* Opens a session for the document; `doc` is it afterwards, `token` the session's. */
static enum status sign_in(struct call *call, int64_t id, struct view email, struct entry *e, struct doc *doc,
    struct view *token, struct failure *f)
{
    enum status status = entry_new(e, call, f);
    if (status) return status;
    struct write w = {.op = WRITE_SIGNED_IN,
        .collection = call->collection,
        .id = id,
        .session = e->session,
        .salt = e->salt,
        .hash = e->hash};
    status = call_write(call, &w, f);
    if (status) return status;
    *doc = w.doc;
    hide_updated_at(doc); /* as the original answers here */
    return make_token(call, e, id, email, token, f);
}

/* Where the server has a setup token, its first account is for who knows it. */
static bool knows_setup_token(const struct call *call)
{
    struct view wanted = call->app->setup_token;
    return !wanted.at || crypt_equal(request_header(call->rq, "Parley-Setup-Token"), wanted);
}

enum status auth_first_register(struct call *call, struct failure *f)
{
    struct json_object *body;
    struct draft draft;
    struct view token;
    bool any = true;
    enum status status = auth_any(call->app, &any, f);
    if (!status && any) return call_forbidden(f);
    if (!status && !knows_setup_token(call))
        return fail(f, FORBIDDEN, "The first account needs the server's setup token, which is missing or wrong.");
    if (!status) status = call_body(call, true, &body, f);
    if (!status) status = call_draft(call, &draft, DRAFT_CREATE, body, 0, f);
    if (status) return status;
    struct write w = {.op = WRITE_CREATE, .collection = call->collection, .draft = &draft, .only_first = true};
    status = call_write(call, &w, f);
    if (status) return status;

    struct entry e = {0};
    struct doc doc;
    struct view email = draft.values[field_find(call->collection, VIEW("email"))].text;
    status = sign_in(call, w.id, email, &e, &doc, &token, f);
    if (status) return status;
    struct str *out = &call->rs->body;
    str_addf(out, "{\"exp\":%lld,\"message\":\"Successfully registered first user.\",\"token\":", (long long)e.expires);
    str_add_json(out, token);
    str_addz(out, ",\"user\":");
    add_user(out, &doc, selected(call));
    str_addc(out, '}');
    return OK;
}

static enum status missing(struct call *call, const char *path, struct failure *f)
{
    *f = (struct failure){.slug = call->collection->slug};
    return fail_flaw(f, FAILURE_VALIDATION, (struct flaw){.message = "This field is required.", .path = path});
}

/* An e-mail as it is stored, in the arena; at == NULL: none was given. */
static struct view lower_email(struct call *call, struct json_object *body)
{
    struct view given = view_trim(json_text(json_member(body, "email")));
    char *copy = given.len ? arena_copy(call->arena, given) : NULL;
    for (size_t i = 0; copy && i < given.len; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z') copy[i] = (char)(copy[i] - 'A' + 'a');
    return (struct view){copy, copy ? given.len : 0};
}

static enum status refused(struct call *call, int64_t id, struct failure *f)
{
    struct write w = {.op = WRITE_REFUSED, .collection = call->collection, .id = id};
    enum status status = call_now(call, 0, &w.now, f);
    if (!status) status = call_write(call, &w, f);
    return status ? status : fail(f, UNAUTHORIZED, "The email or password provided is incorrect.");
}

enum status auth_login(struct call *call, struct failure *f)
{
    struct json_object *body;
    struct account account = {0};
    struct view now, token;
    enum status status = call_body(call, true, &body, f);
    if (!status) status = call_now(call, 0, &now, f);
    if (status) return status;
    struct view email = lower_email(call, body), password = json_text(json_member(body, "password"));
    if (!email.len) return missing(call, "email", f);
    if (!password.len) return missing(call, "password", f);

    struct db *db = pool_take(call->app->pool);
    status = account_find(db, call->collection, email, now, call->arena, &account, f);
    pool_give(call->app->pool, db);
    bool known = status == OK, right = false;
    if (!known && status != NOT_FOUND) return status;
    if (known && account.locked) return account_fail_locked(&account, f);
    *f = (struct failure){0};
    request_pause(call->rq);
    status = password_check(call->app->passwords, password, account.salt, account.hash, &right, f);
    request_go_on(call->rq);
    if (status) return status;
    if (!known) return fail(f, UNAUTHORIZED, "The email or password provided is incorrect.");
    if (!right) return refused(call, account.id, f);

    struct entry e = {0};
    struct doc doc;
    if (password_is_old(account.hash)) status = call_hash(call, password, &e.salt, &e.hash, f);
    if (!status) status = sign_in(call, account.id, account.email, &e, &doc, &token, f);
    if (status) return status;
    struct str *out = &call->rs->body;
    str_addf(out, "{\"message\":\"Authentication Passed\",\"exp\":%lld,\"token\":", (long long)e.expires);
    str_add_json(out, token);
    str_addz(out, ",\"user\":");
    add_user(out, &doc, selected(call));
    str_addc(out, '}');
    return OK;
}

enum status auth_refresh(struct call *call, struct failure *f)
{
    struct entry e = {0};
    struct view token;
    if (!call->reader.signed_in) return call_forbidden(f);
    enum status status = entry_new(&e, call, f);
    if (status) return status;
    e.session.id = call->reader.session;
    struct write w = {.op = WRITE_EXTEND, .collection = call->collection, .id = call->reader.id, .session = e.session};
    status = call_write(call, &w, f);
    if (!status) status = make_token(call, &e, w.id, call->reader.email, &token, f);
    if (status) return status;
    struct str *out = &call->rs->body;
    str_addf(out, "{\"message\":\"Token refresh successful.\",\"exp\":%lld,\"refreshedToken\":", (long long)e.expires);
    str_add_json(out, token);
    str_addz(out, ",\"setCookie\":true,\"strategy\":\"" STRATEGY "\",\"user\":");
    add_user(out, &w.doc, selected(call));
    str_addc(out, '}');
    return OK;
}

enum status auth_logout(struct call *call, struct failure *f)
{
    if (!call->reader.signed_in) return fail(f, INVALID, "No User");
    bool all = view_is(json_text(json_member(call->query, "allSessions")), "true");
    struct write w = {.op = WRITE_SIGNED_OUT,
        .collection = call->collection,
        .id = call->reader.id,
        .session = {.id = all ? (struct view){0} : call->reader.session}};
    enum status status = call_write(call, &w, f);
    if (status) return status;
    set_cookie(call, (struct view){0}, clock_wall() / 1000 - 1);
    str_addz(&call->rs->body, "{\"message\":\"Logout successful.\"}");
    return OK;
}

enum status auth_unlock(struct call *call, struct failure *f)
{
    struct json_object *body;
    struct account account = {0};
    struct view now;
    enum status status = call_body(call, true, &body, f);
    if (!status) status = call_now(call, 0, &now, f);
    if (status) return status;
    struct view email = lower_email(call, body);
    if (!email.len) return fail(f, INVALID, "Missing email.");
    if (!call->reader.signed_in) return call_forbidden(f);
    struct db *db = pool_take(call->app->pool);
    status = account_find(db, call->collection, email, now, call->arena, &account, f);
    pool_give(call->app->pool, db);
    if (status == NOT_FOUND) return call_forbidden(f);
    if (status) return status;
    struct write w = {.op = WRITE_UNLOCK, .collection = call->collection, .id = account.id};
    status = call_write(call, &w, f);
    str_addz(&call->rs->body, "{\"message\":\"Success\"}");
    return status;
}

static void mail_reset(struct call *call, struct view to, struct view token)
{
    struct str text = {0};
    str_addf(&text,
        "Somebody, probably you, asked for a new password.\n\n"
        "The token is %.*s\n"
        "It can be used for one hour: send it with the new password to /api/%s/reset-password.\n"
        "If it was not you, there is nothing to do.\n",
        VIEW_ARGS(token), call->collection->slug);
    if (text.failed || !mail_send(call->app->mailer, to, "A new password", str_view(&text)))
        log_warning("a mail with a reset token was dropped: too many are waiting");
    str_release(&text);
}

/* The answer is the same whoever asks for whom; the token goes by mail alone. */
enum status auth_forgot(struct call *call, struct failure *f)
{
    struct json_object *body;
    struct account account;
    struct write w = {.op = WRITE_ASK_RESET, .collection = call->collection};
    uint8_t random[RESET_BYTES];
    enum status status = call_body(call, true, &body, f);
    if (!status) status = call_now(call, 0, &w.now, f);
    if (status) return status;
    struct view email = lower_email(call, body);
    if (!email.len) return fail(f, INVALID, "Missing email.");
    str_addz(&call->rs->body, "{\"message\":\"Success\"}");
    struct db *db = pool_take(call->app->pool);
    status = account_find(db, call->collection, email, w.now, call->arena, &account, f);
    pool_give(call->app->pool, db);
    if (status) return status == NOT_FOUND ? OK : status;
    char *token = arena_alloc(call->arena, 2 * RESET_BYTES + 1);
    if (!token) return fail(f, NO_MEMORY, "Out of memory.");
    if (!crypt_random(random, sizeof random)) return fail(f, IO_ERROR, "The system gives no random numbers.");
    crypt_hex(random, sizeof random, token);
    w.id = account.id;
    w.token = view_of(token);
    status = call_write(call, &w, f);
    if (status == TOO_MANY) return OK; /* who asks learns nothing, and the mail on its way stays good */
    if (!status) mail_reset(call, account.email, w.token);
    return status;
}

enum status auth_reset(struct call *call, struct failure *f)
{
    struct json_object *body;
    struct account account;
    struct draft draft;
    struct doc doc;
    struct entry e = {0};
    struct view token;
    struct write w = {.op = WRITE_RESET, .collection = call->collection};
    enum status status = call_body(call, true, &body, f);
    if (!status) status = call_now(call, 0, &w.now, f);
    if (status) return status;
    struct view given = json_text(json_member(body, "token"));
    struct db *db = pool_take(call->app->pool);
    status = given.len ? account_find_reset(db, call->collection, given, w.now, call->arena, &account, f) : NOT_FOUND;
    pool_give(call->app->pool, db);
    if (status == NOT_FOUND) return fail(f, FORBIDDEN, "Token is either invalid or has expired.");
    if (status) return status;
    /* Only the password of the body counts, and it must be there. */
    struct json_object *password = json_member(body, "password");
    if (json_falsy(password)) return missing(call, "password", f);
    struct json_object *change = json_object_new_object();
    if (!change || json_object_object_add(change, "password", json_object_get(password)))
        status = fail(f, NO_MEMORY, "Out of memory.");
    if (!status) status = call_draft(call, &draft, DRAFT_UPDATE, change, 0, f);
    if (!status) {
        w.id = account.id;
        w.salt = draft.values[field_find(call->collection, VIEW("salt"))].text;
        w.hash = draft.values[field_find(call->collection, VIEW("hash"))].text;
        status = call_write(call, &w, f);
    }
    json_object_put(change);
    if (!status) status = sign_in(call, account.id, account.email, &e, &doc, &token, f);
    if (status) return status;
    struct str *out = &call->rs->body;
    str_addz(out, "{\"message\":\"Password reset successfully.\",\"token\":");
    str_add_json(out, token);
    str_addz(out, ",\"user\":");
    add_user(out, &doc, selected(call));
    str_addc(out, '}');
    return OK;
}
