/* Who is told of a change, and above all who is not. */
#include "broker/interests.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_KEYS 4

/* An interest, and how often it was told. */
struct wish {
    struct interest interest; /* first */
    struct subset subset;
    struct interest_key keys[MAX_KEYS];
    int told;
};

struct world {
    struct interests all;
    int64_t seq;
    size_t told;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    return interests_init(&w->all) ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;
    interests_release(&w->all);
    free(w);
    return 0;
}

static const struct field *field(const char *slug, const char *name)
{
    const struct collection *c = collection_find(view_of(slug));
    return &c->fields[field_find(c, view_of(name))];
}

static void add_key(struct wish *wish, const char *name, int64_t value)
{
    struct interest *one = &wish->interest;
    wish->keys[one->nkeys++] =
        (struct interest_key){.interest = one, .key = {field(wish->subset.collection->slug, name), value}};
}

static void init_wish(struct wish *wish, const char *slug)
{
    *wish = (struct wish){.subset = {.collection = collection_find(view_of(slug))}};
    wish->interest.subset = &wish->subset;
    wish->interest.keys = wish->keys;
    list_init(&wish->interest.link);
}

/* "sender=7 receiver=7" */
static struct wish *wish_for(struct world *w, const char *slug, const char *keys)
{
    struct wish *wish = calloc(1, sizeof *wish);
    struct view rest = view_of(keys);
    assert_non_null(wish);
    init_wish(wish, slug);
    while (rest.len) {
        struct view value = view_cut(&rest, ' '), name = view_cut(&value, '=');
        char text[32];
        int64_t n;
        snprintf(text, sizeof text, "%.*s", VIEW_ARGS(name));
        assert_true(view_integer(value, &n));
        add_key(wish, text, n);
    }
    interests_add(&w->all, &wish->interest);
    return wish;
}

static void drop(struct world *w, struct wish *wish)
{
    interests_remove(&w->all, &wish->interest);
    free(wish);
}

static struct doc message(int64_t id, int64_t sender, int64_t receiver)
{
    struct doc d = {.collection = collection_find(VIEW("messages"))};
    d.values[0] = value_integer(id);
    d.values[field_find(d.collection, VIEW("sender"))] = value_integer(sender);
    if (receiver) d.values[field_find(d.collection, VIEW("receiver"))] = value_integer(receiver);
    return d;
}

static void take(void *ctx, struct interest *one)
{
    struct world *w = ctx;
    ((struct wish *)one)->told++;
    w->told++;
}

/* How many are told; each once at most. */
static size_t tell(struct world *w, const char *slug, const struct doc *before, const struct doc *after)
{
    const struct doc *any = after ? after : before;
    const struct doc_change change = {.collection = collection_find(view_of(slug)),
        .op = !before ? CHANGE_CREATE
              : after ? CHANGE_UPDATE
                      : CHANGE_DELETE,
        .seq = ++w->seq,
        .id = doc_id(any),
        .before = before,
        .after = after};
    w->told = 0;
    interests_tell(&w->all, &change, take, w);
    return w->told;
}

static void expect_told(struct wish *wish, int times)
{
    assert_int_equal(wish->told, times);
    wish->told = 0;
}

static void interests__nobody(void **state)
{
    struct world *w = *state;
    struct doc d = message(1, 1, 2);
    assert_int_equal(tell(w, "messages", NULL, &d), 0);
    assert_int_equal(tell(w, "messages", &d, NULL), 0);
}

static void interests__those_without_keys_are_told_of_their_collection(void **state)
{
    struct world *w = *state;
    struct wish *messages = wish_for(w, "messages", ""), *users = wish_for(w, "users", "");
    struct doc d = message(1, 1, 2);
    assert_int_equal(tell(w, "messages", NULL, &d), 1);
    expect_told(messages, 1);
    assert_int_equal(tell(w, "messages", &d, &d), 1);
    assert_int_equal(tell(w, "messages", &d, NULL), 1);
    expect_told(messages, 2);
    expect_told(users, 0);
    drop(w, messages);
    assert_int_equal(tell(w, "messages", NULL, &d), 0);
    drop(w, users);
}

static void interests__those_with_keys_are_told_of_their_values(void **state)
{
    struct world *w = *state;
    struct wish *sender = wish_for(w, "messages", "sender=7"), *receiver = wish_for(w, "messages", "receiver=7"),
                *id = wish_for(w, "messages", "id=7"), *either = wish_for(w, "messages", "sender=8 receiver=7"),
                *user = wish_for(w, "users", "id=7");
    struct doc d = message(1, 7, 2);
    assert_int_equal(tell(w, "messages", NULL, &d), 1);
    expect_told(sender, 1);
    d = message(7, 2, 3);
    assert_int_equal(tell(w, "messages", NULL, &d), 1);
    expect_told(id, 1);
    d = message(2, 8, 7);
    assert_int_equal(tell(w, "messages", NULL, &d), 2);
    expect_told(receiver, 1);
    expect_told(either, 1); /* though two of its keys are there */
    d = message(2, 1, 0);
    assert_int_equal(tell(w, "messages", NULL, &d), 0);
    struct doc someone = {.collection = collection_find(VIEW("users"))};
    someone.values[0] = value_integer(7);
    assert_int_equal(tell(w, "users", NULL, &someone), 1);
    expect_told(user, 1);
    drop(w, sender);
    drop(w, receiver);
    drop(w, id);
    drop(w, either);
    drop(w, user);
}

static void interests__of_the_document_before_as_of_the_one_after(void **state)
{
    struct world *w = *state;
    struct wish *one = wish_for(w, "messages", "receiver=1"), *two = wish_for(w, "messages", "receiver=2"),
                *both = wish_for(w, "messages", "receiver=1 receiver=2"),
                *three = wish_for(w, "messages", "receiver=3");
    struct doc before = message(5, 9, 1), after = message(5, 9, 2);
    assert_int_equal(tell(w, "messages", &before, &after), 3);
    expect_told(one, 1);
    expect_told(two, 1);
    expect_told(both, 1);
    expect_told(three, 0);
    assert_int_equal(tell(w, "messages", &before, NULL), 2);
    expect_told(one, 1);
    expect_told(both, 1);
    drop(w, one);
    drop(w, two);
    drop(w, both);
    drop(w, three);
}

/* Many more than the first table has places for: each is told of its own, and the others are not even looked at. */
static void interests__many(void **state)
{
    enum { WISHES = 5000 };
    static struct wish *wishes[WISHES];
    struct world *w = *state;
    for (int i = 0; i < WISHES; i++) {
        char keys[64];
        snprintf(keys, sizeof keys, "sender=%d receiver=%d", i, i);
        wishes[i] = wish_for(w, "messages", keys);
    }
    assert_int_equal(w->all.nkeys, 2 * WISHES);
    assert_true(w->all.nbuckets >= WISHES);
    for (int i = 0; i < WISHES; i += 7) {
        struct doc d = message(1, i, (i + 13) % WISHES);
        assert_int_equal(tell(w, "messages", NULL, &d), 2);
        expect_told(wishes[i], 1);
        expect_told(wishes[(i + 13) % WISHES], 1);
    }
    size_t longest = 0;
    for (size_t i = 0; i < w->all.nbuckets; i++) {
        size_t len = 0;
        for (const struct interest_key *key = w->all.buckets[i]; key; key = key->next) len++;
        if (len > longest) longest = len;
    }
    assert_in_range(longest, 1, 16); /* ids that follow each other spread */
    for (int i = 0; i < WISHES; i += 2) drop(w, wishes[i]);
    for (int i = 0; i < WISHES; i++) {
        struct doc d = message(1, i, 0);
        assert_int_equal(tell(w, "messages", NULL, &d), (size_t)(i % 2));
    }
    for (int i = 1; i < WISHES; i += 2) drop(w, wishes[i]);
    assert_int_equal(w->all.nkeys, 0);
    struct doc d = message(1, 1, 1);
    assert_int_equal(tell(w, "messages", NULL, &d), 0);
}

/* One may be told of the next change, and of any that comes after it was not told of some. */
static void interests__is_told_of_each_change(void **state)
{
    struct world *w = *state;
    struct wish *wish = wish_for(w, "messages", "sender=1");
    struct doc his = message(1, 1, 2), other = message(2, 3, 2);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(tell(w, "messages", NULL, &his), 1);
        assert_int_equal(tell(w, "messages", &his, &his), 1);
        assert_int_equal(tell(w, "messages", NULL, &other), 0);
    }
    expect_told(wish, 10);
    drop(w, wish);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(interests__nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(interests__those_without_keys_are_told_of_their_collection, setup, teardown),
        cmocka_unit_test_setup_teardown(interests__those_with_keys_are_told_of_their_values, setup, teardown),
        cmocka_unit_test_setup_teardown(interests__of_the_document_before_as_of_the_one_after, setup, teardown),
        cmocka_unit_test_setup_teardown(interests__many, setup, teardown),
        cmocka_unit_test_setup_teardown(interests__is_told_of_each_change, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
