/* Which clients are given up while their bodies are read. */
#include "http/wire.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void pace__the_longer_the_queue_the_sooner_it_is_looked_at(void **state)
{
    static const struct {
        int64_t queue, places, patience, trial;
    } cases[] = {{0, 32, 10000, 10000}, {-1, 32, 10000, 10000}, {1, 32, 10000, 1000}, {32, 32, 10000, 1000},
        {64, 32, 10000, 500}, {100, 32, 10000, 320}, {128, 32, 10000, 250}, {1000000, 32, 10000, 250}, {1, 2, 700, 700},
        {1000, 2, 100, 100}, {0, 2, 100, 100}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gauge queue = {0};
        gauge_add(&queue, cases[i].queue);
        struct pace pace = {.patience = cases[i].patience, .places = cases[i].places, .queue = &queue};
        assert_int_equal(pace_trial(&pace), cases[i].trial);
    }
}

/* Without a queue its own patience ends it; with one it would have an hour. */
static void wire__one_that_brings_little_is_given_up_for_the_queue(void **state)
{
    (void)state;
    for (int queued = 0; queued < 2; queued++) {
        int pair[2];
        char room[16];
        atomic_llong stopping = 0;
        struct gauge queue = {0};
        gauge_add(&queue, queued);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        struct peer peer = peer_plain(pair[0]);
        struct pace pace = {.patience = queued ? 3600000 : 1, .places = 1, .queue = &queue};
        assert_int_equal(write(pair[1], "some", 4), 4);
        assert_int_equal(wire_receive(&peer, room, sizeof room, &pace, &stopping), 4);
        assert_false(pace.late);
        assert_int_equal(wire_receive(&peer, room, sizeof room, &pace, &stopping), 0);
        assert_true(pace.late);
        assert_int_equal(pace.got, 4);
        peer_close(&peer);
        close(pair[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pace__the_longer_the_queue_the_sooner_it_is_looked_at),
        cmocka_unit_test(wire__one_that_brings_little_is_given_up_for_the_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
