/* Conversations of whoever is signed in with every user: what was said last, what is unread, how far each has read
 * (store/conversation.h); and that he is writing. Nobody sees those of others. */
#ifndef API_CONVERSATIONS_H
#define API_CONVERSATIONS_H

#include "api/call.h"

#define UNREAD_SHOWN 1000

operation conversations_list, conversations_one, conversations_read, conversations_typing;

#endif
