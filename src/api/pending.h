/* A write of one document between the operation that prepares it and the answer. It waits for its commit without a
 * worker (http/exchange.h): what it needs meanwhile lies in the request's arena, and nothing of it in the request.
 *
 *     pending_new, …_prepared   by the operation
 *     pending_run               hands the write to the broker, as a command
 *     pending_done              on the applier's thread, when it is committed or refused
 *     (finish)                  by a worker: the document, or the failure, as the answer */
#ifndef API_PENDING_H
#define API_PENDING_H

#include "api/upload.h"
#include "broker/command.h"

struct exchange;

struct pending {
    struct call *call;
    struct find find; /* how the answer shows the document; its rights are the write's */
    struct draft draft;
    struct upload upload; /* the file that goes with it; the zero: none */
    struct write write;
    const char *message; /* of the answer; "%s" in it is the collection's noun */
    struct command command;
    struct exchange *exchange;
};

/* In the call's arena; the caller fills the find, for all but a deletion the draft, and the write's own. NULL: no
 * memory. */
MUST_CHECK struct pending *pending_new(struct call *call, enum write_op op, const char *message);
/* The end of an operation: `status` and `*f` say how it went. OK, and still so when the file is in its place: the call
 * has a pending write. Else the file is dropped. */
MUST_CHECK enum status pending_prepared(struct pending *p, enum status status, struct failure *f);
/* Does the write and ends the call: later where that is possible, so that nothing of the call may be touched after. */
void pending_run(struct pending *p);
/* For broker_on_done; `ctx` is not used. */
void pending_done(void *ctx, struct list *commands);

#endif
