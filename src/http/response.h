/* One HTTP answer: a handler fills it, the server sends it whole, in one send where it fits. The server adds Date,
 * Content-Length and Connection; for HEAD it sends the head alone. A response whose building failed for want of
 * memory goes out as 503. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "parley/str.h"
#include <stdbool.h>

struct response {
    int status;         /* 200 unless set */
    struct str headers; /* "Name: value\r\n" lines */
    struct str body;    /* owned text … */
    struct view fixed;  /* … or, when body is empty, bytes that outlive the program's requests (embedded assets) */
    struct {
        bool open;
        int fd; /* the response's own */
        int64_t from, len;
    } file;     /* … or, when it is open, bytes of a file */
    bool close; /* close the connection after this answer */
};

/* Answers with `len` bytes of the file from `from` on, and takes the descriptor. */
void response_file(struct response *rs, int fd, int64_t from, int64_t len);
/* Closes the file, if there is one. */
void response_drop_file(struct response *rs);

/* The value must hold no CR or LF; one that does is left out altogether (no header can be smuggled in). */
void response_header(struct response *rs, const char *name, struct view value);
void response_headerf(struct response *rs, const char *name, const char *format, ...) PRINTF(3, 4);
/* "Not Found" for 404 (RFC 9110, 15); "Unknown" for what has no name there. */
const char *response_reason(int status);
void response_release(struct response *rs);

#endif
