#include "http/chunked.h"
#include "parley/str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool pull(void *ctx, void *at, size_t n)
{
    struct view *input = ctx;
    if (n > input->len) return false;
    memcpy(at, input->at, n);
    *input = (struct view){input->at + n, input->len - n};
    return true;
}

/* The decoded body, "!" behind it when it is broken, and behind "|" what was not read. */
static const char *decode(const char *text, size_t room)
{
    static char out[256];
    char piece[64];
    struct view input = view_of(text);
    struct chunked c = {.pull = pull, .ctx = &input};
    size_t got, len = 0;
    bool good;
    while ((good = chunked_read(&c, piece, room, &got)) && got) {
        assert_true(got <= room);
        memcpy(out + len, piece, got);
        len += got;
    }
    assert_int_equal(c.state, good ? CHUNKED_END : CHUNKED_BROKEN);
    assert_int_equal(chunked_read(&c, piece, room, &got), good);
    assert_int_equal(got, 0);
    out[len++] = good ? '|' : '!';
    if (good) memcpy(out + len, input.at, input.len);
    out[len + (good ? input.len : 0)] = '\0';
    return out;
}

static void chunked__decodes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"0\r\n\r\n", "|"},
        {"000\r\n\r\nGET", "|GET"},
        {"5\r\nhello\r\n0\r\n\r\n", "hello|"},
        {"1\r\na\r\nA\r\n0123456789\r\na\r\nABCDEFGHIJ\r\n0\r\n\r\nnext", "a0123456789ABCDEFGHIJ|next"},
        {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n|"},
        {"3;ext=\"x\";y\r\nabc\r\n0;last\r\n\r\n", "abc|"},
        {"3\r\nabc\r\n0\r\nX: y\r\nZ: \r\n\r\nnext", "abc|next"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t room = 1; room < 20; room += 6) assert_string_equal(decode(cases[i].text, room), cases[i].wanted);
}

static void chunked__refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "0",
        "0\r\n",
        "0\r\n\r",
        "\r\n",
        "\n",
        "0\n\n",
        "0\r\n\n",
        "0\r\r\n\r\n",
        "-1\r\n\r\n",
        "+1\r\na\r\n",
        "0x1\r\na\r\n",
        " 1\r\na\r\n",
        "1 \r\na\r\n",
        "g\r\n",
        ";x\r\n",
        "1\ra\r\n",
        "1\r1\r\na\r\n",
        "1;x\na\r\n",
        "7fffffffffffffff\r\n",
        "8000000000000000\r\n",
        "ffffffffffffffff\r\n",
        "10000000000000001\r\na\r\n",
        "0\r\nX: y\n\r\n",
        "0\r\nX: y",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_string_equal(decode(bad[i], 16), "!");
    /* Broken behind the data: what came before is no body either. */
    static const char *const late[] = {"1\r\nab", "1\r\na\n0\r\n\r\n", "1\r\na\r\n", "1\r\na\r\nx", "2\r\na"};
    for (size_t i = 0; i < sizeof late / sizeof *late; i++) {
        const char *got = decode(late[i], 16);
        assert_int_equal(got[strlen(got) - 1], '!');
    }
}

static void chunked__limits_lines(void **state)
{
    (void)state;
    struct str text = {0};
    str_addz(&text, "1;");
    for (int i = 0; i < 2000; i++) str_addc(&text, 'x');
    str_addz(&text, "\r\na\r\n0\r\n\r\n");
    assert_string_equal(decode(text.at, 16), "!");
    str_reset(&text);
    str_addz(&text, "0\r\n");
    for (int i = 0; i < 3000; i++) str_addz(&text, "X: y\r\n");
    str_addz(&text, "\r\n");
    assert_string_equal(decode(text.at, 16), "!");
    str_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunked__decodes),
        cmocka_unit_test(chunked__refuses),
        cmocka_unit_test(chunked__limits_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
