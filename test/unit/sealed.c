/* A stream over TLS, without threads: the test is its delivery thread, its clock and its client. */
#include "sealed.h"
#include "stream/stream.h"

#define KIB ((size_t)1024)
#define NOW INT64_C(5000)

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
    *position = framelog_end(fx->log).position;
    if (fx->asked++) str_addz(page, "again\n");
    return SOURCE_LIVE;
}

static void count_fallen(struct source *source, int64_t seq)
{
    (void)seq;
    CONTAINER(source, struct fixture, source)->fallen++;
}

static void close_source(struct source *source)
{
    (void)source;
}

/* One round. */
static void advance(struct fixture *fx)
{
    struct looks looks = {0};
    while (stream_advance(fx->stream, &looks, NOW)) looks_release(&looks);
    looks_release(&looks);
}

static void open_fixture(struct fixture *fx, uint64_t cap)
{
    *fx = (struct fixture){.source = {next, count_fallen, close_source}, .log = framelog_new(cap, 0)};
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
    assert_true(framelog_append(fx->log, (struct view){bytes, len}, seq));
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

/* Nothing of the frame counts as sent, and yet a part of its record is: the stream must not turn to another text. */
static void sealed__is_inside_a_frame_whose_record_is_on_its_way(void **state)
{
    struct fixture fx;
    (void)state;
    open_fixture(&fx, 64 * KIB);
    int64_t seq = fill(&fx);
    assert_true(fx.stream->inside);
    assert_int_equal(fx.stream->position % 500, 0);
    for (int i = 0; i < 100; i++) append(&fx, 8 * KIB, ++seq);
    struct looks looks = {0};
    stream_check_behind(fx.stream, &looks);
    looks_release(&looks);
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    assert_int_equal(fx.fallen, 0);
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
    stream_last_words(fx.stream, VIEW("bye"));
    peer_close(&fx.stream->peer);
    assert_false(client_reads(&fx.sealed, &fx.got));
    assert_int_equal(SSL_get_error(fx.sealed.client, 0), SSL_ERROR_ZERO_RETURN);
    assert_string_equal(fx.got.at, "bye");
    close_fixture(&fx);
    open_fixture(&fx, 1024 * KIB);
    int64_t seq = fill(&fx);
    stream_last_words(fx.stream, VIEW("bye"));
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
        cmocka_unit_test(sealed__is_inside_a_frame_whose_record_is_on_its_way),
        cmocka_unit_test(sealed__new_keys_do_not_stall_it),
        cmocka_unit_test(sealed__who_talks_too_much_is_closed),
        cmocka_unit_test(sealed__a_word_of_the_end_closes_it),
        cmocka_unit_test(sealed__last_words_then_the_end),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
