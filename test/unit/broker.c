#include "broker/broker.h"
#include "base/check.h"
#include "schema/json.h"
#include "schema/query.h"
#include "schema/registry.h"
#include "store/read.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW VIEW("2026-01-02T03:04:05.678Z")

struct world {
    char folder[64], path[96];
    struct delivery *delivery;
    struct broker *broker;
    struct channel *messages; /* the plain one */
    struct arena arena;
};

static void open_broker(struct world *w)
{
    const struct broker_options options = {
        .database = w->path, .keep_changes = 1000, .delivery = w->delivery, .log_bytes = 1 << 20, .max_filters = 10};
    const struct subscription plain = {.subsets = {{.collection = collection_find(VIEW("messages"))}}, .nsubsets = 1};
    struct failure f;
    assert_int_equal(broker_open(&w->broker, &options, &f), OK);
    assert_int_equal(channel_join(&w->messages, broker_channels(w->broker), &plain, &f), OK);
}

static void close_broker(struct world *w)
{
    channel_leave(w->messages);
    broker_close(w->broker);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    strcpy(w->folder, "/tmp/parley-unit-XXXXXX");
    if (!mkdtemp(w->folder)) return -1;
    snprintf(w->path, sizeof w->path, "%s/x.db", w->folder);
    arena_init(&w->arena, 64 << 20);
    w->delivery = delivery_new(&(struct delivery_options){.threads = 1});
    assert_non_null(w->delivery);
    open_broker(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    struct world *w = *state;
    delivery_free(w->delivery, (struct view){0});
    close_broker(w);
    arena_release(&w->arena);
    for (size_t i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", w->path, endings[i]);
        unlink(name);
    }
    rmdir(w->folder);
    free(w);
    return 0;
}

static struct draft *draft_for(struct world *w, const char *slug, enum draft_for purpose, const char *json)
{
    struct json_object *body;
    struct failure f;
    struct draft *d = ARENA_NEW(&w->arena, struct draft);
    assert_int_equal(json_read(&w->arena, view_of(json), &body, &f), OK);
    assert_int_equal(draft_read(d, collection_find(view_of(slug)), purpose, body, NOW, 0, &w->arena, &f), OK);
    return d;
}

static struct draft *draft(struct world *w, const char *slug, const char *json)
{
    return draft_for(w, slug, DRAFT_CREATE, json);
}

static struct write create(struct world *w, const char *slug, const char *json)
{
    return (struct write){
        .op = WRITE_CREATE, .collection = collection_find(view_of(slug)), .draft = draft(w, slug, json)};
}

static int64_t add_user(struct world *w, const char *email)
{
    struct failure f;
    char json[128];
    snprintf(json, sizeof json, "{\"email\":\"%s\",\"password\":\"abc\"}", email);
    struct write user = create(w, "users", json);
    assert_int_equal(broker_run(w->broker, &user, 1, &w->arena, &f), OK);
    assert_int_equal(user.failure.status, OK);
    return user.id;
}

static void broker__a_bad_write_fails_alone(void **state)
{
    struct world *w = *state;
    struct failure f;
    add_user(w, "a@example.com");
    struct write writes[] = {
        create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"good\"}"),
        create(w, "messages", "{\"sender\":1,\"receiver\":99,\"content\":\"bad\"}"),
        create(w, "users", "{\"email\":\"a@example.com\",\"password\":\"abc\"}"),
        create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"good too\"}"),
    };
    assert_int_equal(broker_run(w->broker, writes, 4, &w->arena, &f), OK);
    assert_int_equal(writes[0].failure.status, OK);
    assert_int_equal(writes[1].failure.status, INVALID);
    assert_string_equal(writes[1].failure.flaws[0].path, "receiver");
    assert_int_equal(writes[2].failure.status, INVALID);
    assert_string_equal(writes[2].failure.flaws[0].path, "email");
    assert_int_equal(writes[3].failure.status, OK);
    /* An id that failed is used up, too. */
    assert_true(writes[3].id > writes[1].id);
}

static void broker__only_the_first_user_is_the_first(void **state)
{
    struct world *w = *state;
    struct failure f;
    struct write writes[] = {
        create(w, "users", "{\"email\":\"a@example.com\",\"password\":\"abc\"}"),
        create(w, "users", "{\"email\":\"b@example.com\",\"password\":\"abc\"}"),
    };
    writes[0].only_first = writes[1].only_first = true;
    assert_int_equal(broker_run(w->broker, writes, 2, &w->arena, &f), OK);
    assert_int_equal(writes[0].failure.status, OK);
    assert_int_equal(writes[1].failure.status, FORBIDDEN);
}

static void broker__ids_are_not_used_again_after_a_restart(void **state)
{
    struct world *w = *state;
    struct failure f;
    add_user(w, "a@example.com");
    struct write message = create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"x\"}");
    assert_int_equal(broker_run(w->broker, &message, 1, &w->arena, &f), OK);
    struct write gone = {.op = WRITE_DELETE, .collection = message.collection, .id = message.id};
    assert_int_equal(broker_run(w->broker, &gone, 1, &w->arena, &f), OK);
    assert_int_equal(gone.failure.status, OK);
    close_broker(w);
    open_broker(w);
    struct write next = create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"y\"}");
    assert_int_equal(broker_run(w->broker, &next, 1, &w->arena, &f), OK);
    assert_true(next.id > message.id);
}

static void broker__a_user_with_messages_stays(void **state)
{
    struct world *w = *state;
    struct failure f;
    add_user(w, "a@example.com");
    struct write message = create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"x\"}");
    assert_int_equal(broker_run(w->broker, &message, 1, &w->arena, &f), OK);
    struct write gone = {.op = WRITE_DELETE, .collection = collection_find(VIEW("users")), .id = 1};
    assert_int_equal(broker_run(w->broker, &gone, 1, &w->arena, &f), OK);
    assert_int_equal(gone.failure.status, CONFLICT);
}

/* Answers about messages that are kept stay good: no document shows a mark. */
static void broker__a_mark_makes_no_new_version(void **state)
{
    struct world *w = *state;
    struct failure f;
    add_user(w, "a@example.com");
    struct write message = create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"x\"}");
    assert_int_equal(broker_run(w->broker, &message, 1, &w->arena, &f), OK);
    size_t place = collection_index(message.collection);
    uint64_t version = broker_version(w->broker, place);
    struct write mark = {
        .op = WRITE_MARK, .collection = message.collection, .id = 1, .conversation = {.peer = 1, .read = message.id}};
    assert_int_equal(broker_run(w->broker, &mark, 1, &w->arena, &f), OK);
    assert_true(mark.moved);
    assert_int_equal(mark.conversation.read, message.id);
    assert_int_equal(broker_version(w->broker, place), version);
}

/* A stream without a head: it begins behind the last change, and puts what it gets into `got`. */
struct reader {
    struct source source;
    struct world *world;
    int socket;
    struct str got;
};

static enum source_result reader_next(struct source *source, struct str *page, uint64_t *position)
{
    struct reader *r = CONTAINER(source, struct reader, source);
    struct changelog_span span;
    channels_span(broker_channels(r->world->broker), &span);
    assert_true(channel_place(r->world->messages, span.head, position));
    str_addz(page, "hello\n");
    return SOURCE_LIVE;
}

static void reader_ping(struct source *source, struct str *page, uint64_t position)
{
    (void)source;
    (void)page;
    (void)position;
}

static void reader_close(struct source *source, enum stream_end why)
{
    (void)source;
    (void)why;
}

static void read_until(struct reader *r, const char *text)
{
    char bytes[4096];
    while (!r->got.at || !strstr(r->got.at, text)) {
        ssize_t n = recv(r->socket, bytes, sizeof bytes, 0);
        assert_true(n > 0);
        str_add(&r->got, (struct view){bytes, (size_t)n});
    }
}

static void open_reader(struct reader *r, struct world *w)
{
    static const struct source_type type = {.next = reader_next, .ping = reader_ping, .close = reader_close};
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    *r = (struct reader){.source = {.type = &type}, .world = w, .socket = ends[1]};
    assert_true(audience_add(channel_audience(w->messages), peer_plain(ends[0]), &r->source));
    read_until(r, "hello\n");
    str_reset(&r->got);
}

static void close_reader(struct reader *r)
{
    close(r->socket);
    assert_true(delivery_wait_empty(r->world->delivery, 30000));
    str_release(&r->got);
}

static int64_t published(struct world *w)
{
    struct changelog_span span;
    channels_span(broker_channels(w->broker), &span);
    return span.head;
}

static void broker__every_change_is_one_frame_in_the_order_of_the_log(void **state)
{
    struct world *w = *state;
    struct failure f;
    struct reader r;
    add_user(w, "a@example.com");
    int64_t before = published(w);
    open_reader(&r, w);
    struct write writes[] = {
        create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"one\"}"),
        create(w, "messages", "{\"sender\":1,\"receiver\":99,\"content\":\"bad\"}"),
        create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"two\"}"),
    };
    assert_int_equal(broker_run(w->broker, writes, 3, &w->arena, &f), OK);
    assert_int_equal(published(w), before + 2);
    struct write edit = {.op = WRITE_UPDATE,
        .collection = writes[0].collection,
        .id = writes[0].id,
        .draft = draft_for(w, "messages", DRAFT_UPDATE, "{\"content\":\"three\"}")};
    struct write gone = {.op = WRITE_DELETE, .collection = writes[0].collection, .id = writes[2].id};
    assert_int_equal(broker_run(w->broker, &edit, 1, &w->arena, &f), OK);
    assert_int_equal(broker_run(w->broker, &gone, 1, &w->arena, &f), OK);
    read_until(&r, "event: delete\n");
    read_until(&r, "}]\n\n");
    const char *at = r.got.at;
    static const struct {
        const char *event, *content;
    } wanted[] = {{"message", "\"one\""}, {"message", "\"two\""}, {"message", "\"three\""}, {"delete", "[{\"id\":3}]"}};
    for (int i = 0; i < 4; i++) {
        char *head = arena_printf(&w->arena, "-%lld\nevent: %s\n", (long long)before + i + 1, wanted[i].event);
        at = strstr(at, head);
        if (!at) fail_msg("no %s in %s", head, r.got.at);
        const char *end = strstr(at, "\n\n"), *content = strstr(at, wanted[i].content);
        assert_true(content && content < end);
        at = end;
    }
    assert_string_equal(at, "\n\n");
    assert_non_null(strstr(r.got.at, "{\"id\":1,\"email\":\"a@example.com\",\"collection\":\"users\"}"));
    assert_int_equal(published(w), before + 4);
    close_reader(&r);
}

/* Nothing is written, and yet they neither pile up nor keep others out. */
static void broker__channels_without_readers_go_without_a_write(void **state)
{
    struct world *w = *state;
    const struct readable all = {{true}};
    struct failure f;
    struct subscription one = {.subsets = {{.collection = collection_find(VIEW("messages"))}}, .nsubsets = 1};
    for (int i = 0; i < 1000; i++) {
        struct json_object *json;
        struct where *where;
        struct channel *c;
        char *query = arena_printf(&w->arena, "where[content][equals]=%d", i);
        assert_int_equal(query_parse(&w->arena, view_of(query), &json, &f), OK);
        assert_int_equal(
            where_parse(&where, one.subsets[0].collection, json_member(json, "where"), &all, &w->arena, &f), OK);
        one.subsets[0].filter = where;
        assert_int_equal(channel_join(&c, broker_channels(w->broker), &one, &f), OK);
        channel_leave(c);
    }
}

/* An answer that shows the document, as it is seen before the commit. */
static enum status make_answer(struct write *w, struct db *db, struct failure *f)
{
    struct world *world = w->ctx;
    struct doc doc;
    enum status status = read_one(db, w->collection, w->id, &world->arena, &doc, f);
    if (status) return status;
    w->answer = (struct answer){.key = VIEW("k"), .sealed = VIEW("sealed")};
    return OK;
}

static enum status make_none(struct write *w, struct db *db, struct failure *f)
{
    (void)db;
    (void)w;
    f->status = NO_MEMORY;
    return NO_MEMORY;
}

/* What the file holds, as another connection sees it. */
static int64_t stored(struct world *w, const char *sql)
{
    struct db *db;
    struct failure f;
    int64_t n = -1;
    assert_int_equal(db_open(&db, w->path, DB_READ, &f), OK);
    assert_int_equal(db_integer(db, sql, NULL, 0, 0, &n, &f), OK);
    db_close(db);
    return n;
}

static void broker__an_answer_is_kept_with_its_write_or_neither_is(void **state)
{
    struct world *w = *state;
    struct failure f;
    add_user(w, "a@example.com");
    int64_t before = published(w);
    struct write writes[4];
    for (size_t i = 0; i < 4; i++) {
        writes[i] = create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"x\"}");
        writes[i].ctx = w;
    }
    writes[0].make = make_answer;
    writes[1].make = make_none;
    writes[2].make = make_answer; /* the key is taken by then */
    assert_int_equal(broker_run(w->broker, writes, 4, &w->arena, &f), OK);
    assert_int_equal(writes[0].failure.status, OK);
    assert_int_equal(writes[1].failure.status, NO_MEMORY);
    assert_int_equal(writes[2].failure.status, CONFLICT);
    assert_int_equal(writes[3].failure.status, OK);
    assert_int_equal(stored(w, "SELECT count(*) FROM messages"), 2);
    assert_int_equal(stored(w, "SELECT docs FROM parley_ids WHERE collection = 'messages'"), 2);
    assert_int_equal(stored(w, "SELECT count(*) FROM parley_answers"), 1);
    assert_int_equal(published(w), before + 2);
}

static void broker__an_answer_alone_changes_no_document(void **state)
{
    struct world *w = *state;
    struct failure f;
    int64_t before = published(w);
    struct write answer = {.op = WRITE_ANSWER,
        .collection = collection_find(VIEW("users")),
        .answer = {.scope = 3, .key = VIEW("k"), .written = 5, .sealed = VIEW("sealed")}};
    assert_int_equal(broker_run(w->broker, &answer, 1, &w->arena, &f), OK);
    assert_int_equal(answer.failure.status, OK);
    assert_int_equal(stored(w, "SELECT count(*) FROM parley_answers WHERE scope = 3 AND key = 'k' AND written = 5 AND "
                               "sealed = x'7365616c6564'"),
        1);
    assert_int_equal(published(w), before);
}

/* What the broker told, one line an end: "USER SESSION\n", "*" for all. */
struct told {
    struct str text;
    const struct collection *collection;
};

static void note_end(void *ctx, const struct collection *c, int64_t user, struct view session)
{
    struct told *told = ctx;
    told->collection = c;
    str_addf(
        &told->text, "%lld %.*s\n", (long long)user, session.at ? (int)session.len : 1, session.at ? session.at : "*");
}

/* Runs the write, which must succeed, and looks what was told meanwhile. */
static void tells(struct world *w, struct told *told, struct write write, const char *wanted)
{
    struct failure f;
    if (!write.collection) write.collection = collection_find(VIEW("users"));
    str_reset(&told->text);
    assert_int_equal(broker_run(w->broker, &write, 1, &w->arena, &f), OK);
    assert_int_equal(write.failure.status, OK);
    struct view text = str_view(&told->text);
    assert_true(view_is(text, wanted) || (!text.len && !*wanted));
    assert_true(!*wanted || told->collection == write.collection);
}

static struct write sign_in(int64_t user, const char *session, const char *created, const char *expires)
{
    return (struct write){
        .op = WRITE_SIGNED_IN, .id = user, .session = {view_of(session), view_of(created), view_of(expires)}};
}

static void broker__who_loses_rights_is_told(void **state)
{
    struct world *w = *state;
    struct told told = {0};
    struct draft *password = draft(w, "users", "{\"email\":\"a@example.com\",\"password\":\"abc\"}");
    struct draft *email = draft(w, "users", "{\"email\":\"b@example.com\",\"password\":\"abc\"}");
    draft_set(password, "salt", value_text(VIEW("00")));
    draft_set(password, "hash", value_text(VIEW("00")));
    int64_t a = add_user(w, "a@example.com");
    broker_on_end(w->broker, note_end, &told);

    tells(w, &told, sign_in(a, "s1", "2026-01-01", "2026-01-02"), "");
    tells(w, &told, sign_in(a, "s2", "2026-01-01", "2026-01-09"), "");
    tells(w, &told, sign_in(a, "s3", "2026-01-03", "2026-01-09"), "1 s1\n");
    tells(w, &told, (struct write){.op = WRITE_REFUSED, .id = a, .now = NOW}, "");
    tells(w, &told, (struct write){.op = WRITE_EXTEND, .id = a, .session = {VIEW("s2"), NOW, NOW}}, "");
    tells(w, &told, (struct write){.op = WRITE_SIGNED_OUT, .id = a, .session = {.id = VIEW("s2")}}, "1 s2\n");
    tells(w, &told, (struct write){.op = WRITE_SIGNED_OUT, .id = a}, "1 *\n");
    tells(w, &told, (struct write){.op = WRITE_RESET, .id = a, .now = NOW, .salt = VIEW("00"), .hash = VIEW("00")},
        "1 *\n");
    tells(w, &told, (struct write){.op = WRITE_UPDATE, .id = a, .draft = email}, "");
    tells(w, &told, sign_in(a, "s4", "2026-01-03", "2026-01-09"), "");
    tells(w, &told, sign_in(a, "s5", "2026-01-03", "2026-01-09"), "");
    tells(w, &told, (struct write){.op = WRITE_UPDATE, .id = a, .draft = password, .session = {.id = VIEW("s5")}},
        "1 s4\n");
    tells(w, &told, (struct write){.op = WRITE_UPDATE, .id = a, .draft = password}, "1 s5\n");
    tells(w, &told, (struct write){.op = WRITE_UPDATE, .id = a, .draft = password}, "");
    tells(w, &told, create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"x\"}"), "");
    tells(w, &told, (struct write){.op = WRITE_DELETE, .collection = collection_find(VIEW("messages")), .id = 1}, "");
    tells(w, &told, (struct write){.op = WRITE_DELETE, .id = a}, "1 *\n");
    str_release(&told.text);
}

static void broker__what_was_undone_ends_nothing(void **state)
{
    struct world *w = *state;
    struct told told = {0};
    struct failure f;
    const struct collection *users = collection_find(VIEW("users"));
    int64_t a = add_user(w, "a@example.com"), b = add_user(w, "b@example.com");
    tells(w, &told, create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"x\"}"), "");
    broker_on_end(w->broker, note_end, &told);
    struct write writes[] = {
        {.op = WRITE_DELETE, .collection = users, .id = a}, /* has a message */
        {.op = WRITE_SIGNED_OUT, .collection = users, .id = a, .make = make_none},
        {.op = WRITE_SIGNED_OUT, .collection = users, .id = b},
        {.op = WRITE_DELETE, .collection = users, .id = 99},
    };
    assert_int_equal(broker_run(w->broker, writes, COUNT(writes), &w->arena, &f), OK);
    assert_int_equal(writes[0].failure.status, CONFLICT);
    assert_int_equal(writes[1].failure.status, NO_MEMORY);
    assert_int_equal(writes[3].failure.status, NOT_FOUND);
    assert_string_equal(told.text.at, "2 *\n");
    str_release(&told.text);
}

#define POSTED 200

/* What the applier's thread saw of posted commands, each time it was told of some. */
struct seen {
    struct world *world;
    size_t told;
    bool all_committed;
};

static void see(void *ctx, struct list *commands)
{
    struct seen *seen = ctx;
    struct db *db;
    struct failure f;
    int64_t n = -1;
    for (; !list_empty(commands); seen->told++) list_remove(commands->next);
    if (db_open(&db, seen->world->path, DB_READ, &f)) return;
    if (!db_integer(db, "SELECT count(*) FROM messages", NULL, 0, 0, &n, &f) && n < (int64_t)(seen->told - 1) / 2)
        seen->all_committed = false;
    db_close(db);
}

/* Every second one is refused; some are waited for by others in the same batches. */
static void broker__tells_of_posted_commands_after_their_commit(void **state)
{
    struct world *w = *state;
    struct seen seen = {.world = w, .all_committed = true};
    struct write writes[POSTED];
    struct command commands[POSTED];
    struct failure failures[POSTED] = {0}, f;
    struct arena results; /* the applier's */
    arena_init(&results, 64 << 20);
    add_user(w, "a@example.com");
    broker_on_done(w->broker, see, &seen);
    for (size_t i = 0; i < POSTED; i++) {
        writes[i] = create(w, "messages",
            i % 2 ? "{\"sender\":1,\"receiver\":99,\"content\":\"bad\"}"
                  : "{\"sender\":1,\"receiver\":1,\"content\":\"good\"}");
        commands[i] = (struct command){.writes = &writes[i], .nwrites = 1, .arena = &results, .failure = &failures[i]};
        broker_post(w->broker, &commands[i]);
    }
    struct write waited = create(w, "messages", "{\"sender\":1,\"receiver\":1,\"content\":\"waited for\"}");
    assert_int_equal(broker_run(w->broker, &waited, 1, &results, &f), OK);
    close_broker(w);
    assert_int_equal(seen.told, POSTED);
    assert_true(seen.all_committed);
    for (size_t i = 0; i < POSTED; i++) {
        assert_int_equal(commands[i].state, COMMAND_DONE);
        assert_int_equal(writes[i].failure.status, i % 2 ? INVALID : OK);
    }
    arena_release(&results);
    open_broker(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(broker__a_bad_write_fails_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(broker__only_the_first_user_is_the_first, setup, teardown),
        cmocka_unit_test_setup_teardown(broker__ids_are_not_used_again_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(broker__a_user_with_messages_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(broker__a_mark_makes_no_new_version, setup, teardown),
        cmocka_unit_test_setup_teardown(broker__every_change_is_one_frame_in_the_order_of_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(broker__channels_without_readers_go_without_a_write, setup, teardown),
        cmocka_unit_test_setup_teardown(broker__an_answer_is_kept_with_its_write_or_neither_is, setup, teardown),
        cmocka_unit_test_setup_teardown(broker__an_answer_alone_changes_no_document, setup, teardown),
        cmocka_unit_test_setup_teardown(broker__who_loses_rights_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(broker__what_was_undone_ends_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(broker__tells_of_posted_commands_after_their_commit, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
