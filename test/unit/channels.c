/* Which change goes to whom. The test is the applier too. */
#include "broker/channels.h"
#include "audience.h"
#include "schema/filter.h"
#include "schema/json.h"
#include "schema/query.h"
#include "where_docs.h"
#include "where_text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EPOCH       "abcd1234"
#define MAX_FILTERS 3
#define IDLE_MOST   16

struct world {
    struct channels *channels;
    struct arena arena;
    struct known users, messages, media;
    struct relation_reader relations;
    int64_t seq; /* the last change that is committed */
    int sweeps;
    struct str got;
    struct generator generator;
    struct str text;
};

static void count_sweep(void *ctx)
{
    ((struct world *)ctx)->sweeps++;
}

static void open_channels(struct world *w, size_t max_filters)
{
    const struct changelog_span span = {.epoch = EPOCH, .head = w->seq, .oldest = 1};
    const struct channels_options options = {
        .log_bytes = 1 << 20, .max_filters = max_filters, .sweep = count_sweep, .ctx = w};
    w->channels = channels_new(&options, &span);
    assert_non_null(w->channels);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    arena_init(&w->arena, 64 << 20);
    learn(&w->users, &users_table);
    learn(&w->messages, &messages_table);
    learn(&w->media, &media_table);
    w->relations = (struct relation_reader){find_known, &w->users};
    w->seq = 100;
    open_channels(w, MAX_FILTERS);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    channels_free(w->channels);
    for (size_t i = 0; i < COUNT_OF(w->generator.blocks); i++) str_release(&w->generator.blocks[i]);
    arena_release(&w->arena);
    str_release(&w->got);
    str_release(&w->text);
    free(w);
    return 0;
}

/* ---- readers ---- */

struct client {
    struct channel *channel;
    struct framelog *log;
    uint64_t position;
};

static struct where *where(struct world *w, const char *slug, const char *query)
{
    const struct readable all = {{true}};
    struct json_object *json;
    struct where *out;
    struct failure f;
    assert_int_equal(query_parse(&w->arena, view_of(query), &json, &f), OK);
    assert_int_equal(
        where_parse(&out, collection_find(view_of(slug)), json_member(json, "where"), &all, &w->arena, &f), OK);
    return out;
}

/* query NULL: all. */
static struct subscription of_messages(struct world *w, const char *query)
{
    struct subscription s = {.subsets = {{.collection = collection_find(VIEW("messages"))}}, .nsubsets = 1};
    if (query) s.subsets[0].filter = where(w, "messages", query);
    return s;
}

/* One who reads what comes. */
static struct client join_to(struct world *w, const struct subscription *s)
{
    struct client c;
    struct failure f;
    assert_int_equal(channel_join(&c.channel, w->channels, s, &f), OK);
    c.log = channel_audience(c.channel)->log;
    assert_true(channel_place(c.channel, w->seq, &c.position));
    return c;
}

static struct client join(struct world *w, const char *query)
{
    struct subscription s = of_messages(w, query);
    return join_to(w, &s);
}

/* Adds "101m5 " to `out`: the change, whether it is a message or a delete, and the document. */
static void add_frame(struct str *out, struct view frame)
{
    struct view rest = frame, name, event, id;
    int64_t doc;
    assert_true(view_starts(frame, "id: " EPOCH "-"));
    view_cut(&rest, '-');
    name = view_cut(&rest, '\n');
    event = view_cut(&rest, '\n');
    assert_true(view_is(event, "event: message") || view_is(event, "event: delete"));
    const char *at = memmem(rest.at, rest.len, "{\"id\":", 6);
    assert_non_null(at);
    id = (struct view){at + 6, strspn(at + 6, "0123456789")};
    assert_true(view_integer(id, &doc));
    str_addf(out, "%s%.*s%c%lld", out->len ? " " : "", VIEW_ARGS(name), event.at[7], (long long)doc);
}

/* All that has come since the last look. */
static const char *take_frames(struct world *w, struct client *c)
{
    struct framelog_run run;
    str_reset(&w->got);
    while (framelog_read(c->log, c->position, &run) == FRAMELOG_RUN) {
        for (size_t start = 0; start < run.bytes.len;) {
            int64_t seq;
            size_t end = framelog_cut(&run, start + 1, &seq);
            add_frame(&w->got, (struct view){run.bytes.at + start, end - start});
            start = end;
        }
        c->position += run.bytes.len;
        framelog_release(c->log, &run);
    }
    return w->got.len ? w->got.at : "";
}

#define expect(w, c, text) assert_string_equal(take_frames(w, c), text)

/* ---- changes ---- */

static void put(struct doc *d, const char *name, struct value v)
{
    d->values[field_find(d->collection, view_of(name))] = v;
}

static struct doc message(int64_t id, int64_t sender, int64_t receiver, const char *content)
{
    struct doc d = {.collection = collection_find(VIEW("messages"))};
    d.values[0] = value_integer(id);
    put(&d, "sender", value_integer(sender));
    put(&d, "receiver", value_integer(receiver));
    put(&d, "content", value_text(view_of(content)));
    return d;
}

static void begin(struct world *w, int changes)
{
    w->seq += changes;
    channels_begin(w->channels, w->seq);
}

static void offer(struct world *w, int64_t seq, enum change_op op, const struct doc *before, const struct doc *after)
{
    const struct doc *any = after ? after : before;
    const struct doc_change change = {any->collection, op, seq, doc_id(any), before, after};
    const struct frame_style style = {.relations = &w->relations};
    channels_offer(w->channels, &change, &style);
}

static void end(struct world *w)
{
    const struct changelog_span span = {.epoch = EPOCH, .head = w->seq, .oldest = 1};
    assert_true(channels_end(w->channels, &span));
}

/* A round of one change. */
static void change(struct world *w, enum change_op op, const struct doc *before, const struct doc *after)
{
    begin(w, 1);
    offer(w, w->seq, op, before, after);
    end(w);
}

static void create(struct world *w, struct doc d)
{
    change(w, CHANGE_CREATE, NULL, &d);
}

static void edit(struct world *w, struct doc before, struct doc after)
{
    change(w, CHANGE_UPDATE, &before, &after);
}

static void discard(struct world *w, struct doc d)
{
    change(w, CHANGE_DELETE, &d, NULL);
}

/* ---- who shares ---- */

static void channels__the_same_subscription_shares_one(void **state)
{
    struct world *w = *state;
    struct client one = join(w, "where[sender][equals]=1&where[receiver][in]=2,3"),
                  same = join(w, "where[receiver][in]=3,2&where[sender][equals]=1"),
                  other = join(w, "where[sender][equals]=1&where[receiver][in]=2,4");
    struct subscription named = of_messages(w, "where[sender][equals]=1&where[receiver][in]=2,3");
    named.named = true;
    struct client differs = join_to(w, &named);
    struct subscription his = of_messages(w, "where[sender][equals]=1&where[receiver][in]=2,3");
    his.subsets[0].rights = his.subsets[0].filter;
    struct client rights = join_to(w, &his), rights_too = join_to(w, &his);
    assert_ptr_equal(one.channel, same.channel);
    assert_ptr_equal(rights.channel, rights_too.channel);
    assert_ptr_not_equal(one.channel, other.channel);
    assert_ptr_not_equal(one.channel, differs.channel);
    assert_ptr_not_equal(one.channel, rights.channel);
    struct client plain = join(w, NULL), plain_too = join(w, NULL);
    assert_ptr_equal(plain.channel, plain_too.channel);
    struct client all[] = {one, same, other, differs, rights, rights_too, plain, plain_too};
    for (size_t i = 0; i < COUNT_OF(all); i++) channel_leave(all[i].channel);
}

/* What it asks for stays as it was when the request's memory is gone. */
static void channels__keeps_a_subscription_of_its_own(void **state)
{
    struct world *w = *state;
    struct client c = join(w, "where[content][equals]=hello");
    arena_reset(&w->arena);
    memset(arena_alloc(&w->arena, 1 << 16), 'x', 1 << 16);
    const struct subscription *s = channel_subscription(c.channel);
    assert_int_equal(s->nsubsets, 1);
    assert_ptr_equal(s->subsets[0].collection, collection_find(VIEW("messages")));
    assert_null(s->subsets[0].rights);
    create(w, message(1, 1, 2, "hello"));
    create(w, message(2, 1, 2, "hallo"));
    expect(w, &c, "101m1");
    channel_leave(c.channel);
}

/* ---- what is told ---- */

static void channels__the_plain_one_is_told_all(void **state)
{
    struct world *w = *state;
    struct client c = join(w, NULL);
    struct doc d = message(5, 1, 2, "x");
    create(w, d);
    change(w, CHANGE_UPDATE, NULL, &d);
    edit(w, d, d);
    discard(w, d);
    expect(w, &c, "101m5 102m5 103m5 104d5");
    struct doc user = w->users.docs[0];
    create(w, user);
    expect(w, &c, "");
    channel_leave(c.channel);
}

static void channels__a_frame_byte_by_byte(void **state)
{
    struct world *w = *state;
    struct subscription named = of_messages(w, NULL);
    named.named = true;
    struct client plain = join(w, NULL), other = join_to(w, &named);
    struct doc d = message(5, 1, 2, "a\nb");
    create(w, d);
    discard(w, d);
    struct framelog_run run;
    assert_int_equal(framelog_read(plain.log, plain.position, &run), FRAMELOG_RUN);
    struct str text = {0};
    str_add(&text, run.bytes);
    assert_non_null(strstr(text.at, "id: abcd1234-101\nevent: message\ndata: [{\"id\":5,\"sender\":1,\"receiver\":2,"
                                    "\"content\":\"a\\nb\","));
    assert_non_null(strstr(text.at, "}]\n\nid: abcd1234-102\nevent: delete\ndata: [{\"id\":5}]\n\n"));
    framelog_release(plain.log, &run);
    str_reset(&text);
    assert_int_equal(framelog_read(other.log, other.position, &run), FRAMELOG_RUN);
    str_add(&text, run.bytes);
    assert_non_null(strstr(text.at,
        "id: abcd1234-101\nevent: message\ndata: {\"collection\":\"messages\",\"docs\":[{\"id\":5,\"sender\":1,"));
    assert_non_null(strstr(text.at,
        "}]}\n\nid: abcd1234-102\nevent: delete\ndata: {\"collection\":\"messages\",\"docs\":[{\"id\":5}]}\n\n"));
    framelog_release(other.log, &run);
    str_release(&text);
    channel_leave(plain.channel);
    channel_leave(other.channel);
}

static void channels__a_document_comes_and_goes_by_an_edit(void **state)
{
    struct world *w = *state;
    struct client c = join(w, "where[content][contains]=cat");
    struct doc cat = message(5, 1, 2, "a cat"), dog = message(5, 1, 2, "a dog"), cats = message(5, 1, 2, "cats");
    create(w, dog);
    expect(w, &c, "");
    edit(w, dog, cat);
    expect(w, &c, "102m5");
    edit(w, cat, cats);
    expect(w, &c, "103m5");
    edit(w, cats, dog);
    expect(w, &c, "104d5");
    edit(w, dog, dog);
    discard(w, dog);
    expect(w, &c, "");
    create(w, cat);
    discard(w, cat);
    expect(w, &c, "107m5 108d5");
    channel_leave(c.channel);
}

/* What it was before is not known: it may have been for the reader. */
static void channels__before_unknown_counts_as_matching(void **state)
{
    struct world *w = *state;
    struct client c = join(w, "where[content][contains]=cat");
    struct doc cat = message(5, 1, 2, "a cat"), dog = message(5, 1, 2, "a dog");
    change(w, CHANGE_UPDATE, NULL, &dog);
    change(w, CHANGE_UPDATE, NULL, &cat);
    expect(w, &c, "101d5 102m5");
    channel_leave(c.channel);
}

static void channels__those_with_keys_are_found_by_them(void **state)
{
    struct world *w = *state;
    struct client sender = join(w, "where[sender][equals]=1"), receiver = join(w, "where[receiver][equals]=1"),
                  id = join(w, "where[id][in]=6,7"),
                  either = join(w, "where[or][0][sender][equals]=1&where[or][1][receiver][equals]=1"),
                  narrow = join(w, "where[sender][equals]=1&where[content][equals]=x");
    create(w, message(5, 1, 2, "x"));
    create(w, message(6, 2, 1, "x"));
    create(w, message(7, 2, 3, "x"));
    create(w, message(8, 1, 1, "y"));
    edit(w, message(5, 1, 2, "x"), message(5, 2, 1, "x"));
    discard(w, message(7, 2, 3, "x"));
    discard(w, message(9, 2, 3, "x"));
    expect(w, &sender, "101m5 104m8 105d5");
    expect(w, &receiver, "102m6 104m8 105m5");
    expect(w, &id, "102m6 103m7 106d7");
    expect(w, &either, "101m5 102m6 104m8 105m5");
    expect(w, &narrow, "101m5 105d5");
    /* Nobody was woken in vain. */
    assert_int_equal(channel_audience(sender.channel)->notified, 3);
    assert_int_equal(channel_audience(id.channel)->notified, 3);
    struct client all[] = {sender, receiver, id, either, narrow};
    for (size_t i = 0; i < COUNT_OF(all); i++) channel_leave(all[i].channel);
}

static void channels__a_filter_looks_through_a_relation(void **state)
{
    struct world *w = *state;
    struct client ann = join(w, "where[sender.email][equals]=ann@example.com"),
                  nobody = join(w, "where[sender.email][exists]=false");
    create(w, message(5, 1, 2, "from Ann"));
    create(w, message(6, 2, 1, "from Bob"));
    create(w, message(7, 98, 1, "from nobody"));
    edit(w, message(5, 1, 2, "x"), message(5, 98, 2, "x"));
    expect(w, &ann, "101m5 104d5");
    expect(w, &nobody, "103m7 104m5");
    channel_leave(ann.channel);
    channel_leave(nobody.channel);
}

static void channels__several_collections_in_one(void **state)
{
    struct world *w = *state;
    struct subscription s = of_messages(w, "where[sender][equals]=1");
    s.subsets[s.nsubsets++] = (struct subset){.collection = collection_find(VIEW("users"))};
    s.named = true;
    struct client c = join_to(w, &s);
    create(w, message(5, 1, 2, "x"));
    create(w, message(6, 2, 1, "x"));
    create(w, w->users.docs[1]);
    create(w, w->media.docs[0]);
    edit(w, message(5, 1, 2, "x"), message(5, 2, 2, "x"));
    discard(w, w->users.docs[1]);
    expect(w, &c, "101m5 103m2 105d5 106d2");
    channel_leave(c.channel);
}

static void channels__a_round_of_many_is_published_at_once(void **state)
{
    struct world *w = *state;
    struct client plain = join(w, NULL), one = join(w, "where[sender][equals]=1"),
                  none = join(w, "where[sender][equals]=9");
    struct doc docs[4];
    begin(w, 4);
    for (int i = 0; i < 4; i++) {
        docs[i] = message(i + 1, i % 2, 5, "x");
        offer(w, w->seq - 3 + i, CHANGE_CREATE, NULL, &docs[i]);
    }
    struct changelog_span span;
    channels_span(w->channels, &span);
    assert_int_equal(span.head, 100);
    expect(w, &plain, "");
    end(w);
    channels_span(w->channels, &span);
    assert_int_equal(span.head, 104);
    expect(w, &plain, "101m1 102m2 103m3 104m4");
    expect(w, &one, "102m2 104m4");
    expect(w, &none, "");
    assert_int_equal(channel_audience(plain.channel)->notified, 1);
    assert_int_equal(channel_audience(one.channel)->notified, 1);
    assert_int_equal(channel_audience(none.channel)->notified, 0);
    struct client all[] = {plain, one, none};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_int_equal(channel_reached(all[i].channel, all[i].position), 104);
        channel_leave(all[i].channel);
    }
}

static void channels__has_reached_what_it_was_sent(void **state)
{
    struct world *w = *state;
    struct client c = join(w, NULL);
    assert_int_equal(channel_reached(c.channel, c.position), 100);
    create(w, message(5, 1, 2, "x"));
    assert_int_equal(channel_reached(c.channel, c.position), 0);
    expect(w, &c, "101m5");
    assert_int_equal(channel_reached(c.channel, c.position), 101);
    create(w, w->users.docs[0]);
    assert_int_equal(channel_reached(c.channel, c.position), 102);
    channel_leave(c.channel);
}

static bool fail_to_write(void *ctx, struct str *out, const struct collection *c, int64_t id)
{
    (void)ctx;
    (void)c;
    (void)id;
    out->failed = true;
    return true;
}

/* Not half of it for the second one either. All go on from the database, and in the log with the next. */
static void channels__a_frame_without_memory_is_nobodys(void **state)
{
    struct world *w = *state;
    const struct relation_writer writer = {fail_to_write, NULL};
    const struct frame_style style = {.writer = &writer, .relations = &w->relations};
    struct client clients[] = {join(w, NULL), join(w, "where[sender][equals]=1"), join(w, "where[receiver][equals]=2")};
    struct doc d = message(5, 1, 2, "x");
    struct framelog_run run;
    begin(w, 1);
    const struct doc_change change = {d.collection, CHANGE_CREATE, w->seq, 5, NULL, &d};
    channels_offer(w->channels, &change, &style);
    const struct changelog_span span = {.epoch = EPOCH, .head = w->seq, .oldest = 1};
    assert_false(channels_end(w->channels, &span));
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        struct client *c = &clients[i];
        assert_int_equal(framelog_read(c->log, c->position, &run), FRAMELOG_FALLEN_OFF);
        assert_int_equal(channel_audience(c->channel)->notified, 1);
        assert_false(channel_place(c->channel, 100, &c->position));
        assert_true(channel_place(c->channel, 101, &c->position));
    }
    create(w, message(6, 1, 2, "x"));
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        expect(w, &clients[i], "102m6");
        channel_leave(clients[i].channel);
    }
}

/* ---- coming and going ---- */

static void expect_place(struct client *c, int64_t seq, bool known)
{
    uint64_t position;
    assert_int_equal(channel_place(c->channel, seq, &position), known);
}

static void channels__one_that_joins_between_two_rounds_has_no_hole(void **state)
{
    struct world *w = *state;
    create(w, message(5, 1, 2, "x"));
    struct client c = join(w, "where[sender][equals]=1");
    expect_place(&c, 100, false);
    expect_place(&c, 101, true);
    create(w, message(6, 1, 2, "x"));
    expect(w, &c, "102m6");
    expect_place(&c, 100, false);
    expect_place(&c, 101, true);
    channel_leave(c.channel);
}

/* The round's changes are committed: they are in the database, or a reader's snapshot is older than his channel. */
static void channels__one_that_joins_inside_a_round_begins_behind_it(void **state)
{
    struct world *w = *state;
    struct subscription s = of_messages(w, "where[sender][equals]=1");
    struct doc first = message(5, 1, 2, "x"), second = message(6, 1, 2, "x");
    struct client c;
    struct failure f;
    begin(w, 2);
    offer(w, 101, CHANGE_CREATE, NULL, &first);
    assert_int_equal(channel_join(&c.channel, w->channels, &s, &f), OK);
    offer(w, 102, CHANGE_CREATE, NULL, &second);
    end(w);
    c.log = channel_audience(c.channel)->log;
    assert_false(channel_place(c.channel, 100, &c.position));
    assert_false(channel_place(c.channel, 101, &c.position));
    assert_true(channel_place(c.channel, 102, &c.position));
    expect(w, &c, "");
    create(w, message(7, 1, 2, "x"));
    expect(w, &c, "103m7");
    channel_leave(c.channel);
}

static struct client join_number(struct world *w, int n)
{
    char query[64];
    snprintf(query, sizeof query, "where[sender][equals]=%d", n);
    return join(w, query);
}

/* It has been asked for before, and still has what was written then. */
static bool is_kept(struct world *w, int n)
{
    struct client c = join_number(w, n);
    uint64_t position;
    bool kept = channel_place(c.channel, 100, &position);
    channel_leave(c.channel);
    return kept;
}

static void channels__the_last_ones_without_readers_stay(void **state)
{
    enum { CHANNELS = IDLE_MOST + 5 };
    struct world *w = *state;
    struct client clients[CHANNELS];
    for (int i = 0; i < CHANNELS; i++) clients[i] = join_number(w, i);
    create(w, message(5, 90, 91, "x"));
    for (int i = 0; i < CHANNELS; i++) channel_leave(clients[i].channel);
    for (int i = 0; i < CHANNELS; i++) assert_true(is_kept(w, i)); /* nothing was written since */
    create(w, message(6, 90, 91, "x"));
    for (int i = CHANNELS - 1; i >= 5; i--) assert_true(is_kept(w, i));
    for (int i = 0; i < 5; i++) assert_false(is_kept(w, i));
    assert_int_equal(w->sweeps, 0);
}

/* They go on hearing of changes, so that one who comes back misses none. */
static void channels__one_without_readers_is_told(void **state)
{
    struct world *w = *state;
    struct client c = join(w, "where[content][contains]=cat");
    struct channel *was = c.channel;
    assert_true(channels_filter(w->channels, collection_find(VIEW("messages"))));
    channel_leave(c.channel);
    assert_true(channels_filter(w->channels, collection_find(VIEW("messages"))));
    create(w, message(5, 1, 2, "cat"));
    struct subscription s = of_messages(w, "where[content][contains]=cat");
    struct failure f;
    assert_int_equal(channel_join(&c.channel, w->channels, &s, &f), OK);
    assert_ptr_equal(c.channel, was);
    assert_true(channel_place(c.channel, 100, &c.position));
    expect(w, &c, "101m5");
    channel_leave(c.channel);
}

/* Who has a reader is not freed, however many others are; nor who had none for a while and has one again. */
static void channels__one_with_a_reader_stays(void **state)
{
    enum { CHANNELS = 3 * IDLE_MOST };
    struct world *w = *state;
    struct client reader = join_number(w, 1000), back = join_number(w, 1001), clients[CHANNELS];
    channel_leave(back.channel);
    for (int i = 0; i < CHANNELS; i++) clients[i] = join_number(w, i);
    back = join_number(w, 1001);
    for (int i = 0; i < CHANNELS; i++) channel_leave(clients[i].channel);
    create(w, message(5, 1000, 1001, "x"));
    create(w, message(6, 1001, 1, "x"));
    expect(w, &reader, "101m5");
    expect(w, &back, "102m6");
    channel_leave(reader.channel);
    channel_leave(back.channel);
}

/* Where nothing is written, a round is asked for. */
static void channels__asks_for_a_sweep(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 2 * IDLE_MOST; i++) {
        struct client c = join_number(w, i);
        channel_leave(c.channel);
        assert_int_equal(w->sweeps, 0);
    }
    struct client c = join_number(w, 1000);
    channel_leave(c.channel);
    assert_int_equal(w->sweeps, 1);
    begin(w, 0);
    for (int i = 0; i < IDLE_MOST; i++) {
        c = join_number(w, 2000 + i);
        channel_leave(c.channel);
    }
    assert_int_equal(w->sweeps, 1);
    create(w, message(5, 1, 2, "x"));
}

static void channels__wants_to_know_what_was_before_where_it_is_asked(void **state)
{
    struct world *w = *state;
    const struct collection *messages = collection_find(VIEW("messages")), *users = collection_find(VIEW("users"));
    struct client plain = join(w, NULL);
    assert_false(channels_filter(w->channels, messages));
    struct subscription s = {
        .subsets = {{.collection = users, .filter = where(w, "users", "where[email][equals]=a")}}, .nsubsets = 1};
    struct client c = join_to(w, &s);
    assert_true(channels_filter(w->channels, users));
    assert_false(channels_filter(w->channels, messages));
    channel_leave(c.channel);
    for (int i = 0; i < 2 * IDLE_MOST; i++) {
        struct client other = join_number(w, i);
        channel_leave(other.channel);
    }
    begin(w, 0);
    assert_false(channels_filter(w->channels, users));
    assert_true(channels_filter(w->channels, messages));
    channel_leave(plain.channel);
}

/* ---- how many ---- */

static enum status try_to_join(struct world *w, const char *query, struct client *c)
{
    struct subscription s = of_messages(w, query);
    struct failure f;
    return channel_join(&c->channel, w->channels, &s, &f);
}

static void channels__no_more_filters_than_may_be(void **state)
{
    static const char *const queries[] = {
        "where[content][equals]=0", "where[content][equals]=1", "where[content][equals]=2"};
    struct world *w = *state;
    struct client clients[MAX_FILTERS], same, keyed[20], plain, c;
    for (int i = 0; i < MAX_FILTERS; i++) clients[i] = join(w, queries[i]);
    assert_int_equal(try_to_join(w, "where[content][equals]=3", &c), UNAVAILABLE);
    assert_null(c.channel);
    /* Of which there may be any number: those that share one, that have keys, that have no filter. */
    same = join(w, queries[0]);
    plain = join(w, NULL);
    for (int i = 0; i < 20; i++) keyed[i] = join_number(w, i);
    channel_leave(clients[0].channel);
    assert_int_equal(try_to_join(w, "where[content][equals]=3", &c), UNAVAILABLE); /* `same` is there */
    channel_leave(same.channel);
    assert_int_equal(try_to_join(w, "where[content][equals]=3", &c), OK);
    /* One that is there still without a reader is no way around it. */
    assert_int_equal(try_to_join(w, queries[0], &clients[0]), UNAVAILABLE);
    channel_leave(c.channel);
    assert_int_equal(try_to_join(w, queries[0], &clients[0]), OK);
    for (int i = 0; i < MAX_FILTERS; i++) channel_leave(clients[i].channel);
    for (int i = 0; i < 20; i++) channel_leave(keyed[i].channel);
    channel_leave(plain.channel);
}

/* ---- at large ---- */

#define BLOCKS  250
#define CLIENTS 8
#define CHANGES 20

struct asked_for {
    struct client client;
    const struct where *filter;
    const struct table *table;
};

/* As many as are understood, of random queries; how many. */
static size_t ask_at_random(struct world *w, uint64_t seed, struct asked_for *out)
{
    size_t n = 0;
    for (uint64_t k = 0; n < CLIENTS && k < 100; k++) {
        struct json_object *json;
        const struct readable readable = {{w->generator.signed_in}};
        struct where *filter;
        struct failure f;
        some_query(&w->generator, seed * 1000 + k, &w->text);
        const struct table *t = w->generator.table;
        const struct collection *c = collection_find(view_of(t->slug));
        if (query_parse(&w->arena, str_view(&w->text), &json, &f) ||
            where_parse(&filter, c, json_member(json, "where"), &readable, &w->arena, &f))
            continue;
        struct subscription s = {.subsets = {{.collection = c, .filter = filter}}, .nsubsets = 1, .named = k % 2};
        out[n++] = (struct asked_for){join_to(w, &s), filter, t};
    }
    return n;
}

/* One change of a table; `before_known`: an update's channels are told what was before. */
struct trial {
    const struct table *table;
    enum change_op op;
    struct doc before, after;
    bool before_known;
};

static void make_trial(struct world *w, struct trial *t)
{
    static const enum change_op ops[] = {CHANGE_CREATE, CHANGE_UPDATE, CHANGE_UPDATE, CHANGE_UPDATE, CHANGE_DELETE};
    const struct table *const tables[] = {&messages_table, &messages_table, &media_table, &users_table};
    struct generator *g = &w->generator;
    t->table = PICK(g, tables);
    const struct known *k = t->table == &users_table      ? &w->users
                            : t->table == &messages_table ? &w->messages
                                                          : &w->media;
    t->op = PICK(g, ops);
    t->before = k->docs[below(g, k->ndocs)];
    t->after = k->docs[below(g, k->ndocs)];
    t->after.values[0] = t->before.values[0];
    t->before_known = t->op != CHANGE_UPDATE || chance(g, 80);
    /* The applier leaves it out only where relations do not tell whose a document is: they stay. */
    for (size_t i = 0; !t->before_known && i < t->before.collection->nfields; i++)
        if (t->before.collection->fields[i].relation_to) t->after.values[i] = t->before.values[i];
}

static void run_trial(struct world *w, const struct trial *t)
{
    change(w, t->op, t->op == CHANGE_CREATE || !t->before_known ? NULL : &t->before,
        t->op == CHANGE_DELETE ? NULL : &t->after);
}

static void check_trial(struct world *w, const struct trial *t, struct asked_for *a, uint64_t seed)
{
    bool his = a->table == t->table;
    bool now = his && t->op != CHANGE_DELETE && match(a->filter, &t->after, &w->relations);
    bool before = his && t->op != CHANGE_CREATE && match(a->filter, &t->before, &w->relations);
    char wanted[64] = "", instead[64] = "";
    if (now || before)
        snprintf(
            wanted, sizeof wanted, "%lld%c%lld", (long long)w->seq, now ? 'm' : 'd', (long long)doc_id(&t->before));
    /* A delete too many is allowed where it is not known. */
    if (his && !now && !t->before_known)
        snprintf(instead, sizeof instead, "%lldd%lld", (long long)w->seq, (long long)doc_id(&t->before));
    const char *got = take_frames(w, &a->client);
    if (strcmp(got, wanted) && (!*instead || strcmp(got, instead)))
        fail_msg("seed %zu: \"%s\" instead of \"%s\"", (size_t)seed, got, wanted);
}

static void channels__get_what_their_filters_say(void **state)
{
    struct world *w = *state;
    struct asked_for asked[CLIENTS];
    size_t told = 0, asked_in_all = 0;
    channels_free(w->channels);
    open_channels(w, 1000);
    for (uint64_t seed = 1; seed <= BLOCKS; seed++) {
        arena_reset(&w->arena);
        size_t n = ask_at_random(w, seed, asked);
        asked_in_all += n;
        for (int i = 0; i < CHANGES; i++) {
            struct trial t;
            make_trial(w, &t);
            run_trial(w, &t);
            for (size_t k = 0; k < n; k++) {
                check_trial(w, &t, &asked[k], seed);
                told += w->got.len > 0;
            }
        }
        for (size_t k = 0; k < n; k++) channel_leave(asked[k].client.channel);
    }
    print_message("%zu readers, told %zu times\n", asked_in_all, told);
    assert_true(asked_in_all > BLOCKS * CLIENTS / 2);
    assert_true(told > BLOCKS * CHANGES / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(channels__the_same_subscription_shares_one, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__keeps_a_subscription_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__the_plain_one_is_told_all, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__a_frame_byte_by_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__a_document_comes_and_goes_by_an_edit, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__before_unknown_counts_as_matching, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__those_with_keys_are_found_by_them, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__a_filter_looks_through_a_relation, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__several_collections_in_one, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__a_round_of_many_is_published_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__has_reached_what_it_was_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__a_frame_without_memory_is_nobodys, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__one_that_joins_between_two_rounds_has_no_hole, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__one_that_joins_inside_a_round_begins_behind_it, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__the_last_ones_without_readers_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__one_without_readers_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__one_with_a_reader_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__asks_for_a_sweep, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__wants_to_know_what_was_before_where_it_is_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__no_more_filters_than_may_be, setup, teardown),
        cmocka_unit_test_setup_teardown(channels__get_what_their_filters_say, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
