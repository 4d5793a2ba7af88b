#include "store/profile.h"
#include "schema/registry.h"

/* Runs a statement in which "@" stands for the users' table. */
static enum status run(struct db *db, const char *pattern, const struct value *values, size_t n,
    enum status (*each)(void *ctx, const struct row *row), void *ctx, struct failure *f)
{
    struct str sql = {0};
    for (struct view rest = view_of(pattern); rest.at;) {
        str_add(&sql, view_cut(&rest, '@'));
        if (rest.at) str_addz(&sql, collection_auth()->slug);
    }
    enum status status =
        sql.failed ? fail(f, NO_MEMORY, "Out of memory.") : db_each(db, sql.at, values, n, each, ctx, f);
    str_release(&sql);
    return status;
}

enum status profile_prepare(struct db *db, struct failure *f)
{
    if (!collection_auth()) return OK;
    return run(db,
        "CREATE TABLE IF NOT EXISTS parley_profiles (user integer PRIMARY KEY NOT NULL REFERENCES `@`(id)"
        " ON DELETE CASCADE, name text, shows_seen integer NOT NULL)",
        NULL, 0, NULL, NULL, f);
}

/* ---- reading ---- */

#define PROFILES                                                                                                       \
    "SELECT u.id, u.email, p.name, coalesce(p.shows_seen, 1) FROM `@` u LEFT JOIN parley_profiles p ON p.user = u.id"

/* ?1: the text; ?2: the ids */
#define MATCHING                                                                                                       \
    " WHERE (?1 IS NULL OR instr(lower(u.email), lower(?1)) OR instr(lower(coalesce(p.name, '')), lower(?1)))"         \
    " AND (?2 IS NULL OR u.id IN (SELECT value FROM json_each(?2)))"

struct listing {
    enum status (*each)(void *ctx, const struct profile *profile);
    void *ctx;
};

static enum status take_row(void *ctx, const struct row *row)
{
    struct listing *l = ctx;
    struct value name = row_value(row, 2);
    return l->each(l->ctx, &(struct profile){.user = row_value(row, 0).integer,
                               .email = row_value(row, 1).text,
                               .name = name.type == VALUE_TEXT ? name.text : (struct view){0},
                               .shows_seen = row_value(row, 3).integer});
}

static struct value text_or_null(struct view text)
{
    return text.at ? value_text(text) : value_null();
}

enum status profile_list(struct db *db, const struct profile_query *query, int64_t limit, int64_t offset,
    enum status (*each)(void *ctx, const struct profile *profile), void *ctx, struct failure *f)
{
    struct listing l = {each, ctx};
    struct value values[] = {
        text_or_null(query->text), text_or_null(query->ids), value_integer(limit), value_integer(offset)};
    return run(db, PROFILES MATCHING " ORDER BY u.email LIMIT ?3 OFFSET ?4", values, 4, take_row, &l, f);
}

static enum status take_count(void *ctx, const struct row *row)
{
    *(int64_t *)ctx = row_value(row, 0).integer;
    return OK;
}

enum status profile_count(struct db *db, const struct profile_query *query, int64_t *out, struct failure *f)
{
    struct value values[] = {text_or_null(query->text), text_or_null(query->ids)};
    return run(db, "SELECT count(*) FROM `@` u LEFT JOIN parley_profiles p ON p.user = u.id" MATCHING, values, 2,
        take_count, out, f);
}

struct finding {
    struct arena *arena;
    struct profile *out;
    bool found;
};

static enum status take_found(void *ctx, const struct profile *profile)
{
    struct finding *finding = ctx;
    struct profile *out = finding->out;
    finding->found = true;
    *out = *profile;
    out->email.at = arena_copy(finding->arena, profile->email);
    if (profile->name.at) out->name.at = arena_copy(finding->arena, profile->name);
    return OK;
}

enum status profile_find(struct db *db, int64_t user, struct arena *arena, struct profile *out, struct failure *f)
{
    struct finding finding = {.arena = arena, .out = out};
    struct listing l = {take_found, &finding};
    struct value key = value_integer(user);
    enum status status = run(db, PROFILES " WHERE u.id = ?", &key, 1, take_row, &l, f);
    if (status) return status;
    if (!finding.found) return fail(f, NOT_FOUND, "Not Found");
    return arena->failed ? fail(f, NO_MEMORY, "Out of memory.") : OK;
}

/* ---- saving ---- */

static bool same(struct view a, struct view b)
{
    return !a.at == !b.at && view_equal(a, b);
}

enum status profile_save(struct db *db, int64_t user, const struct profile_change *change, struct arena *arena,
    struct profile *out, bool *renamed, struct failure *f)
{
    enum status status = profile_find(db, user, arena, out, f);
    if (status) return status;
    *renamed = change->sets_name && !same(out->name, change->name);
    if (change->sets_name) out->name = change->name;
    if (change->sets_shows_seen) out->shows_seen = change->shows_seen;
    struct value values[] = {value_integer(user), text_or_null(out->name), value_integer(out->shows_seen)};
    return db_run(db,
        "INSERT INTO parley_profiles (user, name, shows_seen) VALUES (?, ?, ?) ON CONFLICT (user)"
        " DO UPDATE SET name = excluded.name, shows_seen = excluded.shows_seen",
        values, 3, f);
}
