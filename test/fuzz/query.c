/* Query strings, and what they ask for: a where that is understood is one that SQLite runs, and finds the documents
 * that match() says match. The first byte says of which collection. */
#include "schema/query.h"
#include "fuzz.h"
#include "schema/find.h"
#include "schema/json.h"
#include "schema/match.h"
#include "schema/registry.h"
#include "store/migrate.h"
#include "store/read.h"

#define ROWS_MOST 8

static const char rows[] =
    "INSERT INTO users (id, email, updated_at, created_at) VALUES"
    " (1, 'ann@example.com', '2024-01-03T00:00:00.000Z', '2024-01-01T00:00:00.000Z'),"
    " (2, '50%_off@example.com', '2024-01-03T00:00:00.001Z', '2024-02-29T00:00:00.000Z');"
    "INSERT INTO messages (id, sender_id, receiver_id, content, timestamp) VALUES"
    " (1, 1, 2, 'alpha one', '2024-01-03T00:00:00.000Z'), (2, 2, 1, 'BETA % two', '2024-01-04T00:00:00.000Z'),"
    " (3, 2, 2, 'null', '9999-12-31T23:59:59.999Z'), (9007199254740993, 1, 1, '05', '0000-01-01T00:00:00.000Z');"
    "INSERT INTO media (id, alt, filename, filesize, width, focal_x) VALUES"
    " (1, 'one', 'a.png', 100, 10, 50), (2, '', NULL, NULL, NULL, NULL), (3, 'b\\', '5', 9223372036854775807, -5, 0);";

static struct db *db;
static struct doc docs[MAX_COLLECTIONS][ROWS_MOST];
static size_t ndocs[MAX_COLLECTIONS];

static enum status learn(void *ctx, const struct doc *doc)
{
    size_t i = collection_index(doc->collection);
    struct doc *copy = &docs[i][ndocs[i]++];
    ASSERT(ndocs[i] <= ROWS_MOST);
    *copy = *doc;
    for (size_t f = 0; f < doc->collection->nfields; f++)
        if (copy->values[f].type == VALUE_TEXT) copy->values[f].text.at = arena_copy(ctx, copy->values[f].text);
    return OK;
}

static void begin(void)
{
    static struct arena forever;
    struct failure f;
    arena_init(&forever, 1 << 20);
    ASSERT(!db_open(&db, ":memory:", DB_WRITE, &f) && !migrate(db, ":memory:", &f) && !db_exec(db, rows, &f));
    ASSERT(!migrate(db, ":memory:", &f)); /* what another program has written is counted */
    for (size_t i = 0; i < ncollections; i++) {
        struct find all = {.collection = collection_at(i), .pagination = false};
        struct readable readable = {{true, true, true}};
        ASSERT(!find_parse(&all, all.collection, NULL, &readable, &forever, &f));
        ASSERT(!read_many(db, &all, 0, 0, &forever, learn, &forever, &f));
    }
}

static const struct doc *find_user(void *ctx, const struct collection *c, int64_t id)
{
    size_t i = collection_index(c);
    (void)ctx;
    for (size_t n = 0; n < ndocs[i]; n++)
        if (doc_id(&docs[i][n]) == id) return &docs[i][n];
    return NULL;
}

static enum status count_doc(void *ctx, const struct doc *doc)
{
    (void)doc;
    ++*(int64_t *)ctx;
    return OK;
}

/* Numbers are searched as SQLite writes them, where a real one may differ in its last digit: there is none here. */
static void check_where(const struct find *find, struct arena *arena)
{
    const struct relation_reader relations = {find_user, NULL};
    size_t i = collection_index(find->collection);
    struct failure f;
    int64_t counted, listed = 0, matched = 0;
    ASSERT(!read_count(db, find, arena, &counted, &f));
    ASSERT(!read_many(db, find, 100, 0, arena, count_doc, &listed, &f));
    for (size_t n = 0; n < ndocs[i]; n++) matched += match(find->where, &docs[i][n], &relations);
    ASSERT(counted == matched && listed == matched);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = input_of(data, size);
    struct arena *arena = fresh_arena();
    struct json_object *query, *again;
    struct failure f;
    struct find find;
    if (!db) begin();
    const struct collection *c = collection_at(take_byte(&text) % ncollections);
    enum status status = query_parse(arena, text, &query, &f);
    ASSERT(status == OK || status == INVALID);
    if (status) return 0;
    struct str json = {0};
    json_add(&json, query);
    status = json_read(arena, str_view(&json), &again, &f);
    ASSERT(!status);
    str_release(&json);
    struct readable readable = {{true, true, true}};
    status = find_parse(&find, c, query, &readable, arena, &f);
    ASSERT(status == OK || status == INVALID);
    if (!status) check_where(&find, arena);
    return 0;
}
