/* A crew's rounds, from the clients' side: whose turn it is, who is told what, and who is ended. */
#include "readers.h"

/* A source that never comes to its end gets its turns, and no more than those. */
static void crew__nobody_waits_for_anothers_past(void **state)
{
    (void)state;
    struct fixture fx;
    struct client endless, live, late;
    atomic_int asked = 0;
    open_fixture(&fx, 1, 0);
    struct pages *source = pages_new(fx.log, 0);
    source->endless = true;
    source->asked = &asked;
    join(&fx, &live, pages_new(fx.log, 1));
    expect(&live, "page 1\n");
    join(&fx, &endless, source);
    WAIT_UNTIL(atomic_load(&asked) > 1);
    append(&fx, 1);
    expect(&live, "1:x\n");
    join(&fx, &late, pages_new(fx.log, 2));
    expect(&late, "page 1\npage 2\n");
    leave(&endless);
    WAIT_UNTIL(delivery_count(fx.delivery) == 2);
    leave(&live);
    leave(&late);
    close_fixture(&fx);
}

/* A second log, and those who read it. */
static void open_other(struct fixture *other, const struct fixture *fx)
{
    *other = (struct fixture){.delivery = fx->delivery, .log = framelog_new(0, NULL, 0)};
    assert_non_null(other->log);
    other->audience = audience_new(fx->delivery, other->log);
    assert_non_null(other->audience);
}

static void close_other(struct fixture *other)
{
    audience_free(other->audience);
    framelog_free(other->log);
}

/* A stream of one log hears nothing of another. */
static void crew__several_audiences(void **state)
{
    (void)state;
    struct fixture fx, audiences[2];
    struct client clients[8];
    open_fixture(&fx, 2, 0);
    for (int i = 0; i < 2; i++) open_other(&audiences[i], &fx);
    for (int i = 0; i < 8; i++) {
        join(&audiences[i % 2], &clients[i], pages_new(audiences[i % 2].log, 1));
        expect(&clients[i], "page 1\n");
    }
    append(&audiences[0], 1);
    for (int i = 0; i < 8; i += 2) expect(&clients[i], "1:x\n");
    append(&audiences[1], 2);
    for (int i = 1; i < 8; i += 2) expect(&clients[i], "1:xx\n");
    append(&audiences[0], 0);
    for (int i = 0; i < 8; i += 2) expect(&clients[i], "2:\n");
    for (int i = 0; i < 8; i++) leave(&clients[i]);
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    for (int i = 0; i < 2; i++) close_other(&audiences[i]);
    close_fixture(&fx);
}

/* Both logs have grown, and one audience alone is told: the other's streams are not looked at, whatever stands in their
 * log, until it is their turn. */
static void crew__only_those_whose_log_grew_are_looked_at(void **state)
{
    (void)state;
    struct fixture fx, quiet;
    struct client reader, waiting;
    open_fixture(&fx, 1, 0);
    open_other(&quiet, &fx);
    int socket = join(&quiet, &waiting, pages_new(quiet.log, 1)), unread = 1;
    join(&fx, &reader, pages_new(fx.log, 1));
    expect(&waiting, "page 1\n");
    expect(&reader, "page 1\n");
    /* The watcher's first word of its socket comes before what it is sent, and the round of that before the next. */
    assert_int_equal(send(waiting.socket, "?", 1, 0), 1);
    WAIT_UNTIL(!ioctl(socket, SIOCINQ, &unread) && !unread);
    append(&fx, 1);
    expect(&reader, "1:x\n");
    framelog_add(quiet.log, VIEW("1:untold\n"), 1);
    assert_true(framelog_publish(quiet.log));
    for (int i = 2; i <= 100; i++) {
        append(&fx, 1);
        expect_frames(&reader, i, i);
    }
    char byte;
    assert_int_equal(recv(waiting.socket, &byte, 1, MSG_DONTWAIT), -1);
    audience_notify(quiet.audience);
    expect(&waiting, "1:untold\n");
    leave(&waiting);
    leave(&reader);
    WAIT_UNTIL(delivery_count(fx.delivery) == 0);
    close_other(&quiet);
    close_fixture(&fx);
}

/* As channels do whose last reader has left. */
static void crew__audiences_go_while_streams_of_others_go_on(void **state)
{
    (void)state;
    enum { ROUNDS = 60 };
    struct fixture fx;
    struct client reader;
    struct appender appender = {&fx, 3000};
    pthread_t thread;
    int64_t next = 1;
    open_fixture(&fx, 2, 4096 * KIB);
    join(&fx, &reader, pages_new(fx.log, 1));
    expect(&reader, "page 1\n");
    assert_int_equal(pthread_create(&thread, NULL, run_appender, &appender), 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct fixture short_lived;
        struct client clients[3];
        open_other(&short_lived, &fx);
        for (int i = 0; i < 3; i++) join(&short_lived, &clients[i], pages_new(short_lived.log, i));
        append(&short_lived, 10);
        for (int i = 0; i < 3; i++) {
            if (i != round % 3) shutdown(clients[i].socket, SHUT_WR);
            if (i == round % 3) leave(&clients[i]);
        }
        WAIT_UNTIL(atomic_load(&open_sources) == 1);
        close_other(&short_lived);
        for (int i = 0; i < 3; i++) leave(&clients[i]);
        struct pollfd p = {.fd = reader.socket, .events = POLLIN};
        if (poll(&p, 1, 0) == 1) receive(&reader);
        take_frames(&reader.got, &next);
    }
    while (next <= 3000) {
        receive(&reader);
        assert_false(reader.ended);
        take_frames(&reader.got, &next);
    }
    pthread_join(thread, NULL);
    leave(&reader);
    close_fixture(&fx);
}

/* ---- ending ---- */

static void crew__ends_the_streams_of_an_owner_or_of_a_session(void **state)
{
    (void)state;
    static const struct {
        uint64_t owner, session;
    } whose[] = {{1, 10}, {1, 11}, {1, 10}, {2, 10}, {0, 0}, {2, 20}};
    enum { STREAMS = sizeof whose / sizeof *whose };
    struct fixture fx;
    struct client clients[STREAMS];
    atomic_int why[STREAMS];
    open_fixture(&fx, 2, 0);
    for (int i = 0; i < STREAMS; i++) {
        atomic_store(&why[i], -1);
        join(&fx, &clients[i], pages_of(fx.log, whose[i].owner, whose[i].session, &why[i]));
        expect(&clients[i], "page 1\n");
    }
    delivery_end(fx.delivery, 3, 0);
    delivery_end(fx.delivery, 1, 20);
    delivery_end(fx.delivery, 1, 10);
    expect(&clients[0], "over\n");
    expect_end(&clients[0]);
    expect(&clients[2], "over\n");
    expect_end(&clients[2]);
    append(&fx, 1);
    static const int others[] = {1, 3, 4, 5};
    for (int i = 0; i < 4; i++) expect(&clients[others[i]], "1:x\n");
    delivery_end(fx.delivery, 2, 0);
    expect(&clients[3], "over\n");
    expect_end(&clients[3]);
    expect(&clients[5], "over\n");
    expect_end(&clients[5]);
    append(&fx, 1);
    expect(&clients[1], "2:x\n");
    expect(&clients[4], "2:x\n");
    WAIT_UNTIL(delivery_count(fx.delivery) == 2);
    static const int wanted[] = {STREAM_END_RIGHTS, -1, STREAM_END_RIGHTS, STREAM_END_RIGHTS, -1, STREAM_END_RIGHTS};
    for (int i = 0; i < STREAMS; i++) assert_int_equal(atomic_load(&why[i]), wanted[i]);
    for (int i = 0; i < STREAMS; i++) leave(&clients[i]);
    close_fixture(&fx);
}

/* Also one that has just been handed over, one whose source never comes to an end, and one that takes nothing. */
static void crew__ends_whatever_a_stream_does(void **state)
{
    (void)state;
    struct fixture fx;
    struct client stalled, endless, fresh;
    atomic_int why[3] = {-1, -1, -1}, asked = 0;
    open_fixture(&fx, 1, 4096 * KIB);
    int socket = join(&fx, &stalled, pages_of(fx.log, 1, 1, &why[0]));
    expect(&stalled, "page 1\n");
    append(&fx, 900 * KIB);
    int unsent = 0;
    WAIT_UNTIL(!ioctl(socket, SIOCOUTQNSD, &unsent) && unsent);
    struct pages *source = pages_of(fx.log, 1, 1, &why[1]);
    source->endless = true;
    source->asked = &asked;
    join(&fx, &endless, source);
    WAIT_UNTIL(atomic_load(&asked) > 1);
    join(&fx, &fresh, pages_of(fx.log, 1, 1, &why[2]));
    delivery_end(fx.delivery, 1, 1);
    assert_true(delivery_wait_empty(fx.delivery, PATIENT));
    for (int i = 0; i < 3; i++) assert_int_equal(atomic_load(&why[i]), STREAM_END_RIGHTS);
    leave(&stalled);
    leave(&endless);
    leave(&fresh);
    close_fixture(&fx);
}

/* ---- notices ---- */

enum { TEA = 1, COFFEE = 2 };

static struct pages *listening(struct fixture *fx, uint64_t owner, unsigned kinds)
{
    struct pages *p = pages_of(fx->log, owner, 1, NULL);
    p->listener.kinds = kinds;
    return p;
}

static void crew__notices_go_to_an_owners_streams_that_take_the_kind(void **state)
{
    (void)state;
    static const struct {
        uint64_t owner;
        unsigned kinds;
        const char *heard;
    } whose[] = {
        {1, TEA, "tea for 1\ntea for all\nthe end\n"},
        {1, TEA | COFFEE, "tea for 1\ncoffee for 1\ntea for all\nthe end\n"},
        {65, COFFEE, "the end\n"}, /* in the same chain as 1 */
        {2, TEA, "tea for all\nthe end\n"},
        {1, 0, ""},
        {0, TEA, "tea for all\nthe end\n"},
    };
    enum { STREAMS = sizeof whose / sizeof *whose };
    struct fixture fx;
    struct client clients[STREAMS];
    open_fixture(&fx, 2, 0);
    for (int i = 0; i < STREAMS; i++) {
        join(&fx, &clients[i], listening(&fx, whose[i].owner, whose[i].kinds));
        expect(&clients[i], "page 1\n");
    }
    delivery_tell(fx.delivery, 1, TEA, VIEW("tea for 1\n"));
    delivery_tell(fx.delivery, 1, COFFEE, VIEW("coffee for 1\n"));
    delivery_tell(fx.delivery, 3, TEA, VIEW("tea for nobody\n"));
    delivery_tell(fx.delivery, 0, TEA, VIEW("tea for all\n"));
    delivery_tell(fx.delivery, 0, TEA | COFFEE, VIEW("the end\n"));
    for (int i = 0; i < STREAMS; i++) expect(&clients[i], whose[i].heard);
    append(&fx, 1);
    for (int i = 0; i < STREAMS; i++) expect(&clients[i], "1:x\n");
    for (int i = 0; i < STREAMS; i++) leave(&clients[i]);
    close_fixture(&fx);
}

/* Told while they come and go: whoever stays hears all, in order. */
static void crew__notices_while_streams_come_and_go(void **state)
{
    (void)state;
    enum { NOTICES = 400 };
    struct fixture fx;
    struct client stays, other;
    open_fixture(&fx, 2, 0);
    join(&fx, &stays, listening(&fx, 7, TEA));
    expect(&stays, "page 1\n");
    for (int i = 0; i < NOTICES; i++) {
        char text[32];
        snprintf(text, sizeof text, "%d\n", i);
        join(&fx, &other, listening(&fx, (uint64_t)(i % 200), TEA));
        delivery_tell(fx.delivery, 7, TEA, view_of(text));
        leave(&other);
        expect(&stays, text);
    }
    leave(&stays);
    close_fixture(&fx);
}

static atomic_int ticks;

static void count_tick(void *ctx, struct delivery *d)
{
    assert_ptr_equal(ctx, &ticks);
    delivery_tell(d, 0, TEA, VIEW("tick\n"));
    atomic_fetch_add(&ticks, 1);
}

static void crew__ticks(void **state)
{
    (void)state;
    struct fixture fx;
    struct client client;
    open_with(&fx, &(struct delivery_options){.threads = 2, .tick = count_tick, .ctx = &ticks}, 0);
    join(&fx, &client, listening(&fx, 1, TEA));
    expect(&client, "page 1\ntick\n");
    assert_true(atomic_load(&ticks) > 0);
    leave(&client);
    close_fixture(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crew__nobody_waits_for_anothers_past),
        cmocka_unit_test(crew__several_audiences),
        cmocka_unit_test(crew__only_those_whose_log_grew_are_looked_at),
        cmocka_unit_test(crew__audiences_go_while_streams_of_others_go_on),
        cmocka_unit_test(crew__ends_the_streams_of_an_owner_or_of_a_session),
        cmocka_unit_test(crew__ends_whatever_a_stream_does),
        cmocka_unit_test(crew__notices_go_to_an_owners_streams_that_take_the_kind),
        cmocka_unit_test(crew__notices_while_streams_come_and_go),
        cmocka_unit_test(crew__ticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
