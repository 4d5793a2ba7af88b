#include "store/epochs.h"
#include "base/crypt.h"
#include <stdlib.h>
#include <string.h>

struct epoch {
    char word[EPOCH_LENGTH];
    int64_t head;
};

struct epochs {
    size_t count;
    struct epoch newest_first[EPOCHS_KEPT];
};

enum status epochs_prepare(struct db *db, struct failure *f)
{
    return db_exec(db,
        "CREATE TABLE IF NOT EXISTS parley_epochs (number integer PRIMARY KEY NOT NULL, epoch text NOT NULL,"
        " head integer NOT NULL);"
        "INSERT INTO parley_epochs (epoch, head) SELECT value, 0 FROM parley_meta WHERE name = 'epoch';"
        "DELETE FROM parley_meta WHERE name = 'epoch'",
        f);
}

enum status epochs_begin(struct db *db, struct failure *f)
{
    uint8_t random[EPOCH_LENGTH / 2];
    char word[EPOCH_LENGTH + 1];
    if (!crypt_random(random, sizeof random)) return fail(f, IO_ERROR, "The system gives no random numbers.");
    crypt_hex(random, sizeof random, word);
    struct value value = value_text(view_of(word)), kept = value_integer(EPOCHS_KEPT);
    enum status status =
        db_run(db, "INSERT INTO parley_epochs (epoch, head) VALUES (?, (SELECT coalesce(max(seq), 0) FROM parley_log))",
            &value, 1, f);
    if (status) return status;
    return db_run(
        db, "DELETE FROM parley_epochs WHERE number <= (SELECT max(number) FROM parley_epochs) - ?", &kept, 1, f);
}

enum status epochs_forget(struct db *db, struct failure *f)
{
    return db_exec(db, "DELETE FROM parley_epochs WHERE number < (SELECT max(number) FROM parley_epochs)", f);
}

static enum status take_epoch(void *ctx, const struct row *row)
{
    struct epochs *e = ctx;
    struct epoch *epoch = &e->newest_first[e->count];
    struct view word = row_value(row, 0).text;
    memcpy(epoch->word, word.at, word.len < EPOCH_LENGTH ? word.len : EPOCH_LENGTH);
    epoch->head = row_value(row, 1).integer;
    e->count++;
    return OK;
}

enum status epochs_load(struct epochs **out, struct db *db, struct failure *f)
{
    struct epochs *e = calloc(1, sizeof *e);
    *out = e;
    if (!e) return fail(f, NO_MEMORY, "Out of memory.");
    struct value kept = value_integer(EPOCHS_KEPT);
    enum status status =
        db_each(db, "SELECT epoch, head FROM parley_epochs ORDER BY number DESC LIMIT ?", &kept, 1, take_epoch, e, f);
    if (!status) return OK;
    epochs_free(e);
    *out = NULL;
    return status;
}

void epochs_free(struct epochs *e)
{
    free(e);
}

bool epochs_end(const struct epochs *e, struct view epoch, int64_t head, int64_t *end)
{
    *end = head;
    for (size_t i = 0; i < e->count; i++) {
        if (view_equal(epoch, (struct view){e->newest_first[i].word, EPOCH_LENGTH})) return true;
        *end = e->newest_first[i].head;
    }
    return false;
}
