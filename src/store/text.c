/* Why what is found is right at any moment. A reader looks into the file first: it knows all changes up to one, `seq`,
 * of which the log's head in the reader's snapshot is not older, or the index is not used. A document whose last change
 * in the snapshot is up to `seq` was read after that change, so the text that it has is in the file; one that was never
 * changed since the file was made was read when it was filled. Every other one is among those that the log names behind
 * `seq`. Nothing is ever taken out of the file, so that what else it finds is too much, not too little. */
#include "store/text.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "schema/trigrams.h"
#include "store/changelog.h"
#include "store/pool.h"
#include "store/textfill.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST      16384 /* ids; where more are found, SQLite soon comes upon the documents as well */
#define LONG_TAIL 256   /* changes for which the thread is woken */
#define REST_MS   1000
#define RETRY_MS  (10 * 60 * 1000) /* after the file had to be given up twice */
#define READERS   2                /* connections; each is held for some milliseconds at most */
#define ARENA_CAP ((size_t)16 << 20)
#define LOWEST    19 /* nice */

struct text {
    /* fixed after open */
    char *database, *path;
    pthread_t thread;
    bool started;
    /* under lock */
    struct lock lock;
    struct condition moved;
    struct pool *readers; /* NULL: there is no file to be read; else it stays while anybody is reading */
    size_t reading;
    bool damaged; /* a reader could not read it */
    bool wanted;  /* a reader found that it is behind */
    bool closing;
    /* the thread's */
    struct textpart parts[TEXTFILE_PARTS];
    struct textfill fill;
    int64_t given_up; /* clock_monotonic; 0: never */
};

/* ---- readers ---- */

/* Where to take a connection; NULL: the file is not to be read now. */
static struct pool *enter(struct text *t)
{
    lock_take(&t->lock);
    struct pool *readers = t->readers;
    if (readers) t->reading++;
    lock_drop(&t->lock);
    return readers;
}

static void leave(struct text *t, bool damaged)
{
    lock_take(&t->lock);
    t->reading--;
    t->damaged = t->damaged || damaged;
    condition_broadcast(&t->moved);
    lock_drop(&t->lock);
}

struct ids {
    struct str text; /* "[1,2" */
    size_t count;
};

static enum status take_id(void *ctx, const struct row *row)
{
    struct ids *ids = ctx;
    str_addc(&ids->text, ids->count++ ? ',' : '[');
    str_add_integer(&ids->text, row_value(row, 0).integer);
    return OK;
}

/* In a transaction, so that what is found and `seq` are of one moment. False: nothing was found out. */
static bool search(struct db *db, struct textpart *part, struct view trigrams, struct ids *ids)
{
    struct failure f;
    if (db_exec(db, "BEGIN", &f)) return false;
    enum status status = textfile_read(db, part, &f);
    bool filled = !status && part->filled == TEXTFILE_FILLED;
    if (filled) status = textfile_search(db, part, trigrams, MOST + 1, take_id, ids, &f);
    return !db_exec(db, "COMMIT", &f) && filled && !status;
}

static void wake(struct text *t)
{
    lock_take(&t->lock);
    t->wanted = true;
    condition_broadcast(&t->moved);
    lock_drop(&t->lock);
}

/* What the file does not know yet. `*found`: those are all, and not too many. */
static enum status add_tail(
    struct text *t, struct db *db, const struct textpart *part, struct ids *ids, bool *found, struct failure *f)
{
    struct changelog_span span;
    struct value values[] = {value_integer(part->seq), value_text(view_of(part->collection->slug))};
    enum status status = changelog_span(db, &span, f);
    int64_t behind = span.head - part->seq;
    *found = false;
    if (status || behind < 0 || part->seq + 1 < span.oldest) return status;
    if (behind > LONG_TAIL) wake(t);
    if (behind > MOST - (int64_t)ids->count) return OK;
    *found = true;
    return db_each(db, "SELECT doc FROM parley_log WHERE seq > ? AND +collection = ?", values, 2, take_id, ids, f);
}

static enum status narrow(struct text *t, struct db *db, struct textpart *part, struct view trigrams,
    struct arena *arena, struct view *among, struct failure *f)
{
    struct ids ids = {0};
    struct pool *readers = enter(t);
    if (!readers) return OK;
    struct db *file = pool_take(readers);
    bool found = search(file, part, trigrams, &ids), damaged = !found && db_damaged(file);
    pool_give(readers, file);
    leave(t, damaged);
    enum status status = found ? add_tail(t, db, part, &ids, &found, f) : OK;
    if (!status && found) {
        str_addz(&ids.text, ids.count ? "]" : "[]");
        *among = (struct view){ids.text.failed ? NULL : arena_copy(arena, str_view(&ids.text)), ids.text.len};
        if (!among->at) status = fail(f, NO_MEMORY, "Out of memory.");
    }
    str_release(&ids.text);
    return status;
}

enum status text_narrow(struct text *t, struct db *db, const struct collection *c, const struct where *w,
    struct arena *arena, struct view *among, struct failure *f)
{
    enum status status = OK;
    *among = (struct view){0};
    for (size_t i = 0; t && i < c->nfields && !among->at && !status; i++) {
        struct str trigrams = {0};
        struct textpart part = {.collection = c, .field = &c->fields[i]};
        if (!part.field->searched) continue;
        bool some = trigrams_add(&trigrams, w, part.field);
        if (trigrams.failed)
            status = fail(f, NO_MEMORY, "Out of memory.");
        else if (some)
            status = narrow(t, db, &part, str_view(&trigrams), arena, among, f);
        str_release(&trigrams);
    }
    return status;
}

/* ---- the thread ---- */

/* For at most `ms`; `lightly`: until a reader has something to say. False: it is to end. */
static bool rest(struct text *t, int64_t ms, bool lightly)
{
    int64_t until = clock_monotonic() + ms;
    lock_take(&t->lock);
    while (!t->closing && !(lightly && (t->damaged || t->wanted)) && condition_wait_until(&t->moved, &t->lock, until))
        continue;
    bool closing = t->closing;
    t->wanted = false;
    lock_drop(&t->lock);
    return !closing;
}

static bool is_damaged(struct text *t)
{
    lock_take(&t->lock);
    bool damaged = t->damaged;
    lock_drop(&t->lock);
    return damaged;
}

/* Lets readers in. */
static enum status open_file(struct text *t, struct failure *f)
{
    struct changelog_span span;
    struct epochs *epochs = NULL;
    struct pool *readers = NULL;
    enum status status = changelog_span(t->fill.database, &span, f);
    if (!status) status = epochs_load(&epochs, t->fill.database, f);
    if (!status)
        status = textfile_open(&t->fill.file, t->path, t->database, epochs, &span, t->parts, t->fill.nparts, f);
    epochs_free(epochs);
    if (!status) status = pool_open(&readers, t->path, READERS, f);
    if (status) {
        db_close(t->fill.file);
        t->fill.file = NULL;
        return status;
    }
    lock_take(&t->lock);
    t->readers = readers;
    lock_drop(&t->lock);
    return OK;
}

/* Keeps readers out, and waits for the last. */
static void close_file(struct text *t)
{
    lock_take(&t->lock);
    struct pool *readers = t->readers;
    t->readers = NULL;
    while (t->reading) condition_wait(&t->moved, &t->lock);
    t->damaged = false;
    lock_drop(&t->lock);
    pool_close(readers);
    db_close(t->fill.file);
    t->fill.file = NULL;
}

/* Once, and then not again for a while: it takes room and time that others may need. */
static bool give_up(struct text *t, const struct failure *why)
{
    struct failure f;
    int64_t now = clock_monotonic();
    bool again = t->given_up && now - t->given_up < RETRY_MS;
    t->given_up = now;
    close_file(t);
    if (why->status == CONFLICT)
        log_info("the text index %s is made anew: %s", t->path, why->reason);
    else
        log_warning("the text index %s is given up: %s", t->path, why->reason);
    if (textfile_remove(t->path, &f)) log_warning("the text index: %s", f.reason);
    return again ? rest(t, RETRY_MS, false) : true;
}

/* It loses nothing by waiting, and has the machine for itself when nobody else wants it. */
static void step_back(void)
{
    if (setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), LOWEST)) log_debug("the text index keeps its priority");
}

static void *follow(void *ctx)
{
    struct text *t = ctx;
    bool go = true;
    step_back();
    while (go) {
        struct failure f = {0};
        bool more = false;
        enum status status = OK;
        if (is_damaged(t)) status = fail(&f, IO_ERROR, "it is damaged");
        if (!status && !t->fill.file) status = open_file(t, &f);
        if (!status) status = textfill_step(&t->fill, &more, &f);
        if (status == NO_MEMORY || status == UNAVAILABLE)
            go = rest(t, REST_MS, true);
        else if (status)
            go = give_up(t, &f);
        else
            go = rest(t, more ? 0 : REST_MS, true);
    }
    close_file(t);
    return NULL;
}

enum status text_open(struct text **out, const char *database, struct failure *f)
{
    struct text *t = calloc(1, sizeof *t);
    struct str path = {0};
    *out = NULL;
    if (!t) return fail(f, NO_MEMORY, "Out of memory.");
    lock_init(&t->lock);
    condition_init(&t->moved);
    arena_init(&t->fill.arena, ARENA_CAP);
    t->fill.parts = t->parts;
    t->fill.nparts = textfile_parts(t->parts);
    str_addf(&path, "%s-text", database);
    t->path = str_detach(&path);
    t->database = strdup(database);
    enum status status = t->path && t->database ? OK : fail(f, NO_MEMORY, "Out of memory.");
    if (!status) status = db_open(&t->fill.database, database, DB_READ, f);
    if (!status) {
        t->started = !pthread_create(&t->thread, NULL, follow, t);
        if (!t->started) status = fail(f, UNAVAILABLE, "The system gives no further thread.");
    }
    if (status) {
        text_close(t);
        return status;
    }
    *out = t;
    return OK;
}

void text_close(struct text *t)
{
    if (!t) return;
    if (t->started) {
        lock_take(&t->lock);
        t->closing = true;
        condition_broadcast(&t->moved);
        lock_drop(&t->lock);
        pthread_join(t->thread, NULL);
    }
    db_close(t->fill.database);
    arena_release(&t->fill.arena);
    condition_destroy(&t->moved);
    lock_destroy(&t->lock);
    free(t->database);
    free(t->path);
    free(t);
}
