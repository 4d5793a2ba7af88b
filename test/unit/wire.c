/* Files sent to a peer, with TLS and without. The disk is the test's: a slow one, which no socket ever waits for. */
#include "http/wire.h"
#include "base/check.h"
#include "sealed.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

#define SIZE    100000
#define SLOW_US 20000

static int slow = -1; /* this file gives a few bytes at a time, and takes its time for them */
static atomic_bool hurry;
static struct crowd crowd = {.most = 10, .hurry = &hurry};

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    if (fd != slow) return (ssize_t)syscall(SYS_pread64, fd, to, n, at);
    usleep(SLOW_US);
    memset(to, 0, n);
    return (ssize_t)n;
}

ssize_t sendfile(int to, int from, off_t *at, size_t n)
{
    static const char zeros[4096];
    if (from != slow) return (ssize_t)syscall(SYS_sendfile, to, from, at, n);
    usleep(SLOW_US);
    ssize_t sent = send(to, zeros, n < sizeof zeros ? n : sizeof zeros, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) *at += sent;
    return sent;
}

/* ---- a connection ---- */

/* What the client does while the test sends: takes everything to its end, opened where it is sealed. */
struct reader {
    struct sealed s;
    bool sealed;
    pthread_t thread;
    struct str got;
};

static void *read_all(void *ctx)
{
    struct reader *r = ctx;
    static char piece[65536];
    ssize_t n;
    do {
        n = r->sealed ? SSL_read(r->s.client, piece, sizeof piece) : recv(r->s.socket, piece, sizeof piece, 0);
        if (n > 0 && r->got.len <= SIZE) str_add(&r->got, (struct view){piece, (size_t)n});
    } while (n > 0);
    return NULL;
}

static void open_reader(struct reader *r, bool sealed)
{
    *r = (struct reader){.sealed = sealed};
    open_sealed(&r->s);
    if (sealed)
        assert_int_equal(shake_hands(&r->s), 1);
    else
        peer_finish(&r->s.peer);
    assert_int_equal(fcntl(r->s.socket, F_SETFL, fcntl(r->s.socket, F_GETFL) & ~O_NONBLOCK), 0);
    assert_int_equal(pthread_create(&r->thread, NULL, read_all, r), 0);
}

static void close_reader(struct reader *r)
{
    peer_close(&r->s.peer);
    pthread_join(r->thread, NULL);
    str_release(&r->got);
    close_sealed(&r->s);
}

static int make_file(char *bytes)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    for (size_t i = 0; i < SIZE; i++) bytes[i] = (char)(i * 7 + i / 251);
    assert_int_equal(write(fd, bytes, SIZE), SIZE);
    return fd;
}

/* ---- the tests ---- */

static void wire__sends_a_part_of_a_file(void **state)
{
    (void)state;
    static char bytes[SIZE];
    static const struct {
        int64_t from, len;
    } parts[] = {{0, SIZE}, {0, 0}, {0, 1}, {SIZE - 1, 1}, {16383, 16385}, {SIZE, 0}};
    int fd = make_file(bytes);
    for (size_t i = 0; i < 2 * COUNT(parts); i++) {
        struct reader r;
        int64_t from = parts[i / 2].from, len = parts[i / 2].len;
        open_reader(&r, i % 2);
        assert_true(wire_send_file(&r.s.peer, fd, from, len, &crowd));
        assert_int_equal(lseek(fd, 0, SEEK_CUR), SIZE);
        peer_finish(&r.s.peer);
        shutdown(r.s.peer.socket, SHUT_WR);
        pthread_join(r.thread, NULL);
        assert_int_equal(r.got.len, len);
        if (len) assert_memory_equal(r.got.at, bytes + from, (size_t)len);
        assert_int_equal(pthread_create(&r.thread, NULL, read_all, &r), 0);
        close_reader(&r);
    }
    close(fd);
}

static void wire__says_when_a_file_ends_too_soon(void **state)
{
    (void)state;
    static char bytes[SIZE];
    int fd = make_file(bytes), folder_ = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int sealed = 0; sealed < 2; sealed++) {
        struct reader r;
        open_reader(&r, sealed);
        assert_false(wire_send_file(&r.s.peer, fd, 0, SIZE + 1, &crowd));
        assert_false(wire_send_file(&r.s.peer, fd, SIZE, 1, &crowd));
        assert_false(wire_send_file(&r.s.peer, fd, SIZE + 1000, 1, &crowd));
        assert_false(wire_send_file(&r.s.peer, folder_, 0, 1, &crowd));
        close_reader(&r);
    }
    close(folder_);
    close(fd);
}

static void wire__says_when_the_peer_is_gone(void **state)
{
    (void)state;
    static char bytes[SIZE];
    int fd = make_file(bytes);
    for (int sealed = 0; sealed < 2; sealed++) {
        struct sealed s;
        open_sealed(&s);
        if (sealed)
            assert_int_equal(shake_hands(&s), 1);
        else
            peer_finish(&s.peer);
        close(s.socket);
        s.socket = -1;
        assert_false(wire_send_file(&s.peer, fd, 0, SIZE, &crowd));
        close_sealed(&s);
    }
    close(fd);
}

/* Not only one who does not read: also one who takes all, from a disk that is slower. */
static void wire__gives_a_peer_a_second_once_in_a_hurry(void **state)
{
    (void)state;
    slow = memfd_create("slow", MFD_CLOEXEC);
    atomic_store(&hurry, true);
    alarm(60);
    for (int sealed = 0; sealed < 2; sealed++) {
        struct reader r;
        open_reader(&r, sealed);
        assert_false(wire_send_file(&r.s.peer, slow, 0, (int64_t)1 << 30, &crowd));
        close_reader(&r);
    }
    alarm(0);
    atomic_store(&hurry, false);
    close(slow);
    slow = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire__sends_a_part_of_a_file),
        cmocka_unit_test(wire__says_when_a_file_ends_too_soon),
        cmocka_unit_test(wire__says_when_the_peer_is_gone),
        cmocka_unit_test(wire__gives_a_peer_a_second_once_in_a_hurry),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
