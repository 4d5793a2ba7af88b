/* Addresses to listen on: from the option's text to sockets that listen. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "parley/attributes.h"
#include "parley/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LISTENERS_MOST 32

/* Non-blocking sockets. */
struct listeners {
    size_t n;
    struct {
        int socket;
        bool secure; /* stood behind "https://" */
    } at[LISTENERS_MOST];
};

/* Begins with "https://". */
bool listen_secure(const char *text);

/* Reads "127.0.0.1:3000", "[::1]:3000", "localhost:3000" (127.0.0.1 and ::1) or "*:3000" (every address of both
 * families; the second is left out where the machine has no IPv6), with or without "https://" before it, and adds at
 * most two sockets to `to`, for which there is room. Port 0 becomes one that is free now; `*port` is the port. INVALID:
 * not understood. UNAVAILABLE: cannot be listened on; the failure says which, why, and what to do. */
MUST_CHECK enum status listen_open(const char *text, struct listeners *to, uint16_t *port, struct failure *f);
void listen_close(struct listeners *l);

#endif
