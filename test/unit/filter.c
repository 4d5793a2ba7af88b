/* Texts, keys and copies of filters: by hand, and of random queries. */
#include "schema/filter.h"
#include "schema/json.h"
#include "schema/query.h"
#include "where_docs.h"
#include "where_text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define QUERIES 8000
#define ROOM    8

/* Who is signed in may read users. */
static const struct readable readable[] = {{{false}}, {{true}}};

struct world {
    struct arena arena;
    struct known users, messages, media;
    struct generator generator;
    struct str text;
    size_t keyed;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    arena_init(&w->arena, 16 << 20);
    learn(&w->users, &users_table);
    learn(&w->messages, &messages_table);
    learn(&w->media, &media_table);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < COUNT_OF(w->generator.blocks); i++) str_release(&w->generator.blocks[i]);
    str_release(&w->text);
    arena_release(&w->arena);
    free(w);
    return 0;
}

static enum status parse(struct world *w, const char *slug, struct view query, struct where **out)
{
    struct json_object *json;
    struct failure f;
    arena_reset(&w->arena);
    enum status status = query_parse(&w->arena, query, &json, &f);
    if (status) return status;
    return where_parse(out, collection_find(view_of(slug)), json_member(json, "where"),
        &readable[w->generator.signed_in], &w->arena, &f);
}

/* A filter of messages that outlives its request. */
static struct where *filter(struct world *w, const char *query)
{
    struct where *parsed;
    w->generator.signed_in = true;
    assert_int_equal(parse(w, "messages", view_of(query), &parsed), OK);
    struct where *kept = where_copy(parsed);
    assert_non_null(kept);
    return kept;
}

static void expect_text(struct world *w, const char *query, const char *text)
{
    struct where *where = filter(w, query);
    struct str out = {0};
    where_add_text(&out, where);
    assert_string_equal(out.at, text);
    str_release(&out);
    free(where);
}

static bool same_text(struct world *w, const char *query, const char *other)
{
    struct where *one = filter(w, query), *two = filter(w, other);
    struct str a = {0}, b = {0};
    where_add_text(&a, one);
    where_add_text(&b, two);
    bool same = view_equal(str_view(&a), str_view(&b));
    str_release(&a);
    str_release(&b);
    free(one);
    free(two);
    return same;
}

static void filter__texts(void **state)
{
    struct world *w = *state;
    expect_text(w, "", "&()");
    expect_text(w, "where[sender][equals]=7", "(messages sender equals i7;)");
    expect_text(w, "where[sender.email][like]=b+a", "(users sender>email like t1:at1:b)");
    expect_text(w, "where[or][0][sender][equals]=7&where[or][1][receiver][equals]=7",
        "|((messages receiver equals i7;)(messages sender equals i7;))");
    expect_text(w, "where[id][greater_than]=2.5&where[sender][equals]=null",
        "&((messages id greater_than r4004000000000000)(messages sender equals n))");
}

static void filter__order_does_not_count(void **state)
{
    struct world *w = *state;
    assert_true(same_text(w, "where[id][in]=3,1,2", "where[id][in]=2,3,1,1"));
    assert_true(same_text(
        w, "where[sender][equals]=1&where[receiver][equals]=2", "where[receiver][equals]=2&where[sender][equals]=1"));
    assert_true(same_text(w, "where[and][0][or][0][sender][equals]=1", "where[sender][equals]=1"));
    assert_true(same_text(w, "where[and][0][id][equals]=1&where[and][1][sender][equals]=1&where[receiver][equals]=2",
        "where[sender][equals]=1&where[and][0][receiver][equals]=2&where[and][0][id][equals]=1"));
}

static void filter__different_ones_differ(void **state)
{
    struct world *w = *state;
    assert_false(same_text(w, "where[sender][equals]=1", "where[receiver][equals]=1"));
    assert_false(same_text(w, "where[sender][equals]=1", "where[sender][not_equals]=1"));
    assert_false(same_text(w, "where[sender.email][equals]=a", "where[receiver.email][equals]=a"));
    assert_false(same_text(w, "where[content][equals]=5", "where[id][equals]=5"));
    assert_false(same_text(w, "where[content][in][]=a%20t1:b", "where[content][in]=a,b"));
    assert_false(same_text(w, "where[content][in][]=at1:b", "where[content][in]=a,b"));
    assert_false(same_text(w, "where={\"content\":{\"in\":[null]}}", "where={\"content\":{\"in\":[\"n\"]}}"));
    assert_false(same_text(w, "where[and][0][id][equals]=1&where[and][1][id][equals]=2",
        "where[or][0][id][equals]=1&where[or][1][id][equals]=2"));
    assert_false(same_text(w, "where[or][0][id][equals]=1&where[or][1][id][equals]=2&where[sender][equals]=3",
        "where[or][0][id][equals]=1&where[or][1][id][equals]=2&where[or][2][sender][equals]=3"));
}

/* The keys as "sender=7 receiver=7". */
static void expect_keys(struct world *w, const char *query, const char *text)
{
    struct where *where = filter(w, query);
    struct where_key keys[4];
    struct str out = {0};
    str_reserve(&out, 1);
    size_t n = where_keys(where, keys, COUNT_OF(keys));
    for (size_t i = 0; i < n; i++)
        str_addf(&out, "%s%s=%lld", i ? " " : "", keys[i].field->name, (long long)keys[i].value);
    assert_string_equal(n ? out.at : "", text);
    str_release(&out);
    free(where);
}

static void filter__keys(void **state)
{
    struct world *w = *state;
    expect_keys(w, "", "");
    expect_keys(w, "where[sender][equals]=7", "sender=7");
    expect_keys(w, "where[sender.id][in]=7,8,7", "sender=7 sender=8");
    expect_keys(w, "where[sender.email][equals]=a", "");
    expect_keys(w, "where[content][equals]=7", "");
    expect_keys(w, "where[sender][not_equals]=7", "");
    expect_keys(w, "where[sender][equals]=null", "");
    expect_keys(w, "where={\"sender\":{\"in\":[7,null]}}", "");
    expect_keys(w, "where[id][equals]=1.5", "");
    expect_keys(w, "where[or][0][sender][equals]=7&where[or][1][receiver][equals]=7", "sender=7 receiver=7");
    expect_keys(w, "where[or][0][sender][equals]=7&where[or][1][content][equals]=7", "");
    expect_keys(w, "where[or][0][sender][equals]=7&where[or][1][receiver][equals]=7&where[id][equals]=3", "id=3");
    expect_keys(w, "where[id][in]=1,2,3,4", "id=1 id=2 id=3 id=4");
    expect_keys(w, "where[id][in]=1,2,3,4,5", "");
    expect_keys(w, "where[id][in]=1,2,3,4,5&where[sender][equals]=1", "sender=1");
}

static bool has_key(const struct doc *d, const struct where_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct value *v = doc_value(d, keys[i].field);
        if (v->type == VALUE_INTEGER && v->integer == keys[i].value) return true;
    }
    return false;
}

/* Puts members and values in another order, and a group around some. Those groups lie in `spare`. */
static struct where *disturb(struct generator *g, struct where *w, struct where **spare)
{
    for (size_t left = w->nvalues; left > 1; left--) {
        size_t i = below(g, left);
        struct value v = w->values[i];
        w->values[i] = w->values[left - 1];
        w->values[left - 1] = v;
    }
    struct where *members = w->first;
    w->first = NULL;
    while (members) {
        struct where *one = members;
        members = one->next;
        one->next = NULL;
        one = disturb(g, one, spare);
        struct where **place = &w->first;
        while (*place && chance(g, 50)) place = &(*place)->next;
        one->next = *place;
        *place = one;
    }
    if (!chance(g, 20)) return w;
    struct where *group = (*spare)++;
    *group = (struct where){.kind = chance(g, 50) ? WHERE_AND : WHERE_OR, .first = w};
    return group;
}

static struct str text_of(const struct where *w)
{
    struct str text = {0};
    where_add_text(&text, w);
    assert_false(text.failed);
    return text;
}

struct said {
    struct str text;
    const char *slug;
    uint64_t rows; /* that match, as bits */
};

static int compare_said(const void *a, const void *b)
{
    const struct said *one = a, *other = b;
    int slugs = strcmp(one->slug, other->slug);
    size_t len = one->text.len < other->text.len ? one->text.len : other->text.len;
    int texts = memcmp(one->text.at, other->text.at, len);
    return slugs ? slugs : texts ? texts : (one->text.len > other->text.len) - (one->text.len < other->text.len);
}

/* False: the query is refused. */
static bool check_query(struct world *w, uint64_t seed, struct said *said)
{
    static struct where spare[2 * WHERE_MAX_NODES];
    struct where *parsed, *free_room = spare;
    struct where_key keys[ROOM];
    uint64_t before = 0;
    some_query(&w->generator, seed, &w->text);
    const struct table *t = w->generator.table;
    const struct known *k = t == &users_table ? &w->users : t == &messages_table ? &w->messages : &w->media;
    const struct relation_reader relations = {find_known, &w->users};
    if (parse(w, t->slug, str_view(&w->text), &parsed)) return false;
    struct str first = text_of(parsed);
    struct where *copy = where_copy(parsed);
    for (size_t i = 0; i < k->ndocs; i++) before |= (uint64_t)match(parsed, &k->docs[i], &relations) << i;
    arena_release(&w->arena); /* the copy needs nothing of it */
    size_t n = where_keys(copy, keys, ROOM);
    w->keyed += n != 0;
    *said = (struct said){.text = text_of(copy), .slug = t->slug};
    for (size_t i = 0; i < k->ndocs; i++) {
        bool matches = match(copy, &k->docs[i], &relations);
        said->rows |= (uint64_t)matches << i;
        if (matches && n && !has_key(&k->docs[i], keys, n)) fail_msg("seed %zu: no key", (size_t)seed);
    }
    if (said->rows != before) fail_msg("seed %zu: the copy matches other rows", (size_t)seed);
    struct str disturbed = text_of(disturb(&w->generator, copy, &free_room));
    if (!view_equal(str_view(&first), str_view(&said->text)) || !view_equal(str_view(&first), str_view(&disturbed)))
        fail_msg("seed %zu: %s\n%s\n%s", (size_t)seed, first.at, said->text.at, disturbed.at);
    str_release(&first);
    str_release(&disturbed);
    free(copy);
    return true;
}

static void filter__random_queries(void **state)
{
    struct world *w = *state;
    struct said *said = calloc(QUERIES, sizeof *said);
    size_t n = 0;
    for (uint64_t seed = 1; seed <= QUERIES; seed++)
        if (check_query(w, seed, &said[n])) n++;
    qsort(said, n, sizeof *said, compare_said);
    for (size_t i = 1; i < n; i++)
        if (!compare_said(&said[i - 1], &said[i]) && said[i - 1].rows != said[i].rows)
            fail_msg("one text for two conditions: %s", said[i].text.at);
    print_message("%zu understood, %zu with keys\n", n, w->keyed);
    assert_true(n > QUERIES / 2);
    assert_true(w->keyed > QUERIES / 50);
    for (size_t i = 0; i < n; i++) str_release(&said[i].text);
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(filter__texts, setup, teardown),
        cmocka_unit_test_setup_teardown(filter__order_does_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(filter__different_ones_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(filter__keys, setup, teardown),
        cmocka_unit_test_setup_teardown(filter__random_queries, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
