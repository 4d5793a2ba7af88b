/* The text index against the plain way: whatever is written, while it is written, both find the same documents; and a
 * file that is missing, damaged, of another log, too old or impossible costs time, never a document. */
#include "store/text.h"
#include "base/clock.h"
#include "schema/find.h"
#include "schema/json.h"
#include "schema/registry.h"
#include "schema/sql.h"
#include "schema/trigrams.h"
#include "store/changelog.h"
#include "store/migrate.h"
#include "store/textfile.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Ids that are written to: so many that few are written to often, for the index keeps what each text ever had. */
#define DOCS 5000

struct world {
    char folder[64], path[96], file[104]; /* the database and its text index */
    struct db *db;
    struct text *text;
    const struct collection *messages;
    int64_t seq;
    uint64_t random;
    struct failure f;
};

static void run(struct world *w, const char *sql)
{
    if (db_exec(w->db, sql, &w->f)) fail_msg("%s: %s", sql, w->f.reason);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/parley-text-XXXXXX");
    if (!mkdtemp(w->folder)) return -1;
    snprintf(w->path, sizeof w->path, "%s/x.db", w->folder);
    snprintf(w->file, sizeof w->file, "%s-text", w->path);
    w->messages = collection_find(VIEW("messages"));
    w->random = 1;
    *state = w;
    if (db_open(&w->db, w->path, DB_WRITE, &w->f) || migrate(w->db, w->path, &w->f)) return -1;
    run(w, "PRAGMA synchronous=OFF");
    run(w, "INSERT INTO users (id, email) VALUES (1, 'a@example.com'), (2, 'b@example.com')");
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    text_close(w->text);
    db_close(w->db);
    assert_int_equal(textfile_remove(w->file, &w->f), OK);
    assert_int_equal(textfile_remove(w->path, &w->f), OK); /* it has the same files beside it */
    assert_int_equal(rmdir(w->folder), 0);
    free(w);
    return 0;
}

static unsigned some(uint64_t *random, unsigned below)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*random >> 33) % below;
}

/* What texts are made of: few pieces, so that they meet; case within and beyond ASCII, what LIKE, FTS5 or quoting might
 * take for something else, characters of two to four bytes. The last four are in stored texts alone: a NUL, what is no
 * UTF-8, and what SQLite does not take for a character. */
static const struct view pieces[] = {VIEW("tea"), VIEW("TEA"), VIEW("a"), VIEW("B"), VIEW("b"), VIEW(" "), VIEW("%"),
    VIEW("_"), VIEW("\""), VIEW("'"), VIEW("\\"), VIEW("*"), VIEW("AND"), VIEW("é"), VIEW("É"), VIEW("k"),
    VIEW("\u212a"), VIEW("s"), VIEW("ſ"), VIEW("ß"), VIEW("İ"), VIEW("中"), VIEW("😀"), VIEW("\ufffd"), VIEW("(:^"),
    VIEW("\n"), VIEW("\0"), VIEW("\xff"), VIEW("\xed\xa0\x80"), VIEW("\xef\xbf\xbe")};
#define NPIECES  (sizeof pieces / sizeof *pieces)
#define NQUERIED (NPIECES - 4)

static void some_text(uint64_t *random, struct str *out, unsigned most, size_t npieces)
{
    str_reset(out);
    for (unsigned n = some(random, most + 1); n--;) str_add(out, pieces[some(random, (unsigned)npieces)]);
}

static void log_change(struct world *w, int64_t id, enum change_op op)
{
    const struct change change = {.seq = ++w->seq, .doc = id, .op = op};
    assert_int_equal(changelog_append(w->db, w->messages, &change, &w->f), OK);
}

static void say(struct world *w, int64_t id, struct view text)
{
    struct value values[] = {value_integer(id), value_integer(id % 2 + 1), value_text(text)};
    int64_t old = 0;
    assert_int_equal(db_integer(w->db, "SELECT 1 FROM messages WHERE id = ?", values, 1, 0, &old, &w->f), OK);
    assert_int_equal(db_run(w->db,
                         "INSERT INTO messages (id, sender_id, receiver_id, content, timestamp) VALUES (?1, ?2, 1, ?3,"
                         " '2026') ON CONFLICT (id) DO UPDATE SET content = ?3",
                         values, 3, &w->f),
        OK);
    log_change(w, id, old ? CHANGE_UPDATE : CHANGE_CREATE);
}

static void unsay(struct world *w, int64_t id)
{
    struct value value = value_integer(id);
    assert_int_equal(db_run(w->db, "DELETE FROM messages WHERE id = ?", &value, 1, &w->f), OK);
    if (db_changes(w->db)) log_change(w, id, CHANGE_DELETE);
}

static void write_some(struct world *w, unsigned n)
{
    struct str text = {0};
    run(w, "BEGIN IMMEDIATE");
    while (n--) {
        int64_t id = 1 + some(&w->random, DOCS);
        some_text(&w->random, &text, 12, NPIECES);
        if (some(&w->random, 8))
            say(w, id, str_view(&text));
        else
            unsay(w, id);
    }
    run(w, "COMMIT");
    str_release(&text);
}

/* {"like":"…"}, or groups of such */
static void some_where(uint64_t *random, struct str *out, int depth)
{
    static const char *const ops[] = {"like", "contains", "equals", "not_like"};
    struct str text = {0};
    unsigned what = some(random, depth ? 10 : 7);
    some_text(random, &text, 4, NQUERIED);
    if (what < 5) {
        str_addf(out, "{\"content\":{\"%s\":", ops[some(random, 4)]);
        str_add_json(out, str_view(&text));
        str_addz(out, "}}");
    } else if (what == 5) {
        str_addz(out, "{\"content\":{\"in\":[");
        for (unsigned n = some(random, 3); n--;) {
            str_add_json(out, str_view(&text));
            some_text(random, &text, 4, NQUERIED);
            str_addc(out, ',');
        }
        str_add_json(out, str_view(&text));
        str_addz(out, "]}}");
    } else if (what == 6) {
        str_addz(out, "{\"sender\":{\"equals\":1}}");
    } else {
        str_addf(out, "{\"%s\":[", some(random, 2) ? "or" : "and");
        for (unsigned n = some(random, 3); n--;) {
            some_where(random, out, depth - 1);
            str_addc(out, ',');
        }
        some_where(random, out, depth - 1);
        str_addz(out, "]}");
    }
    str_release(&text);
}

static void parse(struct world *w, struct view where, struct arena *arena, struct find *out)
{
    const struct readable readable = {{true}};
    struct json_object *json;
    struct failure f;
    char *text = arena_printf(arena, "{\"where\":%.*s}", VIEW_ARGS(where));
    if (json_read(arena, view_of(text), &json, &f)) fail_msg("%s: %s", text, f.reason);
    if (find_parse(out, w->messages, json, &readable, arena, &f)) fail_msg("%s: %s", text, f.reason);
}

static enum status add_id(void *ctx, const struct row *row)
{
    str_addf(ctx, "%lld ", (long long)row_value(row, 0).integer);
    return OK;
}

static void find_ids(struct db *db, const struct find *find, struct arena *arena, struct str *out)
{
    struct str sql = {0};
    struct failure f;
    struct binds binds = {.arena = arena};
    str_addz(out, "found: ");
    str_addz(&sql, "SELECT id FROM messages");
    sql_add_where(&sql, find, &binds);
    str_addz(&sql, " ORDER BY id");
    if (db_each(db, sql.at, binds.values, binds.count, add_id, out, &f)) fail_msg("%s: %s", sql.at, f.reason);
    str_release(&sql);
}

/* The same in one snapshot, both ways; whether the index was of use. */
static bool check(struct world *w, struct db *db, struct view where, struct arena *arena)
{
    struct failure f;
    struct find find;
    struct str plain = {0}, narrowed = {0};
    arena_reset(arena);
    parse(w, where, arena, &find);
    assert_int_equal(db_exec(db, "BEGIN", &f), OK);
    if (text_narrow(w->text, db, find.collection, find.where, arena, &find.among, &f)) fail_msg("%s", f.reason);
    bool used = find.among.at;
    if (used) find_ids(db, &find, arena, &narrowed);
    find.among = (struct view){0};
    if (used) find_ids(db, &find, arena, &plain);
    assert_int_equal(db_exec(db, "COMMIT", &f), OK);
    if (used && strcmp(plain.at, narrowed.at))
        fail_msg("%.*s:\n%s\nbut with the index\n%s", VIEW_ARGS(where), plain.at, narrowed.at);
    str_release(&plain);
    str_release(&narrowed);
    return used;
}

struct reader {
    struct world *world;
    pthread_t thread;
    uint64_t random;
    size_t used, looked;
};

static _Atomic bool writing;

static void *read_on(void *ctx)
{
    struct reader *r = ctx;
    struct arena arena;
    struct failure f;
    struct db *db;
    struct str where = {0};
    arena_init(&arena, 16 << 20);
    assert_int_equal(db_open(&db, r->world->path, DB_READ, &f), OK);
    while (atomic_load(&writing)) {
        str_reset(&where);
        some_where(&r->random, &where, 3);
        r->used += check(r->world, db, str_view(&where), &arena);
        r->looked++;
    }
    db_close(db);
    arena_release(&arena);
    str_release(&where);
    return NULL;
}

static void open_text(struct world *w)
{
    if (text_open(&w->text, w->path, &w->f)) fail_msg("%s", w->f.reason);
}

static void close_text(struct world *w)
{
    text_close(w->text);
    w->text = NULL;
}

/* Until the index is of use; it will be. */
static void wait_for_it(struct world *w)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    while (!check(w, w->db, VIEW("{\"content\":{\"like\":\"tea\"}}"), &arena)) usleep(2000);
    arena_release(&arena);
}

static void text__random_wheres_while_it_is_written(void **state)
{
    struct world *w = *state;
    struct reader readers[2];
    size_t used = 0, looked = 0;
    write_some(w, 500);
    open_text(w);
    atomic_store(&writing, true);
    for (size_t i = 0; i < 2; i++) {
        readers[i] = (struct reader){.world = w, .random = 100 + i};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    wait_for_it(w);
    for (size_t i = 0; i < 600; i++) {
        write_some(w, 1 + some(&w->random, 20));
        if (i % 50 == 0) wait_for_it(w);
    }
    atomic_store(&writing, false);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(readers[i].thread, NULL);
        used += readers[i].used;
        looked += readers[i].looked;
    }
    print_message("%zu of %zu wheres with the index\n", used, looked);
    assert_true(used > 0);
}

/* What it says is used, for else it would be right without being there. */
static void text__says_among_which_documents_to_look(void **state)
{
    struct world *w = *state;
    struct arena arena;
    struct find find;
    arena_init(&arena, 1 << 20);
    say(w, 1, VIEW("green tea"));
    say(w, 2, VIEW("coffee"));
    open_text(w);
    wait_for_it(w);
    static const struct {
        const char *where, *among;
    } cases[] = {
        {"{\"content\":{\"like\":\"TEA\"}}", "[1]"},
        {"{\"content\":{\"like\":\"tea green\"}}", "[1]"},
        {"{\"content\":{\"contains\":\"tea green\"}}", "[]"},
        {"{\"content\":{\"equals\":\"coffee\"}}", "[2]"},
        {"{\"content\":{\"in\":[\"coffee\",\"green tea\"]}}", "[1,2]"},
        {"{\"content\":{\"like\":\"ea\"}}", NULL},
        {"{\"content\":{\"not_like\":\"tea\"}}", NULL},
        {"{\"sender\":{\"equals\":1},\"content\":{\"like\":\"tea\"}}", "[1]"},
        {"{\"or\":[{\"sender\":{\"equals\":1}},{\"content\":{\"like\":\"tea\"}}]}", NULL},
        {"{\"or\":[{\"content\":{\"like\":\"coffee\"}},{\"content\":{\"like\":\"tea\"}}]}", "[1,2]"},
        {"{\"or\":[{\"content\":{\"like\":\"ea\"}},{\"content\":{\"like\":\"tea\"}}]}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parse(w, view_of(cases[i].where), &arena, &find);
        assert_int_equal(text_narrow(w->text, w->db, w->messages, find.where, &arena, &find.among, &w->f), OK);
        if (!cases[i].among == !!find.among.at || (cases[i].among && !view_is(find.among, cases[i].among)))
            fail_msg("%s: %.*s", cases[i].where, VIEW_ARGS(find.among));
    }
    arena_release(&arena);
}

/* What it holds may be other than what an old snapshot holds. */
static void text__is_of_no_use_to_an_older_snapshot(void **state)
{
    struct world *w = *state;
    struct arena arena;
    struct find find;
    struct db *old;
    int64_t n;
    arena_init(&arena, 1 << 20);
    say(w, 1, VIEW("green tea"));
    open_text(w);
    wait_for_it(w);
    assert_int_equal(db_open(&old, w->path, DB_READ, &w->f), OK);
    assert_int_equal(db_exec(old, "BEGIN", &w->f), OK);
    assert_int_equal(db_integer(old, "SELECT count(*) FROM messages", NULL, 0, 0, &n, &w->f), OK);
    parse(w, VIEW("{\"content\":{\"like\":\"tea\"}}"), &arena, &find);
    assert_int_equal(text_narrow(w->text, old, w->messages, find.where, &arena, &find.among, &w->f), OK);
    assert_true(view_is(find.among, "[1]"));
    say(w, 1, VIEW("coffee"));
    while (find.among.at) {
        usleep(2000);
        assert_int_equal(text_narrow(w->text, old, w->messages, find.where, &arena, &find.among, &w->f), OK);
    }
    db_close(old);
    arena_release(&arena);
}

static int64_t in_file(struct world *w, const char *sql)
{
    struct db *db;
    int64_t n;
    assert_int_equal(db_open(&db, w->file, DB_READ, &w->f), OK);
    assert_int_equal(db_integer(db, sql, NULL, 0, -1, &n, &w->f), OK);
    db_close(db);
    return n;
}

static void text__goes_on_after_a_restart(void **state)
{
    struct world *w = *state;
    write_some(w, 100);
    open_text(w);
    wait_for_it(w);
    close_text(w);
    int64_t stale = in_file(w, "SELECT stale FROM parley_text");
    for (int i = 0; i < 10; i++) {
        say(w, 1, VIEW("green tea"));
        say(w, 1, VIEW("black tea"));
        open_text(w);
        wait_for_it(w);
        close_text(w);
    }
    /* It is the same file, and knows no more changes as made in vain than there were. */
    assert_true(in_file(w, "SELECT stale FROM parley_text") > stale);
    assert_true(in_file(w, "SELECT filled FROM parley_text") == TEXTFILE_FILLED);
}

static void overwrite(const char *path, off_t at, off_t end)
{
    char garbage[512];
    memset(garbage, 0x5a, sizeof garbage);
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    for (; at < end; at += (off_t)sizeof garbage)
        assert_int_equal(pwrite(file, garbage, sizeof garbage, at), sizeof garbage);
    close(file);
}

static void text__a_file_that_is_no_database(void **state)
{
    struct world *w = *state;
    write_some(w, 100);
    overwrite(w->file, 0, 8192);
    open_text(w);
    wait_for_it(w);
}

/* Damaged behind its first pages, so that only reading shows it. */
static void text__a_damaged_file(void **state)
{
    struct world *w = *state;
    write_some(w, 2000);
    open_text(w);
    wait_for_it(w);
    close_text(w);
    struct stat before;
    assert_int_equal(stat(w->file, &before), 0);
    assert_true(before.st_size > 32768);
    overwrite(w->file, 16384, before.st_size);
    open_text(w);
    wait_for_it(w);
}

/* Damaged while it is open: a reader finds out, and it is made anew. */
static void text__damaged_while_it_is_read(void **state)
{
    struct world *w = *state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    write_some(w, 2000);
    open_text(w);
    wait_for_it(w);
    close_text(w);
    open_text(w); /* what was in the file's own log is in the file now */
    struct stat before, after;
    assert_int_equal(stat(w->file, &before), 0);
    overwrite(w->file, 8192, before.st_size);
    do {
        check(w, w->db, VIEW("{\"content\":{\"like\":\"tea\"}}"), &arena);
        usleep(2000);
        if (stat(w->file, &after)) after = before;
    } while (after.st_ino == before.st_ino && after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
    wait_for_it(w);
    arena_release(&arena);
}

/* At any moment, and it goes on from where it was. */
static void text__killed_while_it_is_made_and_while_it_follows(void **state)
{
    struct world *w = *state;
    struct arena arena;
    struct str where = {0};
    arena_init(&arena, 1 << 20);
    for (int64_t id = 1; id <= 6000; id++) {
        if (id % 1000 == 1) run(w, "BEGIN");
        some_text(&w->random, &where, 12, NPIECES);
        say(w, DOCS + id, str_view(&where));
        if (id % 1000 == 0) run(w, "COMMIT");
    }
    for (int i = 0; i < 12; i++) {
        pid_t child = fork();
        if (!child) {
            open_text(w);
            usleep((useconds_t)(i % 6) * 4000);
            kill(getpid(), SIGKILL);
        }
        assert_int_equal(waitpid(child, NULL, 0), child);
        write_some(w, 50);
        if (i % 6 != 5) continue;
        open_text(w);
        wait_for_it(w);
        for (int k = 0; k < 200; k++) {
            str_reset(&where);
            some_where(&w->random, &where, 2);
            check(w, w->db, str_view(&where), &arena);
        }
        close_text(w);
    }
    str_release(&where);
    arena_release(&arena);
}

/* The index is opened, and finds what there is now. */
static void find_black_tea(struct world *w)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    open_text(w);
    wait_for_it(w);
    assert_true(check(w, w->db, VIEW("{\"content\":{\"like\":\"black\"}}"), &arena));
    arena_release(&arena);
}

static void text__another_log(void **state)
{
    struct world *w = *state;
    say(w, 1, VIEW("green tea"));
    open_text(w);
    wait_for_it(w);
    close_text(w);
    run(w, "UPDATE messages SET content = 'black tea'; UPDATE parley_epochs SET epoch = '12345678'");
    find_black_tea(w);
}

/* A copy that was kept is put back, beside an index that has gone on. */
static void text__a_database_that_is_older(void **state)
{
    struct world *w = *state;
    say(w, 1, VIEW("green tea"));
    say(w, 1, VIEW("coffee"));
    open_text(w);
    wait_for_it(w);
    close_text(w);
    run(w, "UPDATE messages SET content = 'black tea'; DELETE FROM parley_log WHERE seq > 1");
    find_black_tea(w);
}

/* The copy knows nothing of the changes from 2 on, and others came since it was put back. */
static void put_back(struct world *w, const char *content)
{
    struct value value = value_text(view_of(content));
    run(w, "DELETE FROM parley_log WHERE seq > 1; INSERT INTO parley_epochs (epoch, head) VALUES ('12345678', 1)");
    assert_int_equal(db_run(w->db, "UPDATE messages SET content = ? WHERE id = 1", &value, 1, &w->f), OK);
    w->seq = 1;
}

static void text__a_database_that_has_gone_another_way(void **state)
{
    struct world *w = *state;
    say(w, 1, VIEW("green tea"));
    say(w, 1, VIEW("coffee"));
    open_text(w);
    wait_for_it(w);
    close_text(w);
    put_back(w, "green tea");
    say(w, 1, VIEW("black tea"));
    say(w, 2, VIEW("coffee"));
    find_black_tea(w);
}

/* Its last change is in the copy, but a text was read that is not. */
static void text__a_database_that_is_older_than_a_text(void **state)
{
    struct world *w = *state;
    struct db *file;
    say(w, 1, VIEW("black tea"));
    say(w, 1, VIEW("coffee"));
    open_text(w);
    wait_for_it(w);
    close_text(w);
    assert_int_equal(db_open(&file, w->file, DB_DERIVED, &w->f), OK);
    assert_int_equal(db_exec(file, "UPDATE parley_text SET seq = 1", &w->f), OK);
    db_close(file);
    put_back(w, "black tea");
    say(w, 2, VIEW("coffee"));
    find_black_tea(w);
}

static void text__changes_that_are_no_longer_kept(void **state)
{
    struct world *w = *state;
    say(w, 1, VIEW("green tea"));
    open_text(w);
    wait_for_it(w);
    close_text(w);
    say(w, 1, VIEW("black tea"));
    for (int i = 0; i < 5; i++) say(w, 2, VIEW("coffee"));
    assert_int_equal(changelog_trim(w->db, w->seq, 2, &w->f), OK);
    find_black_tea(w);
}

/* The place is taken, as on a disk that is read-only or full: nothing is lost but time. */
static void text__a_file_that_cannot_be_made(void **state)
{
    struct world *w = *state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    write_some(w, 100);
    assert_int_equal(mkdir(w->file, 0700), 0);
    open_text(w);
    for (int i = 0; i < 10; i++) {
        assert_false(check(w, w->db, VIEW("{\"content\":{\"like\":\"tea\"}}"), &arena));
        usleep(2000);
    }
    close_text(w);
    assert_int_equal(rmdir(w->file), 0);
    arena_release(&arena);
}

/* More texts than one batch takes, in bytes and in number, and older than the index. */
static void text__many_and_long_texts(void **state)
{
    struct world *w = *state;
    struct arena arena;
    struct str text = {0};
    arena_init(&arena, 1 << 20);
    while (text.len < 120000) str_addz(&text, "0123456789");
    run(w, "BEGIN");
    for (int64_t id = 1; id <= 17000; id++) {
        struct view all = str_view(&text);
        say(w, id, id % 300 ? VIEW("tee") : all);
    }
    say(w, 17001, VIEW("green tea"));
    run(w, "COMMIT");
    open_text(w);
    wait_for_it(w);
    assert_true(check(w, w->db, VIEW("{\"content\":{\"like\":\"90123\"}}"), &arena));
    assert_false(check(w, w->db, VIEW("{\"content\":{\"like\":\"tee\"}}"), &arena)); /* too many to name */
    str_release(&text);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text__says_among_which_documents_to_look, setup, teardown),
        cmocka_unit_test_setup_teardown(text__random_wheres_while_it_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(text__is_of_no_use_to_an_older_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(text__goes_on_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(text__killed_while_it_is_made_and_while_it_follows, setup, teardown),
        cmocka_unit_test_setup_teardown(text__a_file_that_is_no_database, setup, teardown),
        cmocka_unit_test_setup_teardown(text__a_damaged_file, setup, teardown),
        cmocka_unit_test_setup_teardown(text__damaged_while_it_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(text__another_log, setup, teardown),
        cmocka_unit_test_setup_teardown(text__a_database_that_is_older, setup, teardown),
        cmocka_unit_test_setup_teardown(text__a_database_that_has_gone_another_way, setup, teardown),
        cmocka_unit_test_setup_teardown(text__a_database_that_is_older_than_a_text, setup, teardown),
        cmocka_unit_test_setup_teardown(text__changes_that_are_no_longer_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(text__a_file_that_cannot_be_made, setup, teardown),
        cmocka_unit_test_setup_teardown(text__many_and_long_texts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
