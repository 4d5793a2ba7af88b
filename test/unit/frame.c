/* The text of frames, byte by byte: what a client of the original reads must stay as it is. */
#include "stream/frame.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check(struct str *out, const char *text)
{
    str_addc(out, 0);
    assert_false(out->failed);
    assert_string_equal(out->at, text);
    str_release(out);
}

static void frame__id_event_data(void **state)
{
    (void)state;
    struct str out = {0};
    frame_add(&out, &(struct frame_id){.epoch = VIEW("k3x9"), .seq = 42}, "message", VIEW("[{\"id\":1}]"));
    check(&out, "id: k3x9-42\nevent: message\ndata: [{\"id\":1}]\n\n");
}

static void frame__no_id(void **state)
{
    (void)state;
    struct str out = {0};
    frame_add(&out, NULL, "hello", VIEW("{}"));
    check(&out, "event: hello\ndata: {}\n\n");
}

static void frame__no_data(void **state)
{
    (void)state;
    struct str out = {0};
    frame_add(&out, &(struct frame_id){.epoch = VIEW("e")}, "message", (struct view){0});
    check(&out, "id: e-0\nevent: message\ndata: \n\n");
}

static void frame__largest_seq(void **state)
{
    (void)state;
    struct str out = {0};
    frame_add_id(&out, &(struct frame_id){.epoch = VIEW("e"), .seq = INT64_MAX});
    check(&out, "id: e-9223372036854775807\n\n");
}

static void frame__id_alone_has_no_data(void **state)
{
    (void)state;
    struct str out = {0};
    frame_add_id(&out, &(struct frame_id){.epoch = VIEW("k3x9"), .seq = 7});
    check(&out, "id: k3x9-7\n\n");
}

static void frame__an_id_may_say_more(void **state)
{
    (void)state;
    const struct frame_id id = {.epoch = VIEW("k3x9"), .seq = 7, .rest = VIEW("0-5-2026")};
    struct str out = {0};
    frame_add_id(&out, &id);
    frame_add(&out, &id, "message", VIEW("[]"));
    check(&out, "id: k3x9-7-0-5-2026\n\nid: k3x9-7-0-5-2026\nevent: message\ndata: []\n\n");
}

static void frame__comment(void **state)
{
    (void)state;
    struct str out = {0};
    frame_add_comment(&out);
    check(&out, ":\n\n");
}

static void frame__ping(void **state)
{
    (void)state;
    struct str out = {0};
    frame_add_ping(&out);
    check(&out, "event: ping\ndata: keep-alive\n\n");
}

static void frame__retry(void **state)
{
    (void)state;
    struct str out = {0};
    frame_add_retry(&out, 2500);
    check(&out, "retry: 2500\n\n");
}

static void frame__appends(void **state)
{
    (void)state;
    struct str out = {0};
    frame_add_retry(&out, 1);
    frame_add(&out, &(struct frame_id){.epoch = VIEW("e"), .seq = 1}, "message", VIEW("[]"));
    frame_add_comment(&out);
    check(&out, "retry: 1\n\nid: e-1\nevent: message\ndata: []\n\n:\n\n");
}

static void frame__stays_failed(void **state)
{
    (void)state;
    struct str out = {.failed = true};
    frame_add(&out, &(struct frame_id){.epoch = VIEW("e"), .seq = 1}, "message", VIEW("[]"));
    frame_add_id(&out, &(struct frame_id){.epoch = VIEW("e"), .seq = 1});
    frame_add_ping(&out);
    assert_true(out.failed);
    assert_int_equal(out.len, 0);
    str_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame__id_event_data),
        cmocka_unit_test(frame__no_id),
        cmocka_unit_test(frame__no_data),
        cmocka_unit_test(frame__largest_seq),
        cmocka_unit_test(frame__id_alone_has_no_data),
        cmocka_unit_test(frame__an_id_may_say_more),
        cmocka_unit_test(frame__comment),
        cmocka_unit_test(frame__ping),
        cmocka_unit_test(frame__retry),
        cmocka_unit_test(frame__appends),
        cmocka_unit_test(frame__stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
