/* A stream over TLS, without threads: the test is its delivery thread, its clock and its client. */
#include "sealed.h"
#include "stream/stream.h"

#define KIB ((size_t)1024)
#define NOW UINT32_C(5000)

struct fixture {
    struct sealed sealed;
    struct framelog *log;
    struct stream *stream;
    struct source source;
    int asked, fallen; /* how often */
    struct str got;    /* by the client */
};

/* At first the stream is at the log's end; when it comes back it gets a page that nobody else writes. */
static enum source_result next(struct source *source, struct str *page, uint64_t *position)
{
    struct fixture *fx = CONTAINER(source, struct fixture, source);
    *position = framelog_end(fx->log);
    if (fx->asked++) str_addz(page, "again\n");
    return SOURCE_LIVE;
}

static void count_fallen(struct source *source, int64_t seq)
{
    (void)seq;
    CONTAINER(source, struct fixture, source)->fallen++;
}

static void no_ping(struct source *source, struct str *page, uint64_t position)
{
    (void)source;
    (void)page;
    (void)position;
}

static void close_source(struct source *source, enum stream_end why)
{
    (void)source;
    (void)why;
}

static const struct source_type source_type = {next, count_fallen, no_ping, close_source, NULL};

/* One round. */
static void advance(struct fixture *fx)
{
    struct looks looks = {0};
    while (stream_advance(fx->stream, &looks, NOW)) looks_release(&looks);
    looks_release(&looks);
}

static void open_fixture(struct fixture *fx, uint64_t cap)
{
    *fx = (struct fixture){.source = {.type = &source_type}, .log = framelog_new(cap, NULL, 0)};
    open_sealed(&fx->sealed);
    assert_int_equal(shake_hands(&fx->sealed), 1);
    fx->stream = stream_new(fx->sealed.peer, fx->log, &fx->source, NOW);
    fx->sealed.peer = peer_plain(-1);
    assert_non_null(fx->stream);
    advance(fx);
    assert_int_equal(fx->stream->state, STREAM_LIVE);
}

static void close_fixture(struct fixture *fx)
{
    if (fx->stream->peer.socket >= 0) peer_close(&fx->stream->peer);
    stream_free(fx->stream);
    framelog_free(fx->log);
    str_release(&fx->got);
    close_sealed(&fx->sealed);
}

static void append(struct fixture *fx, size_t len, int64_t seq)
{
    char *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) bytes[i] = (char)('A' + (i + (size_t)seq) % 23);
    framelog_add(fx->log, (struct view){bytes, len}, seq);
    assert_true(framelog_publish(fx->log));
    free(bytes);
}

/* Frame after frame of 500 bytes, each sent before the next comes, until one is not taken whole. */
static int64_t fill(struct fixture *fx)
{
    int64_t seq = 0;
    while (fx->stream->state == STREAM_LIVE) {
        append(fx, 500, ++seq);
        advance(fx);
    }
    assert_int_equal(fx->stream->state, STREAM_BEHIND);
    return seq;
}

/* The client reads, the stream is told that it may write, until nothing more comes. */
static void flow(struct fixture *fx)
{
    for (size_t before = SIZE_MAX; before != fx->got.len;) {
        before = fx->got.len;
        assert_true(client_reads(&fx->sealed, &fx->got));
        stream_heed(fx->stream, TOLD_WRITABLE);
        advance(fx);
        assert_true(client_reads(&fx->sealed, &fx->got));
    }
}

static void expect_frames(struct fixture *fx, int64_t count)
{
    assert_int_equal(fx->got.len, (size_t)count * 500);
    for (size_t at = 0; at < fx->got.len; at++) assert_int_equal(fx->got.at[at], 'A' + (at % 500 + at / 500 + 1) % 23);
}

static void sealed__goes_on_where_it_stopped(void **state)
{
    struct fixture fx;
    (void)state;
    open_fixture(&fx, 1024 * KIB);
    int64_t seq = fill(&fx);
    for (int i = 0; i < 200; i++) append(&fx, 500, ++seq);
    flow(&fx);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    expect_frames(&fx, seq);
    close_fixture(&fx);
}

/* Nothing of the frame counts as sent, and yet a part of its record is: though the log has gone on, that is ended
 * before another text comes. */
static void sealed__ends_the_record_that_is_on_its_way(void **state)
{
    struct fixture fx;
    (void)state;
    open_fixture(&fx, 64 * KIB);
    int64_t seq = fill(&fx), whole = seq;
    assert_int_equal(fx.stream->position % 500, 0);
    assert_non_null(fx.stream->page);
    for (int i = 0; i < 100; i++) append(&fx, 8 * KIB, ++seq);
    flow(&fx);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    assert_int_equal(fx.fallen, 1);
    assert_int_equal(fx.got.len, (size_t)whole * 500 + 6);
    str_addc(&fx.got, 0);
    assert_string_equal(fx.got.at + whole * 500, "again\n");
    fx.got.len = (size_t)whole * 500;
    expect_frames(&fx, whole);
    close_fixture(&fx);
}

/* The same of a run of many records: it is cut behind a frame that holds all of the one that is on its way. */
static void sealed__ends_the_record_of_a_long_run(void **state)
{
    struct fixture fx;
    (void)state;
    open_fixture(&fx, 1024 * KIB);
    for (int64_t seq = 1; seq <= 300; seq++) append(&fx, 500, seq);
    append(&fx, 500 * KIB, 301);
    advance(&fx);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    int64_t whole = fx.stream->seq;
    size_t position = (size_t)fx.stream->position;
    assert_int_equal(position, whole <= 300 ? (size_t)whole * 500 : 300 * 500 + 500 * KIB);
    framelog_lose(fx.log, 302);
    assert_false(framelog_publish(fx.log));
    flow(&fx);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    assert_int_equal(fx.got.len, position + 6);
    assert_memory_equal(fx.got.at + position, "again\n", 6);
    assert_int_equal(fx.fallen, 1);
    close_fixture(&fx);
}

static void update_keys(struct fixture *fx, int times)
{
    for (int i = 0; i < times; i++) {
        assert_int_equal(SSL_key_update(fx->sealed.client, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(fx->sealed.client), 1);
    }
}

static void sealed__new_keys_do_not_stall_it(void **state)
{
    struct fixture fx;
    (void)state;
    open_fixture(&fx, 1024 * KIB);
    for (int64_t seq = 1; seq <= 10; seq++) {
        update_keys(&fx, 1);
        stream_heed(fx.stream, TOLD_READABLE);
        append(&fx, 500, seq);
        advance(&fx);
        assert_true(client_reads(&fx.sealed, &fx.got));
    }
    expect_frames(&fx, 10);
    int64_t seq = 10;
    for (; fx.stream->state == STREAM_LIVE; advance(&fx)) append(&fx, 500, ++seq);
    update_keys(&fx, 1);
    stream_heed(fx.stream, TOLD_READABLE);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    advance(&fx);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    flow(&fx);
    expect_frames(&fx, seq);
    close_fixture(&fx);
}

static void sealed__who_talks_too_much_is_closed(void **state)
{
    struct fixture fx;
    (void)state;
    open_fixture(&fx, 1024 * KIB);
    update_keys(&fx, 100);
    stream_heed(fx.stream, TOLD_READABLE);
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    close_fixture(&fx);
}

static void sealed__a_word_of_the_end_closes_it(void **state)
{
    struct fixture fx;
    (void)state;
    open_fixture(&fx, 1024 * KIB);
    client_says(&fx.sealed, "this is thrown away");
    stream_heed(fx.stream, TOLD_READABLE);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    SSL_shutdown(fx.sealed.client);
    stream_heed(fx.stream, TOLD_READABLE);
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    close_fixture(&fx);
}

static void sealed__last_words_then_the_end(void **state)
{
    struct fixture fx;
    (void)state;
    open_fixture(&fx, 1024 * KIB);
    stream_end(fx.stream, VIEW("bye"), STREAM_END_STOPPING);
    advance(&fx);
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    peer_close(&fx.stream->peer);
    assert_false(client_reads(&fx.sealed, &fx.got));
    assert_int_equal(SSL_get_error(fx.sealed.client, 0), SSL_ERROR_ZERO_RETURN);
    assert_string_equal(fx.got.at, "bye");
    close_fixture(&fx);
}

/* A record is on its way: the words come behind it, where there is time for them, else neither they nor the end. */
static void sealed__last_words_of_one_that_is_behind(void **state)
{
    struct fixture fx;
    (void)state;
    open_fixture(&fx, 1024 * KIB);
    int64_t seq = fill(&fx);
    stream_end(fx.stream, VIEW("bye"), STREAM_END_STOPPING);
    assert_true(client_reads(&fx.sealed, &fx.got));
    stream_heed(fx.stream, TOLD_WRITABLE);
    advance(&fx);
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    peer_close(&fx.stream->peer);
    assert_false(client_reads(&fx.sealed, &fx.got));
    assert_int_equal(SSL_get_error(fx.sealed.client, 0), SSL_ERROR_ZERO_RETURN);
    assert_int_equal(fx.got.len, (size_t)seq * 500 + 3);
    fx.got.len -= 3;
    expect_frames(&fx, seq);
    close_fixture(&fx);
    open_fixture(&fx, 1024 * KIB);
    seq = fill(&fx);
    stream_end(fx.stream, VIEW("bye"), STREAM_END_STOPPING);
    peer_close(&fx.stream->peer);
    assert_false(client_reads(&fx.sealed, &fx.got));
    assert_int_not_equal(SSL_get_error(fx.sealed.client, 0), SSL_ERROR_ZERO_RETURN);
    expect_frames(&fx, seq - 1);
    close_fixture(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed__goes_on_where_it_stopped),
        cmocka_unit_test(sealed__ends_the_record_that_is_on_its_way),
        cmocka_unit_test(sealed__ends_the_record_of_a_long_run),
        cmocka_unit_test(sealed__new_keys_do_not_stall_it),
        cmocka_unit_test(sealed__who_talks_too_much_is_closed),
        cmocka_unit_test(sealed__a_word_of_the_end_closes_it),
        cmocka_unit_test(sealed__last_words_then_the_end),
        cmocka_unit_test(sealed__last_words_of_one_that_is_behind),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
