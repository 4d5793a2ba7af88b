#include "schema/condition.h"
#include "schema/json.h"
#include "schema/query.h"
#include "schema/registry.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct collection *messages(void)
{
    return collection_find(VIEW("messages"));
}

/* Who is signed in may read users. */
static const struct readable readable[] = {{{false}}, {{true}}};

static enum status parse(struct arena *arena, const char *query, bool signed_in, struct where **out, struct failure *f)
{
    struct json_object *json;
    arena_init(arena, 16 << 20);
    assert_int_equal(query_parse(arena, view_of(query), &json, f), OK);
    return where_parse(out, messages(), json_member(json, "where"), &readable[signed_in], arena, f);
}

/* What a where becomes: SQL, then its values as JSON texts, each behind a bar. */
static void expect(const char *query, const char *sql)
{
    struct arena arena;
    struct where *where;
    struct failure f;
    struct str text = {0};
    assert_int_equal(parse(&arena, query, true, &where, &f), OK);
    struct binds binds = {.arena = &arena};
    condition_add(&text, where, &binds);
    for (size_t i = 0; i < binds.count; i++) {
        str_addc(&text, '|');
        if (binds.values[i].type == VALUE_INTEGER)
            str_add_integer(&text, binds.values[i].integer);
        else
            str_add(&text, binds.values[i].text);
    }
    assert_string_equal(text.at, sql);
    str_release(&text);
    arena_release(&arena);
}

static void expect_refused(const char *query, bool signed_in, const char *path)
{
    struct arena arena;
    struct where *where;
    struct failure f;
    assert_int_equal(parse(&arena, query, signed_in, &where, &f), INVALID);
    if (path) {
        assert_int_equal(f.shape, FAILURE_QUERY);
        assert_string_equal(f.flaws[0].path, path);
    }
    arena_release(&arena);
}

static void where__operators(void **state)
{
    (void)state;
    expect("", "1");
    expect("where=", "1");
    expect("where[content][equals]=x", "(content = ?)|x");
    expect("where[content][not_equals]=x", "((content IS NULL OR content <> ?))|x");
    expect("where[content][in]=a,b", "((content IN (?,?)))|a|b");
    expect("where[content][in][]=a,b", "((content IN (?)))|a,b");
    expect("where[content][not_in]=a", "((content NOT IN (?)))|a");
    expect("where[content][in]=", "((content IN ()))");
    expect("where[content][exists]=true", "(content IS NOT NULL)");
    expect("where[content][exists]=no", "(content IS NULL)");
    expect("where[content][like]=a+b", "((content LIKE ? ESCAPE '\\' AND content LIKE ? ESCAPE '\\'))|%a%|%b%");
    expect("where[content][contains]=a+b", "((content LIKE ? ESCAPE '\\'))|%a b%");
    expect("where[content][contains]=50%25_%5C", "((content LIKE ? ESCAPE '\\'))|%50\\%\\_\\\\%");
    expect("where[content][not_like]=a", "((content NOT LIKE ? ESCAPE '\\'))|%a%");
    expect("where[id][greater_than]=3&where[id][less_than_equal]=7", "(id > ? AND id <= ?)|3|7");
}

static void where__values_of_each_kind(void **state)
{
    (void)state;
    expect("where[id][equals]=0x10", "(id = ?)|16");
    expect("where[id][equals]=abc", "(0)");
    expect("where[id][not_equals]=abc", "(1)");
    expect("where[sender][equals]=null", "(sender_id IS NULL)");
    expect("where[sender][not_equals]=null", "(sender_id IS NOT NULL)");
    expect("where[content][equals]=null", "(content = ?)|null");
    expect("where[sender][like]=2", "(sender_id = ?)|2");
    expect("where[timestamp][equals]=2024-01-03", "(timestamp = ?)|2024-01-03T00:00:00.000Z");
    expect("where[timestamp][less_than]=2024-01-03T01:00:00%2B01:00", "(timestamp < ?)|2024-01-03T00:00:00.000Z");
    expect("where[timestamp][in]=2024-01-03,garbage", "((timestamp IN (?)))|2024-01-03T00:00:00.000Z");
    expect("where[id][contains]=1.5", "((id LIKE ? ESCAPE '\\'))|%1.5%");
    expect("where[id][contains]=abc", "(0)");
    expect("where[sender.id][equals]=2", "(sender_id = ?)|2");
    expect("where[sender.email][equals]=x", "(sender_id IN (SELECT id FROM users WHERE email = ?))|x");
}

static void where__groups(void **state)
{
    (void)state;
    expect("where[or][0][id][equals]=1&where[or][1][id][equals]=2", "(((id = ?) OR (id = ?)))|1|2");
    expect("where[AND][0][id][equals]=1&where[sender][equals]=2", "(((id = ?)) AND sender_id = ?)|1|2");
    expect("where={\"or\":[]}", "1");
    expect("where[or][]", "1");
    expect("where[and][0][or][]&where[id][equals]=1", "(id = ?)|1");
    expect("where={\"id\":{\"in\":[1,\"2\",null]}}", "((id IN (?,?) OR id IS NULL))|1|2");
}

static void where__empty_members_of_a_group_do_not_widen_it(void **state)
{
    (void)state;
    expect("where={\"or\":[{},{\"id\":{\"equals\":1}}]}", "(((id = ?)))|1");
    expect("where={\"or\":[{\"or\":[]},{\"id\":{\"equals\":1}}]}", "(((id = ?)))|1");
    expect("where={\"or\":[{\"and\":[{}]},{\"content\":{}},{\"id\":{\"equals\":1}}]}", "(((id = ?)))|1");
    expect("where={\"or\":[{},{}],\"id\":{\"equals\":1}}", "(id = ?)|1");
}

static void where__json_values(void **state)
{
    (void)state;
    expect("where={\"id\":{\"equals\":true}}", "(id = ?)|1");
    expect("where={\"id\":{\"contains\":true}}", "(0)");
    expect("where={\"content\":{\"equals\":5}}", "(content = ?)|5");
    expect("where={\"timestamp\":{\"equals\":1704240000000}}", "(timestamp = ?)|2024-01-03T00:00:00.000Z");
    expect("where={\"timestamp\":{\"equals\":1.70424e12}}", "(timestamp = ?)|2024-01-03T00:00:00.000Z");
    expect("where={\"timestamp\":{\"equals\":-0.5}}", "(timestamp = ?)|1970-01-01T00:00:00.000Z");
    expect_refused("where={\"timestamp\":{\"equals\":253402300800000}}", true, NULL);
    expect_refused("where={\"timestamp\":{\"equals\":1e18}}", true, NULL);
    expect_refused("where={\"timestamp\":{\"in\":[{}]}}", true, NULL);
}

static void where__an_empty_item_of_a_list_is_no_number(void **state)
{
    (void)state;
    expect("where[id][in]=1,,2", "((id IN (?,?)))|1|2");
    expect("where[id][in][]=", "((id IN ()))");
    expect("where[id][equals]=", "(id = ?)|0");
    expect("where[content][in]=a,,", "((content IN (?,?,?)))|a||");
}

/* not_equals takes them, and not_in those of a relation; the fields of a document that is not there are null. */
static void where__nulls(void **state)
{
    (void)state;
    expect("where[content][not_equals]=a", "((content IS NULL OR content <> ?))|a");
    expect("where[sender][not_in]=2", "((sender_id NOT IN (?) OR sender_id IS NULL))|2");
    expect("where={\"sender\":{\"not_in\":[2,null]}}", "((sender_id NOT IN (?)))|2");
    expect("where={\"content\":{\"not_in\":[null]}}", "((content NOT IN () AND content IS NOT NULL))");
    expect("where={\"content\":{\"not_in\":[]}}", "((content NOT IN () OR content IS NULL))");
    expect("where={\"content\":{\"greater_than\":null}}", "(0)");
    expect("where[sender.email][exists]=false", "((sender_id IS NULL OR sender_id NOT IN (SELECT id FROM users) OR "
                                                "sender_id IN (SELECT id FROM users WHERE email IS NULL)))");
    expect("where[sender.email][not_in]=x", "(sender_id IN (SELECT id FROM users WHERE (email NOT IN (?))))|x");
    expect("where[sender.id][not_equals]=2", "((sender_id IS NULL OR sender_id <> ?))|2");
}

static void where__behind_like(void **state)
{
    (void)state;
    expect("where[content][like]=a&where[content][equals]=b", "((content LIKE ? ESCAPE '\\'))|%a%");
    expect("where[sender][like]=2&where[sender][not_equals]=3",
        "(sender_id = ? AND (sender_id IS NULL OR sender_id <> ?))|2|3");
    expect_refused("where[content][like]=a&where[content][bogus]=b", true, "content.bogus");
    expect_refused("where[timestamp][like]=a&where[timestamp][equals]=garbage", true, NULL);
}

static void where__refused(void **state)
{
    (void)state;
    expect_refused("where[nope][equals]=1", true, "nope");
    expect_refused("where[nope][bogus]=1", true, "nope.bogus");
    expect_refused("where[content][bogus]=1", true, "content.bogus");
    expect_refused("where[sender.email][equals]=x", false, "email");
    expect_refused("where[sender.hash][equals]=x", true, "hash");
    expect_refused("where[sender.email.x][equals]=x", true, "email.x");
    expect_refused("where[content]=x", true, "content");
    expect_refused("where[content][near]=x", true, NULL);
    expect_refused("where[timestamp][equals]=garbage", true, NULL);
    expect_refused("where=x", true, NULL);
    expect_refused("where=%20", true, NULL);
    expect_refused("where=[1]", true, NULL);
    expect_refused("where=null", true, NULL);
    expect_refused("where[or]=x", true, NULL);
    expect_refused("where[or][]=x", true, NULL);
    expect_refused("where={\"content\":{\"in\":{}}}", true, NULL);
}

static void where__limits(void **state)
{
    (void)state;
    struct str query = {0};
    for (int i = 0; i < WHERE_MAX_NODES; i++) str_addf(&query, "where[or][%d][id][equals]=1&", i);
    expect_refused(query.at, true, NULL);
    str_reset(&query);
    str_addz(&query, "where[id][in]=1");
    for (int i = 0; i < WHERE_MAX_VALUES; i++) str_addz(&query, ",1");
    expect_refused(query.at, true, NULL);
    str_reset(&query);
    str_addz(&query, "where[content][like]=a");
    for (int i = 0; i < WHERE_MAX_NODES; i++) str_addz(&query, "+a");
    expect_refused(query.at, true, NULL);
    str_release(&query);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where__operators),
        cmocka_unit_test(where__values_of_each_kind),
        cmocka_unit_test(where__groups),
        cmocka_unit_test(where__empty_members_of_a_group_do_not_widen_it),
        cmocka_unit_test(where__json_values),
        cmocka_unit_test(where__an_empty_item_of_a_list_is_no_number),
        cmocka_unit_test(where__nulls),
        cmocka_unit_test(where__behind_like),
        cmocka_unit_test(where__refused),
        cmocka_unit_test(where__limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
