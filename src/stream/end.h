/* Why a stream ended. */
#ifndef STREAM_END_H
#define STREAM_END_H

enum stream_end {
    STREAM_END_CLIENT,      /* hung up */
    STREAM_END_ERROR,       /* of the connection, or no memory */
    STREAM_END_LAG_BYTES,   /* more of the log was unsent than a stream may leave */
    STREAM_END_LAG_SECONDS, /* behind, or taking nothing, for longer than a stream may be */
    STREAM_END_RIGHTS,      /* the reader's session is over */
    STREAM_END_STOPPING,    /* of the server */
    STREAM_END_SOURCE,      /* its source could not go on */
};

#define STREAM_ENDS 7

#endif
