/* The load generator's histogram: what is told of durations is within its promise. */
#include "bench/histogram.h"
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct json_object *told(const struct histogram *h)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    histogram_print_json(h, out);
    fclose(out);
    struct json_object *json = json_tokener_parse(text);
    free(text);
    return json;
}

static double number(struct json_object *json, const char *name)
{
    struct json_object *value;
    assert_true(json_object_object_get_ex(json, name, &value));
    return json_object_get_double(value);
}

static void expect_near(double got, double wanted)
{
    if (got < wanted * 0.984 - 0.001 || got > wanted * 1.016 + 0.001) fail_msg("%g is not near %g", got, wanted);
}

static void histogram__quantiles_within_their_promise(void **state)
{
    static struct histogram h, half;
    (void)state;
    /* 1 to 100,000 us, each once: the quantile p is p of 100 ms. Merged from two, which changes nothing. */
    for (uint64_t us = 1; us <= 100000; us++) histogram_add(us % 2 ? &h : &half, us * 1000);
    histogram_merge(&h, &half);
    struct json_object *json = told(&h), *buckets;
    expect_near(number(json, "min"), 0.001);
    expect_near(number(json, "p50"), 50);
    expect_near(number(json, "p90"), 90);
    expect_near(number(json, "p99"), 99);
    expect_near(number(json, "p99.9"), 99.9);
    assert_true(number(json, "max") == 100);
    assert_true(number(json, "count") == 100000);
    assert_true(json_object_object_get_ex(json, "buckets", &buckets));
    double sum = 0, last = 0;
    for (size_t i = 0; i < json_object_array_length(buckets); i++) {
        struct json_object *bucket = json_object_array_get_idx(buckets, i);
        double end = json_object_get_double(json_object_array_get_idx(bucket, 0));
        double count = json_object_get_double(json_object_array_get_idx(bucket, 1));
        assert_true(end > last);
        /* As many as whole microseconds below its end and from the last one's. */
        if (end < 100) assert_true(count - 0.5 < (end - last) * 1000 && count + 1.5 > (end - last) * 1000);
        sum += count;
        last = end;
    }
    assert_true(sum == 100000);
    json_object_put(json);
}

static void histogram__takes_what_is_longer_than_its_longest(void **state)
{
    static struct histogram h;
    (void)state;
    assert_null(told(&h));
    histogram_add(&h, 0);
    histogram_add(&h, UINT64_MAX);
    struct json_object *json = told(&h);
    assert_true(number(json, "min") == 0);
    assert_true(number(json, "max") > 1.8e13);
    json_object_put(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histogram__quantiles_within_their_promise),
        cmocka_unit_test(histogram__takes_what_is_longer_than_its_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
