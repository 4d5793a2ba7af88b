#include "store/answers.h"

#define KEPT_MS (INT64_C(1000) * 60 * 60 * 24 * ANSWER_DAYS)

enum status answers_prepare(struct db *db, struct failure *f)
{
    return db_exec(db,
        "CREATE TABLE IF NOT EXISTS parley_answers (id integer PRIMARY KEY NOT NULL, scope integer NOT NULL,"
        " key text NOT NULL, written integer NOT NULL, sealed blob NOT NULL);"
        "CREATE UNIQUE INDEX IF NOT EXISTS parley_answers_key_idx ON parley_answers (scope, key);",
        f);
}

/* The oldest have the lowest ids, so that no index by time is needed. */
static enum status trim(struct db *db, int64_t now, struct failure *f)
{
    struct value values[] = {value_integer(now), value_integer(KEPT_MS)};
    return db_run(db,
        "DELETE FROM parley_answers WHERE id IN (SELECT id FROM parley_answers ORDER BY id LIMIT 2)"
        " AND abs(written - ?) > ?",
        values, 2, f);
}

enum status answers_add(struct db *db, const struct answer *answer, struct failure *f)
{
    struct value values[] = {value_integer(answer->scope), value_text(answer->key), value_integer(answer->written),
        value_blob(answer->sealed), value_integer(KEPT_MS)};
    enum status status = trim(db, answer->written, f);
    /* What takes another's place is the newest: an old id would keep trim from those behind it. */
    if (!status)
        status = db_run(db,
            "INSERT INTO parley_answers (scope, key, written, sealed) VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT (scope, key) DO UPDATE SET id = (SELECT max(id) + 1 FROM parley_answers),"
            " written = excluded.written, sealed = excluded.sealed WHERE abs(written - excluded.written) > ?5",
            values, 5, f);
    if (!status && !db_changes(db)) return fail(f, CONFLICT, "An answer is kept under this Idempotency-Key already.");
    return status;
}

struct finding {
    struct answer *out;
    struct arena *arena;
    bool found;
};

static enum status take_answer(void *ctx, const struct row *row)
{
    struct finding *finding = ctx;
    struct view sealed = row_value(row, 1).text;
    finding->found = true;
    finding->out->written = row_value(row, 0).integer;
    finding->out->sealed = (struct view){arena_copy(finding->arena, sealed), sealed.len};
    return OK;
}

enum status answers_find(struct db *db, int64_t now, struct arena *arena, struct answer *out, struct failure *f)
{
    struct finding finding = {.out = out, .arena = arena};
    struct value values[] = {
        value_integer(out->scope), value_text(out->key), value_integer(now), value_integer(KEPT_MS)};
    enum status status = db_each(db,
        "SELECT written, sealed FROM parley_answers WHERE scope = ?1 AND key = ?2 AND abs(written - ?3) <= ?4", values,
        4, take_answer, &finding, f);
    if (status) return status;
    if (!finding.found) return fail(f, NOT_FOUND, "Not Found");
    return out->sealed.at ? OK : fail(f, NO_MEMORY, "Out of memory.");
}
