#include "broker/broker.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "schema/registry.h"
#include "store/former.h"
#include "store/migrate.h"
#include "store/populate.h"
#include "store/relations.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CAP  ((size_t)64 << 20) /* of one batch, for what populating remembers */
#define TRIM_EVERY 1000               /* changes; fewer when fewer are kept */

struct broker {
    /* fixed after open */
    struct channels *channels;
    void (*ended)(void *ctx, const struct collection *c, int64_t user, struct view session);
    void *ended_ctx;
    void (*renamed)(void *ctx, const struct profile *profile);
    void *renamed_ctx;
    void (*done)(void *ctx, struct list *commands);
    void *done_ctx;
    int64_t keep_changes;
    struct formers *formers;
    struct epochs *epochs;
    char epoch[EPOCH_LENGTH + 1]; /* the newest */
    pthread_t thread;
    bool started;
    /* the applier writes, anybody reads */
    _Atomic uint64_t versions[MAX_COLLECTIONS];
    /* under lock */
    struct lock lock;
    struct condition queued;
    struct list queue;
    bool closing;
    bool failed;
    bool swept; /* an empty round was asked for */
    /* the applier's */
    struct db *db;
    struct tables tables;
    int64_t oldest;
    struct arena arena;
    struct populator populator;
    struct relations relations;
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

static void offer(struct broker *b, const struct write *w)
{
    static const enum change_op ops[] = {
        [WRITE_CREATE] = CHANGE_CREATE, [WRITE_UPDATE] = CHANGE_UPDATE, [WRITE_DELETE] = CHANGE_DELETE};
    const struct frame_style style = {&b->populator.writer, &b->relations.reader};
    struct doc_change change = {.collection = w->collection, .op = ops[w->op], .seq = w->seq, .id = w->id};
    if (w->op != WRITE_CREATE) change.before = w->before;
    if (w->op != WRITE_DELETE) change.after = &w->doc;
    if (change.before) formers_keep(b->formers, w->seq, change.before);
    channels_offer(b->channels, &change, &style);
}

/* A batch that is committed. Documents show what their relations are now, as a list would. */
static void publish(struct broker *b, const struct list *batch)
{
    struct changelog_span span = {.head = b->tables.seq, .oldest = b->oldest};
    memcpy(span.epoch, b->epoch, sizeof span.epoch);
    channels_begin(b->channels, span.head);
    populator_forget(&b->populator);
    relations_forget(&b->relations);
    for (const struct list *node = batch->next; node != batch; node = node->next) {
        const struct command *c = CONTAINER(node, struct command, link);
        for (size_t i = 0; i < c->nwrites; i++)
            if (write_changes(&c->writes[i]) && !c->writes[i].failure.status) offer(b, &c->writes[i]);
    }
    if (!channels_end(b->channels, &span))
        log_error("out of memory for the streams' logs; streams go on from the database");
}

static void tell_ended(struct broker *b, const struct write *w)
{
    struct view session = {0};
    if (write_ends_sessions(w, &session)) b->ended(b->ended_ctx, w->collection, w->id, session);
    for (const struct dropped_session *d = w->dropped; d; d = d->next)
        b->ended(b->ended_ctx, w->collection, w->id, d->id);
}

/* What the owner asked for, besides changes of documents. */
static void tell(struct broker *b, const struct list *batch)
{
    for (const struct list *node = batch->next; node != batch; node = node->next) {
        const struct command *c = CONTAINER(node, const struct command, link);
        for (size_t i = 0; i < c->nwrites; i++) {
            const struct write *w = &c->writes[i];
            if (w->failure.status) continue;
            if (b->ended) tell_ended(b, w);
            if (b->renamed && w->op == WRITE_PROFILE && w->moved) b->renamed(b->renamed_ctx, &w->profile);
        }
    }
}

/* Also where the commit failed: nobody knows what the disk holds then. */
static void move_versions(struct broker *b, const struct list *batch)
{
    bool written[MAX_COLLECTIONS] = {false};
    for (const struct list *node = batch->next; node != batch; node = node->next) {
        const struct command *c = CONTAINER(node, const struct command, link);
        for (size_t i = 0; i < c->nwrites; i++)
            if (write_shows(&c->writes[i])) written[collection_index(c->writes[i].collection)] = true;
    }
    for (size_t i = 0; i < ncollections; i++)
        if (written[i]) atomic_fetch_add(&b->versions[i], 1);
}

/* All of `batch` in one transaction. On a failure nothing of it is stored. */
static enum status run_batch(struct broker *b, struct list *batch, struct failure *f)
{
    int64_t seq = b->tables.seq, oldest = b->oldest;
    char now[ISO_LENGTH + 1];
    enum status status = db_run(b->db, "BEGIN IMMEDIATE", NULL, 0, f);
    if (status) return status;
    for (size_t i = 0; i < ncollections; i++) b->tables.want_before[i] = channels_filter(b->channels, collection_at(i));
    for (struct list *node = batch->next; node != batch && !status; node = node->next)
        status = apply_command(b, CONTAINER(node, struct command, link), f);
    clock_iso(clock_wall(), now);
    if (!status) status = tables_flush(&b->tables, (struct view){now, ISO_LENGTH}, f);
    if (!status) status = trim(b, f);
    if (!status) status = db_run(b->db, "COMMIT", NULL, 0, f);
    move_versions(b, batch);
    if (!status) {
        tell(b, batch);
        if (b->tables.seq != seq) publish(b, batch);
        return OK;
    }
    struct failure second;
    if (db_run(b->db, "ROLLBACK", NULL, 0, &second) && second.status == NO_MEMORY) f->status = NO_MEMORY;
    b->oldest = oldest;
    if (tables_load(&b->tables, b->db, &second)) f->status = IO_ERROR;
    return f->status;
}

static void finish(struct broker *b, struct list *batch, enum status status, const struct failure *f)
{
    struct list posted;
    list_init(&posted);
    lock_take(&b->lock);
    /* After a failed fsync nobody knows what the disk holds; a later success would not make it true. */
    if (status == IO_ERROR) b->failed = true;
    while (!list_empty(batch)) {
        struct command *c = CONTAINER(batch->next, struct command, link);
        list_remove(&c->link);
        if (status) {
            *c->failure = *f;
            c->failure->status = status == IO_ERROR ? UNAVAILABLE : status;
        } else {
            command_set(c, COMMAND_APPLIED);
        }
        command_set(c, status ? COMMAND_REFUSED : COMMAND_DONE);
        if (c->posted)
            list_insert(&posted, &c->link);
        else
            condition_signal(&c->done);
    }
    lock_drop(&b->lock);
    if (!list_empty(&posted)) b->done(b->done_ctx, &posted);
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
        while (list_empty(&b->queue) && !b->closing && !b->swept) condition_wait(&b->queued, &b->lock);
        list_splice(&batch, &b->queue);
        bool failed = b->failed, closing = b->closing;
        b->swept = false;
        lock_drop(&b->lock);
        if (list_empty(&batch)) {
            if (closing) return NULL;
            channels_begin(b->channels, b->tables.seq);
            continue;
        }
        arena_reset(&b->arena);
        struct failure f = {0};
        enum status status =
            failed ? fail(&f, UNAVAILABLE,
                         "The server cannot write: its disk has failed. Restart it when the disk is well.")
                   : run_batch(b, &batch, &f);
        finish(b, &batch, status, &f);
    }
}

/* channels' sweep */
static void ask_for_a_round(void *ctx)
{
    struct broker *b = ctx;
    lock_take(&b->lock);
    b->swept = true;
    condition_signal(&b->queued);
    lock_drop(&b->lock);
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
    b->formers = options->formers;
    enum status status = db_open(&b->db, options->database, DB_WRITE, f);
    if (!status) status = migrate(b->db, options->database, f);
    if (!status) status = epochs_load(&b->epochs, b->db, f);
    if (!status) status = changelog_span(b->db, &span, f);
    if (!status) status = tables_load(&b->tables, b->db, f);
    if (!status) {
        const struct channels_options wanted = {.delivery = options->delivery,
            .log_bytes = options->log_bytes,
            .max_filters = options->max_filters,
            .sweep = ask_for_a_round,
            .ctx = b};
        b->channels = channels_new(&wanted, &span);
        if (!b->channels) status = fail(f, NO_MEMORY, "Out of memory.");
    }
    if (!status) {
        memcpy(b->epoch, span.epoch, sizeof b->epoch);
        b->oldest = span.oldest;
        populator_init_stream(&b->populator, b->db, &b->arena);
        relations_init(&b->relations, b->db, &b->arena);
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

void broker_on_end(struct broker *b,
    void (*ended)(void *ctx, const struct collection *c, int64_t user, struct view session), void *ctx)
{
    b->ended = ended;
    b->ended_ctx = ctx;
}

void broker_on_rename(struct broker *b, void (*renamed)(void *ctx, const struct profile *profile), void *ctx)
{
    b->renamed = renamed;
    b->renamed_ctx = ctx;
}

void broker_on_done(struct broker *b, void (*done)(void *ctx, struct list *commands), void *ctx)
{
    b->done = done;
    b->done_ctx = ctx;
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
    channels_free(b->channels);
    epochs_free(b->epochs);
    arena_release(&b->arena);
    db_close(b->db);
    condition_destroy(&b->queued);
    lock_destroy(&b->lock);
    free(b);
}

static void queue(struct broker *b, struct command *c)
{
    list_init(&c->link);
    lock_take(&b->lock);
    command_set(c, COMMAND_QUEUED);
    list_insert(&b->queue, &c->link);
    condition_signal(&b->queued);
    lock_drop(&b->lock);
}

void broker_post(struct broker *b, struct command *c)
{
    ASSERT(b->done);
    c->posted = true;
    queue(b, c);
}

void broker_submit(struct broker *b, struct command *c)
{
    condition_init(&c->done);
    queue(b, c);
}

enum status broker_wait(struct broker *b, struct command *c)
{
    lock_take(&b->lock);
    while (c->state != COMMAND_DONE && c->state != COMMAND_REFUSED) condition_wait(&c->done, &b->lock);
    lock_drop(&b->lock);
    condition_destroy(&c->done);
    return c->state == COMMAND_DONE ? OK : c->failure->status;
}

enum status broker_run(struct broker *b, struct write *writes, size_t nwrites, struct arena *arena, struct failure *f)
{
    struct command c = {.writes = writes, .nwrites = nwrites, .arena = arena, .failure = f};
    broker_submit(b, &c);
    return broker_wait(b, &c);
}

uint64_t broker_version(const struct broker *b, size_t collection)
{
    return atomic_load(&b->versions[collection]);
}

struct channels *broker_channels(struct broker *b)
{
    return b->channels;
}

const struct epochs *broker_epochs(const struct broker *b)
{
    return b->epochs;
}
