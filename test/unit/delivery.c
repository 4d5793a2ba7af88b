/* The delivery, from the clients' side: all that there is, once and in order, until the end. */
#include "readers.h"

static void delivery__nothing_to_do(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 3, 0);
    audience_notify(fx.audience);
    assert_int_equal(delivery_count(fx.delivery), 0);
    close_fixture(&fx);
    delivery_free(NULL, VIEW("bye"));
}

static void delivery__pages_then_the_log(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 1, 0);
    append(&fx, 5);
    join(&fx, &client, pages_new(fx.log, 3));
    expect(&client, "page 1\npage 2\npage 3\n");
    append(&fx, 5);
    expect(&client, "2:xxxxx\n");
    append(&fx, 0);
    append(&fx, 1);
    expect(&client, "3:\n4:x\n");
    assert_int_equal(delivery_count(fx.delivery), 1);
    leave(&client);
    close_fixture(&fx);
}

static void delivery__a_source_may_end_the_stream(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 1, 0);
    struct pages *source = pages_new(fx.log, 2);
    source->ends = true;
    join(&fx, &client, source);
    expect(&client, "page 1\npage 2\n");
    expect_end(&client);
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    assert_int_equal(atomic_load(&open_sources), 0);
    leave(&client);
    close_fixture(&fx);
}

/* All of the log, once, in order, to everybody, while it grows. */
static void delivery__fifty_streams_get_everything_once(void **state)
{
    (void)state;
    enum { STREAMS = 50, FRAMES = 1500 };
    struct fixture fx;
    struct client clients[STREAMS];
    int64_t next[STREAMS];
    struct pollfd polls[STREAMS];
    pthread_t thread;
    open_fixture(&fx, 2, 4096 * KIB);
    for (int i = 0; i < STREAMS; i++) {
        join(&fx, &clients[i], pages_new(fx.log, 1));
        expect(&clients[i], "page 1\n");
        next[i] = 1;
        polls[i] = (struct pollfd){.fd = clients[i].socket, .events = POLLIN};
    }
    struct appender appender = {&fx, FRAMES};
    assert_int_equal(pthread_create(&thread, NULL, run_appender, &appender), 0);
    for (int waiting = STREAMS; waiting;) {
        assert_true(poll(polls, STREAMS, PATIENT) > 0);
        for (int i = 0; i < STREAMS; i++) {
            if (!polls[i].revents) continue;
            receive(&clients[i]);
            assert_false(clients[i].ended);
            take_frames(&clients[i].got, &next[i]);
            if (next[i] <= FRAMES) continue;
            polls[i].fd = -1;
            waiting--;
        }
    }
    pthread_join(thread, NULL);
    for (int i = 0; i < STREAMS; i++) {
        assert_int_equal(next[i], FRAMES + 1);
        assert_int_equal(clients[i].got.len, 0);
        leave(&clients[i]);
    }
    close_fixture(&fx);
}

static void delivery__a_stalled_reader_gets_all_in_the_end(void **state)
{
    (void)state;
    struct fixture fx;
    struct client stalled, reader;
    open_fixture(&fx, 1, 4096 * KIB);
    int socket = join(&fx, &stalled, pages_new(fx.log, 1));
    join(&fx, &reader, pages_new(fx.log, 1));
    expect(&stalled, "page 1\n");
    expect(&reader, "page 1\n");
    for (int i = 1; i <= 1000; i++) {
        append(&fx, 3000);
        if (i % 10 == 0) expect_frames(&reader, i - 9, i);
    }
    /* The log holds it for the stalled one, not the kernel. */
    int unsent = 0;
    assert_int_equal(ioctl(socket, SIOCOUTQNSD, &unsent), 0);
    assert_in_range(unsent, 1, 64 * KIB);
    assert_int_equal(delivery_count(fx.delivery), 2);
    expect_frames(&stalled, 1, 1000);
    append(&fx, 1);
    expect_frames(&stalled, 1001, 1001);
    leave(&stalled);
    leave(&reader);
    close_fixture(&fx);
}

/* The frame that it is in goes on to its end; then come pages again. */
static void delivery__a_stalled_reader_that_falls_off_is_sent_pages_again(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    _Atomic int64_t fallen = -1;
    open_fixture(&fx, 1, 1024 * KIB);
    struct pages *source = pages_new(fx.log, 1);
    source->fallen = &fallen;
    int socket = join(&fx, &client, source);
    expect(&client, "page 1\n");
    append(&fx, 900 * KIB);
    int unsent = 0;
    WAIT_UNTIL(!ioctl(socket, SIOCOUTQNSD, &unsent) && unsent);
    assert_in_range(unsent, 1, 64 * KIB);
    for (int i = 0; i < 300; i++) append(&fx, 8000);
    assert_int_equal(delivery_count(fx.delivery), 1);
    size_t len = 900 * KIB + 3;
    while (client.got.len < len) receive(&client);
    assert_memory_equal(client.got.at, "1:xxx", 5);
    assert_int_equal(client.got.at[len - 1], '\n');
    struct str rest = {0};
    str_add(&rest, (struct view){client.got.at + len, client.got.len - len});
    str_release(&client.got);
    client.got = rest;
    expect(&client, "page 1\n");
    assert_int_equal(atomic_load(&fallen), 1);
    append(&fx, 1);
    expect(&client, "302:x\n");
    leave(&client);
    close_fixture(&fx);
}

static void delivery__one_that_fell_off_is_sent_pages_again(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    _Atomic int64_t fallen = -1;
    open_fixture(&fx, 1, 0);
    struct pages *source = pages_new(fx.log, 1);
    source->fallen = &fallen;
    join(&fx, &client, source);
    expect(&client, "page 1\n");
    append(&fx, 3);
    append(&fx, 3);
    expect(&client, "1:xxx\n2:xxx\n");
    framelog_lose(fx.log, ++fx.seq);
    assert_false(framelog_publish(fx.log));
    audience_notify(fx.audience);
    expect(&client, "page 1\n");
    assert_int_equal(atomic_load(&fallen), 2);
    append(&fx, 0);
    expect(&client, "4:\n");
    leave(&client);
    close_fixture(&fx);
}

/* Rights that end by themselves, as a token's do. */
static void delivery__ends_at_the_time_that_a_source_says(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client, other, endless;
    atomic_int why[3] = {-1, -1, -1}, asked = 0;
    open_fixture(&fx, 1, 0);
    int64_t now = clock_monotonic();
    struct pages *soon = pages_of(fx.log, 1, 1, &why[0]), *late = pages_of(fx.log, 1, 1, &why[1]),
                 *past = pages_of(fx.log, 1, 1, &why[2]);
    soon->source.until = now + 1;
    late->source.until = now + 1000000;
    past->source.until = now + 1;
    past->endless = true;
    past->asked = &asked;
    join(&fx, &endless, past);
    WAIT_UNTIL(atomic_load(&asked) > 1);
    join(&fx, &other, late);
    join(&fx, &client, soon);
    expect(&client, "page 1\n");
    expect(&client, "over\n");
    expect_end(&client);
    /* Never in the log, and never behind. */
    expect(&endless, "over\n");
    expect_end(&endless);
    WAIT_UNTIL(delivery_count(fx.delivery) == 1);
    assert_int_equal(atomic_load(&why[0]), STREAM_END_RIGHTS);
    assert_int_equal(atomic_load(&why[2]), STREAM_END_RIGHTS);
    expect(&other, "page 1\n");
    append(&fx, 1);
    expect(&other, "1:x\n");
    leave(&client);
    leave(&other);
    leave(&endless);
    close_fixture(&fx);
}

/* It can be told nothing: it takes nothing. */
static void delivery__ends_one_that_is_behind_at_that_time(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    atomic_int why = -1;
    open_fixture(&fx, 1, 4096 * KIB);
    struct pages *source = pages_of(fx.log, 1, 1, &why);
    source->source.until = clock_monotonic() + 1500;
    join(&fx, &client, source);
    append(&fx, 900 * KIB);
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    assert_int_equal(atomic_load(&why), STREAM_END_RIGHTS);
    leave(&client);
    close_fixture(&fx);
}

static void delivery__closes_one_that_is_too_far_behind(void **state)
{
    (void)state;
    const struct delivery_options limits[] = {{.threads = 1, .lag_bytes = 100000}, {.threads = 1, .lag_ms = 1}};
    static const int wanted[] = {STREAM_END_LAG_BYTES, STREAM_END_LAG_SECONDS};
    for (int i = 0; i < 2; i++) {
        struct fixture fx;
        struct client client;
        atomic_int why = -1;
        open_with(&fx, &limits[i], 4096 * KIB);
        join(&fx, &client, pages_of(fx.log, 0, 0, &why));
        expect(&client, "page 1\n");
        for (int k = 0; k < 10; k++) append(&fx, 200 * KIB);
        assert_true(delivery_wait_empty(fx.delivery, PATIENT));
        assert_int_equal(atomic_load(&why), wanted[i]);
        leave(&client);
        close_fixture(&fx);
    }
}

/* ---- draining ---- */

static void delivery__waits_until_it_is_empty(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 2, 0);
    assert_true(delivery_wait_empty(fx.delivery, 0));
    join(&fx, &client, pages_new(fx.log, 1));
    assert_false(delivery_wait_empty(fx.delivery, 0));
    assert_false(delivery_wait_empty(fx.delivery, 10));
    leave(&client);
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    assert_int_equal(atomic_load(&open_sources), 0);
    close_fixture(&fx);
}

static void delivery__a_drain_takes_nobody_in(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client, late;
    atomic_int why = -1;
    int ends[2];
    open_fixture(&fx, 2, 0);
    join(&fx, &client, pages_of(fx.log, 0, 0, &why));
    expect(&client, "page 1\n");
    delivery_drain(fx.delivery, 0, VIEW("bye\n"));
    connect_tcp(ends);
    assert_false(audience_add(fx.audience, peer_plain(ends[0]), &pages_new(fx.log, 1)->source));
    late = (struct client){.socket = ends[1]};
    expect_end(&late);
    expect(&client, "bye\n");
    expect_end(&client);
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    assert_int_equal(atomic_load(&open_sources), 0);
    assert_int_equal(atomic_load(&why), STREAM_END_STOPPING);
    leave(&client);
    leave(&late);
    close_fixture(&fx);
}

/* Not all at once: some are still there when the first have gone, and get what is written. */
static void delivery__a_drain_spreads(void **state)
{
    (void)state;
    enum { STREAMS = 200 };
    struct fixture fx;
    struct client clients[STREAMS];
    open_fixture(&fx, 2, 0);
    for (int i = 0; i < STREAMS; i++) {
        join(&fx, &clients[i], pages_new(fx.log, 1));
        expect(&clients[i], "page 1\n");
    }
    delivery_drain(fx.delivery, 1000, VIEW("bye\n"));
    WAIT_UNTIL(delivery_count(fx.delivery) < STREAMS);
    append(&fx, 1);
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    int told = 0;
    for (int i = 0; i < STREAMS; i++) {
        while (!clients[i].ended) receive(&clients[i]);
        struct view got = str_view(&clients[i].got);
        bool both = view_is(got, "1:x\nbye\n");
        assert_true(both || view_is(got, "bye\n"));
        told += both;
        leave(&clients[i]);
    }
    assert_in_range(told, 1, STREAMS - 1);
    close_fixture(&fx);
}

/* One that takes nothing and one that is never done go as well. */
static void delivery__a_drain_waits_for_nobody(void **state)
{
    (void)state;
    struct fixture fx;
    struct client stalled, endless;
    open_fixture(&fx, 1, 4096 * KIB);
    int socket = join(&fx, &stalled, pages_new(fx.log, 1));
    expect(&stalled, "page 1\n");
    append(&fx, 900 * KIB);
    int unsent = 0;
    WAIT_UNTIL(!ioctl(socket, SIOCOUTQNSD, &unsent) && unsent);
    struct pages *source = pages_new(fx.log, 0);
    source->endless = true;
    join(&fx, &endless, source);
    delivery_drain(fx.delivery, 100, VIEW("bye\n"));
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    leave(&stalled);
    leave(&endless);
    close_fixture(&fx);
}

static void delivery__last_words_at_its_end(void **state)
{
    (void)state;
    struct fixture fx;
    struct client idle, stalled, endless;
    open_fixture(&fx, 2, 4096 * KIB);
    join(&fx, &idle, pages_new(fx.log, 1));
    join(&fx, &stalled, pages_new(fx.log, 1));
    expect(&idle, "page 1\n");
    expect(&stalled, "page 1\n");
    for (int i = 1; i <= 200; i++) {
        append(&fx, 8000);
        expect_frames(&idle, i, i);
    }
    struct pages *source = pages_new(fx.log, 0);
    atomic_int asked = 0;
    source->endless = true;
    source->asked = &asked;
    join(&fx, &endless, source);
    WAIT_UNTIL(atomic_load(&asked) > 1);
    delivery_free(fx.delivery, VIEW("bye\n"));
    assert_int_equal(atomic_load(&open_sources), 0);
    expect(&idle, "bye\n");
    expect_end(&idle);
    expect(&endless, "bye\n");
    expect_end(&endless);
    int64_t next = 1;
    while (!stalled.ended) {
        receive(&stalled);
        take_frames(&stalled.got, &next);
    }
    assert_in_range(next, 2, 200);
    leave(&idle);
    leave(&stalled);
    leave(&endless);
    release_logs(&fx);
}

/* What was appended before the end is sent before the end. */
static void delivery__the_last_frames_come_before_the_last_words(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 1, 0);
    join(&fx, &client, pages_new(fx.log, 1));
    expect(&client, "page 1\n");
    append(&fx, 1);
    append(&fx, 2);
    delivery_free(fx.delivery, VIEW("bye\n"));
    expect(&client, "1:x\n2:xx\nbye\n");
    expect_end(&client);
    leave(&client);
    release_logs(&fx);
}

/* Clients come and go, most without a word, while frames are sent: nothing is touched after its end. */
static void delivery__comings_and_goings(void **state)
{
    (void)state;
    enum { STREAMS = 40, ROUNDS = 8 };
    struct fixture fx;
    struct client clients[STREAMS];
    open_fixture(&fx, 2, 64 * KIB);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < STREAMS; i++) {
            join(&fx, &clients[i], pages_new(fx.log, i % 3));
            if (i % 4 == 0) append(&fx, 3000);
            if (i % 3 == 1) shutdown(clients[i].socket, SHUT_WR);
            if (i % 5 == 2) {
                struct linger now = {.l_onoff = 1};
                setsockopt(clients[i].socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
                leave(&clients[i]);
            }
        }
        for (int i = 0; i < 20; i++) append(&fx, 5000);
        if (round + 1 == ROUNDS) break;
        for (int i = 0; i < STREAMS; i++) leave(&clients[i]);
        WAIT_UNTIL(delivery_count(fx.delivery) < STREAMS);
    }
    close_fixture(&fx);
    for (int i = 0; i < STREAMS; i++) leave(&clients[i]);
}

/* The watcher has just fetched a stream's first event when the stream is over. */
static void delivery__many_that_end_at_once(void **state)
{
    (void)state;
    enum { STREAMS = 300 };
    struct fixture fx;
    struct client clients[STREAMS];
    open_fixture(&fx, 2, 0);
    for (int i = 0; i < STREAMS; i++) {
        struct pages *source = pages_new(fx.log, 1);
        source->ends = true;
        join(&fx, &clients[i], source);
    }
    for (int i = 0; i < STREAMS; i++) {
        expect(&clients[i], "page 1\n");
        expect_end(&clients[i]);
        leave(&clients[i]);
    }
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    close_fixture(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivery__nothing_to_do),
        cmocka_unit_test(delivery__pages_then_the_log),
        cmocka_unit_test(delivery__a_source_may_end_the_stream),
        cmocka_unit_test(delivery__fifty_streams_get_everything_once),
        cmocka_unit_test(delivery__a_stalled_reader_gets_all_in_the_end),
        cmocka_unit_test(delivery__a_stalled_reader_that_falls_off_is_sent_pages_again),
        cmocka_unit_test(delivery__one_that_fell_off_is_sent_pages_again),
        cmocka_unit_test(delivery__ends_at_the_time_that_a_source_says),
        cmocka_unit_test(delivery__ends_one_that_is_behind_at_that_time),
        cmocka_unit_test(delivery__closes_one_that_is_too_far_behind),
        cmocka_unit_test(delivery__waits_until_it_is_empty),
        cmocka_unit_test(delivery__a_drain_takes_nobody_in),
        cmocka_unit_test(delivery__a_drain_spreads),
        cmocka_unit_test(delivery__a_drain_waits_for_nobody),
        cmocka_unit_test(delivery__last_words_at_its_end),
        cmocka_unit_test(delivery__the_last_frames_come_before_the_last_words),
        cmocka_unit_test(delivery__comings_and_goings),
        cmocka_unit_test(delivery__many_that_end_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
