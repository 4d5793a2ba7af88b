/* The intrusive list: order, removal, splicing. */
#include "base/list.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
    int name;
    struct list link;
};

/* The names in order, forwards, as decimal digits; that both directions agree is asserted. */
static int names(const struct list *l)
{
    int n = 0, forwards = 0, backwards = 0;
    for (const struct list *at = l->next; at != l; at = at->next, n++) {
        assert_ptr_equal(at->next->prev, at);
        assert_ptr_equal(at->prev->next, at);
        forwards = forwards * 10 + CONTAINER(at, const struct item, link)->name;
    }
    for (const struct list *at = l->prev; at != l; at = at->prev, n--) backwards++;
    assert_int_equal(n, 0);
    assert_int_equal(list_empty(l), backwards == 0);
    return forwards;
}

static void list__empty(void **state)
{
    (void)state;
    struct list l;
    list_init(&l);
    assert_true(list_empty(&l));
    assert_int_equal(names(&l), 0);
}

static void list__inserts(void **state)
{
    (void)state;
    struct list l;
    struct item items[] = {{.name = 1}, {.name = 2}, {.name = 3}, {.name = 4}};
    list_init(&l);
    list_insert(&l, &items[0].link);
    assert_false(list_empty(&l));
    list_insert(&l, &items[1].link);
    assert_int_equal(names(&l), 12);
    list_insert(&items[1].link, &items[2].link);
    assert_int_equal(names(&l), 132);
    list_insert(l.next, &items[3].link);
    assert_int_equal(names(&l), 4132);
}

static void list__removes(void **state)
{
    (void)state;
    struct list l;
    struct item items[] = {{.name = 1}, {.name = 2}, {.name = 3}};
    list_init(&l);
    for (size_t i = 0; i < COUNT(items); i++) list_insert(&l, &items[i].link);
    list_remove(&items[1].link);
    assert_int_equal(names(&l), 13);
    assert_true(list_empty(&items[1].link));
    list_remove(&items[1].link);
    assert_int_equal(names(&l), 13);
    list_remove(&items[0].link);
    list_remove(&items[2].link);
    assert_true(list_empty(&l));
    list_insert(&l, &items[1].link);
    assert_int_equal(names(&l), 2);
}

static void list__splices(void **state)
{
    (void)state;
    struct list to, from;
    struct item items[] = {{.name = 1}, {.name = 2}, {.name = 3}, {.name = 4}};
    list_init(&to);
    list_init(&from);
    list_splice(&to, &from);
    assert_true(list_empty(&to));
    list_insert(&from, &items[0].link);
    list_insert(&from, &items[1].link);
    list_splice(&to, &from);
    assert_int_equal(names(&to), 12);
    assert_true(list_empty(&from));
    list_splice(&to, &from);
    assert_int_equal(names(&to), 12);
    list_insert(&from, &items[2].link);
    list_insert(&from, &items[3].link);
    list_splice(&to, &from);
    assert_int_equal(names(&to), 1234);
    assert_true(list_empty(&from));
}

static void list__container(void **state)
{
    (void)state;
    struct item item = {.name = 7};
    struct list *link = &item.link;
    assert_ptr_equal(CONTAINER(link, struct item, link), &item);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list__empty),
        cmocka_unit_test(list__inserts),
        cmocka_unit_test(list__removes),
        cmocka_unit_test(list__splices),
        cmocka_unit_test(list__container),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
