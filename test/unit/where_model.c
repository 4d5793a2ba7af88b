/* Random queries against a model of the where-grammar: the SQL that the program makes of a query finds the rows that
 * the model says it means, or both refuse it; match() says of each row what the SQL does; and the text index names
 * every row that is found.
 *
 * A failure prints the query and its seed; PARLEY_TEST_SEED=N runs that one alone. PARLEY_TEST_ALL=1 runs a million. */
#include "schema/condition.h"
#include "schema/find.h"
#include "schema/match.h"
#include "schema/query.h"
#include "schema/registry.h"
#include "schema/trigrams.h"
#include "store/migrate.h"
#include "store/read.h"
#include "store/textfile.h"
#include "where_text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#define QUERIES 25000
#if defined(__SANITIZE_THREAD__)
#define QUERIES_ALL QUERIES /* there is one thread */
#else
#define QUERIES_ALL 1000000
#endif
#define FIRST_SEED 1
#define MAX_ROWS   64

/* Tables as an older Payload or another program may have left them: nothing is required, nothing refers. */
static const char loose_tables[] =
    "CREATE TABLE messages (id integer PRIMARY KEY NOT NULL, sender_id integer, receiver_id integer, content text,"
    " timestamp text, updated_at text, created_at text)";

/* Rows that the model leaves out, for what they hold is SQLite's own business: a text with a NUL, characters that LIKE
 * takes for U+FFFD, numbers in columns of text and texts in columns of numbers, and other forms of dates. */
static const char strange_rows[] =
    "INSERT INTO messages VALUES (1001, 1, 2, CAST(x'616200' || 'cd' AS text), '2024', '', 'x');"
    "INSERT INTO messages VALUES (1002, 'one', 2.5, 'a' || char(65534) || 'b', '2024-01-03', 5, 2024.5);"
    "INSERT INTO messages VALUES (1003, 1, 1, char(65535, 65533), 'JAN', 'null', '2024-01-03 00:00:00');"
    "INSERT INTO media (id, alt, filesize, width, focal_x) VALUES (1001, 5, 'abc', '', '1e2');"
    "INSERT INTO media (id, alt, filesize, width, focal_x) VALUES (1002, 2.5, 1e999, -1e999, 3.0000000000000004);";

/* Who is signed in may read users. */
static const struct readable readable[] = {{{false}}, {{true}}};

struct known {
    const struct collection *collection;
    struct doc docs[MAX_ROWS];
    size_t ndocs;
};

struct world {
    struct db *db;
    struct db *index; /* of messages' texts */
    struct textpart part;
    char folder[32];
    struct arena forever, request;
    struct known users, messages, media;
    struct generator generator;
    struct str text;
    struct {
        size_t refused, none, some, all, named;
    } seen;
};

static struct value value_of(const struct cell *c)
{
    switch (c->type) {
    case CELL_INTEGER: return value_integer(c->integer);
    case CELL_REAL: return value_real(c->real);
    case CELL_TEXT: return value_text(c->text);
    case CELL_NULL: break;
    }
    return value_null();
}

static void insert_rows(struct world *w, const struct table *t)
{
    struct failure f;
    struct str sql = {0};
    size_t n = 1;
    for (const char *at = t->columns; *at; at++) n += *at == ',';
    str_addf(&sql, "INSERT INTO %s (%s) VALUES (?", t->slug, t->columns);
    for (size_t i = 1; i < n; i++) str_addz(&sql, ",?");
    str_addc(&sql, ')');
    for (size_t row = 0; row < t->nrows; row++) {
        struct value values[MAX_CELLS];
        for (size_t i = 0; i < n; i++) values[i] = value_of(&t->rows[row][i]);
        if (db_run(w->db, sql.at, values, n, &f)) fail_msg("%s", f.reason);
    }
    str_release(&sql);
}

struct learning {
    struct world *world;
    struct known *known;
};

static enum status learn_doc(void *ctx, const struct doc *doc)
{
    struct learning *l = ctx;
    assert_true(l->known->ndocs < MAX_ROWS);
    struct doc *copy = &l->known->docs[l->known->ndocs++];
    *copy = *doc;
    for (size_t i = 0; i < doc->collection->nfields; i++)
        if (copy->values[i].type == VALUE_TEXT)
            copy->values[i].text.at = arena_copy(&l->world->forever, copy->values[i].text);
    return OK;
}

static void learn(struct world *w, struct known *k, const char *slug)
{
    struct failure f;
    struct find find;
    struct learning l = {w, k};
    k->collection = collection_find(view_of(slug));
    assert_int_equal(find_parse(&find, k->collection, NULL, &readable[true], &w->forever, &f), OK);
    if (read_many(w->db, &find, 0, 0, &w->forever, learn_doc, &l, &f)) fail_msg("%s", f.reason);
}

static void make_index(struct world *w)
{
    struct failure f;
    struct textpart parts[TEXTFILE_PARTS];
    struct changelog_span span;
    struct epochs *epochs;
    char path[64];
    snprintf(w->folder, sizeof w->folder, "/tmp/parley-where-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(path, sizeof path, "%s/x-text", w->folder);
    size_t n = textfile_parts(parts);
    assert_int_equal(changelog_span(w->db, &span, &f), OK);
    assert_int_equal(epochs_load(&epochs, w->db, &f), OK);
    assert_int_equal(textfile_open(&w->index, path, w->folder, epochs, &span, parts, n, &f), OK);
    epochs_free(epochs);
    w->part = parts[0];
    assert_ptr_equal(w->part.collection, w->messages.collection);
    for (size_t i = 0; i < w->messages.ndocs; i++) {
        const struct value *text = doc_value(&w->messages.docs[i], w->part.field);
        if (text->type != VALUE_TEXT) continue;
        assert_int_equal(textfile_add(w->index, &w->part, doc_id(&w->messages.docs[i]), text->text, &f), OK);
    }
}

static void remove_index(struct world *w)
{
    struct failure f;
    char path[64];
    snprintf(path, sizeof path, "%s/x-text", w->folder);
    db_close(w->index);
    assert_int_equal(textfile_remove(path, &f), OK);
    assert_int_equal(rmdir(w->folder), 0);
}

static int setup(void **state)
{
    struct failure f;
    struct world *w = calloc(1, sizeof *w);
    arena_init(&w->forever, 16 << 20);
    arena_init(&w->request, 16 << 20);
    *state = w;
    if (db_open(&w->db, ":memory:", DB_WRITE, &f) || db_exec(w->db, loose_tables, &f) ||
        migrate(w->db, ":memory:", &f)) {
        print_error("%s\n", f.reason);
        return -1;
    }
    insert_rows(w, &users_table);
    insert_rows(w, &messages_table);
    insert_rows(w, &media_table);
    if (db_exec(w->db, strange_rows, &f)) {
        print_error("%s\n", f.reason);
        return -1;
    }
    learn(w, &w->users, "users");
    learn(w, &w->messages, "messages");
    learn(w, &w->media, "media");
    make_index(w);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < COUNT_OF(w->generator.blocks); i++) str_release(&w->generator.blocks[i]);
    str_release(&w->text);
    remove_index(w);
    db_close(w->db);
    arena_release(&w->request);
    arena_release(&w->forever);
    free(w);
    return 0;
}

static const struct doc *find_user(void *ctx, const struct collection *c, int64_t id)
{
    struct world *w = ctx;
    assert_ptr_equal(c, w->users.collection);
    for (size_t i = 0; i < w->users.ndocs; i++)
        if (doc_id(&w->users.docs[i]) == id) return &w->users.docs[i];
    return NULL;
}

struct found {
    int64_t ids[MAX_ROWS];
    size_t n;
};

static enum status take_id(void *ctx, const struct row *row)
{
    struct found *found = ctx;
    found->ids[found->n++] = row_value(row, 0).integer;
    return OK;
}

static bool among(const struct found *found, int64_t id)
{
    for (size_t i = 0; i < found->n; i++)
        if (found->ids[i] == id) return true;
    return false;
}

/* What the program says: the rows that its SQL finds. */
static enum status ask(
    struct world *w, const struct known *k, struct find *find, struct found *found, struct failure *f)
{
    struct json_object *query;
    struct str sql = {0};
    struct binds binds = {.arena = &w->request};
    found->n = 0;
    enum status status = query_parse(&w->request, str_view(&w->text), &query, f);
    if (!status) status = find_parse(find, k->collection, query, &readable[w->generator.signed_in], &w->request, f);
    if (status) return status;
    str_addf(&sql, "SELECT id FROM %s WHERE ", k->collection->slug);
    condition_add(&sql, find->where, &binds);
    assert_false(sql.failed || binds.failed);
    status = db_each(w->db, sql.at, binds.values, binds.count, take_id, found, f);
    if (status) print_error("%s\n", sql.at);
    str_release(&sql);
    return status;
}

static void tell(struct world *w, uint64_t seed, const char *what, int64_t id)
{
    print_error("PARLEY_TEST_SEED=%llu, %s, %s:\n%.*s\n", (unsigned long long)seed, w->generator.table->slug,
        w->generator.signed_in ? "signed in" : "anonymous", VIEW_ARGS(str_view(&w->text)));
    fail_msg("%s (%lld)", what, (long long)id);
}

static void check_matches(
    struct world *w, uint64_t seed, const struct known *k, const struct find *find, const struct found *found)
{
    const struct relation_reader relations = {find_user, w};
    for (size_t i = 0; i < k->ndocs; i++) {
        int64_t id = doc_id(&k->docs[i]);
        bool matches = match(find->where, &k->docs[i], &relations);
        if (matches && !among(found, id)) tell(w, seed, "match() lets through what the SQL does not", id);
        if (!matches && among(found, id)) tell(w, seed, "match() leaves out what the SQL finds", id);
    }
}

/* Among those that the index names are all that were found. */
static void check_index(
    struct world *w, uint64_t seed, const struct known *k, const struct find *find, const struct found *found)
{
    struct failure f;
    struct str trigrams = {0};
    struct found named = {.n = 0};
    if (k == &w->messages && trigrams_add(&trigrams, find->where, w->part.field)) {
        w->seen.named++;
        if (textfile_search(w->index, &w->part, str_view(&trigrams), MAX_ROWS, take_id, &named, &f))
            tell(w, seed, f.reason, f.status);
        for (size_t i = 0; i < found->n; i++)
            if (!among(&named, found->ids[i])) tell(w, seed, "the index does not name a row", found->ids[i]);
    }
    str_release(&trigrams);
}

static void check_query(struct world *w, uint64_t seed)
{
    struct find find;
    struct found found;
    struct failure f;
    arena_reset(&w->request);
    const struct object *meant = some_query(&w->generator, seed, &w->text);
    const struct table *t = w->generator.table;
    const struct known *k = t == &users_table ? &w->users : t == &messages_table ? &w->messages : &w->media;
    enum status status = ask(w, k, &find, &found, &f);
    bool refused = object_refused(meant);
    if (status && status != INVALID) tell(w, seed, f.reason, status);
    if (refused != (status == INVALID)) tell(w, seed, refused ? "it is not refused" : f.reason, status);
    w->seen.refused += refused;
    if (refused) return;
    size_t matched = 0;
    for (size_t row = 0; row < t->nrows; row++) {
        int64_t id = t->rows[row][0].integer;
        bool matches = object_matches(meant, t, row);
        matched += matches;
        if (matches && !among(&found, id)) tell(w, seed, "a row is not found", id);
        if (!matches && among(&found, id)) tell(w, seed, "a row is found that does not match", id);
    }
    *(matched == 0 ? &w->seen.none : matched == t->nrows ? &w->seen.all : &w->seen.some) += 1;
    check_matches(w, seed, k, &find, &found);
    check_index(w, seed, k, &find, &found);
}

static void where_model__random_queries(void **state)
{
    struct world *w = *state;
    const char *one = getenv("PARLEY_TEST_SEED");
    size_t n = getenv("PARLEY_TEST_ALL") ? QUERIES_ALL : QUERIES;
    if (one) {
        check_query(w, strtoull(one, NULL, 10));
        return;
    }
    for (size_t i = 0; i < n; i++) check_query(w, FIRST_SEED + i);
    print_message("%zu refused; of the others %zu found nothing, %zu some rows, %zu all; %zu by the text index\n",
        w->seen.refused, w->seen.none, w->seen.some, w->seen.all, w->seen.named);
    assert_true(w->seen.some > n / 4); /* else the queries have become too plain, or too wild, to show anything */
    assert_true(w->seen.refused > n / 20);
    assert_true(w->seen.named > n / 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(where_model__random_queries, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
