#include "http/multipart.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the parser said, as text: <name,filename,type> data </>. */
struct transcript {
    struct str text;
    enum status data_says;
};

static void say_view(struct str *out, struct view v)
{
    if (v.at)
        str_add(out, v);
    else
        str_addc(out, '-');
}

static enum status begin(void *ctx, const struct multipart_part *part, struct failure *f)
{
    struct str *out = &((struct transcript *)ctx)->text;
    (void)f;
    str_addc(out, '<');
    say_view(out, part->name);
    str_addc(out, ',');
    say_view(out, part->filename);
    str_addc(out, ',');
    say_view(out, part->type);
    str_addc(out, '>');
    return OK;
}

static enum status data(void *ctx, struct view bytes, struct failure *f)
{
    struct transcript *t = ctx;
    str_add(&t->text, bytes);
    return t->data_says ? (fail)(f, t->data_says, "enough") : OK;
}

static enum status end(void *ctx, struct failure *f)
{
    (void)f;
    str_addz(&((struct transcript *)ctx)->text, "</>");
    return OK;
}

static const struct multipart_events events = {begin, data, end};

/* Feeds `body` in pieces that end at `cut` and then every `step` bytes; the transcript, with "!" at its end if the
 * parser refused. Caller frees. */
static char *parse(const char *boundary, struct view body, size_t cut, size_t step)
{
    struct transcript t = {0};
    struct failure f = {0};
    struct multipart *m = multipart_new(view_of(boundary), &events, &t);
    enum status status = OK;
    assert_non_null(m);
    for (size_t at = 0, next = cut; at < body.len && !status; next += step) {
        if (next > body.len) next = body.len;
        status = multipart_feed(m, (struct view){body.at + at, next - at}, &f);
        at = next;
    }
    if (!status) status = multipart_finish(m, &f);
    if (status) assert_int_equal(status, INVALID);
    if (status) assert_true(f.reason[0]);
    multipart_free(m);
    str_addz(&t.text, status ? "!" : "");
    return str_detach(&t.text);
}

/* The same however it is cut: whole, in two at every place, byte by byte, in small pieces. */
static void assert_parses(const char *boundary, struct view body, const char *wanted)
{
    for (size_t cut = 0; cut <= body.len; cut++) {
        char *got = parse(boundary, body, cut, body.len + 1);
        assert_string_equal(got, wanted);
        free(got);
    }
    for (size_t step = 1; step < 8; step++) {
        char *got = parse(boundary, body, step, step);
        assert_string_equal(got, wanted);
        free(got);
    }
}

static void assert_refused(const char *boundary, struct view body)
{
    const size_t steps[] = {1, body.len + 1};
    for (size_t i = 0; i < 2; i++) {
        char *got = parse(boundary, body, steps[i], steps[i]);
        assert_int_equal(got[strlen(got) - 1], '!');
        free(got);
    }
}

#define FIELD(name) "Content-Disposition: form-data; name=\"" name "\"\r\n"

static void multipart__reads_fields_and_files(void **state)
{
    (void)state;
    assert_parses("xx",
        VIEW("--xx\r\n" FIELD("_payload") "\r\n{\"a\":1}\r\n--xx\r\n"
                                          "Content-Disposition: form-data; name=\"file\"; "
                                          "filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
                                          "\x89PNG\r\n\r\n--x\r\n--xx--\r\n"),
        "<_payload,-,->{\"a\":1}</><file,a.png,image/png>\x89PNG\r\n\r\n--x</>");
}

static void multipart__reads_empty_forms_and_empty_parts(void **state)
{
    (void)state;
    assert_parses("b", VIEW("--b--"), "");
    assert_parses("b", VIEW("--b--\r\n"), "");
    assert_parses("b", VIEW("--b\r\n" FIELD("a") "\r\n\r\n--b--"), "<a,-,-></>");
    assert_parses("b", VIEW("--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\r\n\r\n--b--\r\n"),
        "<f,,-></>");
}

static void multipart__passes_over_preamble_and_epilogue(void **state)
{
    (void)state;
    assert_parses("b", VIEW("hello --b\r\n--b\r\n" FIELD("a") "\r\n1\r\n--b--\r\n--b\r\nbye"), "<a,-,->1</>");
    assert_parses("b", VIEW("\r\n--b\r\n" FIELD("a") "\r\n1\r\n--b--"), "<a,-,->1</>");
}

static void multipart__allows_padding_behind_the_boundary(void **state)
{
    (void)state;
    assert_parses("b", VIEW("--b \t\r\n" FIELD("a") "\r\n1\r\n--b--  \r\n"), "<a,-,->1</>");
}

static void multipart__keeps_what_only_begins_like_a_boundary(void **state)
{
    (void)state;
    assert_parses("ab", VIEW("--ab\r\n" FIELD("a") "\r\n\r\n-\r\n--\r\n--a\r\r\n\r\n--\r\n\r--ab\n--ab\r\n--ab--"),
        "<a,-,->\r\n-\r\n--\r\n--a\r\r\n\r\n--\r\n\r--ab\n--ab</>");
}

static void multipart__takes_the_boundary_at_its_limits(void **state)
{
    (void)state;
    static const char boundary[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
    struct str body = {0};
    assert_int_equal(strlen(boundary), 70);
    str_addf(&body, "--%s\r\n" FIELD("a") "\r\n1\r\n--%.69s\r\n--%s--", boundary, boundary, boundary);
    assert_parses(boundary, str_view(&body),
        "<a,-,->1\r\n--012345678901234567890123456789012345678901234567890123456789012"
        "345678</>");
    str_release(&body);
}

static void multipart__reads_names_as_clients_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *head, *wanted;
    } cases[] = {
        {"content-disposition:form-data;name=a", "<a,-,->"},
        {"Content-Disposition: Form-Data ; NAME=\"a\" ; FileName=\"b\"", "<a,b,->"},
        {"Content-Disposition: form-data; name=\"a\"; filename=\"x; name=b; filename=c\"",
            "<a,x; name=b; filename=c,->"},
        {"Content-Disposition: form-data; filename=\"x; name=b\"; name=\"a\"", "<a,x; name=b,->"},
        {"Content-Disposition: form-data; name=\"a%22b\"", "<a%22b,-,->"},
        {"Content-Disposition: form-data; name=\"a\\\"b\"", "<a\\\"b,-,->"},
        {"Content-Disposition: form-data; name=\"gr\xc3\xbc\"", "<gr\xc3\xbc,-,->"},
        {"Content-Disposition: form-data; name=\"\"", "<,-,->"},
        {"X: y\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: text/plain; charset=utf-8",
            "<a,-,text/plain; charset=utf-8>"},
        {"Content-Disposition: form-data; name=\"a\"; filename=\"../../etc/passwd\"", "<a,../../etc/passwd,->"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str body = {0}, wanted = {0};
        str_addf(&body, "--b\r\n%s\r\n\r\n1\r\n--b--", cases[i].head);
        str_addf(&wanted, "%s1</>", cases[i].wanted);
        assert_parses("b", str_view(&body), wanted.at);
        str_release(&body);
        str_release(&wanted);
    }
}

static void multipart__refuses_what_is_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "--",
        "--b",
        "--b\r\n",
        "--b-",
        "--b-\r\n",
        "--bx--",
        "--b\n" FIELD("a") "\n1\n--b--",
        "--b\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data; filename=\"a\"\r\n\r\n1\r\n--b--",
        "--b\r\n" FIELD("a") "\r\n1",
        "--b\r\n" FIELD("a") "\r\n1\r\n",
        "--b\r\n" FIELD("a") "\r\n1\r\n--b",
        "--b\r\n" FIELD("a") "\r\n1\r\n--b\r\n",
        "--b\r\n" FIELD("a") "\r\n1\r\n--bc\r\n",
        "--b\r\n" FIELD("a") "\r\n1--b--",
        "--c\r\n" FIELD("a") "\r\n1\r\n--c--",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_refused("b", view_of(bad[i]));
}

static void multipart__limits_a_part_s_head(void **state)
{
    (void)state;
    for (size_t fill = 7900; fill <= 8400; fill += 500) {
        struct str body = {0};
        str_addz(&body, "--b\r\nX: ");
        for (size_t i = 0; i < fill; i++) str_addc(&body, 'x');
        str_addz(&body, "\r\n" FIELD("a") "\r\n1\r\n--b--");
        char *got = parse("b", str_view(&body), 100, 100);
        assert_string_equal(got, fill < 8000 ? "<a,-,->1</>" : "!");
        free(got);
        str_release(&body);
    }
    /* Without an end it is refused while it comes, not held. */
    struct transcript t = {0};
    struct failure f = {0};
    struct multipart *m = multipart_new(VIEW("b"), &events, &t);
    enum status status = multipart_feed(m, VIEW("--b\r\n"), &f);
    size_t fed = 0;
    for (; !status && fed < 100000; fed += 10) status = multipart_feed(m, VIEW("xxxxxxxxxx"), &f);
    assert_int_equal(status, INVALID);
    assert_true(fed < 9000);
    multipart_free(m);
}

static void multipart__ends_when_an_event_says_so(void **state)
{
    (void)state;
    struct transcript t = {.data_says = TOO_LARGE};
    struct failure f = {0};
    struct multipart *m = multipart_new(VIEW("b"), &events, &t);
    enum status status = multipart_feed(m, VIEW("--b\r\n" FIELD("a") "\r\n0123456789\r\n--b--"), &f);
    assert_int_equal(status, TOO_LARGE);
    assert_string_equal(f.reason, "enough");
    assert_string_equal(t.text.at, "<a,-,->0123456789");
    multipart_free(m);
    multipart_free(NULL);
    str_release(&t.text);
}

static void multipart__passes_large_data_on(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    struct transcript t = {0};
    struct failure f = {0};
    char *bytes = malloc(SIZE);
    unsigned seed = 1;
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++) {
        seed = seed * 1103515245u + 12345u;
        bytes[i] = "\r\n--b\r\n-x"[seed >> 16 & 7];
    }
    /* Whatever the noise holds of boundaries is broken. */
    for (size_t i = 0; i + 4 < SIZE; i++)
        if (!memcmp(bytes + i, "\r\n--b", 5)) bytes[i + 4] = 'x';
    struct multipart *m = multipart_new(VIEW("b"), &events, &t);
    enum status status = multipart_feed(m, VIEW("--b\r\n" FIELD("a") "\r\n"), &f);
    for (size_t at = 0; !status && at < SIZE; at += 1021)
        status = multipart_feed(m, (struct view){bytes + at, SIZE - at < 1021 ? SIZE - at : 1021}, &f);
    if (!status) status = multipart_feed(m, VIEW("\r\n--b--"), &f);
    if (!status) status = multipart_finish(m, &f);
    assert_int_equal(status, OK);
    assert_int_equal(t.text.len, 7 + SIZE + 3);
    assert_memory_equal(t.text.at + 7, bytes, SIZE);
    multipart_free(m);
    str_release(&t.text);
    free(bytes);
}

static void multipart__finds_the_boundary_in_the_header(void **state)
{
    (void)state;
    static const struct {
        const char *type, *boundary;
    } cases[] = {
        {"multipart/form-data; boundary=abc", "abc"},
        {"Multipart/Form-Data;BOUNDARY=abc", "abc"},
        {"multipart/form-data; boundary=\"a b\"", "a b"},
        {"multipart/form-data; charset=utf-8; boundary=----WebKitFormBoundaryX1", "----WebKitFormBoundaryX1"},
        {"multipart/form-data; boundary=abc; charset=utf-8", "abc"},
        {"multipart/form-data; boundary=a=b", "a=b"},
        {"multipart/form-data", NULL},
        {"multipart/form-data; boundary=", NULL},
        {"multipart/form-data; boundary=\"\"", NULL},
        {"multipart/mixed; boundary=abc", NULL},
        {"application/json; boundary=abc", NULL},
        {"multipart/form-data; boundary=a\tb", NULL},
        {"multipart/form-data; boundary="
         "01234567890123456789012345678901234567890123456789012345678901234567890",
            NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct view got = multipart_boundary(view_of(cases[i].type));
        if (cases[i].boundary)
            assert_true(view_is(got, cases[i].boundary));
        else
            assert_null(got.at);
    }
    assert_null(multipart_boundary((struct view){0}).at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipart__reads_fields_and_files),
        cmocka_unit_test(multipart__reads_empty_forms_and_empty_parts),
        cmocka_unit_test(multipart__passes_over_preamble_and_epilogue),
        cmocka_unit_test(multipart__allows_padding_behind_the_boundary),
        cmocka_unit_test(multipart__keeps_what_only_begins_like_a_boundary),
        cmocka_unit_test(multipart__takes_the_boundary_at_its_limits),
        cmocka_unit_test(multipart__reads_names_as_clients_write_them),
        cmocka_unit_test(multipart__refuses_what_is_malformed),
        cmocka_unit_test(multipart__limits_a_part_s_head),
        cmocka_unit_test(multipart__ends_when_an_event_says_so),
        cmocka_unit_test(multipart__passes_large_data_on),
        cmocka_unit_test(multipart__finds_the_boundary_in_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
