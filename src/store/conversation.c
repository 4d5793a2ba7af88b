#include "store/conversation.h"
#include "schema/registry.h"

#define COUNTED_FIRST 1000 /* of what stays unread, before it is rather counted what was read */

static enum status no_memory(struct failure *f)
{
    return fail(f, NO_MEMORY, "Out of memory.");
}

/* ---- between two users ---- */

struct pair {
    int64_t low, high;
};

static struct pair pair_of(int64_t a, int64_t b)
{
    return a < b ? (struct pair){a, b} : (struct pair){b, a};
}

/* Who wrote to whom. */
struct letter {
    int64_t id, from, to;
};

/* False: the document is none. */
static bool letter_of(struct letter *out, const struct doc *doc)
{
    if (!doc || doc->collection != collection_exchanged()) return false;
    const struct value *from = &doc->values[field_of_role(doc->collection, ROLE_AUTHOR)];
    const struct value *to = &doc->values[field_of_role(doc->collection, ROLE_MEMBER)];
    *out = (struct letter){doc_id(doc), from->integer, to->integer};
    return from->type == VALUE_INTEGER && to->type == VALUE_INTEGER;
}

/* ---- looking for messages of a pair, from the newest on ---- */

struct search {
    struct db *db;
    int64_t from, to;
    int64_t above; /* no further than this id */
    struct str sent, got;
};

static void add_search(struct str *sql, const struct collection *c, enum role role)
{
    str_addf(
        sql, "SELECT max(id) FROM `%s` WHERE `%s` = ?1 AND id < ?2", c->slug, c->fields[field_of_role(c, role)].column);
}

static void search_init(struct search *s, struct db *db, int64_t from, int64_t to, int64_t above)
{
    const struct collection *c = collection_exchanged();
    *s = (struct search){.db = db, .from = from, .to = to, .above = above};
    add_search(&s->sent, c, ROLE_AUTHOR);
    add_search(&s->got, c, ROLE_MEMBER);
}

static void search_release(struct search *s)
{
    str_release(&s->sent);
    str_release(&s->got);
}

/* The newest one that is older than `*id`, 0: there is none. */
static enum status search_next(struct search *s, int64_t *id, struct failure *f)
{
    int64_t sent = 0, got = 0;
    if (s->sent.failed || s->got.failed) return no_memory(f);
    for (int64_t below = *id;; below = got + 1) {
        struct value by_sender[] = {value_integer(s->from), value_integer(below)};
        enum status status = db_integer(s->db, s->sent.at, by_sender, 2, 0, &sent, f);
        struct value by_receiver[] = {value_integer(s->to), value_integer(sent + 1)};
        if (!status && sent > s->above) status = db_integer(s->db, s->got.at, by_receiver, 2, 0, &got, f);
        *id = sent > s->above && got > s->above ? sent : 0;
        if (status || !*id || got == sent) return status;
    }
}

static enum status find_newest(
    struct db *db, int64_t from, int64_t to, int64_t below, int64_t above, int64_t *out, struct failure *f)
{
    struct search s;
    search_init(&s, db, from, to, above);
    *out = below;
    enum status status = search_next(&s, out, f);
    search_release(&s);
    return status;
}

/* How many there are above `above` and up to `upto`, at most `most`. */
static enum status count(
    struct db *db, int64_t from, int64_t to, int64_t above, int64_t upto, int64_t most, int64_t *out, struct failure *f)
{
    struct search s;
    int64_t id = upto + 1;
    enum status status = OK;
    search_init(&s, db, from, to, above);
    for (*out = 0; *out < most && !status; ++*out) {
        status = search_next(&s, &id, f);
        if (!id) break;
    }
    search_release(&s);
    return status;
}

/* ---- the table ---- */

static const char table[] =
    "CREATE TABLE parley_conversations (low integer NOT NULL, high integer NOT NULL, last integer NOT NULL,"
    " unread_low integer NOT NULL, unread_high integer NOT NULL, read_low integer NOT NULL, read_high integer NOT NULL,"
    " PRIMARY KEY (low, high)) WITHOUT ROWID;"
    "CREATE INDEX parley_conversations_high_idx ON parley_conversations (high, low);";

/* "SELECT id, low, high, to_low, to_high FROM (all messages)"; `text` stands before and behind it. */
static enum status run_on_messages(struct db *db, const char *before, const char *behind, struct failure *f)
{
    struct str sql = {0};
    const struct collection *c = collection_exchanged();
    const char *from = c->fields[field_of_role(c, ROLE_AUTHOR)].column;
    const char *to = c->fields[field_of_role(c, ROLE_MEMBER)].column;
    str_addz(&sql, before);
    str_addf(&sql,
        " (SELECT id, min(`%s`, `%s`) AS low, max(`%s`, `%s`) AS high, `%s` < `%s` AS to_low, `%s` >= `%s` AS to_high"
        " FROM `%s` WHERE `%s` IS NOT NULL AND `%s` IS NOT NULL) ",
        from, to, from, to, to, from, to, from, c->slug, from, to);
    str_addz(&sql, behind);
    enum status status = sql.failed ? no_memory(f) : db_exec(db, sql.at, f);
    str_release(&sql);
    return status;
}

enum status conversation_prepare(struct db *db, struct failure *f)
{
    int64_t known = 0;
    enum status status =
        db_integer(db, "SELECT 1 FROM sqlite_master WHERE name = 'parley_conversations'", NULL, 0, 0, &known, f);
    if (status || known) return status;
    status = db_exec(db, table, f);
    if (status || !collection_exchanged()) return status;
    return run_on_messages(db,
        "INSERT INTO parley_conversations (low, high, last, unread_low, unread_high, read_low, read_high)"
        " SELECT low, high, max(id), 0, 0, max(id), max(id) FROM",
        "GROUP BY low, high", f);
}

enum status conversation_recount(struct db *db, struct failure *f)
{
    if (!collection_exchanged()) return OK;
    enum status status = db_exec(db, "UPDATE parley_conversations SET last = 0", f);
    if (!status)
        status = run_on_messages(db,
            "INSERT INTO parley_conversations (low, high, last, unread_low, unread_high, read_low, read_high)"
            " SELECT m.low, m.high, max(m.id), sum(m.to_low AND m.id > coalesce(k.read_low, 0)),"
            " sum(m.to_high AND m.id > coalesce(k.read_high, 0)), 0, 0 FROM",
            "m LEFT JOIN parley_conversations k ON k.low = m.low AND k.high = m.high GROUP BY m.low, m.high"
            " ON CONFLICT (low, high) DO UPDATE SET last = excluded.last, unread_low = excluded.unread_low,"
            " unread_high = excluded.unread_high",
            f);
    return status ? status : db_exec(db, "DELETE FROM parley_conversations WHERE last = 0", f);
}

/* ---- following the messages ---- */

/* ?4, ?5: is it for the low one, for the high one */
static const char beginning[] =
    "INSERT INTO parley_conversations (low, high, last, unread_low, unread_high, read_low, read_high)"
    " VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)";
static const char adding[] =
    "UPDATE parley_conversations SET last = max(last, ?3), unread_low = unread_low + (?4 AND ?3 > read_low),"
    " unread_high = unread_high + (?5 AND ?3 > read_high) WHERE low = ?1 AND high = ?2";
static const char removing[] =
    "UPDATE parley_conversations SET unread_low = unread_low - (?4 AND ?3 > read_low),"
    " unread_high = unread_high - (?5 AND ?3 > read_high) WHERE low = ?1 AND high = ?2 RETURNING last";

static enum status follow(struct db *db, const char *sql, const struct letter *l, int64_t *last, struct failure *f)
{
    struct pair pair = pair_of(l->from, l->to);
    struct value values[] = {value_integer(pair.low), value_integer(pair.high), value_integer(l->id),
        value_integer(l->to < l->from), value_integer(l->to >= l->from)};
    return db_integer(db, sql, values, 5, 0, last, f);
}

/* Nearly every message goes on with a conversation: in one statement with ON CONFLICT that takes half as long again. */
static enum status add(struct db *db, const struct letter *l, struct failure *f)
{
    int64_t none;
    enum status status = follow(db, adding, l, &none, f);
    return status || db_changes(db) ? status : follow(db, beginning, l, &none, f);
}

/* The message was the pair's newest. */
static enum status step_back(struct db *db, const struct letter *l, struct failure *f)
{
    struct pair pair = pair_of(l->from, l->to);
    int64_t one = 0, other = 0;
    enum status status = find_newest(db, pair.low, pair.high, l->id, 0, &one, f);
    /* What is older than the one need not be looked for. */
    if (!status) status = find_newest(db, pair.high, pair.low, l->id, one, &other, f);
    if (status) return status;
    struct value values[] = {
        value_integer(pair.low), value_integer(pair.high), value_integer(one > other ? one : other)};
    if (!values[2].integer)
        return db_run(db, "DELETE FROM parley_conversations WHERE low = ? AND high = ?", values, 2, f);
    return db_run(db, "UPDATE parley_conversations SET last = ?3 WHERE low = ?1 AND high = ?2", values, 3, f);
}

static enum status take_away(struct db *db, const struct letter *l, struct failure *f)
{
    int64_t last = 0;
    enum status status = follow(db, removing, l, &last, f);
    return status || last != l->id ? status : step_back(db, l, f);
}

enum status conversation_follow(struct db *db, const struct doc *before, const struct doc *after, struct failure *f)
{
    struct letter was, is;
    enum status status = OK;
    bool had = letter_of(&was, before), has = letter_of(&is, after);
    if (had && has && was.from == is.from && was.to == is.to) return OK;
    if (had) status = take_away(db, &was, f);
    if (!status && has) status = add(db, &is, f);
    return status;
}

/* ---- reading ---- */

/* A row as ?1 sees it: peer, last, unread, read, peer_read. */
#define AS_SEEN                                                                                                        \
    "iif(high = ?1, low, high) AS peer, last, iif(high = ?1, unread_high, unread_low) AS unread,"                      \
    " iif(high = ?1, read_high, read_low) AS read, iif(high = ?1, read_low, read_high) AS peer_read"

struct listing {
    enum status (*each)(void *ctx, const struct conversation *conversation);
    void *ctx;
    int64_t count;
};

static enum status take_row(void *ctx, const struct row *row)
{
    struct listing *l = ctx;
    struct value name = row_value(row, 6);
    l->count++;
    return l->each(l->ctx, &(struct conversation){.peer = row_value(row, 0).integer,
                               .email = row_value(row, 1).text,
                               .name = name.type == VALUE_TEXT ? name.text : (struct view){0},
                               .last = row_value(row, 2).integer,
                               .unread = row_value(row, 3).integer,
                               .read = row_value(row, 4).integer,
                               .peer_read = row_value(row, 5).integer});
}

/* `pattern`: a statement with the columns that take_row reads; "@" stands for the users' table. */
static enum status run_list(
    struct db *db, const char *pattern, const struct value *values, size_t n, struct listing *l, struct failure *f)
{
    struct str sql = {0};
    for (struct view rest = view_of(pattern); rest.at;) {
        str_add(&sql, view_cut(&rest, '@'));
        if (rest.at) str_addz(&sql, collection_auth()->slug);
    }
    enum status status = sql.failed ? no_memory(f) : db_each(db, sql.at, values, n, take_row, l, f);
    str_release(&sql);
    return status;
}

/* Behind the users, u. */
#define WITH_NAME " LEFT JOIN parley_profiles p ON p.user = u.id"

static const char with_messages[] =
    "SELECT k.peer, u.email, k.last, k.unread, k.read, k.peer_read, p.name FROM"
    " (SELECT " AS_SEEN " FROM parley_conversations WHERE low = ?1 OR high = ?1 ORDER BY last DESC LIMIT ?2 OFFSET ?3)"
    " k CROSS JOIN `@` u ON u.id = k.peer" WITH_NAME;
static const char without_messages[] =
    "SELECT u.id, u.email, 0, 0, 0, 0, p.name FROM `@` u" WITH_NAME
    " WHERE NOT EXISTS (SELECT 1 FROM parley_conversations"
    " WHERE low = min(u.id, ?1) AND high = max(u.id, ?1)) ORDER BY email LIMIT ?2 OFFSET ?3";
static const char of_one[] =
    "SELECT u.id, u.email, last, unread, read, peer_read, p.name FROM `@` u LEFT JOIN (SELECT " AS_SEEN
    " FROM parley_conversations WHERE low = min(?1, ?2) AND high = max(?1, ?2))" WITH_NAME " WHERE u.id = ?2";
static const char how_many[] = "SELECT (SELECT count(*) FROM parley_conversations WHERE low = ?1 AND high > ?1)"
                               " + (SELECT count(*) FROM parley_conversations WHERE high = ?1)";

enum status conversation_list(struct db *db, int64_t user, int64_t limit, int64_t offset,
    enum status (*each)(void *ctx, const struct conversation *conversation), void *ctx, struct failure *f)
{
    struct listing l = {.each = each, .ctx = ctx};
    struct value values[] = {value_integer(user), value_integer(limit), value_integer(offset)};
    int64_t before = 0;
    enum status status = run_list(db, with_messages, values, 3, &l, f);
    if (status || l.count == limit) return status;
    status = db_integer(db, how_many, values, 1, 0, &before, f);
    values[1].integer = limit - l.count;
    values[2].integer = offset > before ? offset - before : 0;
    return status ? status : run_list(db, without_messages, values, 3, &l, f);
}

struct finding {
    struct arena *arena;
    struct conversation *out;
};

static enum status take_found(void *ctx, const struct conversation *conversation)
{
    struct finding *finding = ctx;
    *finding->out = *conversation;
    finding->out->email.at = arena_copy(finding->arena, conversation->email);
    if (conversation->name.at) finding->out->name.at = arena_copy(finding->arena, conversation->name);
    return OK;
}

enum status conversation_find(
    struct db *db, int64_t user, int64_t peer, struct arena *arena, struct conversation *out, struct failure *f)
{
    struct finding finding = {arena, out};
    struct listing l = {.each = take_found, .ctx = &finding};
    struct value values[] = {value_integer(user), value_integer(peer)};
    enum status status = run_list(db, of_one, values, 2, &l, f);
    if (status) return status;
    if (!l.count) return fail(f, NOT_FOUND, "Not Found");
    return arena->failed ? no_memory(f) : OK;
}

/* ---- marks ---- */

static const char seen_by[] =
    "SELECT " AS_SEEN " FROM parley_conversations WHERE low = min(?1, ?2) AND high = max(?1, ?2)";
/* Who talks to himself has both marks, and is high. */
static const char marking[] =
    "UPDATE parley_conversations SET read_low = iif(low = ?1, ?3, read_low), read_high = iif(high = ?1, ?3, read_high),"
    " unread_low = iif(high = ?1, unread_low, ?4), unread_high = iif(high = ?1, ?4, unread_high)"
    " WHERE low = min(?1, ?2) AND high = max(?1, ?2)";

static enum status take_seen(void *ctx, const struct row *row)
{
    struct conversation *out = ctx;
    out->last = row_value(row, 1).integer;
    out->unread = row_value(row, 2).integer;
    out->read = row_value(row, 3).integer;
    out->peer_read = row_value(row, 4).integer;
    return OK;
}

/* How many stay unread when the mark moves to `mark`: the fewer are counted of those that stay and those that go. */
static enum status count_unread(
    struct db *db, int64_t user, const struct conversation *c, int64_t mark, int64_t *out, struct failure *f)
{
    int64_t stay = 0, go = 0;
    enum status status = OK;
    if (c->unread && mark < c->last) status = count(db, c->peer, user, mark, c->last, COUNTED_FIRST, &stay, f);
    if (!status && stay == COUNTED_FIRST) {
        status = count(db, c->peer, user, c->read, mark, INT64_MAX, &go, f);
        stay = c->unread - go;
    }
    *out = stay;
    return status;
}

enum status conversation_mark(struct db *db, int64_t user, int64_t peer, int64_t message, struct conversation *out,
    bool *moved, struct failure *f)
{
    struct value key[] = {value_integer(user), value_integer(peer)};
    int64_t unread = 0;
    *out = (struct conversation){.peer = peer};
    *moved = false;
    enum status status = db_each(db, seen_by, key, 2, take_seen, out, f);
    int64_t mark = message < out->last ? message : out->last;
    if (status || mark <= out->read) return status;
    status = count_unread(db, user, out, mark, &unread, f);
    struct value values[] = {key[0], key[1], value_integer(mark), value_integer(unread)};
    if (!status) status = db_run(db, marking, values, 4, f);
    if (status) return status;
    *moved = true;
    out->read = mark;
    out->unread = unread;
    if (user == peer) out->peer_read = mark;
    return OK;
}
