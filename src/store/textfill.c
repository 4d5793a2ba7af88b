#include "store/textfill.h"
#include "store/changelog.h"
#include <stdlib.h>

#define BATCH       4096              /* texts; more are quicker for each of them, and hold a stop up for longer */
#define BATCH_BYTES ((size_t)1 << 20) /* of texts, and one text */
#define STALE       100000            /* with fewer the file is kept, whatever it was made for */

struct line {
    int64_t id;
    struct view text;
};

struct batch {
    struct arena *arena;
    struct line *lines;
    size_t count, bytes;
    bool full;        /* there was more */
    int64_t last;     /* seq or id of the last row that was read … */
    size_t rows, old; /* … how many there were, and how many of them left something behind */
};

static enum status batch_init(struct batch *b, struct arena *arena, struct failure *f)
{
    arena_reset(arena);
    *b = (struct batch){.arena = arena, .lines = ARENA_ARRAY(arena, struct line, BATCH)};
    return b->lines ? OK : fail(f, NO_MEMORY, "Out of memory.");
}

/* A row's columns: seq or id, id, text, whether it was there before. TOO_LARGE ends the reading. */
static enum status take_row(void *ctx, const struct row *row)
{
    struct batch *b = ctx;
    struct value text = row_value(row, 2);
    if (b->bytes >= BATCH_BYTES) {
        b->full = true;
        return TOO_LARGE;
    }
    b->last = row_value(row, 0).integer;
    b->rows++;
    b->old += row_value(row, 3).integer != 0;
    if (text.type != VALUE_TEXT) return OK;
    struct line *line = &b->lines[b->count++];
    *line = (struct line){row_value(row, 1).integer, {arena_copy(b->arena, text.text), text.text.len}};
    b->bytes += text.text.len;
    return line->text.at ? OK : NO_MEMORY;
}

static enum status read_batch(
    struct textfill *fill, struct str *sql, const struct value *values, size_t n, struct batch *b, struct failure *f)
{
    enum status status = sql->failed ? NO_MEMORY : db_each(fill->database, sql->at, values, n, take_row, b, f);
    str_release(sql);
    if (b->full) return OK;
    b->full = b->rows == BATCH;
    return status == NO_MEMORY ? fail(f, NO_MEMORY, "Out of memory.") : status;
}

static enum status read_changes(struct textfill *fill, const struct textpart *part, struct batch *b, struct failure *f)
{
    const char *slug = part->collection->slug;
    struct value values[] = {value_integer(part->seq), value_text(view_of(slug)), value_integer(BATCH)};
    struct str sql = {0};
    str_addf(&sql,
        "SELECT l.seq, l.doc, m.`%s`, l.op <> 'c' FROM parley_log l LEFT JOIN `%s` m ON m.id = l.doc WHERE l.seq > ?"
        " AND +l.collection = ? ORDER BY l.seq LIMIT ?",
        part->field->column, slug);
    return read_batch(fill, &sql, values, 3, b, f);
}

static enum status read_documents(
    struct textfill *fill, const struct textpart *part, struct batch *b, struct failure *f)
{
    struct value values[] = {value_integer(part->filled), value_integer(BATCH)};
    struct str sql = {0};
    str_addf(&sql, "SELECT id, id, `%s`, 0 FROM `%s` WHERE id > ? ORDER BY id LIMIT ?", part->field->column,
        part->collection->slug);
    return read_batch(fill, &sql, values, 2, b, f);
}

static enum status check(
    struct textfill *fill, const struct textpart *part, const struct changelog_span *span, struct failure *f)
{
    struct ledger ledger;
    if (part->seq + 1 < span->oldest) return fail(f, CONFLICT, "the changes that it lacks are no longer kept");
    if (part->stale < STALE) return OK;
    enum status status = ledger_read(fill->database, part->collection, &ledger, f);
    if (!status && part->stale > ledger.docs) return fail(f, CONFLICT, "most of it is of texts that are gone");
    return status;
}

/* What a part becomes with the batch; unchanged: there is nothing to do. */
static enum status read_part(struct textfill *fill, struct textpart *part, struct batch *b, struct failure *f)
{
    struct changelog_span span;
    enum status status = changelog_span(fill->database, &span, f);
    if (!status) status = check(fill, part, &span, f);
    if (!status && part->seq < span.head) {
        status = read_changes(fill, part, b, f);
        part->seq = b->full ? b->last : span.head;
        part->head = span.head;
        part->stale += (int64_t)b->old;
    } else if (!status && part->filled < TEXTFILE_FILLED) {
        status = read_documents(fill, part, b, f);
        part->filled = b->full ? b->last : TEXTFILE_FILLED;
        part->head = span.head;
    }
    return status;
}

static int compare(const void *a, const void *b)
{
    const struct line *one = a, *other = b;
    return (one->id > other->id) - (one->id < other->id);
}

static enum status write_part(struct textfill *fill, const struct textpart *part, struct batch *b, struct failure *f)
{
    enum status status = db_exec(fill->file, "BEGIN IMMEDIATE", f);
    if (status) return status;
    qsort(b->lines, b->count, sizeof *b->lines, compare);
    for (size_t i = 0; i < b->count && !status; i++) {
        /* Read in one snapshot, it had the same text both times. */
        if (i && b->lines[i].id == b->lines[i - 1].id) continue;
        status = textfile_add(fill->file, part, b->lines[i].id, b->lines[i].text, f);
    }
    if (!status) status = textfile_write(fill->file, part, f);
    if (!status) status = db_exec(fill->file, "COMMIT", f);
    if (!status) return OK;
    struct failure ignored;
    if (db_in_transaction(fill->file) && db_exec(fill->file, "ROLLBACK", &ignored)) return status;
    return status;
}

static enum status step(struct textfill *fill, struct textpart *part, bool *done, struct failure *f)
{
    struct batch batch;
    struct failure end;
    struct textpart next = *part;
    *done = false;
    enum status status = batch_init(&batch, &fill->arena, f);
    if (!status) status = db_exec(fill->database, "BEGIN", f);
    if (status) return status;
    status = read_part(fill, &next, &batch, f);
    if (db_exec(fill->database, "COMMIT", &end) && !status) {
        *f = end;
        status = f->status;
    }
    if (status || (next.seq == part->seq && next.filled == part->filled)) return status;
    status = write_part(fill, &next, &batch, f);
    if (status) return status;
    *part = next;
    *done = true;
    return OK;
}

enum status textfill_step(struct textfill *fill, bool *more, struct failure *f)
{
    enum status status = OK;
    *more = false;
    for (size_t i = 0; i < fill->nparts && !*more && !status; i++) status = step(fill, &fill->parts[i], more, f);
    return status;
}
