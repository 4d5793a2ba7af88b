#include "stream/quota.h"
#include "base/check.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static enum quota_result take(struct quota *q, const char *address, struct quota_place **out)
{
    return quota_take(q, view_of(address), out);
}

static struct quota_place *must_take(struct quota *q, const char *address)
{
    struct quota_place *place;
    assert_int_equal(take(q, address, &place), QUOTA_OK);
    assert_non_null(place);
    return place;
}

static void refuses(struct quota *q, const char *address, enum quota_result why)
{
    struct quota_place *place;
    assert_int_equal(take(q, address, &place), why);
    assert_null(place);
}

static void quota__there_are_no_more_than_allowed_in_all(void **state)
{
    (void)state;
    struct quota *q = quota_new(2, 0);
    struct quota_place *a = must_take(q, "192.0.2.1"), *b = must_take(q, "192.0.2.2");
    refuses(q, "192.0.2.3", QUOTA_FULL);
    assert_int_equal(quota_count(q), 2);
    quota_drop(a);
    quota_drop(NULL);
    a = must_take(q, "192.0.2.1");
    refuses(q, "192.0.2.1", QUOTA_FULL);
    quota_drop(a);
    quota_drop(b);
    assert_int_equal(quota_count(q), 0);
    quota_free(q);
    quota_free(NULL);
}

static void quota__without_limits_all_get_a_place(void **state)
{
    (void)state;
    struct quota *q = quota_new(0, 0);
    struct quota_place *places[1000];
    for (size_t i = 0; i < COUNT(places); i++) places[i] = must_take(q, "192.0.2.1");
    for (size_t i = 0; i < COUNT(places); i++) quota_drop(places[i]);
    quota_free(q);
}

static void quota__each_address_has_its_own_limit(void **state)
{
    (void)state;
    struct quota *q = quota_new(0, 2);
    struct quota_place *a = must_take(q, "192.0.2.1"), *b = must_take(q, "192.0.2.1"), *c = must_take(q, "192.0.2.2");
    refuses(q, "192.0.2.1", QUOTA_ADDRESS_FULL);
    quota_drop(a);
    a = must_take(q, "192.0.2.1");
    refuses(q, "192.0.2.1", QUOTA_ADDRESS_FULL);
    quota_drop(a);
    quota_drop(b);
    a = must_take(q, "192.0.2.1");
    quota_drop(a);
    quota_drop(c);
    quota_free(q);
}

/* In each row the first two are one address, the third is another. */
static void quota__what_one_address_is(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"},
        {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::1"},
        {"127.0.0.1", "127.0.0.1", "::1"},
        {"::1", "::2", "0.0.0.0"},
        {"fe80::1%eth0", "fe80::2", "fe80:0:0:1::1"},
        {"", "nonsense", "::"},
        {"1.2.3.4.5", "a name that is longer than any address can be, by far", "0.0.0.1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct quota *q = quota_new(0, 1);
        struct quota_place *one = must_take(q, rows[i][0]);
        refuses(q, rows[i][1], QUOTA_ADDRESS_FULL);
        struct quota_place *other = must_take(q, rows[i][2]);
        quota_drop(one);
        quota_drop(other);
        quota_free(q);
    }
}

static void quota__many_addresses_are_told_apart(void **state)
{
    (void)state;
    enum { N = 5000 };
    struct quota *q = quota_new(0, 1);
    struct quota_place **places = calloc(N, sizeof(struct quota_place *));
    char address[40];
    for (unsigned i = 0; i < N; i++) {
        snprintf(address, sizeof address, i % 2 ? "10.0.%u.%u" : "2001:db8:%x:%x::1", i >> 8, i & 255);
        places[i] = must_take(q, address);
        refuses(q, address, QUOTA_ADDRESS_FULL);
    }
    assert_int_equal(quota_count(q), N);
    for (unsigned i = 0; i < N; i++) quota_drop(places[(i * 7919) % N]);
    struct quota_place *again = must_take(q, address);
    quota_drop(again);
    free(places);
    quota_free(q);
}

#define THREADS 4
#define ROUNDS  3000

struct taker {
    struct quota *quota;
    unsigned number;
    bool over; /* there were more of an address than there may be */
};

/* Holds a few places of its own and of addresses that all share. */
static void *take_and_drop(void *ctx)
{
    struct taker *t = ctx;
    struct quota_place *held[16] = {0};
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct quota_place **place = &held[i % COUNT(held)];
        char address[40];
        quota_drop(*place);
        snprintf(address, sizeof address, i % 3 ? "10.%u.0.%u" : "10.9.9.9", t->number, i % 200);
        enum quota_result result = take(t->quota, address, place);
        if (result != QUOTA_OK && *place) t->over = true;
        if (quota_count(t->quota) > THREADS * COUNT(held)) t->over = true;
    }
    for (size_t i = 0; i < COUNT(held); i++) quota_drop(held[i]);
    return NULL;
}

static void quota__threads_leave_nothing_behind(void **state)
{
    (void)state;
    struct quota *q = quota_new(THREADS * 16, 3);
    struct taker takers[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        takers[i] = (struct taker){.quota = q, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_drop, &takers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(takers[i].over);
    }
    assert_int_equal(quota_count(q), 0);
    struct quota_place *last[3];
    for (size_t i = 0; i < 3; i++) last[i] = must_take(q, "10.9.9.9");
    refuses(q, "10.9.9.9", QUOTA_ADDRESS_FULL);
    for (size_t i = 0; i < 3; i++) quota_drop(last[i]);
    quota_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quota__there_are_no_more_than_allowed_in_all),
        cmocka_unit_test(quota__without_limits_all_get_a_place),
        cmocka_unit_test(quota__each_address_has_its_own_limit),
        cmocka_unit_test(quota__what_one_address_is),
        cmocka_unit_test(quota__many_addresses_are_told_apart),
        cmocka_unit_test(quota__threads_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
