/* How many streams there may be, in all and from one address. A place is taken before a stream is made and dropped when
 * it has ended.
 *
 * An address is an IPv4 address, or the first 64 bits of an IPv6 address: a host has such a network to itself (RFC
 * 6177) and may take another address of it for each connection. An IPv4 address that is written as an IPv6 one
 * (::ffff:192.0.2.1) is that IPv4 address. What is no address at all counts as one of its own.
 *
 * Each address with a stream costs some 50 bytes; nothing where there is no limit for an address. */
#ifndef STREAM_QUOTA_H
#define STREAM_QUOTA_H

#include "parley/attributes.h"
#include "parley/str.h"
#include <stddef.h>

struct quota;
struct quota_place;

enum quota_result {
    QUOTA_OK,
    QUOTA_FULL,         /* there are as many as there may be */
    QUOTA_ADDRESS_FULL, /* from this address */
    QUOTA_NO_MEMORY,
};

/* 0: no limit. NULL: no memory. */
MUST_CHECK struct quota *quota_new(size_t most, size_t most_per_address);
/* Every place must have been dropped. Takes NULL. */
void quota_free(struct quota *q);

/* Takes a place for a stream from that address ("192.0.2.1", "2001:db8::1"); QUOTA_OK: `*out` is it, else NULL.
 * Any thread. */
MUST_CHECK enum quota_result quota_take(struct quota *q, struct view address, struct quota_place **out);
/* Takes NULL. Any thread. */
void quota_drop(struct quota_place *place);
/* How many are taken now. Any thread. */
size_t quota_count(struct quota *q);

#endif
