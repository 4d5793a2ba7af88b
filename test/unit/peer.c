/* A peer with TLS, spoken to by OpenSSL's own client over a socket pair, both in one thread: each step is the test's.
 */
#include "sealed.h"

#define MANY   ((size_t)300000)
#define RECORD 16384

/* ---- the files ---- */

static void expect_refusal(const char *certificate, const char *key, const char *reason)
{
    struct tls *tls;
    struct failure f = {0};
    assert_int_equal(tls_open(&tls, certificate, key, &f), INVALID);
    assert_null(tls);
    if (!strstr(f.reason, reason)) fail_msg("\"%s\" does not hold \"%s\"", f.reason, reason);
}

static void tls__refuses_files_by_name(void **state)
{
    (void)state;
    EVP_PKEY *key = make_key(), *rsa = EVP_RSA_gen(2048);
    X509 *certificate = make_certificate(key, "x", -10, 1000);
    write_pem(file[1], certificate, NULL, NULL);
    expect_refusal(file[1], NULL, "There is no private key in ");
    expect_refusal(file[1], file[2], "Cannot read the key ");
    expect_refusal(file[1], folder, "Is a directory");
    expect_refusal(file[2], file[1], "2.pem: No such file or directory.");
    expect_refusal("/dev/null", NULL, "The certificate /dev/null is empty.");
    expect_refusal(file[1], "/dev/null", "The key /dev/null is empty.");
    expect_refusal(file[1], file[0], "0.pem does not belong to the certificate in ");
    write_pem(file[2], NULL, rsa, NULL);
    expect_refusal(file[1], file[2], "2.pem does not belong to the certificate in ");
    expect_refusal(file[2], file[2], "There is no certificate in ");
    write_pem(file[2], NULL, key, "secret");
    expect_refusal(file[1], file[2], "2.pem is encrypted: ");
    write_text(file[2], "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect_refusal(file[2], NULL, "Cannot use the certificate in ");
    write_text(file[2], "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    expect_refusal(file[1], file[2], "2.pem");
    unlink(file[2]);
    X509_free(certificate);
    EVP_PKEY_free(key);
    EVP_PKEY_free(rsa);
}

static void tls__doubts_by_time(void **state)
{
    static const struct {
        long from, to;
        const char *doubt;
    } cases[] = {{-10, 1000, NULL}, {-20, -10, "has expired"}, {1000, 2000, "is not valid yet"}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tls *tls;
        struct failure f = {0};
        write_pair("timed", cases[i].from, cases[i].to);
        assert_int_equal(tls_open(&tls, file[0], NULL, &f), OK);
        const char *doubt = tls_doubt(tls);
        assert_string_equal(doubt ? doubt : "none", cases[i].doubt ? cases[i].doubt : "none");
        tls_free(tls);
    }
    write_pair("first", -10, 1000);
    tls_free(NULL);
}

/* ---- a connection ---- */

static void expect_received(struct sealed *s, const char *text)
{
    char bytes[64];
    ssize_t n = PEER_AGAIN;
    while (n == PEER_AGAIN) n = peer_receive(&s->peer, bytes, sizeof bytes);
    assert_int_equal(n, (ssize_t)strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
}

/* Until nothing goes any more; each time from another place in memory. */
static size_t send_all(struct sealed *s, struct view bytes)
{
    size_t sent = 0;
    while (sent < bytes.len) {
        size_t len = bytes.len - sent;
        char *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, bytes.at + sent, len);
        ssize_t n = peer_send(&s->peer, (struct view){copy, len});
        free(copy);
        if (n < 0) {
            assert_int_equal(n, PEER_UNTIL_WRITABLE);
            break;
        }
        assert_int_not_equal(n, PEER_GONE);
        sent += (size_t)n;
    }
    return sent;
}

static char *make_text(size_t len)
{
    char *text = malloc(len);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++) text[i] = (char)('a' + (i * 7 + i / 251) % 26);
    return text;
}

static void peer__shakes_hands_and_talks(void **state)
{
    struct sealed s;
    struct str got = {0};
    char byte;
    (void)state;
    open_sealed(&s);
    assert_int_equal(peer_shake_hands(&s.peer), PEER_UNTIL_READABLE);
    assert_int_equal(shake_hands(&s), 1);
    assert_string_equal(SSL_get_version(s.client), "TLSv1.3");
    assert_int_equal(peer_look(&s.peer), PEER_UNTIL_READABLE);
    assert_int_equal(peer_receive(&s.peer, &byte, 1), PEER_UNTIL_READABLE);
    client_says(&s, "hello");
    assert_int_equal(peer_look(&s.peer), 1);
    expect_received(&s, "hello");
    assert_int_equal(peer_send(&s.peer, VIEW("good day")), 8);
    assert_true(client_reads(&s, &got));
    assert_string_equal(got.at, "good day");
    peer_close(&s.peer);
    assert_int_equal(s.peer.socket, -1);
    assert_false(client_reads(&s, &got));
    assert_int_equal(SSL_get_error(s.client, 0), SSL_ERROR_ZERO_RETURN);
    str_release(&got);
    close_sealed(&s);
}

static void peer__plain_is_the_same_without(void **state)
{
    struct sealed s;
    char byte = 0;
    (void)state;
    open_sealed(&s);
    peer_finish(&s.peer);
    assert_null(s.peer.tls);
    assert_int_equal(peer_receive(&s.peer, &byte, 1), PEER_UNTIL_READABLE);
    assert_int_equal(send(s.socket, "x", 1, 0), 1);
    assert_int_equal(peer_receive(&s.peer, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    char *text = make_text(MANY);
    size_t sent = 0;
    ssize_t n;
    while ((n = peer_send(&s.peer, (struct view){text, MANY})) > 0) sent += (size_t)n;
    assert_int_equal(n, PEER_UNTIL_WRITABLE);
    assert_true(sent > 0);
    close(s.socket);
    s.socket = -1;
    assert_int_equal(peer_send(&s.peer, (struct view){text, MANY}), PEER_GONE);
    assert_int_equal(peer_receive(&s.peer, &byte, 1), PEER_GONE);
    free(text);
    close_sealed(&s);
}

/* ---- what clients propose ---- */

static void peer__speaks_tls_1_2_and_up(void **state)
{
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct sealed s;
        open_sealed(&s);
        SSL_set_min_proto_version(s.client, versions[i]);
        SSL_set_max_proto_version(s.client, versions[i]);
        assert_int_equal(shake_hands(&s), i < 2 ? PEER_GONE : 1);
        close_sealed(&s);
    }
}

static void peer__chooses_http_1_1(void **state)
{
    static const struct {
        const char *offered;
        int answer;
    } cases[] = {{"\x02h2\x08http/1.1", 1}, {"\x08http/1.1", 1}, {"\x02h2", PEER_GONE}};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct sealed s;
        const unsigned char *chosen;
        unsigned len;
        open_sealed(&s);
        const char *offered = cases[i].offered;
        SSL_set_alpn_protos(s.client, (const unsigned char *)offered, (unsigned)strlen(offered));
        assert_int_equal(shake_hands(&s), cases[i].answer);
        SSL_get0_alpn_selected(s.client, &chosen, &len);
        assert_int_equal(len, cases[i].answer == 1 ? 8 : 0);
        if (len) assert_memory_equal(chosen, "http/1.1", len);
        close_sealed(&s);
    }
}

static void peer__knows_plain_http(void **state)
{
    static const struct {
        const char *said;
        int answer;
    } cases[] = {{"GET / HTTP/1.1\r\n\r\n", PEER_NOT_TLS}, {"POST /api/messages HTTP/1.1\r\n\r\n", PEER_NOT_TLS},
        {"SSH-2.0-OpenSSH_9.2\r\n", PEER_GONE}, {"\x16\x03\x01\x02", PEER_UNTIL_READABLE}};
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct sealed s;
        open_sealed(&s);
        assert_int_equal(send(s.socket, cases[i].said, strlen(cases[i].said), 0), (ssize_t)strlen(cases[i].said));
        assert_int_equal(peer_shake_hands(&s.peer), cases[i].answer);
        peer_finish(&s.peer);
        close_sealed(&s);
    }
}

static void peer__refuses_renegotiation(void **state)
{
    struct sealed s;
    struct str got = {0};
    (void)state;
    open_sealed(&s);
    SSL_set_max_proto_version(s.client, TLS1_2_VERSION);
    assert_int_equal(shake_hands(&s), 1);
    assert_int_equal(SSL_renegotiate(s.client), 1);
    SSL_do_handshake(s.client);
    char byte;
    ssize_t n = PEER_AGAIN;
    while (n == PEER_AGAIN) n = peer_receive(&s.peer, &byte, 1);
    assert_int_equal(n, PEER_UNTIL_READABLE);
    assert_int_equal(peer_send(&s.peer, VIEW("go on")), 5);
    ERR_clear_error();
    client_reads(&s, &got);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    str_release(&got);
    close_sealed(&s);
}

/* ---- short sends ---- */

static void read_rest(struct sealed *s, struct view text, size_t sent)
{
    struct str got = {0};
    while (got.len < text.len) {
        sent += send_all(s, (struct view){text.at + sent, text.len - sent});
        assert_true(client_reads(s, &got));
    }
    assert_int_equal(sent, text.len);
    assert_int_equal(got.len, text.len);
    assert_memory_equal(got.at, text.at, text.len);
    str_release(&got);
}

static void peer__goes_on_after_a_short_send(void **state)
{
    struct sealed s;
    (void)state;
    open_sealed(&s);
    assert_int_equal(shake_hands(&s), 1);
    char *text = make_text(MANY);
    size_t sent = send_all(&s, (struct view){text, MANY});
    assert_int_equal(sent % RECORD, 0);
    assert_true(sent > 0 && sent < MANY);
    /* Meanwhile there may be more to send. */
    assert_int_equal(peer_send(&s.peer, (struct view){text + sent, MANY - sent - 1000}), PEER_UNTIL_WRITABLE);
    read_rest(&s, (struct view){text, MANY}, sent);
    free(text);
    close_sealed(&s);
}

/* The client changes its key and wants ours changed, while a record of ours is half on its way. */
static void key_updates(int kind)
{
    struct sealed s;
    char byte;
    open_sealed(&s);
    assert_int_equal(shake_hands(&s), 1);
    char *text = make_text(MANY);
    size_t sent = send_all(&s, (struct view){text, MANY});
    assert_int_equal(SSL_key_update(s.client, kind), 1);
    assert_int_equal(SSL_do_handshake(s.client), 1);
    ssize_t n = PEER_AGAIN;
    while (n == PEER_AGAIN) n = peer_receive(&s.peer, &byte, 1);
    assert_true(n == PEER_UNTIL_READABLE || n == PEER_UNTIL_WRITABLE);
    read_rest(&s, (struct view){text, MANY}, sent);
    client_says(&s, "with the new key");
    expect_received(&s, "with the new key");
    free(text);
    close_sealed(&s);
}

static void peer__answers_a_key_update_behind_a_short_send(void **state)
{
    (void)state;
    key_updates(SSL_KEY_UPDATE_REQUESTED);
    key_updates(SSL_KEY_UPDATE_NOT_REQUESTED);
}

/* A call that went on for as long as these come would keep all other streams of its thread. */
static void peer__does_one_record_a_call(void **state)
{
    struct sealed s;
    char byte;
    (void)state;
    open_sealed(&s);
    assert_int_equal(shake_hands(&s), 1);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(SSL_key_update(s.client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(s.client), 1);
    }
    client_says(&s, "at last");
    for (int i = 0; i < 50; i++) assert_int_equal(peer_receive(&s.peer, &byte, 1), PEER_AGAIN);
    expect_received(&s, "at last");
    assert_int_equal(peer_receive(&s.peer, &byte, 1), PEER_UNTIL_READABLE);
    close_sealed(&s);
}

/* ---- ends ---- */

static void peer__no_word_of_the_end_inside_a_record(void **state)
{
    struct sealed s;
    struct str got = {0};
    (void)state;
    open_sealed(&s);
    assert_int_equal(shake_hands(&s), 1);
    char *text = make_text(MANY);
    size_t sent = send_all(&s, (struct view){text, MANY});
    peer_close(&s.peer);
    assert_false(client_reads(&s, &got));
    assert_int_not_equal(SSL_get_error(s.client, 0), SSL_ERROR_ZERO_RETURN);
    assert_int_equal(got.len, sent);
    assert_memory_equal(got.at, text, sent);
    str_release(&got);
    free(text);
    close_sealed(&s);
}

/* One that sends no more may still listen: with a word, and without. */
static void peer__half_closed_is_still_answered(void **state)
{
    (void)state;
    for (int word = 0; word < 2; word++) {
        struct sealed s;
        struct str got = {0};
        char byte;
        open_sealed(&s);
        assert_int_equal(shake_hands(&s), 1);
        client_says(&s, "bye");
        if (word) SSL_shutdown(s.client);
        shutdown(s.socket, SHUT_WR);
        expect_received(&s, "bye");
        assert_int_equal(peer_look(&s.peer), 1);
        assert_int_equal(peer_receive(&s.peer, &byte, 1), PEER_GONE);
        assert_int_equal(peer_send(&s.peer, VIEW("so long")), 7);
        assert_true(client_reads(&s, &got));
        assert_string_equal(got.at, "so long");
        str_release(&got);
        close_sealed(&s);
    }
}

static void peer__garbage_ends_it(void **state)
{
    struct sealed s;
    char byte;
    (void)state;
    open_sealed(&s);
    assert_int_equal(shake_hands(&s), 1);
    assert_int_equal(send(s.socket, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    assert_int_equal(peer_receive(&s.peer, &byte, 1), PEER_GONE);
    assert_non_null(peer_complaint());
    assert_int_equal(peer_send(&s.peer, VIEW("x")), PEER_GONE);
    close_sealed(&s);
}

/* ---- a new certificate ---- */

static void expect_name(struct sealed *s, const char *wanted)
{
    char name[64] = "";
    X509 *certificate = SSL_get1_peer_certificate(s->client);
    assert_non_null(certificate);
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    X509_free(certificate);
    assert_string_equal(name, wanted);
}

static void tls__renewed_for_new_connections(void **state)
{
    struct sealed s;
    struct failure f = {0};
    (void)state;
    open_sealed(&s);
    assert_int_equal(shake_hands(&s), 1);
    expect_name(&s, "first");
    struct sealed old = s;
    write_pair("second", -10, 1000);
    assert_int_equal(tls_renew(s.tls, &f), OK);
    connect_pair(&s);
    assert_int_equal(shake_hands(&s), 1);
    expect_name(&s, "second");
    leave(&s);
    write_text(file[0], "no certificate");
    assert_int_equal(tls_renew(s.tls, &f), INVALID);
    connect_pair(&s);
    assert_int_equal(shake_hands(&s), 1);
    expect_name(&s, "second");
    tls_free(s.tls);
    client_says(&old, "still here");
    expect_received(&old, "still here");
    leave(&s);
    leave(&old);
    write_pair("first", -10, 1000);
}

/* ---- a client ---- */

/* Both ends are peers. What the client's handshake says at the end. */
static int meet(struct tls *server_tls, struct tls *client_tls, const char *host)
{
    int ends[2], answer = PEER_UNTIL_READABLE;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    struct peer server = peer_plain(ends[0]), client = peer_plain(ends[1]);
    assert_true(peer_secure(&server, server_tls));
    assert_true(peer_secure_to(&client, client_tls, host));
    for (int i = 0; i < 20 && answer < 0; i++) {
        answer = peer_shake_hands(&client);
        if (peer_shake_hands(&server) == PEER_GONE && answer < 0) break;
    }
    if (answer == 1) {
        char got[8];
        while (peer_shake_hands(&server) < 0) continue;
        assert_int_equal(peer_send(&client, VIEW("hello")), 5);
        assert_int_equal(peer_receive(&server, got, sizeof got), 5);
    }
    peer_close(&client);
    peer_close(&server);
    return answer;
}

static void peer__a_client_believes_those_it_knows(void **state)
{
    struct tls *server, *client;
    struct failure f = {0};
    (void)state;
    EVP_PKEY *key = make_key();
    X509 *other = make_certificate(key, "other", -10, 1000);
    write_pem(file[1], other, NULL, NULL);
    X509_free(other);
    EVP_PKEY_free(key);
    assert_int_equal(tls_open(&server, file[0], NULL, &f), OK);

    assert_int_equal(tls_open_client(&client, file[0], false, &f), OK);
    assert_int_equal(meet(server, client, "first"), 1);
    assert_int_equal(meet(server, client, "second"), PEER_GONE);
    assert_int_equal(meet(server, client, "127.0.0.1"), PEER_GONE);
    tls_free(client);
    assert_int_equal(tls_open_client(&client, file[1], false, &f), OK);
    assert_int_equal(meet(server, client, "first"), PEER_GONE);
    tls_free(client);
    assert_int_equal(tls_open_client(&client, NULL, false, &f), OK);
    assert_int_equal(meet(server, client, "first"), PEER_GONE);
    tls_free(client);
    assert_int_equal(tls_open_client(&client, NULL, true, &f), OK);
    assert_int_equal(meet(server, client, "second"), 1);
    tls_free(client);
    tls_free(server);

    unlink(file[1]);
    assert_int_equal(tls_open_client(&client, file[1], false, &f), INVALID);
    assert_non_null(strstr(f.reason, file[1]));
    assert_null(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls__refuses_files_by_name),
        cmocka_unit_test(tls__doubts_by_time),
        cmocka_unit_test(peer__shakes_hands_and_talks),
        cmocka_unit_test(peer__plain_is_the_same_without),
        cmocka_unit_test(peer__speaks_tls_1_2_and_up),
        cmocka_unit_test(peer__chooses_http_1_1),
        cmocka_unit_test(peer__knows_plain_http),
        cmocka_unit_test(peer__refuses_renegotiation),
        cmocka_unit_test(peer__goes_on_after_a_short_send),
        cmocka_unit_test(peer__answers_a_key_update_behind_a_short_send),
        cmocka_unit_test(peer__does_one_record_a_call),
        cmocka_unit_test(peer__no_word_of_the_end_inside_a_record),
        cmocka_unit_test(peer__half_closed_is_still_answered),
        cmocka_unit_test(peer__garbage_ends_it),
        cmocka_unit_test(tls__renewed_for_new_connections),
        cmocka_unit_test(peer__a_client_believes_those_it_knows),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
