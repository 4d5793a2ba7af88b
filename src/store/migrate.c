#include "store/migrate.h"
#include "base/clock.h"
#include "schema/payload.h"
#include "schema/registry.h"
#include "schema/sql.h"
#include "store/account.h"
#include "store/answers.h"
#include "store/changelog.h"
#include "store/claim.h"
#include "store/conversation.h"
#include "store/profile.h"
#include <string.h>

struct columns {
    const struct collection *collection;
    bool seen[MAX_FIELDS];
    bool any;
};

static enum status take_column(void *ctx, const struct row *row)
{
    struct columns *columns = ctx;
    columns->any = true;
    for (size_t i = 0; i < columns->collection->nfields; i++)
        if (view_is(row_value(row, 0).text, columns->collection->fields[i].column)) columns->seen[i] = true;
    return OK;
}

static enum status migrate_collection(struct db *db, const struct collection *c, struct failure *f)
{
    struct columns columns = {.collection = c};
    struct value slug = value_text(view_of(c->slug));
    struct str sql = {0};
    enum status status = db_each(db, "SELECT name FROM pragma_table_info(?)", &slug, 1, take_column, &columns, f);
    if (!columns.any) {
        sql_add_create_table(&sql, c);
        str_addz(&sql, ";\n");
    }
    for (size_t i = 0; columns.any && i < c->nfields; i++) {
        if (columns.seen[i]) continue;
        str_addf(&sql, "ALTER TABLE `%s` ADD COLUMN ", c->slug);
        sql_add_column(&sql, &c->fields[i]);
        str_addz(&sql, ";\n");
    }
    sql_add_indexes(&sql, c);
    if (!status && sql.failed) status = fail(f, NO_MEMORY, "Out of memory.");
    if (!status) status = db_exec(db, sql.at, f);
    str_release(&sql);
    return status;
}

static enum status make_payload_tables(struct db *db, struct failure *f)
{
    struct str sql = {0};
    payload_add_tables(&sql);
    enum status status = sql.failed ? fail(f, NO_MEMORY, "Out of memory.") : db_exec(db, sql.at, f);
    str_release(&sql);
    return status;
}

/* What another program has written meanwhile. */
static enum status adopt(struct db *db, const struct collection *c, struct view now, struct failure *f)
{
    bool wrote = false;
    enum status status = changelog_adopt(db, c, now, &wrote, f);
    return !status && wrote && c == collection_exchanged() ? conversation_recount(db, f) : status;
}

static enum status make_tables(struct db *db, struct failure *f)
{
    char now[ISO_LENGTH + 1];
    enum status status = db_exec(db, "BEGIN IMMEDIATE", f);
    if (status) return status;
    for (size_t i = 0; i < ncollections && !status; i++) {
        status = migrate_collection(db, collection_at(i), f);
        if (!status && collection_at(i)->auth) status = account_prepare(db, collection_at(i), f);
    }
    if (!status) status = make_payload_tables(db, f);
    if (!status) status = changelog_prepare(db, f);
    if (!status) status = claim_prepare(db, f);
    if (!status) status = answers_prepare(db, f);
    if (!status) status = conversation_prepare(db, f);
    if (!status) status = profile_prepare(db, f);
    clock_iso(clock_wall(), now);
    for (size_t i = 0; i < ncollections && !status; i++) status = adopt(db, collection_at(i), view_of(now), f);
    if (!status) return db_exec(db, "COMMIT", f);
    struct failure ignored;
    if (db_in_transaction(db) && db_exec(db, "ROLLBACK", &ignored)) return status;
    return status;
}

enum status migrate(struct db *db, const char *path, struct failure *f)
{
    enum status status = changelog_check(db, f);
    if (!status) status = db_exec(db, "PRAGMA journal_mode=WAL", f);
    if (!status) status = make_tables(db, f);
    if (!status) return OK;
    char reason[sizeof f->reason];
    memcpy(reason, f->reason, sizeof reason);
    return fail(f, status, "Cannot use the database %s: %s", path, reason);
}
