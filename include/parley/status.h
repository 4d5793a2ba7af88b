/* How a call ended, and why. Library code fills a failure and returns; only api/fail.c turns one into an HTTP answer,
 * and only there is it logged. */
#ifndef PARLEY_STATUS_H
#define PARLEY_STATUS_H

#include "parley/attributes.h"
#include <stddef.h>

enum status {
    OK = 0,
    INVALID,      /* 400: the client's mistake */
    UNAUTHORIZED, /* 401: a login that failed */
    FORBIDDEN,    /* 403 */
    NOT_FOUND,    /* 404 */
    CONFLICT,     /* 409: the state of the data forbids it */
    TOO_LARGE,    /* 413 */
    MISMATCH,     /* 422: not the request that came under this key before */
    TOO_MANY,     /* 429 */
    UNAVAILABLE,  /* 503: not now; a later try may work */
    NO_SPACE,     /* 507 */
    NO_MEMORY,    /* 503 */
    IO_ERROR,     /* 500: disk or database */
};

/* One thing that is wrong with one field. The texts live as long as the request's arena. */
struct flaw {
    const char *label;   /* "Sender"; NULL: left out of the answer */
    const char *message; /* "This field is required." */
    const char *path;    /* "sender" */
    const char *table;   /* "users", where a value must be unique; NULL: left out */
};

enum failure_shape {
    FAILURE_PLAIN,      /* {"errors":[{"message":reason}]} */
    FAILURE_VALIDATION, /* flaws of a document's fields: Payload's ValidationError */
    FAILURE_QUERY,      /* flaws are paths that cannot be queried: Payload's QueryError */
};

#define MAX_FLAWS 32

struct failure {
    enum status status;
    enum failure_shape shape;
    char reason[320]; /* one sentence, for FAILURE_PLAIN */
    const char *slug; /* the collection, for FAILURE_VALIDATION; NULL: not named */
    long long id;     /* the document, for FAILURE_VALIDATION; 0: not named */
    int retry_after;  /* seconds until a try makes sense, where a limit that is set is the reason; 0: not set */
    size_t nflaws;
    struct flaw flaws[MAX_FLAWS];
};

/* Fills `*f` as a plain failure and returns `status`, so that a function can end with `return fail(f, INVALID, …)`.
 * A longer reason is cut. What `*f` held does not matter, but it may not be among the values. */
enum status fail(struct failure *f, enum status status, const char *format, ...) PRINTF(3, 4);

/* Adds a flaw to `*f`, which is {0} at first, and makes it an INVALID failure of that shape; beyond MAX_FLAWS further
 * ones are dropped. The texts are borrowed. Returns INVALID. */
enum status fail_flaw(struct failure *f, enum failure_shape shape, struct flaw flaw);

const char *status_name(enum status status);

#endif
