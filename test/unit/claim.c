/* Claims of file names, and how writes hand them over. */
#include "store/claim.h"
#include "base/check.h"
#include "schema/registry.h"
#include "store/apply.h"
#include "store/migrate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW VIEW("2026-01-02T03:04:05.678Z")

struct world {
    char folder[64], path[96];
    struct db *db;
    struct tables tables;
    struct arena arena;
    const struct collection *media;
    struct failure f;
};

static void run(struct world *w, const char *sql)
{
    assert_int_equal(db_exec(w->db, sql, &w->f), OK);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    strcpy(w->folder, "/tmp/parley-unit-XXXXXX");
    if (!mkdtemp(w->folder)) return -1;
    snprintf(w->path, sizeof w->path, "%s/x.db", w->folder);
    arena_init(&w->arena, 64 << 20);
    w->media = collection_find(VIEW("media"));
    assert_int_equal(db_open(&w->db, w->path, DB_WRITE, &w->f), OK);
    assert_int_equal(migrate(w->db, w->path, &w->f), OK);
    run(w, "PRAGMA synchronous=OFF");
    assert_int_equal(tables_load(&w->tables, w->db, &w->f), OK);
    run(w, "BEGIN IMMEDIATE");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    struct world *w = *state;
    db_close(w->db);
    arena_release(&w->arena);
    for (size_t i = 0; i < COUNT(endings); i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", w->path, endings[i]);
        unlink(name);
    }
    int left = rmdir(w->folder);
    free(w);
    return left;
}

/* ---- saying and asking ---- */

static const char *take(struct world *w, const char *wanted)
{
    struct view name;
    assert_int_equal(claim_take(w->db, w->media, view_of(wanted), &w->arena, &name, &w->f), OK);
    assert_int_equal(strlen(name.at), name.len);
    return name.at;
}

static enum status list_one(void *ctx, struct view name, bool owned)
{
    str_addf(ctx, "%.*s%s,", VIEW_ARGS(name), owned ? "!" : "");
    return OK;
}

/* "a.png,b.png!,": "!" where a document has it. */
static void expect_claims(struct world *w, const char *wanted)
{
    struct str list = {0};
    assert_int_equal(claim_each(w->db, w->media, list_one, &list, &w->f), OK);
    assert_string_equal(list.at ? list.at : "", wanted);
    str_release(&list);
}

/* A file of `name`; NULL: none. */
static struct draft *draft_of(struct world *w, const char *name)
{
    struct draft *d = ARENA_NEW(&w->arena, struct draft);
    d->collection = w->media;
    draft_set(d, "alt", value_text(VIEW("x")));
    draft_set(d, "updatedAt", value_text(NOW));
    if (name) draft_set(d, "filename", value_text(view_of(name)));
    return d;
}

static struct write write_of(struct world *w, enum write_op op, int64_t id, const char *name)
{
    return (struct write){
        .op = op, .collection = w->media, .id = id, .draft = draft_of(w, name), .file = view_of(name)};
}

static struct write do_write(struct world *w, enum write_op op, int64_t id, const char *name, enum status wanted)
{
    struct write write = write_of(w, op, id, name);
    enum status status = apply(&w->tables, &write, &w->arena);
    if (status != wanted) print_error("%s\n", write.failure.reason);
    assert_int_equal(status, wanted);
    return write;
}

/* A document with that file, which was claimed before. */
static int64_t add(struct world *w, const char *name)
{
    assert_string_equal(do_write(w, WRITE_CLAIM, 0, name, OK).file.at, name);
    return do_write(w, WRITE_CREATE, 0, name, OK).id;
}

/* ---- names ---- */

static void claim__a_free_name_is_itself(void **state)
{
    struct world *w = *state;
    expect_claims(w, "");
    assert_string_equal(take(w, "red.png"), "red.png");
    assert_string_equal(take(w, "no extension"), "no extension");
    expect_claims(w, "no extension,red.png,");
}

static void claim__a_claimed_name_is_taken(void **state)
{
    struct world *w = *state;
    take(w, "red.png");
    assert_string_equal(take(w, "red.png"), "red-1.png");
    assert_string_equal(take(w, "red.png"), "red-2.png");
    assert_string_equal(take(w, "red-1.png"), "red-3.png");
    assert_string_equal(take(w, "RED.png"), "RED.png");
    assert_string_equal(take(w, "red.PNG"), "red.PNG");
    expect_claims(w, "RED.png,red-1.png,red-2.png,red-3.png,red.PNG,red.png,");
}

static void claim__a_name_of_a_row_is_taken(void **state)
{
    struct world *w = *state;
    run(w, "INSERT INTO media (alt, filename) VALUES ('x', 'red.png'), ('x', 'red-2.png'), ('x', NULL)");
    assert_string_equal(take(w, "red.png"), "red-1.png");
    assert_string_equal(take(w, "red.png"), "red-3.png");
    expect_claims(w, "red-1.png,red-3.png,");
}

static void claim__a_gap_among_the_first_is_used(void **state)
{
    struct world *w = *state;
    for (int i = 0; i <= 16; i++) take(w, "red.png");
    assert_int_equal(claim_drop(w->db, w->media, VIEW("red-7.png"), &w->f), OK);
    assert_string_equal(take(w, "red.png"), "red-7.png");
    assert_string_equal(take(w, "red.png"), "red-17.png");
    assert_string_equal(take(w, "red.png"), "red-18.png");
    assert_int_equal(claim_drop(w->db, w->media, VIEW("red.png"), &w->f), OK);
    assert_string_equal(take(w, "red.png"), "red.png");
}

static void claim__any_text_is_only_a_name(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {
        "x'; DROP TABLE media; --.png", "100%.png", "a_b.png", "\"`[.png", "ünï 文.png", "?1.png", "a\\b"};
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_string_equal(take(w, names[i]), names[i]);
        assert_string_not_equal(take(w, names[i]), names[i]);
    }
    assert_string_equal(take(w, "a%b.png"), "a%b.png");
    assert_string_equal(take(w, "axb.png"), "axb.png");
}

static void claim__longest_names_have_others(void **state)
{
    struct world *w = *state;
    char name[256] = "";
    memset(name, 'a', 255);
    assert_string_equal(take(w, name), name);
    for (int i = 1; i < 30; i++) {
        const char *other = take(w, name);
        char end[16];
        snprintf(end, sizeof end, "a-%d", i);
        assert_int_equal(strlen(other), 255);
        assert_string_equal(other + 255 - strlen(end), end);
    }
}

/* Each look leaves a name in the arena: few for any number of names that are taken. */
static void claim__many_taken_names_cost_few_looks(void **state)
{
    struct world *w = *state;
    run(w, "INSERT INTO parley_files SELECT 'media', 'image.jpg';"
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
           " INSERT INTO media (alt, filename) SELECT 'x', 'image-' || i || '.jpg' FROM n;");
    size_t before = w->arena.used;
    assert_string_equal(take(w, "image.jpg"), "image-10001.jpg");
    assert_true(w->arena.used - before < 64 * 40);
    assert_string_equal(take(w, "image.jpg"), "image-10002.jpg");
    /* With holes: any that is free. */
    run(w, "DELETE FROM media WHERE id % 3 = 0");
    for (int i = 0; i < 200; i++) {
        before = w->arena.used;
        const char *name = take(w, "image.jpg");
        int64_t taken = 0;
        struct value text = value_text(view_of(name));
        assert_true(w->arena.used - before < 64 * 40);
        assert_int_equal(
            db_integer(w->db, "SELECT count(*) FROM media WHERE filename = ?", &text, 1, 0, &taken, &w->f), OK);
        assert_int_equal(taken, 0);
    }
    /* Every claim is another name: what is not there twice was not given twice. */
    struct str list = {0};
    int claims = 0;
    assert_int_equal(claim_each(w->db, w->media, list_one, &list, &w->f), OK);
    for (const char *c = list.at; *c; c++) claims += *c == ',';
    assert_int_equal(claims, 203);
    assert_null(strchr(list.at, '!'));
    str_release(&list);
}

static void claim__there_are_too_many(void **state)
{
    struct world *w = *state;
    struct view name;
    /* Every name that is looked at is taken. */
    run(w, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 16), d(i) AS (SELECT 17 UNION ALL "
           "SELECT i * 2 FROM d WHERE i < 1 << 40)"
           " INSERT INTO parley_files SELECT 'media', 'a-' || i FROM (SELECT i FROM n UNION SELECT i FROM d) UNION ALL "
           "SELECT 'media', 'a'");
    assert_int_equal(claim_take(w->db, w->media, VIEW("a"), &w->arena, &name, &w->f), CONFLICT);
    assert_string_equal(w->f.reason, "Too many files have that name.");
}

static void claim__added_and_dropped_twice(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 2; i++) assert_int_equal(claim_add(w->db, w->media, VIEW("a"), &w->f), OK);
    expect_claims(w, "a,");
    for (int i = 0; i < 2; i++) assert_int_equal(claim_drop(w->db, w->media, VIEW("a"), &w->f), OK);
    expect_claims(w, "");
}

static enum status stop(void *ctx, struct view name, bool owned)
{
    (void)name;
    (void)owned;
    ++*(int *)ctx;
    return CONFLICT;
}

static void claim__each_says_whose_it_is_and_may_stop(void **state)
{
    struct world *w = *state;
    int calls = 0;
    take(w, "a");
    take(w, "b");
    run(w, "INSERT INTO media (alt, filename) VALUES ('x', 'b'), ('x', 'c'); INSERT INTO parley_files VALUES ('other', "
           "'d')");
    expect_claims(w, "a,b!,");
    assert_int_equal(claim_each(w->db, w->media, stop, &calls, &w->f), CONFLICT);
    assert_int_equal(calls, 1);
}

/* ---- writes ---- */

static void claim__is_taken_over_by_a_new_document(void **state)
{
    struct world *w = *state;
    struct write claimed = do_write(w, WRITE_CLAIM, 0, "a.png", OK);
    assert_true(view_is(claimed.file, "a.png"));
    expect_claims(w, "a.png,");
    struct write made = do_write(w, WRITE_CREATE, 0, "a.png", OK);
    assert_null(made.orphan.at);
    expect_claims(w, "");
    assert_true(view_is(do_write(w, WRITE_CLAIM, 0, "a.png", OK).file, "a-1.png"));
}

static void claim__is_dropped_by_a_release(void **state)
{
    struct world *w = *state;
    do_write(w, WRITE_CLAIM, 0, "a.png", OK);
    do_write(w, WRITE_CLAIM, 0, "b.png", OK);
    do_write(w, WRITE_RELEASE, 0, "a.png", OK);
    do_write(w, WRITE_RELEASE, 0, "none.png", OK);
    expect_claims(w, "b.png,");
    assert_int_equal(w->tables.seq, 0); /* no document has changed */
}

static void claim__goes_over_when_a_file_is_replaced(void **state)
{
    struct world *w = *state;
    int64_t id = add(w, "a.png");
    do_write(w, WRITE_CLAIM, 0, "b.png", OK);
    struct write updated = do_write(w, WRITE_UPDATE, id, "b.png", OK);
    assert_true(view_is(updated.orphan, "a.png"));
    expect_claims(w, "a.png,");
    do_write(w, WRITE_RELEASE, 0, "a.png", OK);
    assert_true(view_is(do_write(w, WRITE_CLAIM, 0, "a.png", OK).file, "a.png"));
}

static void claim__stays_as_it_is_when_the_file_does(void **state)
{
    struct world *w = *state;
    int64_t id = add(w, "a.png");
    take(w, "other.png");
    assert_null(do_write(w, WRITE_UPDATE, id, NULL, OK).orphan.at);
    assert_null(do_write(w, WRITE_UPDATE, id, "a.png", OK).orphan.at);
    expect_claims(w, "other.png,");
}

static void claim__is_what_a_deleted_document_leaves(void **state)
{
    struct world *w = *state;
    int64_t id = add(w, "a.png");
    struct write gone = do_write(w, WRITE_DELETE, id, NULL, OK);
    assert_true(view_is(gone.orphan, "a.png"));
    expect_claims(w, "a.png,");
    assert_true(view_is(do_write(w, WRITE_CLAIM, 0, "a.png", OK).file, "a-1.png"));
}

/* Documents of another program may have none, and get their first. */
static void claim__of_documents_without_a_file(void **state)
{
    struct world *w = *state;
    run(w, "INSERT INTO media (id, alt) VALUES (7, 'x'), (8, 'y')");
    assert_null(do_write(w, WRITE_DELETE, 8, NULL, OK).orphan.at);
    do_write(w, WRITE_CLAIM, 0, "a.png", OK);
    assert_null(do_write(w, WRITE_UPDATE, 7, "a.png", OK).orphan.at);
    expect_claims(w, "");
    struct draft *none = draft_of(w, NULL);
    draft_set(none, "filename", value_null());
    struct write cleared = {.op = WRITE_UPDATE, .collection = w->media, .id = 7, .draft = none};
    assert_int_equal(apply(&w->tables, &cleared, &w->arena), OK);
    assert_true(view_is(cleared.orphan, "a.png"));
    expect_claims(w, "a.png,");
}

/* No file of such a name can be removed, and so its claim never. */
static void claim__is_none_of_what_cannot_be_a_file(void **state)
{
    struct world *w = *state;
    run(w, "INSERT INTO media (id, alt, filename) VALUES (1, 'x', ''), (2, 'x', '.'), (3, 'x', '..'), (4, 'x', 'a/b'),"
           " (5, 'x', '../a'), (6, 'x', CAST(x'610062' AS TEXT)), (7, 'x', replace(hex(zeroblob(128)), '00', 'ab'))");
    for (int64_t id = 1; id <= 7; id++) assert_null(do_write(w, WRITE_DELETE, id, NULL, OK).orphan.at);
    expect_claims(w, "");
}

static void claim__is_no_matter_of_other_collections(void **state)
{
    struct world *w = *state;
    const struct collection *messages = collection_find(VIEW("messages"));
    run(w, "INSERT INTO users (id, email) VALUES (1, 'a@example.com');"
           "INSERT INTO messages (id, sender_id, receiver_id, content, timestamp) VALUES (1, 1, 1, 'x', "
           "'2026-01-02T03:04:05.678Z')");
    struct write gone = {.op = WRITE_DELETE, .collection = messages, .id = 1};
    assert_int_equal(apply(&w->tables, &gone, &w->arena), OK);
    assert_null(gone.orphan.at);
    int64_t n = -1;
    assert_int_equal(db_integer(w->db, "SELECT count(*) FROM parley_files", NULL, 0, 0, &n, &w->f), OK);
    assert_int_equal(n, 0);
}

/* ---- writes that fail ---- */

static void claim__stays_when_a_write_is_refused(void **state)
{
    struct world *w = *state;
    int64_t id = add(w, "a.png");
    add(w, "b.png");
    take(w, "c.png");
    assert_null(do_write(w, WRITE_CREATE, 0, "a.png", INVALID).orphan.at); /* a name is unique */
    assert_null(do_write(w, WRITE_UPDATE, id, "b.png", INVALID).orphan.at);
    assert_null(do_write(w, WRITE_UPDATE, 99, "c.png", NOT_FOUND).orphan.at);
    assert_null(do_write(w, WRITE_DELETE, 99, NULL, NOT_FOUND).orphan.at);
    expect_claims(w, "c.png,");
}

/* After the hand-over: the change cannot be logged. */
static void claim__stays_when_a_write_fails_late(void **state)
{
    struct world *w = *state;
    int64_t id = add(w, "a.png");
    take(w, "b.png");
    run(w, "ALTER TABLE parley_log RENAME TO gone");
    static const struct {
        enum write_op op;
        const char *name;
    } writes[] = {{WRITE_CREATE, "b.png"}, {WRITE_UPDATE, "b.png"}, {WRITE_DELETE, NULL}};
    for (size_t i = 0; i < COUNT(writes); i++) {
        struct write write = write_of(w, writes[i].op, id, writes[i].name);
        assert_int_not_equal(apply(&w->tables, &write, &w->arena), OK);
        assert_int_not_equal(write.failure.status, OK);
        expect_claims(w, "b.png,");
    }
    run(w, "ALTER TABLE gone RENAME TO parley_log");
    assert_true(view_is(do_write(w, WRITE_DELETE, id, NULL, OK).orphan, "a.png"));
}

static void claim__is_no_orphan_of_a_write_that_failed(void **state)
{
    struct world *w = *state;
    int64_t id = add(w, "a.png");
    run(w, "ALTER TABLE parley_log RENAME TO gone");
    struct write write = write_of(w, WRITE_DELETE, id, NULL);
    assert_int_not_equal(apply(&w->tables, &write, &w->arena), OK);
    assert_null(write.orphan.at);
}

static void claim__is_as_before_when_all_is_rolled_back(void **state)
{
    struct world *w = *state;
    int64_t first = add(w, "a.png"), second = add(w, "b.png");
    take(w, "c.png");
    run(w, "COMMIT; BEGIN IMMEDIATE");
    do_write(w, WRITE_UPDATE, first, "c.png", OK);
    do_write(w, WRITE_DELETE, second, NULL, OK);
    do_write(w, WRITE_CLAIM, 0, "d.png", OK);
    expect_claims(w, "a.png,b.png,d.png,");
    run(w, "ROLLBACK");
    expect_claims(w, "c.png,");
    run(w, "BEGIN IMMEDIATE");
    assert_int_equal(tables_load(&w->tables, w->db, &w->f), OK);
    assert_true(view_is(do_write(w, WRITE_CLAIM, 0, "a.png", OK).file, "a-1.png"));
    assert_true(view_is(do_write(w, WRITE_CLAIM, 0, "d.png", OK).file, "d.png"));
}

static void claim__that_fails_leaves_the_write_as_it_was(void **state)
{
    struct world *w = *state;
    struct arena small;
    for (int i = 0; i < 20; i++) take(w, "a.png");
    for (size_t cap = 0; cap < 256; cap += 16) {
        struct write write = {.op = WRITE_CLAIM, .collection = w->media, .file = VIEW("a.png")};
        arena_init(&small, cap);
        assert_int_equal(apply(&w->tables, &write, &small), NO_MEMORY);
        assert_true(view_is(write.file, "a.png"));
        arena_release(&small);
    }
    run(w, "ALTER TABLE parley_files RENAME TO gone");
    struct write write = {.op = WRITE_CLAIM, .collection = w->media, .file = VIEW("b.png")};
    assert_int_not_equal(apply(&w->tables, &write, &w->arena), OK);
    assert_true(view_is(write.file, "b.png"));
    run(w, "ALTER TABLE gone RENAME TO parley_files");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(claim__a_free_name_is_itself),
        CASE(claim__a_claimed_name_is_taken),
        CASE(claim__a_name_of_a_row_is_taken),
        CASE(claim__a_gap_among_the_first_is_used),
        CASE(claim__any_text_is_only_a_name),
        CASE(claim__longest_names_have_others),
        CASE(claim__many_taken_names_cost_few_looks),
        CASE(claim__there_are_too_many),
        CASE(claim__added_and_dropped_twice),
        CASE(claim__each_says_whose_it_is_and_may_stop),
        CASE(claim__is_taken_over_by_a_new_document),
        CASE(claim__is_dropped_by_a_release),
        CASE(claim__goes_over_when_a_file_is_replaced),
        CASE(claim__stays_as_it_is_when_the_file_does),
        CASE(claim__is_what_a_deleted_document_leaves),
        CASE(claim__of_documents_without_a_file),
        CASE(claim__is_none_of_what_cannot_be_a_file),
        CASE(claim__is_no_matter_of_other_collections),
        CASE(claim__stays_when_a_write_is_refused),
        CASE(claim__stays_when_a_write_fails_late),
        CASE(claim__is_no_orphan_of_a_write_that_failed),
        CASE(claim__is_as_before_when_all_is_rolled_back),
        CASE(claim__that_fails_leaves_the_write_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
