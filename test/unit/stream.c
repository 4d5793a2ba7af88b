/* One stream, without threads: the test is its delivery thread and its clock, and where it must decide how many bytes
 * the socket takes, its kernel too: peer_send and peer_receive are defined here, so that base/peer.c is not linked. */
#include "stream/stream.h"
#include "stream/frame.h"
#include <errno.h>
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
#define START UINT32_C(5000)

#define RECORD (16 * KIB) /* of TLS */

/* A kernel that takes as much as it is told to. With TLS a record goes whole or is offered again, as OpenSSL wants it.
 */
static struct {
    bool played;
    size_t room;
    struct str taken;
    struct str record; /* that is on its way */
    size_t gone;       /* of its bytes */
} kernel;

static char pretended;
#define TLS ((struct ssl_st *)(void *)&pretended)

static void kernel_take(struct view bytes)
{
    str_add(&kernel.taken, bytes);
    assert_false(kernel.taken.failed);
}

static ssize_t send_plain(struct view bytes)
{
    if (!kernel.room) return PEER_UNTIL_WRITABLE;
    if (bytes.len > kernel.room) bytes.len = kernel.room;
    kernel.room -= bytes.len;
    kernel_take(bytes);
    return (ssize_t)bytes.len;
}

static ssize_t send_record(struct view bytes)
{
    if (kernel.record.len) {
        assert_true(bytes.len >= kernel.record.len);
        assert_memory_equal(bytes.at, kernel.record.at, kernel.record.len);
    } else {
        str_add(&kernel.record, (struct view){bytes.at, bytes.len < RECORD ? bytes.len : RECORD});
        kernel.gone = 0;
    }
    size_t left = kernel.record.len - kernel.gone, now = left < kernel.room ? left : kernel.room;
    kernel.gone += now;
    kernel.room -= now;
    if (now < left) return PEER_UNTIL_WRITABLE;
    ssize_t len = (ssize_t)kernel.record.len;
    kernel_take(str_view(&kernel.record));
    str_reset(&kernel.record);
    return len;
}

ssize_t peer_send(struct peer *p, struct view bytes)
{
    assert_true(bytes.len > 0);
    if (kernel.played) return p->tls ? send_record(bytes) : send_plain(bytes);
    ssize_t n = send(p->socket, bytes.at, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) return n;
    return n < 0 && errno == EAGAIN ? PEER_UNTIL_WRITABLE : PEER_GONE;
}

ssize_t peer_receive(struct peer *p, char *at, size_t room)
{
    ssize_t n = recv(p->socket, at, room, MSG_DONTWAIT);
    if (n > 0) return n;
    return n < 0 && errno == EAGAIN ? PEER_UNTIL_READABLE : PEER_GONE;
}

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
    uint64_t pinged_at; /* the position that ping() was called with */
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

static void script_ping(struct source *source, struct str *page, uint64_t position)
{
    CONTAINER(source, struct script, source)->pinged_at = position;
    frame_add_ping(page);
}

static void script_close(struct source *source, enum stream_end why)
{
    (void)source;
    (void)why;
}

static const struct source_type script_type = {script_next, script_fallen, script_ping, script_close, NULL};

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
    *fx = (struct fixture){.log = framelog_new(cap, NULL, 0), .client = ends[1]};
    assert_non_null(fx->log);
    fx->script = (struct script){.source = {.type = &script_type}, .steps = steps, .nsteps = nsteps, .fallen = -1};
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
    framelog_add(fx->log, view_of(text), seq);
    assert_true(framelog_publish(fx->log));
}

static void append_many(struct fixture *fx, size_t len, int64_t seq)
{
    char *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) bytes[i] = (char)('A' + i % 23);
    framelog_add(fx->log, (struct view){bytes, len}, seq);
    assert_true(framelog_publish(fx->log));
    free(bytes);
}

/* Drops all that there is; the change `seq` with it. */
static void lose(struct fixture *fx, int64_t seq)
{
    framelog_lose(fx->log, seq);
    assert_false(framelog_publish(fx->log));
}

/* One round, as the delivery makes it. */
static bool advance(struct fixture *fx, stream_time now)
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
    assert_null(fx.stream->page);
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
    assert_null(fx.stream->page);
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
    lose(&fx, 9);
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
    lose(&fx, 2);
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
    lose(&fx, 30);
    while (advance(&fx, START)) continue;
    assert_int_equal(fx.script.asked, 3);
    assert_int_equal(fx.script.nfallen, 1);
    assert_int_equal(fx.script.fallen, 10);
    expect(&fx, "ten\nup to 20\nup to 30\n");
    close_fixture(&fx);
}

/* What is left of the frame that it is in follows, then the source is asked. */
static void stream__falls_inside_a_frame(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {SOURCE_LIVE, NULL, 0, 0, false},
        {SOURCE_LIVE, "missed\n", 0, 200001, false},
    };
    struct fixture fx;
    open_fixture(&fx, 1024 * KIB, steps, 2);
    append_many(&fx, 200000, 1);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    lose(&fx, 2);
    append(&fx, "news\n", 3);
    stream_heed(fx.stream, TOLD_WRITABLE);
    flow(&fx);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    assert_int_equal(fx.script.nfallen, 1);
    assert_int_equal(fx.script.fallen, 1);
    assert_int_equal(fx.got.len, 200012);
    str_addc(&fx.got, 0);
    assert_string_equal(fx.got.at + 200000, "missed\nnews\n");
    close_fixture(&fx);
}

/* Frames of the same run behind the one that it is in are not kept for it. */
static void stream__keeps_the_rest_of_one_frame(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {SOURCE_LIVE, NULL, 0, 0, false},
        {SOURCE_LIVE, "missed\n", 0, 200001, false},
    };
    struct fixture fx;
    open_fixture(&fx, 4096 * KIB, steps, 2);
    for (int seq = 1; seq <= 200; seq++) append_many(&fx, 1000, seq);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    assert_int_equal(fx.stream->position % 1000, 0);
    assert_int_equal(fx.stream->seq, fx.stream->position / 1000);
    uint64_t position = fx.stream->position;
    assert_true(!fx.stream->page || fx.stream->page->text.len < 1000);
    lose(&fx, 201);
    stream_heed(fx.stream, TOLD_WRITABLE);
    flow(&fx);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    assert_int_equal(fx.script.fallen, position / 1000);
    assert_int_equal(fx.got.len, position + 7);
    for (size_t i = 0; i < position; i++) assert_int_equal(fx.got.at[i], 'A' + (int)(i % 1000 % 23));
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
    lose(&fx, 2);
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
    assert_null(fx.stream->page);
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
    for (stream_time at = START; at < START + 95000; at += 1009) {
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

/* ---- ending ---- */

static void expect_closed(struct fixture *fx, enum stream_end why)
{
    assert_int_equal(fx->stream->state, STREAM_CLOSING);
    assert_int_equal(fx->stream->why, why);
}

static void stream__ends_while_joining(void **state)
{
    (void)state;
    static const struct step steps[] = {{SOURCE_MORE, "page\n", 0, 0, false}};
    struct fixture fx;
    open_fixture(&fx, 0, steps, 1);
    append(&fx, "log\n", 1);
    assert_true(advance(&fx, START));
    stream_end(fx.stream, VIEW("bye\n"), STREAM_END_RIGHTS);
    assert_int_equal(fx.stream->state, STREAM_JOINING);
    assert_false(advance(&fx, START));
    expect(&fx, "page\nbye\n");
    expect_closed(&fx, STREAM_END_RIGHTS);
    assert_int_equal(fx.script.asked, 1);
    close_fixture(&fx);
}

static void stream__ends_while_live(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 0, at_once, 1);
    append(&fx, "log\n", 1);
    assert_false(advance(&fx, START));
    append(&fx, "not his any more\n", 2);
    stream_end(fx.stream, VIEW("bye\n"), STREAM_END_RIGHTS);
    stream_end(fx.stream, VIEW("again\n"), STREAM_END_STOPPING);
    assert_false(advance(&fx, START));
    expect(&fx, "log\nbye\n");
    expect_closed(&fx, STREAM_END_RIGHTS);
    stream_end(fx.stream, VIEW("again\n"), STREAM_END_STOPPING);
    assert_null(fx.stream->page);
    close_fixture(&fx);
}

static void stream__ends_without_a_word(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 0, at_once, 1);
    assert_false(advance(&fx, START));
    stream_end(fx.stream, (struct view){0}, STREAM_END_STOPPING);
    assert_false(advance(&fx, START));
    expect(&fx, "");
    expect_closed(&fx, STREAM_END_STOPPING);
    close_fixture(&fx);
}

/* What is left of the frame, the words, and nothing behind it. */
static void stream__ends_while_behind(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 1024 * KIB, at_once, 1);
    append_many(&fx, 200000, 1);
    append(&fx, "not his any more\n", 2);
    assert_false(advance(&fx, START));
    stream_end(fx.stream, VIEW("bye\n"), STREAM_END_STOPPING);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    stream_heed(fx.stream, TOLD_WRITABLE);
    flow(&fx);
    expect_closed(&fx, STREAM_END_STOPPING);
    assert_int_equal(fx.got.len, 200004);
    str_addc(&fx.got, 0);
    assert_string_equal(fx.got.at + 200000, "bye\n");
    close_fixture(&fx);
}

static void stream__ends_while_behind_in_a_page(void **state)
{
    (void)state;
    static const struct step steps[] = {{SOURCE_LIVE, NULL, 50000, 0, false}};
    struct fixture fx;
    open_fixture(&fx, 0, steps, 1);
    append(&fx, "log\n", 1);
    assert_false(advance(&fx, START));
    stream_end(fx.stream, VIEW("bye\n"), STREAM_END_STOPPING);
    stream_heed(fx.stream, TOLD_WRITABLE);
    flow(&fx);
    expect_closed(&fx, STREAM_END_STOPPING);
    assert_int_equal(fx.got.len, 50004);
    close_fixture(&fx);
}

/* Its reader takes nothing: the words are not waited for. */
static void stream__ends_soon_when_it_is_behind(void **state)
{
    (void)state;
    const struct delivery_options limits = {.threads = 1};
    struct fixture fx;
    open_fixture(&fx, 1024 * KIB, at_once, 1);
    append_many(&fx, 200000, 1);
    assert_false(advance(&fx, START));
    stream_check_lag(fx.stream, &limits, START + 1000);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    stream_end(fx.stream, VIEW("bye\n"), STREAM_END_RIGHTS);
    stream_check_lag(fx.stream, &limits, START + 1000);
    expect_closed(&fx, STREAM_END_RIGHTS);
    close_fixture(&fx);
}

static void stream__keeps_the_reason_that_came_first(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 1024 * KIB, at_once, 1);
    append_many(&fx, 200000, 1);
    assert_false(advance(&fx, START));
    stream_end(fx.stream, VIEW("bye\n"), STREAM_END_RIGHTS);
    stream_heed(fx.stream, TOLD_GONE);
    expect_closed(&fx, STREAM_END_RIGHTS);
    close_fixture(&fx);
}

/* ---- lag ---- */

static void stream__is_closed_when_its_log_is_too_far_ahead(void **state)
{
    (void)state;
    const struct delivery_options limits = {.threads = 1, .lag_bytes = 100000};
    struct fixture fx;
    open_fixture(&fx, 4096 * KIB, at_once, 1);
    append_many(&fx, 200000, 1);
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    /* The frame that it is in is kept beside it, and does not count. */
    append_many(&fx, 100000, 2);
    stream_check_lag(fx.stream, &limits, START);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    append(&fx, "!", 3);
    stream_check_lag(fx.stream, &limits, START);
    expect_closed(&fx, STREAM_END_LAG_BYTES);
    close_fixture(&fx);
}

static void stream__may_be_any_number_of_bytes_behind(void **state)
{
    (void)state;
    const struct delivery_options limits = {.threads = 1};
    struct fixture fx;
    open_fixture(&fx, 4096 * KIB, at_once, 1);
    append_many(&fx, 2000000, 1);
    append_many(&fx, 2000000, 2);
    assert_false(advance(&fx, START));
    stream_check_lag(fx.stream, &limits, START + 1000000000);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    close_fixture(&fx);
}

/* Who has not come to the log yet has a page to take, and time for that; not bytes of the log. */
static void stream__is_not_behind_the_log_before_it_is_in_it(void **state)
{
    (void)state;
    static const struct step steps[] = {{SOURCE_MORE, NULL, 50000, 0, false}};
    const struct delivery_options limits = {.threads = 1, .lag_bytes = 1, .lag_ms = 60000};
    struct fixture fx;
    open_fixture(&fx, 4096 * KIB, steps, 1);
    append_many(&fx, 200000, 1);
    assert_false(advance(&fx, START));
    stream_check_lag(fx.stream, &limits, START + 60000);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    stream_check_lag(fx.stream, &limits, START + 60001);
    expect_closed(&fx, STREAM_END_LAG_SECONDS);
    close_fixture(&fx);
}

static void stream__is_closed_when_it_is_behind_for_too_long(void **state)
{
    (void)state;
    const struct delivery_options limits = {.threads = 1, .lag_ms = 60000};
    struct fixture fx;
    open_fixture(&fx, 4096 * KIB, at_once, 1);
    append(&fx, "log\n", 1);
    assert_false(advance(&fx, START + 10000));
    append_many(&fx, 200000, 2);
    append_many(&fx, 200000, 3);
    assert_false(advance(&fx, START + 11000));
    /* That it takes some now and then is not enough. */
    receive(&fx);
    stream_heed(fx.stream, TOLD_WRITABLE);
    assert_false(advance(&fx, START + 69000));
    stream_check_lag(fx.stream, &limits, START + 70000);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    stream_check_lag(fx.stream, &limits, START + 70001);
    expect_closed(&fx, STREAM_END_LAG_SECONDS);
    close_fixture(&fx);
}

/* Nothing was written for long: the time that it had nothing to send does not count. */
static void stream__is_not_behind_while_there_is_nothing(void **state)
{
    (void)state;
    const struct delivery_options limits = {.threads = 1, .lag_ms = 60000};
    struct fixture fx;
    stream_time now = START;
    open_fixture(&fx, 4096 * KIB, at_once, 1);
    assert_false(advance(&fx, now));
    for (int i = 0; i < 600; i++) {
        stream_keep_alive(fx.stream, now += 1000);
        receive(&fx);
    }
    append_many(&fx, 200000, 1);
    assert_false(advance(&fx, now));
    stream_check_lag(fx.stream, &limits, now + 1000);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    stream_check_lag(fx.stream, &limits, now + 60001);
    expect_closed(&fx, STREAM_END_LAG_SECONDS);
    close_fixture(&fx);
}

static void stream__is_well_again_at_the_end(void **state)
{
    (void)state;
    const struct delivery_options limits = {.threads = 1, .lag_ms = 60000};
    struct fixture fx;
    open_fixture(&fx, 4096 * KIB, at_once, 1);
    append_many(&fx, 50000, 1);
    assert_false(advance(&fx, START));
    while (fx.stream->state == STREAM_BEHIND) {
        receive(&fx);
        stream_heed(fx.stream, TOLD_WRITABLE);
        (void)advance(&fx, START + 50000);
    }
    append_many(&fx, 200000, 2);
    assert_false(advance(&fx, START + 51000));
    stream_check_lag(fx.stream, &limits, START + 110000);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    close_fixture(&fx);
}

/* ---- the time wraps ---- */

static void stream__the_time_wraps(void **state)
{
    (void)state;
    static const char ping[] = "event: ping\ndata: keep-alive\n\n";
    const struct delivery_options limits = {.threads = 1, .lag_ms = 60000};
    const stream_time start = UINT32_MAX - 20000;
    struct fixture fx;
    open_fixture(&fx, 4096 * KIB, at_once, 1);
    stream_free(fx.stream);
    int ends[2];
    open_pair(ends);
    close(fx.client);
    fx.client = ends[1];
    fx.stream = stream_new(peer_plain(ends[0]), fx.log, &fx.script.source, start);
    assert_false(advance(&fx, start));
    stream_keep_alive(fx.stream, start + 14999);
    expect(&fx, "");
    stream_keep_alive(fx.stream, start + 15000);
    expect(&fx, ":\n\n");
    stream_keep_alive(fx.stream, start + 29999); /* behind the wrap */
    expect(&fx, "");
    stream_keep_alive(fx.stream, start + 30000);
    expect(&fx, ping);
    stream_keep_alive(fx.stream, start + 44999);
    expect(&fx, "");
    stream_keep_alive(fx.stream, start + 45000);
    expect(&fx, ":\n\n");
    assert_int_equal(fx.stream->ping_at, start + 60000);
    /* Behind before a wrap, looked at after it. */
    fx.stream->well_at = UINT32_MAX - 5000;
    append_many(&fx, 200000, 1);
    assert_false(advance(&fx, UINT32_MAX - 4000));
    stream_check_lag(fx.stream, &limits, 54999);
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    stream_check_lag(fx.stream, &limits, 55000);
    expect_closed(&fx, STREAM_END_LAG_SECONDS);
    close_fixture(&fx);
}

/* The page's reader is told how far the log has been sent. */
static void stream__a_ping_knows_its_position(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 0, at_once, 1);
    append(&fx, "12345678", 1);
    assert_false(advance(&fx, START));
    append(&fx, "9", 2);
    stream_keep_alive(fx.stream, START + 30000);
    assert_int_equal(fx.script.pinged_at, 8);
    close_fixture(&fx);
}

/* ---- a send that is short at any byte ---- */

/* Frames of some lengths, each made of its own letter. */
struct frames {
    const size_t *lens;
    size_t n, total;
};

static char letter(const struct frames *f, size_t at)
{
    size_t i = 0;
    for (; at >= f->lens[i]; i++) at -= f->lens[i];
    return (char)('A' + i % 26);
}

/* The stream's own, for one trial: its socket is nobody's. */
static void open_trial(struct fixture *fx, struct frames *f, const struct step *steps, size_t nsteps, bool tls)
{
    open_fixture(fx, 1024 * KIB, steps, nsteps);
    if (tls) fx->stream->peer.tls = TLS;
    kernel.played = true;
    kernel.room = 0;
    str_reset(&kernel.taken);
    str_reset(&kernel.record);
    f->total = 0;
    for (size_t i = 0; i < f->n; i++) {
        struct str frame = {0};
        for (size_t k = 0; k < f->lens[i]; k++) str_addc(&frame, (char)('A' + i % 26));
        framelog_add(fx->log, str_view(&frame), (int64_t)i + 1);
        f->total += f->lens[i];
        str_release(&frame);
    }
    assert_true(framelog_publish(fx->log));
}

static void close_trial(struct fixture *fx)
{
    kernel.played = false;
    close_fixture(fx);
}

/* It stands behind the frame `seq`, and what is not sent of that and of those before it is its page. */
static void check_place(const struct fixture *fx, const struct frames *f, bool tls)
{
    const struct stream *s = fx->stream;
    uint64_t end = 0;
    size_t i = 0;
    for (; i < f->n && end < s->position; i++) end += f->lens[i];
    assert_int_equal(end, s->position);
    if (s->position) assert_int_equal(s->seq, i);
    size_t rest = s->page ? s->page->text.len - s->page->sent : 0;
    assert_int_equal(kernel.taken.len + rest, s->position);
    if (!tls && s->position) assert_true(rest < f->lens[i - 1]);
    assert_true(rest >= kernel.record.len);
}

static void check_taken(const struct frames *f, size_t len)
{
    assert_true(kernel.taken.len >= len);
    for (size_t i = 0, at = 0; at < len; at += f->lens[i++])
        for (size_t k = 0; k < f->lens[i] && at + k < len; k++)
            if (kernel.taken.at[at + k] != letter(f, at)) fail_msg("byte %zu is wrong", at + k);
}

static void go_on(struct fixture *fx, size_t room)
{
    kernel.room = room;
    stream_heed(fx->stream, TOLD_WRITABLE);
    while (advance(fx, START)) continue;
}

/* The log goes on; the socket takes some bytes at a time. */
static void cut_and_go_on(struct frames *f, size_t cut, size_t step, bool tls)
{
    struct fixture fx;
    open_trial(&fx, f, at_once, 1, tls);
    kernel.room = cut;
    while (advance(&fx, START)) continue;
    while (fx.stream->state == STREAM_BEHIND) {
        check_place(&fx, f, tls);
        go_on(&fx, step);
    }
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    assert_int_equal(kernel.taken.len, f->total);
    check_taken(f, f->total);
    assert_int_equal(fx.script.nfallen, 0);
    close_trial(&fx);
}

/* The log is gone: no frame is half, and the source is told the last one. */
static void cut_and_fall(struct frames *f, size_t cut, bool tls)
{
    static const struct step steps[] = {
        {SOURCE_LIVE, NULL, 0, 0, false},
        {SOURCE_END, "!", 0, 0, false},
    };
    struct fixture fx;
    open_trial(&fx, f, steps, 2, tls);
    kernel.room = cut;
    while (advance(&fx, START)) continue;
    assert_int_equal(fx.stream->state, STREAM_BEHIND);
    size_t position = (size_t)fx.stream->position;
    int64_t seq = fx.stream->seq;
    lose(&fx, 1000);
    go_on(&fx, SIZE_MAX);
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    assert_int_equal(kernel.taken.len, position + 1);
    check_taken(f, position);
    assert_int_equal(kernel.taken.at[position], '!');
    assert_int_equal(fx.script.fallen, position ? seq : -1);
    close_trial(&fx);
}

static void cut_and_end(struct frames *f, size_t cut, bool tls)
{
    struct fixture fx;
    open_trial(&fx, f, at_once, 1, tls);
    kernel.room = cut;
    while (advance(&fx, START)) continue;
    size_t position = (size_t)fx.stream->position;
    stream_end(fx.stream, VIEW("bye"), STREAM_END_STOPPING);
    go_on(&fx, SIZE_MAX);
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    check_taken(f, position);
    assert_int_equal(kernel.taken.len, position + 3);
    assert_memory_equal(kernel.taken.at + position, "bye", 3);
    close_trial(&fx);
}

/* A notice comes behind what must still follow of the last frame, and before the next. */
static void cut_and_tell(struct frames *f, size_t cut, size_t step, bool tls)
{
    struct fixture fx;
    struct str all = {0};
    open_trial(&fx, f, at_once, 1, tls);
    kernel.room = cut;
    while (advance(&fx, START)) continue;
    size_t position = (size_t)fx.stream->position;
    size_t rest = fx.stream->page ? fx.stream->page->text.len - fx.stream->page->sent : 0;
    bool told = rest + 4 <= NOTICE_ROOM;
    stream_tell(fx.stream, VIEW("note"), START);
    while (fx.stream->state == STREAM_BEHIND) go_on(&fx, step);
    for (size_t i = 0, at = 0; i <= f->n; at += f->lens[i++]) {
        if (told && at == position) str_addz(&all, "note");
        if (i == f->n) break;
        for (size_t k = 0; k < f->lens[i]; k++) str_addc(&all, (char)('A' + i % 26));
    }
    assert_int_equal(kernel.taken.len, all.len);
    assert_memory_equal(kernel.taken.at, all.at, all.len);
    assert_int_equal(fx.stream->state, STREAM_LIVE);
    str_release(&all);
    close_trial(&fx);
}

static void cut_everywhere(struct frames *f, size_t step, bool tls)
{
    f->total = 0;
    for (size_t i = 0; i < f->n; i++) f->total += f->lens[i];
    for (size_t cut = 0, total = f->total; cut < total; cut += step) {
        cut_and_go_on(f, cut, SIZE_MAX, tls);
        cut_and_go_on(f, cut, 1 + cut % 1009, tls);
        cut_and_fall(f, cut, tls);
        cut_and_end(f, cut, tls);
        cut_and_tell(f, cut, SIZE_MAX, tls);
        cut_and_tell(f, cut, 1 + cut % 1009, tls);
    }
    str_release(&kernel.taken);
    str_release(&kernel.record);
}

static void stream__a_send_that_is_short_at_any_byte(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 2, 1, 60, 300, 5, 1, 29};
    struct frames f = {.lens = lens, .n = sizeof lens / sizeof *lens};
    cut_everywhere(&f, 1, false);
}

static void stream__a_record_that_is_short_at_any_byte(void **state)
{
    (void)state;
    static const size_t small[] = {1, 2, 1, 60, 300, 5, 1, 29};
    struct frames f = {.lens = small, .n = sizeof small / sizeof *small};
    cut_everywhere(&f, 1, true);
    /* Around the length of a record. */
    static const size_t large[] = {3, 16381, 16384, 1, 16383, 40000, 16385, 7, 9};
    f = (struct frames){.lens = large, .n = sizeof large / sizeof *large};
    cut_everywhere(&f, 499, true);
}

/* ---- notices ---- */

static void tell(struct fixture *fx, const char *text)
{
    stream_tell(fx->stream, view_of(text), START);
}

static void stream__a_notice_goes_at_once_and_is_in_no_log(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {SOURCE_MORE, "head\n", 0, 0, false},
        {SOURCE_LIVE, "page\n", 0, 0, false},
    };
    struct fixture fx;
    open_fixture(&fx, 0, steps, 2);
    assert_true(advance(&fx, START));
    tell(&fx, "while joining\n");
    expect(&fx, "head\nwhile joining\n");
    assert_int_equal(fx.stream->state, STREAM_JOINING);
    assert_false(advance(&fx, START));
    append(&fx, "log\n", 1);
    tell(&fx, "before\n");
    assert_false(advance(&fx, START));
    tell(&fx, "behind\n");
    expect(&fx, "page\nbefore\nlog\nbehind\n");
    assert_null(fx.stream->page);
    assert_int_equal(fx.stream->position, 4);
    assert_int_equal(fx.stream->seq, 1);
    close_fixture(&fx);
}

static void stream__a_notice_that_is_short_is_ended_first(void **state)
{
    (void)state;
    for (int tls = 0; tls < 2; tls++) {
        for (size_t cut = 0; cut < 6; cut++) {
            static const size_t lens[] = {1};
            struct frames f = {.lens = lens, .n = 1};
            struct fixture fx;
            open_trial(&fx, &f, at_once, 1, tls);
            kernel.room = SIZE_MAX;
            assert_false(advance(&fx, START));
            kernel.room = cut;
            tell(&fx, "notice");
            assert_int_equal(fx.stream->state, STREAM_BEHIND);
            append(&fx, "log", 2);
            kernel.room = SIZE_MAX;
            stream_heed(fx.stream, TOLD_WRITABLE);
            tell(&fx, "second");
            while (advance(&fx, START)) continue;
            assert_int_equal(kernel.taken.len, 16);
            assert_memory_equal(kernel.taken.at, "Anoticesecondlog", 16);
            close_trial(&fx);
        }
    }
    str_release(&kernel.taken);
    str_release(&kernel.record);
}

/* What one who reads nothing is told takes no more than its room. */
static void stream__a_notice_without_room_is_lost(void **state)
{
    (void)state;
    static const size_t lens[] = {1};
    struct frames f = {.lens = lens, .n = 1};
    struct fixture fx;
    open_trial(&fx, &f, at_once, 1, false);
    while (advance(&fx, START)) continue;
    for (size_t i = 0; i < 2 * NOTICE_ROOM; i++) tell(&fx, "notice");
    assert_int_equal(fx.stream->page->text.len, NOTICE_ROOM / 6 * 6);
    go_on(&fx, SIZE_MAX);
    assert_int_equal(kernel.taken.len, NOTICE_ROOM / 6 * 6 + 1);
    tell(&fx, "again");
    assert_memory_equal(kernel.taken.at + kernel.taken.len - 6, "Aagain", 6);
    close_trial(&fx);
    str_release(&kernel.taken);
}

static void stream__one_that_ends_is_told_no_more(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 0, at_once, 1);
    assert_false(advance(&fx, START));
    stream_end(fx.stream, VIEW("bye\n"), STREAM_END_RIGHTS);
    tell(&fx, "notice\n");
    assert_false(advance(&fx, START));
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
    tell(&fx, "notice\n");
    expect(&fx, "bye\n");
    close_fixture(&fx);
}

static void stream__one_that_has_gone_is_closed_by_a_notice(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 0, at_once, 1);
    assert_false(advance(&fx, START));
    close(fx.client);
    fx.client = -1;
    tell(&fx, "notice\n");
    assert_int_equal(fx.stream->state, STREAM_CLOSING);
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
        cmocka_unit_test(stream__falls_inside_a_frame),
        cmocka_unit_test(stream__keeps_the_rest_of_one_frame),
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
        cmocka_unit_test(stream__ends_while_joining),
        cmocka_unit_test(stream__ends_while_live),
        cmocka_unit_test(stream__ends_without_a_word),
        cmocka_unit_test(stream__ends_while_behind),
        cmocka_unit_test(stream__ends_while_behind_in_a_page),
        cmocka_unit_test(stream__ends_soon_when_it_is_behind),
        cmocka_unit_test(stream__keeps_the_reason_that_came_first),
        cmocka_unit_test(stream__is_closed_when_its_log_is_too_far_ahead),
        cmocka_unit_test(stream__may_be_any_number_of_bytes_behind),
        cmocka_unit_test(stream__is_not_behind_the_log_before_it_is_in_it),
        cmocka_unit_test(stream__is_closed_when_it_is_behind_for_too_long),
        cmocka_unit_test(stream__is_not_behind_while_there_is_nothing),
        cmocka_unit_test(stream__is_well_again_at_the_end),
        cmocka_unit_test(stream__the_time_wraps),
        cmocka_unit_test(stream__a_ping_knows_its_position),
        cmocka_unit_test(stream__a_send_that_is_short_at_any_byte),
        cmocka_unit_test(stream__a_record_that_is_short_at_any_byte),
        cmocka_unit_test(stream__a_notice_goes_at_once_and_is_in_no_log),
        cmocka_unit_test(stream__a_notice_that_is_short_is_ended_first),
        cmocka_unit_test(stream__a_notice_without_room_is_lost),
        cmocka_unit_test(stream__one_that_ends_is_told_no_more),
        cmocka_unit_test(stream__one_that_has_gone_is_closed_by_a_notice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
