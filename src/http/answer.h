/* From a response to bytes, and out. */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "base/clock.h"
#include "base/peer.h"
#include "http/response.h"
#include "http/server.h"
#include "http/wire.h"

/* What one thread keeps from answer to answer. */
struct answer {
    struct str head;
    int64_t second; /* that `date` stands for */
    char date[HTTP_DATE_LENGTH + 1];
};

void answer_release(struct answer *a);
/* Empties a response for the next request. */
void answer_start(struct response *rs, int status);
/* Fills it with the refusal for that status. */
void answer_refuse(struct response *rs, int status, const struct server_options *options);
/* Sends it; a response that has failed must have been replaced. `bodiless`: to HEAD; `*keep` is what the client is told
 * of the connection, and afterwards whether it can be kept. False: not all of it went out. */
MUST_CHECK bool answer_send(
    struct answer *a, struct response *rs, bool bodiless, bool *keep, struct peer *peer, struct crowd *crowd);
/* All of one that closes the connection, as text. */
void answer_text(struct answer *a, struct response *rs, struct str *text);

#endif
