#include "broker/broker.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "schema/registry.h"
#include "store/migrate.h"
#include "store/populate.h"
#include "stream/frame.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CAP  ((size_t)64 << 20) /* of one batch, for what populating remembers */
#define TRIM_EVERY 1000               /* changes; fewer when fewer are kept */

struct broker {
    /* fixed after open */
    struct framelog *logs[MAX_COLLECTIONS]; /* by collection_index */
    void (*grown)(void *ctx);
    void *ctx;
    void (*ended)(void *ctx, const struct collection *c, int64_t user, struct view session);
    void *ended_ctx;
    int64_t keep_changes;
    char epoch[EPOCH_LENGTH + 1];
    pthread_t thread;
    bool started;
    /* under lock */
    struct lock lock;
    struct condition queued;
    struct list queue;
    bool closing;
    bool failed;
    /* the applier's */
    struct db *db;
    struct tables tables;
    int64_t oldest;
    struct arena arena;
    struct populator populator;
    struct str frames[MAX_COLLECTIONS];
};

/* The one door of a command's state. */
static void command_set(struct command *c, enum command_state state)
{
    static const unsigned from[] = {
        [COMMAND_NEW] = 0,
        [COMMAND_QUEUED] = 1u << COMMAND_NEW,
        [COMMAND_APPLIED] = 1u << COMMAND_QUEUED,
        [COMMAND_DONE] = 1u << COMMAND_APPLIED,
        [COMMAND_REFUSED] = 1u << COMMAND_QUEUED | 1u << COMMAND_APPLIED,
    };
    ASSERT(from[state] >> c->state & 1);
    c->state = state;
}

static void add_frame(struct broker *b, const struct write *w)
{
    size_t place = collection_index(w->collection);
    struct str data = {0};
    if (w->op == WRITE_DELETE) {
        str_addf(&data, "[{\"id\":%lld}]", (long long)w->id);
    } else {
        struct doc_style style = {.select = SELECT_ALL, .relations = &b->populator.writer};
        str_addc(&data, '[');
        doc_add_json(&data, &w->doc, &style);
        str_addc(&data, ']');
    }
    if (data.failed)
        b->frames[place].failed = true;
    else
        frame_add(&b->frames[place], view_of(b->epoch), b->tables.seq, w->op == WRITE_DELETE ? "delete" : "message",
            str_view(&data));
    str_release(&data);
}

/* A write's own failure stays with the write; OK is returned as long as the transaction lives. */
static enum status apply_command(struct broker *b, struct command *c, struct failure *f)
{
    for (size_t i = 0; i < c->nwrites; i++) {
        struct write *w = &c->writes[i];
        if (apply(&b->tables, w, c->arena)) {
            if (db_in_transaction(b->db)) continue;
            *f = w->failure;
            return f->status;
        }
        if (!write_changes(w)) continue;
        if (b->logs[collection_index(w->collection)]) add_frame(b, w);
        /* A user's new e-mail must show in the frames behind it. */
        else if (w->op != WRITE_CREATE)
            populator_forget(&b->populator);
    }
    return OK;
}

static enum status trim(struct broker *b, struct failure *f)
{
    int64_t slack = b->keep_changes / 10 < TRIM_EVERY ? b->keep_changes / 10 : TRIM_EVERY;
    int64_t kept = b->tables.seq - b->oldest + 1;
    if (kept <= b->keep_changes + slack) return OK;
    enum status status = changelog_trim(b->db, b->tables.seq, b->keep_changes, f);
    if (!status) b->oldest = b->tables.seq - b->keep_changes + 1;
    return status;
}

/* Appends an empty run to logs without frames too: every log's end then names the last commit, and a reader that has
 * seen that commit in the database finds its place. */
static void publish(struct broker *b)
{
    for (size_t i = 0; i < ncollections; i++) {
        if (!b->logs[i]) continue;
        bool failed = b->frames[i].failed || !framelog_append(b->logs[i], str_view(&b->frames[i]), b->tables.seq);
        if (failed) {
            log_error("out of memory for the stream's log; streams go on from the database");
            framelog_skip(b->logs[i], b->tables.seq);
        }
        str_reset(&b->frames[i]);
    }
    if (b->grown) b->grown(b->ctx);
}

static void tell_ended(struct broker *b, const struct list *batch)
{
    for (const struct list *node = batch->next; b->ended && node != batch; node = node->next) {
        const struct command *c = CONTAINER(node, const struct command, link);
        for (size_t i = 0; i < c->nwrites; i++) {
            const struct write *w = &c->writes[i];
            struct view session = {0};
            if (w->failure.status) continue;
            if (write_ends_sessions(w, &session)) b->ended(b->ended_ctx, w->collection, w->id, session);
            for (const struct dropped_session *d = w->dropped; d; d = d->next)
                b->ended(b->ended_ctx, w->collection, w->id, d->id);
        }
    }
}

/* All of `batch` in one transaction. On a failure nothing of it is stored. */
static enum status run_batch(struct broker *b, struct list *batch, struct failure *f)
{
    int64_t seq = b->tables.seq, oldest = b->oldest;
    char now[ISO_LENGTH + 1];
    enum status status = db_run(b->db, "BEGIN IMMEDIATE", NULL, 0, f);
    if (status) return status;
    arena_reset(&b->arena);
    populator_forget(&b->populator);
    for (struct list *node = batch->next; node != batch && !status; node = node->next)
        status = apply_command(b, CONTAINER(node, struct command, link), f);
    clock_iso(clock_wall(), now);
    if (!status) status = tables_flush(&b->tables, (struct view){now, ISO_LENGTH}, f);
    if (!status) status = trim(b, f);
    if (!status) status = db_run(b->db, "COMMIT", NULL, 0, f);
    if (!status) {
        tell_ended(b, batch);
        if (b->tables.seq != seq) publish(b);
        return OK;
    }
    struct failure second;
    if (db_run(b->db, "ROLLBACK", NULL, 0, &second) && second.status == NO_MEMORY) f->status = NO_MEMORY;
    for (size_t i = 0; i < ncollections; i++) str_reset(&b->frames[i]);
    b->oldest = oldest;
    if (tables_load(&b->tables, b->db, &second)) f->status = IO_ERROR;
    return f->status;
}

static void finish(struct broker *b, struct list *batch, enum status status, const struct failure *f)
{
    lock_take(&b->lock);
    /* After a failed fsync nobody knows what the disk holds; a later success would not make it true. */
    if (status == IO_ERROR) b->failed = true;
    while (!list_empty(batch)) {
        struct command *c = CONTAINER(batch->next, struct command, link);
        list_remove(&c->link);
        if (status) {
            c->failure = *f;
            c->failure.status = status == IO_ERROR ? UNAVAILABLE : status;
        } else {
            command_set(c, COMMAND_APPLIED);
        }
        command_set(c, status ? COMMAND_REFUSED : COMMAND_DONE);
        condition_signal(&c->done);
    }
    lock_drop(&b->lock);
    if (status == IO_ERROR)
        log_error("the disk failed, writes are refused from now on: %s", f->reason);
    else if (status)
        log_warning("a transaction was refused: %s", f->reason);
}

static void *applier(void *ctx)
{
    struct broker *b = ctx;
    for (;;) {
        struct list batch;
        list_init(&batch);
        lock_take(&b->lock);
        while (list_empty(&b->queue) && !b->closing) condition_wait(&b->queued, &b->lock);
        list_splice(&batch, &b->queue);
        bool failed = b->failed, closing = b->closing;
        lock_drop(&b->lock);
        if (list_empty(&batch) && closing) return NULL;
        struct failure f = {0};
        enum status status =
            failed ? fail(&f, UNAVAILABLE,
                         "The server cannot write: its disk has failed. Restart it when the disk is well.")
                   : run_batch(b, &batch, &f);
        finish(b, &batch, status, &f);
    }
}

enum status broker_open(struct broker **out, const struct broker_options *options, struct failure *f)
{
    struct broker *b = calloc(1, sizeof *b);
    struct changelog_span span;
    *out = NULL;
    if (!b) return fail(f, NO_MEMORY, "Out of memory.");
    lock_init(&b->lock);
    condition_init(&b->queued);
    list_init(&b->queue);
    arena_init(&b->arena, ARENA_CAP);
    b->keep_changes = options->keep_changes;
    enum status status = db_open(&b->db, options->database, DB_WRITE, f);
    if (!status) status = migrate(b->db, options->database, f);
    if (!status) status = changelog_span(b->db, &span, f);
    if (!status) status = tables_load(&b->tables, b->db, f);
    for (size_t i = 0; i < ncollections && !status; i++) {
        if (!collection_at(i)->stream) continue;
        b->logs[i] = framelog_new(options->log_bytes, b->tables.seq);
        if (!b->logs[i]) status = fail(f, NO_MEMORY, "Out of memory.");
    }
    if (!status) {
        memcpy(b->epoch, span.epoch, sizeof b->epoch);
        b->oldest = span.oldest;
        populator_init_stream(&b->populator, b->db, &b->arena);
        b->started = !pthread_create(&b->thread, NULL, applier, b);
        if (!b->started) status = fail(f, UNAVAILABLE, "The system gives no further thread.");
    }
    if (status) {
        broker_close(b);
        return status;
    }
    *out = b;
    return OK;
}

void broker_on_growth(struct broker *b, void (*grown)(void *ctx), void *ctx)
{
    b->grown = grown;
    b->ctx = ctx;
}

void broker_on_end(struct broker *b,
    void (*ended)(void *ctx, const struct collection *c, int64_t user, struct view session), void *ctx)
{
    b->ended = ended;
    b->ended_ctx = ctx;
}

void broker_close(struct broker *b)
{
    if (!b) return;
    if (b->started) {
        lock_take(&b->lock);
        b->closing = true;
        condition_signal(&b->queued);
        lock_drop(&b->lock);
        pthread_join(b->thread, NULL);
    }
    for (size_t i = 0; i < MAX_COLLECTIONS; i++) {
        framelog_free(b->logs[i]);
        str_release(&b->frames[i]);
    }
    arena_release(&b->arena);
    db_close(b->db);
    condition_destroy(&b->queued);
    lock_destroy(&b->lock);
    free(b);
}

void broker_submit(struct broker *b, struct command *c)
{
    condition_init(&c->done);
    list_init(&c->link);
    lock_take(&b->lock);
    command_set(c, COMMAND_QUEUED);
    list_insert(&b->queue, &c->link);
    condition_signal(&b->queued);
    lock_drop(&b->lock);
}

enum status broker_wait(struct broker *b, struct command *c)
{
    lock_take(&b->lock);
    while (c->state != COMMAND_DONE && c->state != COMMAND_REFUSED) condition_wait(&c->done, &b->lock);
    lock_drop(&b->lock);
    condition_destroy(&c->done);
    return c->state == COMMAND_DONE ? OK : c->failure.status;
}

enum status broker_run(struct broker *b, struct write *writes, size_t nwrites, struct arena *arena, struct failure *f)
{
    struct command c = {.writes = writes, .nwrites = nwrites, .arena = arena};
    broker_submit(b, &c);
    enum status status = broker_wait(b, &c);
    if (status) *f = c.failure;
    return status;
}

struct framelog *broker_log(struct broker *b, const struct collection *c)
{
    return b->logs[collection_index(c)];
}
