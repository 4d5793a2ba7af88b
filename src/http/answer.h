/* From a response to bytes, and out. */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "base/clock.h"
#include "http/outgoing.h"
#include "http/response.h"
#include "http/server.h"

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
/* Makes it ready to go out; a response that has failed must have been replaced. `head_only`: to HEAD; `keep`: what the
 * client is told of the connection. The texts lie in `a` and `rs`, the file is no longer the response's. */
void answer_make(struct answer *a, struct response *rs, bool head_only, bool keep, struct outgoing *out);
/* All of one that closes the connection, as text. */
void answer_text(struct answer *a, struct response *rs, struct str *text);

#endif
