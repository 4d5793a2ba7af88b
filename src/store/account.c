#include "store/account.h"
#include "schema/value.h"

#define MAX_ATTEMPTS 5 /* Payload's maxLoginAttempts */

/* SQL: times and conditions at ?1. What would last for more than twice its time was begun under a clock that has been
 * put back since, and is over; a small step of the clock ends nothing. */
#define AFTER(span) "strftime('%Y-%m-%dT%H:%M:%fZ', ?1, '" span "')"
#define LOCK_END    AFTER("+10 minutes") /* Payload's lockTime */
#define LOCKED      "coalesce(lock_until > ?1 AND lock_until <= " AFTER("+20 minutes") ", 0)"
/* Seconds, rounded. */
#define LOCKED_FOR   "CASE WHEN " LOCKED " THEN max(1, strftime('%s', lock_until) - strftime('%s', ?1)) ELSE 0 END"
#define RESET_END    AFTER("+60 minutes")
#define RESETTABLE   "(reset_password_expiration > ?1 AND reset_password_expiration <= " AFTER("+120 minutes") ")"
#define REQUESTED    "reset_password_requested_at"
#define ASKED_LATELY /* Payload's minRequestInterval */                                                                \
    "coalesce(" REQUESTED " > " AFTER("-15 seconds") " AND " REQUESTED " < " AFTER("+15 seconds") ", 0)"

/* Every statement here names the collection's table: the text is made in a str, run, and released. */
static enum status run(struct db *db, struct str *sql, const struct value *values, size_t nvalues,
    enum status (*each)(void *ctx, const struct row *row), void *ctx, struct failure *f)
{
    enum status status =
        sql->failed ? fail(f, NO_MEMORY, "Out of memory.") : db_each(db, sql->at, values, nvalues, each, ctx, f);
    str_release(sql);
    return status;
}

enum status account_prepare(struct db *db, const struct collection *c, struct failure *f)
{
    struct str sql = {0};
    str_addf(&sql,
        "CREATE TABLE IF NOT EXISTS `%s_sessions` (\n\t`_order` integer NOT NULL,\n\t`_parent_id` integer NOT NULL,\n"
        "\t`id` text PRIMARY KEY NOT NULL,\n\t`created_at` text,\n\t`expires_at` text NOT NULL,\n"
        "\tFOREIGN KEY (`_parent_id`) REFERENCES `%s`(`id`) ON UPDATE no action ON DELETE cascade\n);\n"
        "CREATE INDEX IF NOT EXISTS `%s_sessions_order_idx` ON `%s_sessions` (`_order`);\n"
        "CREATE INDEX IF NOT EXISTS `%s_sessions_parent_id_idx` ON `%s_sessions` (`_parent_id`);\n"
        "CREATE TABLE IF NOT EXISTS parley_sessions (id text PRIMARY KEY NOT NULL REFERENCES `%s_sessions`(id)"
        " ON DELETE CASCADE, agent text NOT NULL);",
        c->slug, c->slug, c->slug, c->slug, c->slug, c->slug, c->slug);
    enum status status = sql.failed ? fail(f, NO_MEMORY, "Out of memory.") : db_exec(db, sql.at, f);
    str_release(&sql);
    return status;
}

struct finding {
    struct account *out;
    struct arena *arena;
    bool found, failed;
};

static struct view keep(struct finding *finding, struct value v)
{
    if (v.type != VALUE_TEXT) return (struct view){0};
    char *copy = arena_copy(finding->arena, v.text);
    if (!copy) finding->failed = true;
    return (struct view){copy, v.text.len};
}

static enum status take_account(void *ctx, const struct row *row)
{
    struct finding *finding = ctx;
    *finding->out = (struct account){
        .id = row_value(row, 0).integer,
        .email = keep(finding, row_value(row, 1)),
        .salt = keep(finding, row_value(row, 2)),
        .hash = keep(finding, row_value(row, 3)),
        .locked = (int)row_value(row, 4).integer,
    };
    finding->found = true;
    return OK;
}

/* ?1 is the time. */
static enum status find_where(struct db *db, const struct collection *c, const char *where, const struct value *values,
    size_t nvalues, struct arena *arena, struct account *out, struct failure *f)
{
    struct finding finding = {.out = out, .arena = arena};
    struct str sql = {0};
    str_addz(&sql, "SELECT id, email, salt, hash, " LOCKED_FOR);
    str_addf(&sql, " FROM `%s` WHERE %s", c->slug, where);
    enum status status = run(db, &sql, values, nvalues, take_account, &finding, f);
    if (status) return status;
    if (finding.failed) return fail(f, NO_MEMORY, "Out of memory.");
    return finding.found ? OK : fail(f, NOT_FOUND, "Not Found");
}

enum status account_find(struct db *db, const struct collection *c, struct view email, struct view now,
    struct arena *arena, struct account *out, struct failure *f)
{
    struct value values[] = {value_text(now), value_text(email)};
    return find_where(db, c, "email = ?2", values, 2, arena, out, f);
}

enum status account_find_reset(struct db *db, const struct collection *c, struct view token, struct view now,
    struct arena *arena, struct account *out, struct failure *f)
{
    struct value values[] = {value_text(now), value_text(token)};
    return find_where(db, c, "reset_password_token = ?2 AND " RESETTABLE, values, 2, arena, out, f);
}

static enum status take_true(void *ctx, const struct row *row)
{
    (void)row;
    *(bool *)ctx = true;
    return OK;
}

enum status account_has_session(struct db *db, const struct collection *c, int64_t id, struct view session,
    struct view now, bool *out, struct failure *f)
{
    struct value values[] = {value_text(session), value_integer(id), value_text(now)};
    struct str sql = {0};
    *out = false;
    str_addf(&sql, "SELECT 1 FROM `%s_sessions` WHERE id = ? AND _parent_id = ? AND expires_at > ?", c->slug);
    return run(db, &sql, values, 3, take_true, out, f);
}

static enum status add_session(void *ctx, const struct row *row)
{
    static const char *const names[] = {"id", "createdAt", "expiresAt"};
    struct str *out = ctx;
    str_addz(out, out->len ? "," : "[");
    for (int i = 0; i < 3; i++) {
        struct value v = row_value(row, i);
        str_addf(out, "%s\"%s\":", i ? "," : "{", names[i]);
        if (v.type == VALUE_TEXT)
            str_add_json(out, v.text);
        else
            str_addz(out, "null");
    }
    str_addc(out, '}');
    return OK;
}

enum status account_sessions_json(
    struct db *db, const struct collection *c, int64_t id, struct arena *arena, struct view *out, struct failure *f)
{
    struct value key = value_integer(id);
    struct str sql = {0}, json = {0};
    *out = (struct view){0};
    str_addf(
        &sql, "SELECT id, created_at, expires_at FROM `%s_sessions` WHERE _parent_id = ? ORDER BY _order", c->slug);
    enum status status = run(db, &sql, &key, 1, add_session, &json, f);
    if (json.len) str_addc(&json, ']');
    if (!status && json.len) {
        out->at = arena_copy(arena, str_view(&json));
        out->len = json.len;
        if (json.failed || !out->at) status = fail(f, NO_MEMORY, "Out of memory.");
    }
    str_release(&json);
    return status;
}

struct session_listing {
    enum status (*each)(void *ctx, const struct session *session);
    void *ctx;
};

static enum status take_session(void *ctx, const struct row *row)
{
    struct session_listing *l = ctx;
    struct view texts[4] = {0};
    for (int i = 0; i < 4; i++)
        if (row_value(row, i).type == VALUE_TEXT) texts[i] = row_value(row, i).text;
    return l->each(l->ctx, &(struct session){texts[0], texts[1], texts[2], texts[3]});
}

enum status account_list_sessions(struct db *db, const struct collection *c, int64_t id, struct view first,
    struct view now, int64_t most, enum status (*each)(void *ctx, const struct session *session), void *ctx,
    struct failure *f)
{
    struct session_listing l = {each, ctx};
    struct value values[] = {value_integer(id), value_text(now), value_text(first), value_integer(most)};
    struct str sql = {0};
    str_addf(&sql,
        "SELECT s.id, s.created_at, s.expires_at, a.agent FROM `%s_sessions` s LEFT JOIN parley_sessions a ON"
        " a.id = s.id WHERE s._parent_id = ?1 AND s.expires_at > ?2 ORDER BY s.id = ?3 DESC, s._order DESC LIMIT ?4",
        c->slug);
    return run(db, &sql, values, 4, take_session, &l, f);
}

struct dropping {
    struct dropped_session *first;
    struct arena *arena;
    bool failed;
};

static enum status take_dropped(void *ctx, const struct row *row)
{
    struct dropping *dropping = ctx;
    struct value id = row_value(row, 0);
    struct dropped_session *d = ARENA_NEW(dropping->arena, struct dropped_session);
    if (id.type != VALUE_TEXT) return OK; /* no token can name it */
    if (d) *d = (struct dropped_session){dropping->first, {arena_copy(dropping->arena, id.text), id.text.len}};
    if (d && d->id.at)
        dropping->first = d;
    else
        dropping->failed = true;
    return OK;
}

/* Drops the document's sessions for which `which` holds: ?1 is the document's id, ?2 is `value`. */
static enum status drop_sessions(struct db *db, const struct collection *c, int64_t id, const char *which,
    struct value value, struct arena *arena, struct dropped_session **dropped, struct failure *f)
{
    struct value values[] = {value_integer(id), value};
    struct dropping dropping = {.arena = arena};
    struct str sql = {0};
    str_addf(&sql, "DELETE FROM `%s_sessions` WHERE _parent_id = ?1 AND %s RETURNING id", c->slug, which);
    enum status status = run(db, &sql, values, 2, take_dropped, &dropping, f);
    if (!status && dropping.failed) status = fail(f, NO_MEMORY, "Out of memory.");
    *dropped = dropping.first;
    return status;
}

enum status account_fail_locked(const struct account *account, struct failure *f)
{
    enum status status = fail(f, UNAUTHORIZED, "This user is locked due to having too many failed login attempts.");
    f->retry_after = account->locked;
    return status;
}

enum status account_unlock(struct db *db, const struct collection *c, int64_t id, struct failure *f)
{
    struct value key = value_integer(id);
    struct str sql = {0};
    str_addf(&sql, "UPDATE `%s` SET login_attempts = 0, lock_until = NULL WHERE id = ?", c->slug);
    return run(db, &sql, &key, 1, NULL, NULL, f);
}

enum status account_signed_in(struct db *db, const struct collection *c, int64_t id, const struct session *session,
    struct arena *arena, struct dropped_session **dropped, struct failure *f)
{
    struct value key[] = {value_text(session->created_at), value_integer(id)};
    struct value values[] = {value_integer(id), value_integer(id), value_text(session->id),
        value_text(session->created_at), value_text(session->expires_at)};
    struct account account;
    struct str sql = {0};
    enum status status = find_where(db, c, "id = ?2", key, 2, arena, &account, f);
    if (!status && account.locked) status = account_fail_locked(&account, f);
    if (!status) status = account_unlock(db, c, id, f);
    if (status) return status;
    status = drop_sessions(db, c, id, "expires_at <= ?2", value_text(session->created_at), arena, dropped, f);
    if (status) return status;
    str_addf(&sql,
        "INSERT INTO `%s_sessions` (_order, _parent_id, id, created_at, expires_at) VALUES "
        "((SELECT coalesce(max(_order), 0) + 1 FROM `%s_sessions` WHERE _parent_id = ?), ?, ?, ?, ?)",
        c->slug, c->slug);
    status = run(db, &sql, values, 5, NULL, NULL, f);
    if (status || !session->agent.at) return status;
    struct value known[] = {value_text(session->id), value_text(session->agent)};
    return db_run(db, "INSERT INTO parley_sessions (id, agent) VALUES (?, ?)", known, 2, f);
}

enum status account_rehash(
    struct db *db, const struct collection *c, int64_t id, struct view salt, struct view hash, struct failure *f)
{
    struct value values[] = {value_text(salt), value_text(hash), value_integer(id)};
    struct str sql = {0};
    str_addf(&sql, "UPDATE `%s` SET salt = ?, hash = ? WHERE id = ?", c->slug);
    return run(db, &sql, values, 3, NULL, NULL, f);
}

enum status account_refused(struct db *db, const struct collection *c, int64_t id, struct view now, struct failure *f)
{
    struct value values[] = {value_text(now), value_integer(id), value_integer(MAX_ATTEMPTS)};
    struct str sql = {0};
    str_addf(&sql, "UPDATE `%s` SET ", c->slug);
    str_addz(&sql,
        "login_attempts = CASE WHEN lock_until IS NULL OR " LOCKED " THEN coalesce(login_attempts, 0) + 1 ELSE 1 END,"
        " lock_until = CASE WHEN " LOCKED " THEN lock_until"
        " WHEN lock_until IS NULL AND coalesce(login_attempts, 0) + 1 >= ?3 THEN " LOCK_END " END"
        " WHERE id = ?2");
    return run(db, &sql, values, 3, NULL, NULL, f);
}

enum status account_extend(
    struct db *db, const struct collection *c, int64_t id, const struct session *session, struct failure *f)
{
    struct value values[] = {value_text(session->expires_at), value_text(session->id), value_integer(id)};
    struct str sql = {0};
    str_addf(&sql, "UPDATE `%s_sessions` SET expires_at = ? WHERE id = ? AND _parent_id = ?", c->slug);
    return run(db, &sql, values, 3, NULL, NULL, f);
}

enum status account_ask_reset(
    struct db *db, const struct collection *c, int64_t id, struct view token, struct view now, struct failure *f)
{
    struct value values[] = {value_text(now), value_integer(id), value_text(token)};
    struct str sql = {0};
    str_addf(&sql, "UPDATE `%s` SET ", c->slug);
    str_addz(&sql, "reset_password_token = ?3, reset_password_expiration = " RESET_END ", " REQUESTED " = ?1"
                   " WHERE id = ?2 AND NOT " ASKED_LATELY);
    enum status status = run(db, &sql, values, 3, NULL, NULL, f);
    if (!status && !db_changes(db)) return fail(f, TOO_MANY, "A mail was asked for a moment ago.");
    return status;
}

enum status account_reset(struct db *db, const struct collection *c, int64_t id, struct view now, struct failure *f)
{
    struct value values[] = {value_text(now), value_integer(id)};
    struct str sql = {0};
    str_addf(&sql, "UPDATE `%s` SET reset_password_expiration = ?, login_attempts = 0, lock_until = NULL WHERE id = ?",
        c->slug);
    enum status status = run(db, &sql, values, 2, NULL, NULL, f);
    return status ? status : account_signed_out(db, c, id, (struct view){0}, f);
}

enum status account_signed_out(
    struct db *db, const struct collection *c, int64_t id, struct view session, struct failure *f)
{
    struct value values[] = {value_integer(id), value_text(session)};
    struct str sql = {0};
    str_addf(&sql, "DELETE FROM `%s_sessions` WHERE _parent_id = ?%s", c->slug, session.at ? " AND id = ?" : "");
    return run(db, &sql, values, session.at ? 2 : 1, NULL, NULL, f);
}

enum status account_end_others(struct db *db, const struct collection *c, int64_t id, struct view session,
    struct arena *arena, struct dropped_session **dropped, struct failure *f)
{
    return drop_sessions(db, c, id, "id <> ?2", value_text(session.at ? session : VIEW("")), arena, dropped, f);
}
