#include "store/backlog.h"
#include "base/check.h"
#include "schema/condition.h"
#include "schema/registry.h"
#include "schema/sql.h"
#include "store/read.h"
#include <string.h>

/* "FROM messages WHERE …" */
static void add_from(struct str *sql, const struct backlog *b, struct binds *binds)
{
    const char *slug = b->collection->slug;
    str_addf(sql,
        " FROM `%s` WHERE NOT EXISTS (SELECT 1 FROM parley_log WHERE collection = ? AND doc = `%s`.`id` AND seq > ?)",
        slug, slug);
    binds_add(binds, value_text(view_of(slug)));
    binds_add(binds, value_integer(b->seq));
    if (b->among.at) {
        str_addz(sql, " AND `id` IN (SELECT value FROM json_each(?))");
        binds_add(binds, value_text(b->among));
    }
    if (!b->filter) return;
    str_addz(sql, " AND (");
    condition_add(sql, b->filter, binds);
    str_addc(sql, ')');
}

static void set_place(struct backlog_place *place, struct view time, int64_t id)
{
    size_t len = time.len < BACKLOG_TIME - 1 ? time.len : BACKLOG_TIME - 1;
    memcpy(place->time, time.at, len);
    place->time[len] = 0;
    place->id = id;
}

/* One id less: the document itself is behind it. */
static enum status take_start(void *ctx, const struct row *row)
{
    set_place(ctx, row_value(row, 0).text, row_value(row, 1).integer - 1);
    return OK;
}

enum status backlog_start(struct db *db, const struct backlog *b, int64_t newest, struct arena *arena,
    struct backlog_place *out, struct failure *f)
{
    struct binds binds = {.arena = arena};
    struct str sql = {0};
    *out = (struct backlog_place){0};
    str_addz(&sql, "SELECT `updated_at`, `id`");
    add_from(&sql, b, &binds);
    str_addz(&sql, " ORDER BY `updated_at` DESC, `id` DESC LIMIT 1 OFFSET ?");
    binds_add(&binds, value_integer(newest - 1));
    enum status status = sql.failed || binds.failed
                             ? fail(f, NO_MEMORY, "Out of memory.")
                             : db_each(db, sql.at, binds.values, binds.count, take_start, out, f);
    str_release(&sql);
    return status;
}

struct reading {
    struct backlog_place *place;
    const struct field *time;
    enum status (*each)(void *ctx, const struct doc *doc);
    void *ctx;
};

static enum status take_doc(void *ctx, const struct doc *doc)
{
    struct reading *r = ctx;
    enum status status = r->each(r->ctx, doc);
    if (!status) set_place(r->place, doc_value(doc, r->time)->text, doc_id(doc));
    return status;
}

enum status backlog_read(struct db *db, const struct backlog *b, struct backlog_place *place, int64_t limit,
    struct arena *arena, enum status (*each)(void *ctx, const struct doc *doc), void *ctx, struct failure *f)
{
    struct binds binds = {.arena = arena};
    struct str sql = {0};
    struct backlog_place from = *place;
    int time = field_find(b->collection, VIEW("updatedAt"));
    ASSERT(time >= 0);
    struct reading r = {.place = place, .time = &b->collection->fields[time], .each = each, .ctx = ctx};
    str_addz(&sql, "SELECT ");
    sql_add_columns(&sql, b->collection);
    add_from(&sql, b, &binds);
    str_addz(&sql, " AND (`updated_at`, `id`) > (?, ?) ORDER BY `updated_at`, `id` LIMIT ?");
    binds_add(&binds, value_text(view_of(from.time)));
    binds_add(&binds, value_integer(from.id));
    binds_add(&binds, value_integer(limit));
    return read_rows(db, b->collection, &sql, &binds, arena, take_doc, &r, f);
}
