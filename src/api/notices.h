/* Notices: what users are told beside the changes, on the streams that ask for it (/api/parley/stream?events=read,…).
 * They carry no id, are never stored and may be lost (stream/delivery.h): who comes back asks for the conversations and
 * for who is there. */
#ifndef API_NOTICES_H
#define API_NOTICES_H

#include "parley/str.h"
#include "store/profile.h"
#include "stream/delivery.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of a listener's kinds. */
enum notice_kind {
    NOTICE_READ = 1 << 0,
    NOTICE_TYPING = 1 << 1,
    NOTICE_PRESENCE = 1 << 2,
    NOTICE_PROFILE = 1 << 3,
};

/* The kind of that event name ("read"); 0: there is none. */
unsigned notice_find(struct view name);

/* `user` has read the messages of `peer` up to that one: to both. Any thread, as all of these. */
void notice_read(struct delivery *d, int64_t user, int64_t peer, int64_t message);
/* To the peer. */
void notice_typing(struct delivery *d, int64_t user, int64_t peer, bool typing);

struct presence_change {
    int64_t user;
    bool online;
};

/* To everybody, as the next. */
void notice_presence(struct delivery *d, const struct presence_change *changes, size_t n);

/* A user has another name. */
void notice_profile(struct delivery *d, const struct profile *profile);

#endif
