/* Why a stream ended. */
#ifndef STREAM_END_H
#define STREAM_END_H

enum stream_end {
    STREAM_END_CLIENT,      /* hung up */
    STREAM_END_ERROR,       /* the connection broke, or the client sent what it should not */
    STREAM_END_LAG_BYTES,   /* too many bytes behind */
    STREAM_END_LAG_SECONDS, /* behind for too long */
    STREAM_END_RIGHTS,      /* its reader may not read it any more */
    STREAM_END_STOPPING,    /* with the server */
    STREAM_END_SOURCE,      /* what it missed could not be read */
};

#define NSTREAM_ENDS (STREAM_END_SOURCE + 1)

/* "client", "lag-bytes" */
const char *stream_end_name(enum stream_end end);

#endif
