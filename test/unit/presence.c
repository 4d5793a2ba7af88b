/* Who is there, where more come and go than are told at once, and from several threads. */
#include "api/presence.h"
#include "api/notices.h"
#include "base/check.h"
#include "base/clock.h"
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENT 30000 /* ms until a test gives up */

/* A stream that takes notices of who is there, from its first byte on. */
struct ear {
    struct source source;
    struct listener listener;
};

static enum source_result ear_next(struct source *source, struct str *page, uint64_t *position)
{
    (void)source;
    *position = 0;
    str_addz(page, "\n");
    return SOURCE_LIVE;
}

static void ear_fallen(struct source *source, int64_t seq)
{
    (void)source;
    (void)seq;
}

static void ear_ping(struct source *source, struct str *page, uint64_t position)
{
    (void)source;
    (void)page;
    (void)position;
}

static void ear_close(struct source *source, enum stream_end why)
{
    (void)why;
    free(CONTAINER(source, struct ear, source));
}

static struct listener *ear_listener(struct source *source)
{
    return &CONTAINER(source, struct ear, source)->listener;
}

struct world {
    struct presence *presence;
    struct framelog *log;
    struct delivery *delivery;
    struct audience *audience;
    int socket;
    struct str heard;
};

static int setup(void **state)
{
    static const struct source_type type = {ear_next, ear_fallen, ear_ping, ear_close, ear_listener};
    struct world *w = calloc(1, sizeof *w);
    struct ear *ear = calloc(1, sizeof *ear);
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    *ear = (struct ear){.source = {.type = &type}, .listener = {.kinds = NOTICE_PRESENCE}};
    w->socket = ends[1];
    w->presence = presence_new();
    w->log = framelog_new(0, NULL, 0);
    w->delivery = delivery_new(&(struct delivery_options){.threads = 1});
    w->audience = audience_new(w->delivery, w->log);
    assert_true(audience_add(w->audience, peer_plain(ends[0]), &ear->source));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    delivery_free(w->delivery, (struct view){0});
    audience_free(w->audience);
    framelog_free(w->log);
    presence_free(w->presence);
    str_release(&w->heard);
    close(w->socket);
    free(w);
    return 0;
}

/* How many changes of that sort have been heard once `n` have; each of them is one of a user. */
static size_t count(const struct world *w, const char *online)
{
    size_t n = 0;
    for (const char *at = w->heard.at; at && (at = strstr(at, online)); at++) n++;
    return n;
}

static void hear(struct world *w, const char *online, size_t n)
{
    struct pollfd p = {.fd = w->socket, .events = POLLIN};
    while (count(w, online) < n) {
        char bytes[4096];
        assert_int_equal(poll(&p, 1, PATIENT), 1);
        ssize_t len = recv(w->socket, bytes, sizeof bytes, 0);
        assert_true(len > 0);
        str_add(&w->heard, (struct view){bytes, (size_t)len});
        str_addc(&w->heard, 0);
        w->heard.len--;
    }
    assert_int_equal(count(w, online), n);
}

static bool heard_of(const struct world *w, int64_t user, bool online)
{
    char text[64];
    snprintf(text, sizeof text, "{\"user\":%lld,\"online\":%s}", (long long)user, online ? "true" : "false");
    return strstr(w->heard.at, text);
}

#define COME "\"online\":true"
#define GO   "\"online\":false"

static void presence__no_more_than_some_are_told_at_once(void **state)
{
    struct world *w = *state;
    enum { USERS = 2 * PRESENCE_MOST + 20 };
    hear(w, "\n", 1); /* the stream is there */
    for (int64_t user = 1; user <= USERS; user++) assert_true(presence_enter(w->presence, user));
    assert_int_equal(presence_count(w->presence), USERS);
    for (int i = 1; i <= 4; i++) {
        presence_tell(w->presence, w->delivery);
        hear(w, COME, i * PRESENCE_MOST < USERS ? (size_t)i * PRESENCE_MOST : USERS);
    }
    for (int64_t user = 1; user <= USERS; user++) assert_true(heard_of(w, user, true));
    for (int64_t user = 1; user <= USERS; user++) presence_leave(w->presence, user);
    presence_tell(w->presence, w->delivery);
    assert_int_equal(presence_count(w->presence), USERS);
    for (int ms = 0; presence_count(w->presence) && ms < PATIENT; ms += 10) {
        presence_tell(w->presence, w->delivery);
        poll(NULL, 0, 10);
    }
    hear(w, GO, USERS);
    for (int64_t user = 1; user <= USERS; user++) assert_true(heard_of(w, user, false));
    assert_int_equal(count(w, COME), USERS);
}

static void presence__one_who_comes_back_in_time_was_never_gone(void **state)
{
    struct world *w = *state;
    hear(w, "\n", 1);
    assert_true(presence_enter(w->presence, 1));
    assert_true(presence_enter(w->presence, 1));
    assert_true(presence_enter(w->presence, 2));
    presence_tell(w->presence, w->delivery);
    hear(w, COME, 2);
    presence_leave(w->presence, 1);
    presence_leave(w->presence, 1);
    presence_tell(w->presence, w->delivery);
    assert_true(presence_enter(w->presence, 1));
    presence_leave(w->presence, 2);
    for (int ms = 0; presence_count(w->presence) > 1 && ms < PATIENT; ms += 10) {
        presence_tell(w->presence, w->delivery);
        poll(NULL, 0, 10);
    }
    hear(w, GO, 1);
    assert_true(heard_of(w, 2, false));
    presence_leave(w->presence, 1);
}

static void presence__the_last_who_left_are_remembered(void **state)
{
    struct world *w = *state;
    enum { MORE = 100 };
    int64_t seen, last = PRESENCE_KEPT + MORE;
    hear(w, "\n", 1);
    assert_false(presence_look(w->presence, 1, &seen));
    assert_int_equal(seen, 0);
    int64_t before = clock_wall();
    /* Nobody is told of them: that they go need not wait for its turn. */
    for (int64_t user = 1; user <= last; user++) {
        assert_true(presence_enter(w->presence, user));
        presence_leave(w->presence, user);
    }
    assert_true(presence_look(w->presence, 1, &seen));
    int64_t after = clock_wall();
    poll(NULL, 0, PRESENCE_GRACE_MS);
    for (int ms = 0; presence_count(w->presence) && ms < PATIENT; ms += 10) {
        presence_tell(w->presence, w->delivery);
        poll(NULL, 0, 10);
    }
    assert_false(presence_look(w->presence, MORE, &seen));
    assert_int_equal(seen, 0);
    for (int64_t user = MORE + 1; user <= last; user += last - MORE - 1) {
        assert_false(presence_look(w->presence, user, &seen));
        assert_in_range(seen, before - 1, after + 1);
    }
    assert_true(presence_enter(w->presence, last)); /* he is not remembered while he is here */
    assert_true(presence_look(w->presence, last, &seen));
    presence_leave(w->presence, last);
}

static void *come_and_go(void *ctx)
{
    struct world *w = ctx;
    for (int64_t i = 0; i < 20000; i++) {
        ASSERT(presence_enter(w->presence, 1 + i * 7 % 500));
        presence_leave(w->presence, 1 + i * 7 % 500);
    }
    return NULL;
}

static void presence__from_several_threads(void **state)
{
    struct world *w = *state;
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++) assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, w), 0);
    for (int i = 0; i < 50; i++) presence_tell(w->presence, w->delivery);
    for (size_t i = 0; i < COUNT(threads); i++) pthread_join(threads[i], NULL);
    assert_int_equal(presence_count(w->presence), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(presence__no_more_than_some_are_told_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(presence__one_who_comes_back_in_time_was_never_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(presence__the_last_who_left_are_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(presence__from_several_threads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
