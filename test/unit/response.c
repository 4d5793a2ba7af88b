/* Files as answers, through the server's own door. */
#include "echo.h"

static void expect_file(int s, int status, int64_t from, size_t len)
{
    struct answer a = hear(s, false);
    assert_false(a.ended);
    assert_int_equal(a.status, status);
    assert_int_equal(a.body.len, len);
    assert_memory_equal(a.body.at, large.at + from, len);
    str_release(&a.text);
}

static void response__sends_files(void **state)
{
    (void)state;
    int s = client();
    say(s, "GET /file?200,0,3000000 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 200, 0, LARGE);
    say(s, "GET /file?206,5,1 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 206, 5, 1);
    say(s, "GET /file?206,1048570,1000000 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 206, 1048570, 1000000);
    say(s, "GET /file?200,0,100 HTTP/1.1\r\n" HOST "\r\nGET /a HTTP/1.1\r\n" HOST
           "\r\nGET /file?200,1,1000000 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 200, 0, 100);
    expect(s, 200, "0 /a? from 127.0.0.1 no query", "keep-alive");
    expect_file(s, 200, 1, 1000000);
    say(s, "POST /file?200,7,8 HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    expect_file(s, 200, 7, 8);
    say(s, "GET /two-files?200,7,8 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 200, 7, 8);
    say(s, "GET /file-close?200,0,1000000 HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 200, 0, 1000000);
    expect_end(s);
    s = client();
    say(s, "GET /file?200,0,1000 HTTP/1.0\r\n\r\n");
    expect_file(s, 200, 0, 1000);
    expect_end(s);
}

static void response__sends_nothing_of_an_empty_file(void **state)
{
    (void)state;
    int s = client();
    say(s, "GET /file?200,0,0 HTTP/1.1\r\n" HOST "\r\nHEAD /file?200,0,0 HTTP/1.1\r\n" HOST
           "\r\nGET /a HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 2; i++) {
        struct answer a = hear(s, i == 1);
        assert_int_equal(a.status, 200);
        assert_true(view_is(header(&a, "Content-Length"), "0"));
        str_release(&a.text);
    }
    expect(s, 200, NULL, "keep-alive");
    done(s);
}

static void response__sends_the_head_of_a_file_alone(void **state)
{
    (void)state;
    int s = client();
    say(s, "HEAD /file?200,0,3000000 HTTP/1.1\r\n" HOST "\r\nGET /file?304,0,3000000 HTTP/1.1\r\n" HOST
           "\r\nGET /file?204,0,3000000 HTTP/1.1\r\n" HOST "\r\nHEAD /file?206,0,1099511627776 HTTP/1.1\r\n" HOST
           "\r\nGET /a HTTP/1.1\r\n" HOST "\r\n");
    static const struct {
        int status;
        const char *length;
    } wanted[] = {{200, "3000000"}, {304, NULL}, {204, NULL}, {206, "1099511627776"}};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct answer a = hear(s, true);
        assert_int_equal(a.status, wanted[i].status);
        assert_true(wanted[i].length ? view_is(header(&a, "Content-Length"), wanted[i].length)
                                     : !header(&a, "Content-Length").at);
        str_release(&a.text);
    }
    expect(s, 200, NULL, "keep-alive");
    done(s);
}

/* Beyond what 32 bits count. */
static void response__sends_the_end_of_a_very_large_file(void **state)
{
    (void)state;
    static const char zeros[1000];
    int s = client();
    say(s, "GET /file?206,1099511626776,1000 HTTP/1.1\r\n" HOST "\r\n");
    struct answer a = hear(s, false);
    assert_int_equal(a.body.len, sizeof zeros);
    assert_memory_equal(a.body.at, zeros, sizeof zeros);
    str_release(&a.text);
    done(s);
}

static void response__sends_a_file_instead_of_a_text(void **state)
{
    (void)state;
    int s = client();
    say(s, "GET /file-and-text?200,0,20 HTTP/1.1\r\n" HOST "\r\nGET /a HTTP/1.1\r\n" HOST "\r\n");
    expect_file(s, 200, 0, 20);
    expect(s, 200, "0 /a? from 127.0.0.1 no query", "keep-alive");
    done(s);
}

/* As much as there is, and then the end: its length was promised. */
static void response__ends_where_a_file_is_too_short(void **state)
{
    (void)state;
    int s = client();
    char text[100];
    snprintf(text, sizeof text, "GET /file?200,%lld,1000 HTTP/1.1\r\n" HOST "\r\n", (long long)STORED_END - 10);
    say(s, text);
    struct answer a = hear(s, false);
    assert_true(a.ended);
    const char *body = strstr(a.text.at, "\r\n\r\n");
    assert_non_null(strstr(a.text.at, "Content-Length: 1000\r\n"));
    assert_int_equal(a.text.len - (size_t)(body + 4 - a.text.at), 10);
    str_release(&a.text);
    done(s);
}

/* One that takes little at a time. */
static int slow_client(int room)
{
    int s = client();
    setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return s;
}

static void response__sends_large_files_to_slow_readers(void **state)
{
    (void)state;
    int s = slow_client(131072); /* less than a loopback packet would be waited for by timers */
    char piece[20000];
    struct str all = {0};
    say(s, "GET /file?200,0,3000000 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    usleep(50000);
    for (ssize_t n; (n = recv(s, piece, sizeof piece, 0)) != 0;) {
        assert_true(n > 0);
        str_add(&all, (struct view){piece, (size_t)n});
        usleep(1000);
    }
    const char *body = strstr(all.at, "\r\n\r\n") + 4;
    assert_int_equal(all.len - (size_t)(body - all.at), LARGE);
    assert_memory_equal(body, large.at, LARGE);
    str_release(&all);
    done(s);
}

/* Goes without a word, or in the middle of one. */
static void leave(int s, bool reset)
{
    struct linger at_once = {.l_onoff = 1};
    if (reset) setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(s);
}

static void response__leaks_no_file(void **state)
{
    (void)state;
    static const char *const targets[] = {"GET /file?200,0,0", "GET /file?200,0,10", "HEAD /file?200,0,3000000",
        "GET /file?204,0,10", "GET /file?304,0,10", "GET /file-and-text?200,0,10", "GET /two-files?200,0,10",
        "GET /file-close?200,0,10", "GET /file-broken?200,0,10", "GET /file?200,1099511627766,1000"};
    char byte;
    server_close(server);
    int before = count_descriptors();
    server = open_server("127.0.0.1:0", 1);
    int open = count_descriptors();
    for (size_t i = 0; i < COUNT(targets); i++) {
        struct str text = {0};
        str_addf(&text, "%s HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", targets[i]);
        int s = client();
        say_view(s, str_view(&text));
        while (recv(s, &byte, 1, 0) > 0) {
        }
        close(s);
        str_release(&text);
    }
    for (int i = 0; i < 20; i++) {
        int s = i % 2 ? client() : slow_client(4096);
        say(s, "GET /file?200,0,1099511627776 HTTP/1.1\r\n" HOST "\r\n");
        if (i % 3) assert_int_equal(recv(s, &byte, 1, 0), 1);
        leave(s, i % 4 < 2);
    }
    int s = client();
    say(s, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    expect(s, 200, NULL, "keep-alive");
    alarm(60);
    while (count_descriptors() > open + 2) usleep(1000); /* this connection's ends */
    alarm(0);
    done(s);
    server_close(server);
    assert_int_equal(count_descriptors(), before);
    open_shared();
}

/* A reader that stands still in the middle of a file holds up nobody for long. */
static void response__closes_in_the_middle_of_files(void **state)
{
    (void)state;
    char byte;
    server_close(server);
    int stalled[3], before = count_descriptors();
    server = open_server("127.0.0.1:0", COUNT(stalled));
    for (size_t i = 0; i < COUNT(stalled); i++) {
        stalled[i] = slow_client(4096);
        say(stalled[i], "GET /file?200,0,1099511627776 HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(recv(stalled[i], &byte, 1, 0), 1);
    }
    alarm(60);
    server_close(server);
    alarm(0);
    for (size_t i = 0; i < COUNT(stalled); i++) done(stalled[i]);
    assert_int_equal(count_descriptors(), before);
    open_shared();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(response__sends_files),
        cmocka_unit_test(response__sends_nothing_of_an_empty_file),
        cmocka_unit_test(response__sends_the_head_of_a_file_alone),
        cmocka_unit_test(response__sends_the_end_of_a_very_large_file),
        cmocka_unit_test(response__sends_a_file_instead_of_a_text),
        cmocka_unit_test(response__ends_where_a_file_is_too_short),
        cmocka_unit_test(response__sends_large_files_to_slow_readers),
        cmocka_unit_test(response__leaks_no_file),
        cmocka_unit_test(response__closes_in_the_middle_of_files),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
