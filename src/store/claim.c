#include "store/claim.h"
#include "schema/filename.h"

#define STEPS_ONE_BY_ONE 16
#define NAMES_MOST       ((int64_t)1 << 40)

enum status claim_prepare(struct db *db, struct failure *f)
{
    return db_exec(db,
        "CREATE TABLE IF NOT EXISTS parley_files"
        " (collection TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (collection, name)) WITHOUT ROWID",
        f);
}

static enum status run(struct db *db, const char *sql, const struct collection *c, struct view name, struct failure *f)
{
    struct value values[] = {value_text(view_of(c->slug)), value_text(name)};
    return db_run(db, sql, values, 2, f);
}

enum status claim_add(struct db *db, const struct collection *c, struct view name, struct failure *f)
{
    return run(db, "INSERT OR IGNORE INTO parley_files (collection, name) VALUES (?, ?)", c, name, f);
}

enum status claim_drop(struct db *db, const struct collection *c, struct view name, struct failure *f)
{
    return run(db, "DELETE FROM parley_files WHERE collection = ? AND name = ?", c, name, f);
}

static enum status look(struct db *db, const struct collection *c, struct view name, bool *taken, struct failure *f)
{
    struct value values[] = {value_text(view_of(c->slug)), value_text(name)};
    struct str sql = {0};
    int64_t found = 0;
    str_addf(&sql,
        "SELECT EXISTS (SELECT 1 FROM parley_files WHERE collection = ?1 AND name = ?2)"
        " OR EXISTS (SELECT 1 FROM `%s` WHERE filename = ?2)",
        c->slug);
    enum status status =
        sql.failed ? fail(f, NO_MEMORY, "Out of memory.") : db_integer(db, sql.at, values, 2, 0, &found, f);
    str_release(&sql);
    *taken = found != 0;
    return status;
}

/* Looking for a free name. */
struct search {
    struct db *db;
    const struct collection *collection;
    struct arena *arena;
    struct view wanted, name;
    struct failure *f;
};

/* Is the n-th name taken? It is `s->name` afterwards. */
static enum status try_name(struct search *s, int64_t n, bool *taken)
{
    s->name = s->wanted;
    enum status status = n ? filename_other(s->wanted, n, s->arena, &s->name, s->f) : OK;
    return status ? status : look(s->db, s->collection, s->name, taken, s->f);
}

/* The first names one by one; then by doubling and halving, since a phone calls every picture "image.jpg": a free name
 * behind a taken one is found in a few dozen looks among any number. */
static enum status find_free(struct search *s)
{
    int64_t low = 0, high = 0;
    bool taken = true;
    enum status status = OK;
    for (; high <= STEPS_ONE_BY_ONE && !status; high++) {
        status = try_name(s, high, &taken);
        if (!status && !taken) return OK;
    }
    for (low = high - 1; !status && taken && high < NAMES_MOST; high *= 2) {
        status = try_name(s, high, &taken);
        if (taken) low = high;
    }
    if (status || taken) return status ? status : fail(s->f, CONFLICT, "Too many files have that name.");
    for (high /= 2; high - low > 1 && !status;) {
        int64_t middle = low + (high - low) / 2;
        status = try_name(s, middle, &taken);
        if (taken)
            low = middle;
        else
            high = middle;
    }
    return status ? status : try_name(s, high, &taken);
}

enum status claim_take(struct db *db, const struct collection *c, struct view wanted, struct arena *arena,
    struct view *name, struct failure *f)
{
    struct search s = {db, c, arena, wanted, {0}, f};
    enum status status = find_free(&s);
    if (!status) status = claim_add(db, c, s.name, f);
    if (!status) *name = s.name;
    return status;
}

struct visit {
    struct db *db;
    const struct collection *collection;
    enum status (*each)(void *ctx, struct view name, bool owned);
    void *ctx;
};

static enum status visit_row(void *ctx, const struct row *row)
{
    struct visit *v = ctx;
    return v->each(v->ctx, row_value(row, 0).text, row_value(row, 1).integer != 0);
}

enum status claim_each(struct db *db, const struct collection *c,
    enum status (*each)(void *ctx, struct view name, bool owned), void *ctx, struct failure *f)
{
    struct visit v = {db, c, each, ctx};
    struct value slug = value_text(view_of(c->slug));
    struct str sql = {0};
    str_addf(&sql,
        "SELECT name, EXISTS (SELECT 1 FROM `%s` d WHERE d.filename = p.name) FROM parley_files p WHERE collection = ?",
        c->slug);
    enum status status =
        sql.failed ? fail(f, NO_MEMORY, "Out of memory.") : db_each(db, sql.at, &slug, 1, visit_row, &v, f);
    str_release(&sql);
    return status;
}
