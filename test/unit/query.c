#include "schema/query.h"
#include "schema/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What a query becomes, as JSON text. */
static void expect(const char *query, const char *json)
{
    struct arena arena;
    struct json_object *out;
    struct failure f;
    struct str text = {0};
    arena_init(&arena, 1 << 20);
    assert_int_equal(query_parse(&arena, view_of(query), &out, &f), OK);
    json_add(&text, out);
    assert_string_equal(text.at, json);
    str_release(&text);
    arena_release(&arena);
}

static void expect_invalid(struct view query)
{
    struct arena arena;
    struct json_object *out;
    struct failure f;
    arena_init(&arena, 1 << 20);
    assert_int_equal(query_parse(&arena, query, &out, &f), INVALID);
    assert_null(out);
    arena_release(&arena);
}

static void query__names_and_values(void **state)
{
    (void)state;
    expect("", "{}");
    expect("a=1&b=2", "{\"a\":\"1\",\"b\":\"2\"}");
    expect("a&b=", "{\"a\":\"\",\"b\":\"\"}");
    expect("&&a=1&", "{\"a\":\"1\"}");
    expect("a=1=2", "{\"a\":\"1=2\"}");
    expect("a=x+y%20z%2B", "{\"a\":\"x y z+\"}");
    expect("a=50%&b=%zz%4", "{\"a\":\"50%\",\"b\":\"%zz%4\"}");
    expect("a=%C3%A9", "{\"a\":\"\xC3\xA9\"}");
    expect("=x", "{}");
}

static void query__brackets(void **state)
{
    (void)state;
    expect("where[content][equals]=x", "{\"where\":{\"content\":{\"equals\":\"x\"}}}");
    expect("where%5Bcontent%5D%5Bequals%5D=x", "{\"where\":{\"content\":{\"equals\":\"x\"}}}");
    expect("a[b=c]=d", "{\"a\":{\"b=c\":\"d\"}}");
    expect("a[b]=]=", "{\"a\":{\"b\":\"]=\"}}");
    expect("a%5Bb%5d=]=", "{\"a\":{\"b\":\"]=\"}}");
    expect("a={[b]=c}", "{\"a\":\"{[b]=c}\"}");
    expect("[a]=1", "{\"a\":\"1\"}");
    expect("a[b=1", "{\"a[b\":\"1\"}");
    expect("a[b][c][d][e][f][g][h][i][j][k][l]=x",
        "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":{\"j\":{\"k\":{\"[l]\":\"x\"}}}}}}}}}}}}");
}

static void query__lists(void **state)
{
    (void)state;
    expect("a[]=1&a[]=2", "{\"a\":[\"1\",\"2\"]}");
    expect("a=1&a=2&a=3", "{\"a\":[\"1\",\"2\",\"3\"]}");
    expect("a[1]=y&a[0]=x", "{\"a\":[\"x\",\"y\"]}");
    expect("a[7]=y&a[3]=x", "{\"a\":[\"x\",\"y\"]}");
    expect("a[1]=x&a[]=y", "{\"a\":[\"x\",\"y\"]}");
    expect("a[3]=x&a[]=y&a[]=z", "{\"a\":[\"y\",\"z\",\"x\"]}");
    expect("or[][a]=1&or[][b]=2", "{\"or\":[{\"a\":\"1\",\"b\":\"2\"}]}");
    expect("or[0][a]=1&or[1][b]=2", "{\"or\":[{\"a\":\"1\"},{\"b\":\"2\"}]}");
    expect("a[1000]=x", "{\"a\":{\"1000\":\"x\"}}");
    expect("a[01]=x", "{\"a\":{\"01\":\"x\"}}");
}

static void query__what_means_two_things_is_refused(void **state)
{
    (void)state;
    expect_invalid(VIEW("a[b]=1&a=2&a[c][d]=3&a[b][c]=4"));
    expect_invalid(VIEW("a=1&a[b]=2"));
    expect_invalid(VIEW("a[b]=1&a[b][c]=2"));
    expect_invalid(VIEW("where[or][]=&where[or][][id][equals]=1"));
    expect_invalid(VIEW("a=%00"));
    expect_invalid(VIEW("a=%FF"));
    expect_invalid(VIEW("%ED%A0%80=1"));
}

static void query__too_many(void **state)
{
    (void)state;
    struct str query = {0};
    for (int i = 0; i <= QUERY_MAX_PARAMETERS; i++) str_addf(&query, "a%d=1&", i);
    expect_invalid(str_view(&query));
    str_release(&query);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query__names_and_values),
        cmocka_unit_test(query__brackets),
        cmocka_unit_test(query__lists),
        cmocka_unit_test(query__what_means_two_things_is_refused),
        cmocka_unit_test(query__too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
