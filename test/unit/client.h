/* What tests of a server share: plain clients of it, and what they say and hear. */
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include "http/server.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "Host: x\r\n"

static struct server *server;

static inline int client(void)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(server_port(server, 0)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 30};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s >= 0);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(s, (struct sockaddr *)&a, sizeof a), 0);
    return s;
}

static inline void say(int s, const char *text)
{
    assert_int_equal(send(s, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* One answer, whose body is no longer than what `body` says, and which is no prefix of another. */
static inline void expect(int s, int status, const char *body, const char *line)
{
    char text[2048] = "";
    size_t len = 0;
    const char *blank;
    while (!(blank = strstr(text, "\r\n\r\n")) || strlen(blank + 4) < strlen(body)) {
        ssize_t n = recv(s, text + len, 1, 0);
        if (n != 1) print_error("only \"%s\" (%s)\n", text, strerror(errno));
        assert_int_equal(n, 1);
        text[++len] = '\0';
    }
    assert_int_equal(atoi(text + strlen("HTTP/1.1 ")), status);
    assert_string_equal(blank + 4, body);
    assert_non_null(strstr(text, line));
}

static inline void expect_end(int s)
{
    char byte;
    ssize_t n = recv(s, &byte, 1, 0);
    assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
    close(s);
}

static inline int count_descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir)) n++;
    closedir(dir);
    return n;
}

#endif
