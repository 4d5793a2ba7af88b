/* Fingerprints: what is the same, and what is not. */
#include "api/fingerprint.h"
#include "base/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NONE ((struct view){0})

static const struct request plain = {.method_name = {"POST", 4}, .path = {"/api/messages", 13}};

static void take(uint8_t out[32], const struct request *rq, const char *type, const char *body)
{
    struct fingerprint fp;
    struct failure f;
    fingerprint_init(&fp, rq);
    assert_int_equal(fingerprint_body(&fp, view_of(type), view_of(body), &f), OK);
    assert_true(fingerprint_final(&fp, out));
}

static void fingerprint__is_the_same_for_the_same(void **state)
{
    (void)state;
    uint8_t one[32], two[32];
    take(one, &plain, "application/json", "{}");
    take(two, &plain, "application/json", "{}");
    assert_memory_equal(one, two, 32);
}

static void fingerprint__tells_method_path_query_and_body_apart(void **state)
{
    (void)state;
    struct request requests[] = {plain, plain, plain, plain, plain, plain};
    const char *bodies[] = {"{}", "{ }", "{}", "{}", "{}", ""};
    uint8_t prints[6][32];
    requests[2].method_name = VIEW("PUT");
    requests[3].path = VIEW("/api/messages/");
    requests[4].query = VIEW(""); /* "?" and nothing */
    for (size_t i = 0; i < COUNT(requests); i++) {
        take(prints[i], &requests[i], "application/json", bodies[i]);
        for (size_t k = 0; k < i; k++) assert_memory_not_equal(prints[i], prints[k], 32);
    }
}

static void fingerprint__of_multipart_has_no_boundary(void **state)
{
    (void)state;
    uint8_t one[32], two[32];
    take(one, &plain, "multipart/form-data; boundary=aa",
        "--aa\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--aa--");
    take(two, &plain, "multipart/form-data; boundary=bbb",
        "--bbb\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--bbb--\r\n");
    assert_memory_equal(one, two, 32);
}

/* A part as an operation would feed it. */
struct part {
    struct view name, filename, type, content;
};

static void take_parts(uint8_t out[32], const struct part *parts, size_t n, size_t piece)
{
    struct fingerprint fp;
    fingerprint_init(&fp, &plain);
    for (size_t i = 0; i < n; i++) {
        struct view rest = parts[i].content;
        fingerprint_begin(&fp, parts[i].name, parts[i].filename, parts[i].type);
        while (rest.len) {
            struct view some = {rest.at, rest.len < piece ? rest.len : piece};
            fingerprint_add(&fp, some);
            rest = (struct view){rest.at + some.len, rest.len - some.len};
        }
        fingerprint_end(&fp);
    }
    assert_true(fingerprint_final(&fp, out));
}

static void fingerprint__does_not_depend_on_the_pieces(void **state)
{
    (void)state;
    const struct part file = {VIEW("file"), VIEW("a.png"), VIEW("image/png"), VIEW("0123456789")};
    uint8_t whole[32], out[32];
    take_parts(whole, &file, 1, SIZE_MAX);
    for (size_t piece = 1; piece < 12; piece++) {
        take_parts(out, &file, 1, piece);
        assert_memory_equal(out, whole, 32);
    }
}

static void fingerprint__tells_parts_apart(void **state)
{
    (void)state;
    const struct part lists[][2] = {
        {{VIEW("a"), NONE, NONE, VIEW("b")}, {VIEW("c"), NONE, NONE, VIEW("d")}},
        {{VIEW("c"), NONE, NONE, VIEW("d")}, {VIEW("a"), NONE, NONE, VIEW("b")}},
        {{VIEW("a"), VIEW(""), NONE, VIEW("b")}, {VIEW("c"), NONE, NONE, VIEW("d")}},
        {{VIEW("a"), VIEW("b"), NONE, VIEW("")}, {VIEW("c"), NONE, NONE, VIEW("d")}},
        {{VIEW("a"), NONE, VIEW("b"), VIEW("")}, {VIEW("c"), NONE, NONE, VIEW("d")}},
        {{VIEW("ab"), NONE, NONE, VIEW("")}, {VIEW("c"), NONE, NONE, VIEW("d")}},
        {{VIEW("a"), NONE, NONE, VIEW("bc")}, {VIEW(""), NONE, NONE, VIEW("d")}},
        {{VIEW("a"), NONE, NONE, VIEW("b")}, {VIEW("c"), NONE, NONE, VIEW("e")}},
    };
    uint8_t prints[COUNT(lists)][32], alone[32];
    for (size_t i = 0; i < COUNT(lists); i++) {
        take_parts(prints[i], lists[i], 2, SIZE_MAX);
        for (size_t k = 0; k < i; k++) assert_memory_not_equal(prints[i], prints[k], 32);
        take_parts(alone, lists[i], 1, SIZE_MAX);
        assert_memory_not_equal(alone, prints[i], 32);
    }
}

static void fingerprint__a_content_cannot_pass_for_parts(void **state)
{
    (void)state;
    const struct part two[] = {{VIEW("a"), NONE, NONE, VIEW("b")}, {VIEW("c"), NONE, NONE, VIEW("d")}};
    const uint64_t lengths[] = {1, UINT64_MAX, UINT64_MAX, 1};
    char content[2 + sizeof lengths + 2] = "b";
    memcpy(content + 1, lengths, sizeof lengths);
    memcpy(content + 1 + sizeof lengths, "cd", 2);
    const struct part one = {VIEW("a"), NONE, NONE, {content, 1 + sizeof lengths + 2}};
    uint8_t real[32], forged[32];
    take_parts(real, two, 2, SIZE_MAX);
    take_parts(forged, &one, 1, SIZE_MAX);
    assert_memory_not_equal(real, forged, 32);
}

static void fingerprint__malformed_multipart_has_none(void **state)
{
    (void)state;
    struct fingerprint fp;
    struct failure f;
    fingerprint_init(&fp, &plain);
    assert_int_equal(
        fingerprint_body(&fp, VIEW("multipart/form-data; boundary=aa"), VIEW("--aa\r\nno part"), &f), INVALID);
    fingerprint_release(&fp);
}

static void fingerprint__of_nothing_takes_nothing(void **state)
{
    (void)state;
    struct fingerprint fp = {0};
    uint8_t out[32];
    fingerprint_begin(&fp, VIEW("a"), NONE, NONE);
    fingerprint_add(&fp, VIEW("b"));
    fingerprint_end(&fp);
    assert_false(fingerprint_final(&fp, out));
    fingerprint_release(&fp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprint__is_the_same_for_the_same),
        cmocka_unit_test(fingerprint__tells_method_path_query_and_body_apart),
        cmocka_unit_test(fingerprint__of_multipart_has_no_boundary),
        cmocka_unit_test(fingerprint__does_not_depend_on_the_pieces),
        cmocka_unit_test(fingerprint__tells_parts_apart),
        cmocka_unit_test(fingerprint__a_content_cannot_pass_for_parts),
        cmocka_unit_test(fingerprint__malformed_multipart_has_none),
        cmocka_unit_test(fingerprint__of_nothing_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
