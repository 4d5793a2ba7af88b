/* What match() is asked most and what SQLite does oddly; test/unit/where_model.c compares it with the SQL at large. */
#include "schema/match.h"
#include "schema/json.h"
#include "schema/query.h"
#include "schema/registry.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void put(struct doc *d, const char *name, struct value v)
{
    d->values[field_find(d->collection, view_of(name))] = v;
}

static struct doc document(const char *slug)
{
    struct doc d = {.collection = collection_find(view_of(slug))};
    d.values[0] = value_integer(1);
    return d;
}

static struct doc message(struct view content)
{
    struct doc d = document("messages");
    put(&d, "sender", value_integer(7));
    put(&d, "content", value_text(content));
    put(&d, "timestamp", value_text(VIEW("2024-01-03T00:00:00.000Z")));
    return d;
}

static const struct doc *find_seven(void *ctx, const struct collection *c, int64_t id)
{
    assert_string_equal(c->slug, "users");
    return id == 7 ? ctx : NULL;
}

static bool matches(const struct doc *d, const char *query)
{
    struct arena arena;
    struct json_object *json;
    struct where *where;
    struct failure f;
    const struct readable all = {{true}};
    struct doc seven = document("users");
    put(&seven, "email", value_text(VIEW("ann@example.com")));
    arena_init(&arena, 16 << 20);
    assert_int_equal(query_parse(&arena, view_of(query), &json, &f), OK);
    assert_int_equal(where_parse(&where, d->collection, json_member(json, "where"), &all, &arena, &f), OK);
    bool yes = match(where, d, &(struct relation_reader){find_seven, &seven});
    arena_release(&arena);
    return yes;
}

static void match__groups(void **state)
{
    (void)state;
    struct doc d = message(VIEW("Hello"));
    assert_true(matches(&d, ""));
    assert_true(matches(&d, "where[or][0][id][equals]=2&where[or][1][sender][equals]=7"));
    assert_false(matches(&d, "where[or][0][id][equals]=2&where[or][1][sender][equals]=8"));
    assert_false(matches(&d, "where[and][0][id][equals]=1&where[and][1][sender][equals]=8"));
    assert_true(matches(&d, "where[and][0][id][equals]=1&where[and][0][sender][in]=8,7"));
}

static void match__relations(void **state)
{
    (void)state;
    struct doc d = message(VIEW("Hello"));
    assert_true(matches(&d, "where[sender.email][equals]=ann@example.com"));
    assert_false(matches(&d, "where[sender.email][exists]=false"));
    put(&d, "sender", value_integer(8));
    assert_false(matches(&d, "where[sender.email][equals]=ann@example.com"));
    assert_true(matches(&d, "where[sender.email][exists]=false"));
    assert_true(matches(&d, "where[sender.email][not_equals]=ann@example.com"));
    assert_true(matches(&d, "where[sender.id][equals]=8"));
}

static void match__dates_and_texts_by_bytes(void **state)
{
    (void)state;
    struct doc d = message(VIEW("b"));
    assert_true(matches(&d, "where[timestamp][greater_than_equal]=2024-01-03T01:00:00%2B01:00"));
    assert_false(matches(&d, "where[timestamp][greater_than]=2024-01-03"));
    assert_true(matches(&d, "where[content][greater_than]=B"));
    assert_false(matches(&d, "where[content][greater_than]=%C3%A9"));
    assert_true(matches(&d, "where[content][less_than]=ba"));
}

static void match__null_is_neither_equal_nor_not(void **state)
{
    (void)state;
    struct doc d = document("media");
    assert_false(matches(&d, "where[filesize][less_than]=1"));
    assert_false(matches(&d, "where[filename][not_like]=a"));
    assert_false(matches(&d, "where[filesize][not_in]=1"));
    assert_true(matches(&d, "where[filesize][not_equals]=1"));
    assert_true(matches(&d, "where[filesize][equals]=null"));
    assert_true(matches(&d, "where[filesize][in]=1,null"));
}

static void match__numbers_as_sqlite_orders_them(void **state)
{
    (void)state;
    struct doc d = document("media");
    put(&d, "filesize", value_integer(9007199254740993));
    assert_true(matches(&d, "where[filesize][greater_than]=9007199254740992"));
    assert_true(matches(&d, "where[filesize][less_than]=Infinity"));
    put(&d, "filesize", value_integer(INT64_MAX));
    assert_true(matches(&d, "where[filesize][less_than]=9223372036854775808"));
    put(&d, "filesize", value_integer(INT64_MIN));
    assert_true(matches(&d, "where[filesize][equals]=-9223372036854775808"));
    put(&d, "filesize", value_real(2.5));
    assert_true(matches(&d, "where[filesize][greater_than]=2"));
    put(&d, "filesize", value_text(VIEW("1")));
    assert_true(matches(&d, "where[filesize][greater_than]=1e300"));
    assert_false(matches(&d, "where[filesize][equals]=1"));
}

static void match__search_as_like_does(void **state)
{
    (void)state;
    struct doc d = message(VIEW("aaaaab 100% \xC3\x9C\xEF\xBF\xBF"));
    assert_true(matches(&d, "where[content][contains]=AAAB"));
    assert_true(matches(&d, "where[content][like]=0%25+aab"));
    assert_false(matches(&d, "where[content][contains]=1_0"));
    assert_false(matches(&d, "where[content][contains]=%C3%BC"));
    assert_true(matches(&d, "where[content][contains]=%EF%BF%BD"));
    d = message((struct view){"ab\0cd", 5});
    assert_true(matches(&d, "where[content][contains]=b"));
    assert_false(matches(&d, "where[content][contains]=c"));
    d = document("media");
    put(&d, "focalX", value_real(1e21));
    assert_true(matches(&d, "where[focalX][contains]=21"));
    assert_true(matches(&d, "where[focalX][contains]=0"));
    put(&d, "focalX", value_integer(-50));
    assert_true(matches(&d, "where[focalX][contains]=-5"));
}

/* The longest texts, nearly found at every place. */
static void match__long_texts(void **state)
{
    (void)state;
    struct str query = {0}, content = {0};
    str_addz(&query, "where[content][contains]=");
    for (int i = 0; i < WHERE_MAX_LIKE - 1; i++) str_addc(&query, 'a');
    str_addc(&query, 'b');
    for (int i = 0; i < 40000; i++) str_addc(&content, 'a');
    struct doc d = message(str_view(&content));
    assert_false(matches(&d, query.at));
    str_addc(&content, 'B');
    d = message(str_view(&content));
    assert_true(matches(&d, query.at));
    str_release(&content);
    str_release(&query);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match__groups),
        cmocka_unit_test(match__relations),
        cmocka_unit_test(match__dates_and_texts_by_bytes),
        cmocka_unit_test(match__null_is_neither_equal_nor_not),
        cmocka_unit_test(match__numbers_as_sqlite_orders_them),
        cmocka_unit_test(match__search_as_like_does),
        cmocka_unit_test(match__long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
