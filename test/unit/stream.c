/* One stream, without threads: the test is its delivery thread and its clock. */
#include "stream/stream.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define KIB   ((size_t)1024)
#define START INT64_C(5000)

/* What next() answers, one step a call. */
struct step {
    enum source_result result;
    const char *text;
    size_t filler; /* so many bytes behind the text */
    uint64_t position;
    bool no_memory;
};

struct script {
    struct source source;
    const struct step *steps;
    size_t nsteps, asked;
    int64_t fallen; /* the last seq that fallen() was called with, or -1 */
    int nfallen;
};

struct fixture {
    struct framelog *log;
    struct script script;
    struct stream *stream;
    int client;
    struct looks looks;
    struct str got; /* by the client */
};

static enum source_result script_next(struct source *source, struct str *page, uint64_t *position)
{
    struct script *script = CONTAINER(source, struct script, source);
    assert_int_equal(page->len, 0);
    assert_true(script->asked < script->nsteps);
    const struct step *step = &script->steps[script->asked++];
    if (step->text) str_addz(page, step->text);
    for (size_t i = 0; i < step->filler; i++) str_addc(page, (char)('a' + i % 26));
    if (step->no_memory) page->failed = true;
    *position = step->position;
    return step->result;
}

static void script_fallen(struct source *source, int64_t seq)
{
    struct script *script = CONTAINER(source, struct script, source);
    script->fallen = seq;
    script->nfallen++;
}

static void script_close(struct source *source)
{
    (void)source;
}

/* Both ends do not block, and the kernel holds little for a reader that sleeps. */
static void open_pair(int ends[2])
{
    int most = 8192;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &most, sizeof most), 0);
}

static void open_fixture(struct fixture *fx, uint64_t cap, const struct step *steps, size_t nsteps)
{
    int ends[2];
    open_pair(ends);
    *fx = (struct fixture){.log = framelog_new(cap, 0), .client = ends[1]};
    assert_non_null(fx->log);
    fx->script = (struct script){
        .source = {script_next, script_fallen, script_close}, .steps = steps, .nsteps = nsteps, .fallen = -1};
    fx->stream = stream_new(peer_plain(ends[0]), fx->log, &fx->script.source, START);
    assert_non_null(fx->stream);
}

static void close_fixture(struct fixture *fx)
{
    looks_release(&fx->looks);
    close(fx->stream->peer.socket);
    stream_free(fx->stream);
    if (fx->client >= 0) close(fx->client);
    framelog_free(fx->log);
    str_release(&fx->got);
}

static void append(struct fixture *fx, const char *text, int64_t seq)
{
    assert_true(framelog_append(fx->log, view_of(text), seq));
}

static void append_many(struct fixture *fx, size_t len, int64_t seq)
{
    char *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) bytes[i] = (char)('A' + i % 23);
    assert_true(framelog_append(fx->log, (struct view){bytes, len}, seq));
    free(bytes);
}

/* One round, as the delivery makes it. */
static bool advance(struct fixture *fx, int64_t now)
{
    bool more = stream_advance(fx->stream, &fx->looks, now);
    looks_release(&fx->looks);
    return more;
}

/* All that has arrived by now. */
static void receive(struct fixture *fx)
{
    char bytes[4096];
    ssize_t n;
    while ((n = recv(fx->client, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        str_add(&fx->got, (struct view){bytes, (size_t)n});
}

static void expect(struct fixture *fx, const char *text)
{
    receive(fx);
    str_addc(&fx->got, 0);
    assert_string_equal(fx->got.at, text);
    str_reset(&fx->got);
}

/* Goes on until the stream has nothing more to send, with a client that reads. */
static void flow(struct fixture *fx)
{
    for (;;) {
        bool more = advance(fx, START);
        receive(fx);
        if (fx->stream->state == STREAM_BEHIND)
            stream_heed(fx->stream, TOLD_WRITABLE);
        else if (!more)
            return;
    }
}

static const struct step at_once[] = {{SOURCE_LIVE, NULL, 0, 0, false}};

static void stream__joins_page_by_page(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {SOURCE_MORE, "head\n", 0, 0, false},
        {SOURCE_MORE, NULL, 0, 0, false},
        {SOURCE_LIVE, "page\n", 0, 6, false},
    };
    struct fixture fx;
    open_fixture(&fx, 0, steps, 3);
    append(&fx, "older\n", 1);
    append(&fx, "newer\n", 2);
    assert_int_equal(fx.stream->state, STREAM_JOINING);
    assert_true(advance(&fx, START));
    expect(&fx, "head\n");
    assert_true(advance(&fx, START));
    expect(&fx, "");
    assert_int_equal(fx.stream->state, STREAM_JOINING);
    assert_false(advance(&fx, START));
    expect(&fx, "page\nnewer\n");
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    assert_null(fx.stream->page.at);
    append(&fx, "news\n", 3);
    assert_false(advance(&fx, START));
    expect(&fx, "news\n");
    assert_false(advance(&fx, START));
    expect(&fx, "");
    assert_int_equal(fx.script.nfallen, 0);
    close_fixture(&fx);
}

static void stream__keeps_what_is_left_of_a_page(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {SOURCE_MORE, NULL, 100000, 0, false},
        {SOURCE_LIVE, "!", 0, 0, false},
    };
    struct fixture fx;
    open_fixture(&fx, 0, steps, 2);
    append(&fx, "log", 1);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.script.asked, 1);
    stream_heed(fx.stream, TOLD_WRITABLE);
    assert_int_equal(fx.stream->state, STREAM_JOINING);
    /* Told too early: still no room. */
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    assert_int_equal(fx.script.asked, 1);
    stream_heed(fx.stream, TOLD_WRITABLE);
    flow(&fx);
    assert_int_equal(fx.script.asked, 2);
    assert_int_equal(fx.got.len, 100004);
    for (size_t i = 0; i < 100000; i++) assert_int_equal(fx.got.at[i], 'a' + (int)(i % 26));
    assert_string_equal(fx.got.at + 100000, "!log");
    assert_null(fx.stream->page.at);
    close_fixture(&fx);
}

static void stream__a_source_may_end_it(void **state)
{
    (void)state;
    static const struct step steps[] = {{SOURCE_END, "sorry\n", 50000, 0, false}};
    struct fixture fx;
    open_fixture(&fx, 0, steps, 1);
    append(&fx, "log", 1);
    flow(&fx);
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    assert_int_equal(fx.got.len, 50006);
    close_fixture(&fx);
}

static void stream__half_a_page_is_none(void **state)
{
    (void)state;
    static const struct step steps[] = {{SOURCE_LIVE, "half", 0, 0, true}};
    struct fixture fx;
    open_fixture(&fx, 0, steps, 1);
    append(&fx, "log", 1);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    expect(&fx, "");
    close_fixture(&fx);
}

static void stream__a_short_send_goes_on_where_it_was(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 4096 * KIB, at_once, 1);
    append_many(&fx, 100000, 1);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    append_many(&fx, 300000, 2);
    append_many(&fx, 50000, 3);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    stream_heed(fx.stream, TOLD_WRITABLE);
    flow(&fx);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    assert_int_equal(fx.got.len, 450000);
    const size_t starts[] = {0, 100000, 400000, 450000};
    for (size_t k = 0; k < 3; k++)
        for (size_t i = starts[k]; i < starts[k + 1]; i++)
            if (fx.got.at[i] != (char)('A' + (i - starts[k]) % 23)) fail_msg("byte %zu is wrong", i);
    close_fixture(&fx);
}

/* One that takes all it is given gives way to the others now and then. */
static void stream__has_a_share_of_the_round(void **state)
{
    (void)state;
    struct fixture fx;
    int most = 4 << 20;
    open_fixture(&fx, 64 * KIB, at_once, 1);
    setsockopt(fx.stream->peer.socket, SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
    for (int seq = 1; seq <= 50; seq++) append_many(&fx, 1000, seq);
    int rounds = 1;
    while (advance(&fx, START)) {
        assert_int_equal(fx.stream->state, STREAM_LIVE);
        receive(&fx);
        rounds++;
    }
    receive(&fx);
    assert_in_range(rounds, 2, 50);
    assert_int_equal(fx.got.len, 50000);
    close_fixture(&fx);
}

static void stream__falls_between_two_runs(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {SOURCE_LIVE, NULL, 0, 0, false},
        {SOURCE_LIVE, "missed\n", 0, 11, false},
    };
    struct fixture fx;
    open_fixture(&fx, 0, steps, 2);
    append(&fx, "one\n", 7);
    append(&fx, "two\n", 8);
    assert_false(advance(&fx, START));
    framelog_skip(fx.log, 9);
    append(&fx, "a\n", 10);
    append(&fx, "b\n", 11);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.script.nfallen, 1);
    assert_int_equal(fx.script.fallen, 8);
    assert_int_equal(fx.script.asked, 2);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    expect(&fx, "one\ntwo\nmissed\nb\n");
    close_fixture(&fx);
}

/* A busy log has dropped the place before the stream got there: the source knows best where its reader is. */
static void stream__falls_before_its_first_run(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {SOURCE_LIVE, "a\n", 0, 0, false},
        {SOURCE_LIVE, "b\n", 0, 5, false},
    };
    struct fixture fx;
    open_fixture(&fx, 0, steps, 2);
    append(&fx, "old\n", 1);
    framelog_skip(fx.log, 2);
    assert_true(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_JOINING);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.script.nfallen, 0);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    expect(&fx, "a\nb\n");
    close_fixture(&fx);
}

/* What it sent in its first time in the log says nothing about what the source has sent since. */
static void stream__falls_again_before_a_run(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {SOURCE_LIVE, NULL, 0, 0, false},
        {SOURCE_LIVE, "up to 20\n", 0, 0, false},
        {SOURCE_LIVE, "up to 30\n", 0, 5, false},
    };
    struct fixture fx;
    open_fixture(&fx, 0, steps, 3);
    append(&fx, "ten\n", 10);
    assert_false(advance(&fx, START));
    framelog_skip(fx.log, 30);
    while (advance(&fx, START)) continue;
    assert_int_equal(fx.script.asked, 3);
    assert_int_equal(fx.script.nfallen, 1);
    assert_int_equal(fx.script.fallen, 10);
    expect(&fx, "ten\nup to 20\nup to 30\n");
    close_fixture(&fx);
}

static void stream__falls_inside_a_run(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 1024 * KIB, at_once, 1);
    append_many(&fx, 200000, 1);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    stream_check_behind(fx.stream, &fx.looks);
    looks_release(&fx.looks);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    framelog_skip(fx.log, 2);
    stream_heed(fx.stream, TOLD_WRITABLE);
    receive(&fx);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    assert_int_equal(fx.script.nfallen, 0);
    close_fixture(&fx);
}

static void stream__falls_inside_a_run_while_stalled(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 1024 * KIB, at_once, 1);
    append_many(&fx, 200000, 1);
    assert_false(advance(&fx, START));
    framelog_skip(fx.log, 2);
    stream_check_behind(fx.stream, &fx.looks);
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    close_fixture(&fx);
}

/* Its page can still be ended, and then its source be asked: it is not lost. */
static void stream__falls_while_stalled_in_a_page(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {SOURCE_LIVE, NULL, 50000, 0, false},
        {SOURCE_LIVE, "!", 0, 4, false},
    };
    struct fixture fx;
    open_fixture(&fx, 0, steps, 2);
    append(&fx, "old", 1);
    assert_false(advance(&fx, START));
    framelog_skip(fx.log, 2);
    stream_check_behind(fx.stream, &fx.looks);
    looks_release(&fx.looks);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    stream_heed(fx.stream, TOLD_WRITABLE);
    flow(&fx);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    assert_int_equal(fx.got.len, 50001);
    assert_int_equal(fx.script.nfallen, 0);
    close_fixture(&fx);
}

static void stream__shares_its_look_at_the_log(void **state)
{
    (void)state;
    struct fixture fx, other;
    open_fixture(&fx, 0, at_once, 1);
    open_fixture(&other, 0, at_once, 1);
    struct framelog *own = other.stream->log;
    other.stream->log = fx.log;
    append(&fx, "once\n", 1);
    assert_false(stream_advance(fx.stream, &fx.looks, START));
    assert_false(stream_advance(other.stream, &fx.looks, START));
    assert_int_equal(fx.looks.next, 2);
    assert_int_equal(fx.looks.at[0].found, FRAMELOG_RUN);
    assert_int_equal(fx.looks.at[1].found, FRAMELOG_AT_END);
    expect(&fx, "once\n");
    expect(&other, "once\n");
    other.stream->log = own;
    close_fixture(&fx);
    close_fixture(&other);
}

static void stream__comments_after_15_seconds_of_silence(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 0, at_once, 1);
    assert_false(advance(&fx, START));
    stream_keep_alive(fx.stream, START + 14999);
    expect(&fx, "");
    stream_keep_alive(fx.stream, START + 15000);
    expect(&fx, ":\n\n");
    stream_keep_alive(fx.stream, START + 16000);
    expect(&fx, "");
    append(&fx, "news\n", 1);
    assert_false(advance(&fx, START + 20000));
    stream_keep_alive(fx.stream, START + 29999);
    expect(&fx, "news\n");
    assert_null(fx.stream->page.at);
    close_fixture(&fx);
}

static void stream__pings_every_30_seconds(void **state)
{
    (void)state;
    static const char ping[] = "event: ping\ndata: keep-alive\n\n";
    struct fixture fx;
    open_fixture(&fx, 0, at_once, 1);
    assert_false(advance(&fx, START));
    /* Looked at a little late each time, and yet it does not drift. */
    for (int64_t at = START; at < START + 95000; at += 1009) {
        stream_keep_alive(fx.stream, at);
        receive(&fx);
    }
    str_addc(&fx.got, 0);
    int pings = 0;
    for (const char *p = fx.got.at; (p = strstr(p, ping)); p++) pings++;
    assert_int_equal(pings, 3);
    assert_int_equal(fx.stream->ping_at, START + 120000);
    close_fixture(&fx);
}

static void stream__pings_once_after_a_long_stall(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 1024 * KIB, at_once, 1);
    append_many(&fx, 100000, 1);
    assert_false(advance(&fx, START));
    stream_keep_alive(fx.stream, START + 50000);
    stream_keep_alive(fx.stream, START + 100000);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    stream_heed(fx.stream, TOLD_WRITABLE);
    flow(&fx);
    assert_int_equal(fx.got.len, 100000);
    str_reset(&fx.got);
    stream_keep_alive(fx.stream, START + 200000);
    stream_keep_alive(fx.stream, START + 201000);
    expect(&fx, "event: ping\ndata: keep-alive\n\n");
    assert_int_equal(fx.stream->ping_at, START + 210000);
    close_fixture(&fx);
}

static void stream__a_short_ping_is_ended_first(void **state)
{
    (void)state;
    struct fixture fx;
    char zeros[1024] = {0};
    ssize_t n;
    size_t filled = 0;
    open_fixture(&fx, 0, at_once, 1);
    assert_false(advance(&fx, START));
    while ((n = send(fx.stream->peer.socket, zeros, sizeof zeros, MSG_DONTWAIT)) > 0) filled += (size_t)n;
    stream_keep_alive(fx.stream, START + 30000);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    append(&fx, "news\n", 1);
    stream_heed(fx.stream, TOLD_WRITABLE);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    flow(&fx);
    receive(&fx);
    str_addc(&fx.got, 0);
    assert_string_equal(fx.got.at + filled, "event: ping\ndata: keep-alive\n\nnews\n");
    close_fixture(&fx);
}

static void stream__throws_away_what_the_client_sends(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 0, at_once, 1);
    assert_int_equal(send(fx.client, "hello", 5, 0), 5);
    stream_heed(fx.stream, TOLD_READABLE);
    assert_int_equal(fx.stream->state, STREAM_JOINING);
    char byte;
    assert_int_equal(recv(fx.stream->peer.socket, &byte, 1, MSG_DONTWAIT), -1);
    assert_false(advance(&fx, START));
    append(&fx, "news\n", 1);
    assert_false(advance(&fx, START));
    expect(&fx, "news\n");
    close_fixture(&fx);
}

static void stream__closes_on_one_who_talks_too_much(void **state)
{
    (void)state;
    struct fixture fx;
    char zeros[4096] = {0};
    int most = 1 << 20;
    open_fixture(&fx, 0, at_once, 1);
    assert_int_equal(setsockopt(fx.client, SOL_SOCKET, SO_SNDBUF, &most, sizeof most), 0);
    for (int i = 0; i < 20; i++) assert_int_equal(send(fx.client, zeros, sizeof zeros, 0), sizeof zeros);
    stream_heed(fx.stream, TOLD_READABLE);
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    close_fixture(&fx);
}

static void stream__closes_when_the_client_has_gone(void **state)
{
    (void)state;
    static const struct {
        unsigned told;
        bool behind;
    } cases[] = {{TOLD_GONE, false}, {TOLD_READABLE, false}, {TOLD_GONE | TOLD_READABLE | TOLD_WRITABLE, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fx;
        open_fixture(&fx, 1024 * KIB, at_once, 1);
        if (cases[i].behind) append_many(&fx, 100000, 1);
        assert_false(advance(&fx, START));
        close(fx.client);
        fx.client = -1;
        stream_heed(fx.stream, cases[i].told);
        assert_int_equal(fx.stream->state, STREAM_CLOSING);
        assert_false(advance(&fx, START));
        close_fixture(&fx);
    }
}

static void stream__closes_when_a_send_fails(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 0, at_once, 1);
    assert_false(advance(&fx, START));
    close(fx.client);
    fx.client = -1;
    append(&fx, "news\n", 1);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    close_fixture(&fx);
}

static void stream__last_words_between_frames_only(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 1024 * KIB, at_once, 1);
    stream_last_words(fx.stream, VIEW("too early"));
    assert_false(advance(&fx, START));
    stream_last_words(fx.stream, VIEW("bye"));
    stream_last_words(fx.stream, (struct view){0});
    expect(&fx, "bye");
    append_many(&fx, 100000, 1);
    assert_false(advance(&fx, START));
    receive(&fx);
    stream_last_words(fx.stream, VIEW("too late"));
    size_t before = fx.got.len;
    receive(&fx);
    assert_int_equal(fx.got.len, before);
    close_fixture(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream__joins_page_by_page),
        cmocka_unit_test(stream__keeps_what_is_left_of_a_page),
        cmocka_unit_test(stream__a_source_may_end_it),
        cmocka_unit_test(stream__half_a_page_is_none),
        cmocka_unit_test(stream__a_short_send_goes_on_where_it_was),
        cmocka_unit_test(stream__has_a_share_of_the_round),
        cmocka_unit_test(stream__falls_between_two_runs),
        cmocka_unit_test(stream__falls_before_its_first_run),
        cmocka_unit_test(stream__falls_again_before_a_run),
        cmocka_unit_test(stream__falls_inside_a_run),
        cmocka_unit_test(stream__falls_inside_a_run_while_stalled),
        cmocka_unit_test(stream__falls_while_stalled_in_a_page),
        cmocka_unit_test(stream__shares_its_look_at_the_log),
        cmocka_unit_test(stream__comments_after_15_seconds_of_silence),
        cmocka_unit_test(stream__pings_every_30_seconds),
        cmocka_unit_test(stream__pings_once_after_a_long_stall),
        cmocka_unit_test(stream__a_short_ping_is_ended_first),
        cmocka_unit_test(stream__throws_away_what_the_client_sends),
        cmocka_unit_test(stream__closes_on_one_who_talks_too_much),
        cmocka_unit_test(stream__closes_when_the_client_has_gone),
        cmocka_unit_test(stream__closes_when_a_send_fails),
        cmocka_unit_test(stream__last_words_between_frames_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
