/* Failures as HTTP answers: the one place that writes Payload's error bodies and logs failures. */
#ifndef API_FAIL_H
#define API_FAIL_H

#include "http/response.h"
#include "parley/status.h"

/* Sets the status and the body; what was in the body before is dropped. */
void fail_respond(struct response *rs, const struct failure *f);
/* "The following fields are invalid: Sender, Content", the reason itself for a plain failure. */
void fail_add_message(struct str *out, const struct failure *f);
/* {"message":"Route not found \"/api/nothing\""} */
void fail_no_route(struct response *rs, struct view path);

#endif
