#include "store/listing.h"
#include "schema/sql.h"

#define STRETCH 64 /* documents that a stretch begins at multiples of; it is twice as long */

/* "ORDER BY …", or the reverse, of columns by their places */
static void add_order(struct str *sql, const struct order *o, bool reverse)
{
    bool by_id = order_by_id(o), down = o->descending != reverse;
    if (by_id)
        str_addf(sql, " ORDER BY 1%s", down ? " DESC" : "");
    else
        str_addf(sql, " ORDER BY 2%s, 1%s", down ? " DESC" : "", reverse ? "" : " DESC");
}

/* "SELECT id, key FROM … WHERE …" */
static void add_select(struct str *sql, struct listing *l, struct binds *binds)
{
    str_addf(sql, "SELECT `id`, `%s` FROM `%s`", l->view.order.field->column, l->find.collection->slug);
    sql_add_where(sql, &l->find, binds);
}

static enum status run(struct listing *l, struct str *sql, const struct binds *binds,
    enum status (*each)(void *ctx, const struct row *row), void *ctx, struct failure *f)
{
    enum status status = sql->failed || binds->failed
                             ? fail(f, NO_MEMORY, "Out of memory.")
                             : db_each(l->view.db, sql->at, binds->values, binds->count, each, ctx, f);
    str_release(sql);
    return status;
}

struct filling {
    const struct order *order;
    struct window *window;
    int64_t rows;
};

static enum status take_place(void *ctx, const struct row *row)
{
    struct filling *fill = ctx;
    struct window *w = fill->window;
    struct value key = row_value(row, 1);
    fill->rows++;
    if (w->ends && w->count < WINDOW_MOST && place_of(&w->at[w->count], fill->order, &key, row_value(row, 0).integer))
        w->count++;
    else
        w->ends = false;
    return OK;
}

/* Of the few among which to look all are read at once. */
enum status listing_read_head(struct listing *l, struct window *out, int64_t *total, struct failure *f)
{
    struct binds binds = {.arena = l->arena};
    struct str sql = {0};
    struct filling fill = {&l->view.order, out, 0};
    bool few = l->find.among.at;
    out->offset = 0;
    out->count = 0;
    out->ends = true;
    add_select(&sql, l, &binds);
    add_order(&sql, &l->view.order, false);
    if (!few) {
        str_addz(&sql, " LIMIT ?");
        binds_add(&binds, value_integer(WINDOW_MOST + 1));
    }
    enum status status = run(l, &sql, &binds, take_place, &fill, f);
    *total = few || fill.rows <= WINDOW_MOST ? fill.rows : -1;
    return status;
}

struct building {
    const struct order *order;
    struct ladder *ladder;
    bool odd;
};

static enum status take_rung(void *ctx, const struct row *row)
{
    struct building *b = ctx;
    struct place place;
    struct value key = row_value(row, 1);
    if (!b->odd && place_of(&place, b->order, &key, row_value(row, 0).integer))
        ladder_add(b->ladder, &place);
    else
        b->odd = true;
    return OK;
}

enum status listing_read_ladder(struct listing *l, int64_t docs, struct ladder **out, struct failure *f)
{
    struct binds binds = {.arena = l->arena};
    struct building b = {&l->view.order, ladder_new(docs), false};
    struct str sql = {0};
    *out = NULL;
    if (!b.ladder) return fail(f, NO_MEMORY, "Out of memory.");
    add_select(&sql, l, &binds);
    add_order(&sql, &l->view.order, true);
    enum status status = run(l, &sql, &binds, take_rung, &b, f);
    if (status || b.odd) {
        ladder_free(b.ladder);
        return status;
    }
    *out = b.ladder;
    return OK;
}

int64_t listing_far_offset(int64_t offset, int64_t limit)
{
    return limit > STRETCH ? offset : offset / STRETCH * STRETCH;
}

static void add_part(struct str *sql, struct listing *l, struct binds *binds, const char *sign, struct value key)
{
    add_select(sql, l, binds);
    str_addf(
        sql, "%s `%s` %s ?", where_is_everything(l->find.where) ? " WHERE" : " AND", l->view.order.field->column, sign);
    binds_add(binds, key);
}

/* The documents with the place's own date apart: there may be very many, and only both ends of an index's range make it
 * short. */
static void add_from(struct str *sql, struct listing *l, struct binds *binds, const struct place *place)
{
    const struct order *o = &l->view.order;
    if (order_by_id(o)) {
        add_part(sql, l, binds, o->descending ? "<=" : ">=", value_integer(place_id(o, place)));
        return;
    }
    char *key = arena_alloc(l->arena, ISO_LENGTH);
    if (!key) {
        binds->failed = true;
        return;
    }
    place_turn(o, place->at, key);
    add_part(sql, l, binds, "=", value_text((struct view){key, ISO_LENGTH}));
    str_addz(sql, " AND `id` <= ? UNION ALL ");
    binds_add(binds, value_integer(place->id));
    add_part(sql, l, binds, o->descending ? "<" : ">", value_text((struct view){key, ISO_LENGTH}));
}

enum status listing_read_far(struct listing *l, const struct place *place, int64_t skip, int64_t offset, int64_t limit,
    struct window *out, struct failure *f)
{
    struct binds binds = {.arena = l->arena};
    struct str sql = {0};
    struct filling fill = {&l->view.order, out, 0};
    *out = (struct window){.offset = listing_far_offset(offset, limit), .ends = true};
    int64_t want = limit > STRETCH ? limit : 2 * STRETCH;
    add_from(&sql, l, &binds, place);
    add_order(&sql, &l->view.order, false);
    str_addz(&sql, " LIMIT ? OFFSET ?");
    binds_add(&binds, value_integer(want));
    binds_add(&binds, value_integer(skip));
    enum status status = run(l, &sql, &binds, take_place, &fill, f);
    if (fill.rows == want) out->ends = false;
    return status;
}
