/* The watcher, from the clients' side: who has gone is noticed, and what clients send is thrown away. */
#include "readers.h"

/* Nobody appends: only the watcher can notice. */
static void watcher__notices_a_hang_up(void **state)
{
    (void)state;
    struct fixture fx;
    struct client closes, shuts, resets;
    open_fixture(&fx, 2, 0);
    join(&fx, &closes, pages_new(fx.log, 1));
    join(&fx, &shuts, pages_new(fx.log, 1));
    join(&fx, &resets, pages_new(fx.log, 1));
    expect(&closes, "page 1\n");
    expect(&shuts, "page 1\n");
    expect(&resets, "page 1\n");
    assert_int_equal(delivery_count(fx.delivery), 3);
    leave(&closes);
    WAIT_UNTIL(delivery_count(fx.delivery) == 2);
    assert_int_equal(shutdown(shuts.socket, SHUT_WR), 0);
    expect_end(&shuts);
    WAIT_UNTIL(delivery_count(fx.delivery) == 1);
    struct linger now = {.l_onoff = 1};
    assert_int_equal(setsockopt(resets.socket, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    leave(&resets);
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    WAIT_UNTIL(atomic_load(&open_sources) == 0);
    leave(&shuts);
    close_fixture(&fx);
}

static void watcher__notices_that_a_stalled_reader_hung_up(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_fixture(&fx, 1, 4096 * KIB);
    join(&fx, &client, pages_new(fx.log, 1));
    for (int i = 0; i < 200; i++) append(&fx, 8000);
    leave(&client);
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    close_fixture(&fx);
}

static void watcher__one_that_has_gone_before_it_joined(void **state)
{
    (void)state;
    struct fixture fx;
    open_fixture(&fx, 1, 0);
    int ends[2];
    connect_tcp(ends);
    close(ends[1]);
    assert_true(audience_add(fx.audience, peer_plain(ends[0]), &pages_new(fx.log, 1)->source));
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    close_fixture(&fx);
}

static void watcher__throws_away_what_clients_send(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    char zeros[1000] = {0};
    open_fixture(&fx, 1, 0);
    int socket = join(&fx, &client, pages_new(fx.log, 1));
    expect(&client, "page 1\n");
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(send(client.socket, zeros, sizeof zeros, 0), sizeof zeros);
        int unread = 1;
        WAIT_UNTIL(!ioctl(socket, SIOCINQ, &unread) && !unread);
        append(&fx, 1);
        expect_frames(&client, i, i);
    }
    leave(&client);
    close_fixture(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watcher__notices_a_hang_up),
        cmocka_unit_test(watcher__notices_that_a_stalled_reader_hung_up),
        cmocka_unit_test(watcher__one_that_has_gone_before_it_joined),
        cmocka_unit_test(watcher__throws_away_what_clients_send),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
