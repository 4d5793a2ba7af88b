/* A feed is what the delivery asks for a joining stream's text: the head of the answer, `hello`, and what the reader's
 * cursor leads to, until the frames of his channel's log take over. */
#ifndef API_FEED_H
#define API_FEED_H

#include "api/backfill.h"
#include "api/call.h"

/* What a stream says last whose reader's session is over. */
#define FEED_OVER "event: bye\ndata: {\"reason\":\"signed-out\"}\n\n"

struct feed_options {
    struct channel *channel;   /* the feed's from now on */
    struct quota_place *place; /* too */
    bool credentials;          /* the origin may send cookies */
    bool resumes;              /* the client sent a cursor */
    bool readable;             /* which has a cursor's form */
    struct cursor cursor;
    unsigned notices; /* kinds that it takes (api/notices.h); 0: none, else the reader is signed in */
    int32_t newest;   /* documents of each collection that one without a cursor gets; BACKFILL_ALL: all of them */
};

/* The source of a stream for the call's reader; NULL: no memory, and both have been let go. */
MUST_CHECK struct source *feed_new(const struct call *call, const struct feed_options *options);
/* One that never became a stream. */
void feed_drop(struct source *source);

/* The stream's HTTP headers, "Name: value\r\n" each. */
extern const char feed_headers[];

/* Whose a stream is that was opened in that session, for delivery_end; at == NULL: 0. */
uint64_t feed_session(struct view session);

#endif
