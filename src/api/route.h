/* The table of routes: what the router runs, and what api/openapi.c describes. A row without its description does not
 * compile (-Wmissing-field-initializers). */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/call.h"

enum collection_sort { ANY, AUTH, STREAM, UPLOAD };

/* Whom an operation answers. */
enum route_need {
    NEEDS_NOTHING,
    NEEDS_CREATE, /* the right that the collection's table gives */
    NEEDS_READ,
    NEEDS_UPDATE,
    NEEDS_REMOVE,
    NEEDS_USER, /* 401 to others */
    NEEDS_SESSION,
    NEEDS_PASSWORD, /* in the body */
    NEEDS_TOKEN,    /* in the body, from a mail */
    NEEDS_NOBODY,   /* only while the collection is empty */
};

/* Groups of parameters. */
enum route_asks {
    ASKS_NOTHING = 0,
    ASKS_DOCS = 1 << 0, /* depth, select, populate */
    ASKS_WHERE = 1 << 1,
    ASKS_SORT = 1 << 2, /* sort, limit */
    ASKS_PAGE = 1 << 3, /* page, pagination */
    ASKS_LIST = ASKS_DOCS | ASKS_WHERE | ASKS_SORT | ASKS_PAGE,
    ASKS_USER = 1 << 4,     /* select */
    ASKS_SESSIONS = 1 << 5, /* allSessions */
    ASKS_CURSOR = 1 << 6,   /* Last-Event-ID, since */
    ASKS_ETAG = 1 << 7,     /* If-None-Match */
    ASKS_RANGE = 1 << 8,    /* Range */
    ASKS_FIRST = 1 << 9,    /* of a stream: limit, from */
    ASKS_SEVERAL = 1 << 10, /* of a stream: collections, a where for each, and events */
    ASKS_PART = 1 << 11,    /* limit, page, of a list of people */
    ASKS_PEOPLE = 1 << 12,  /* search, ids */
    ASKS_SETUP = 1 << 13,   /* Parley-Setup-Token */
};

enum route_body {
    BODY_NONE,
    BODY_CREATE,
    BODY_UPDATE,
    BODY_COPY,
    BODY_CREDENTIALS,
    BODY_EMAIL,
    BODY_RESET,
    BODY_MARK,
    BODY_TYPING,
    BODY_PROFILE,
};

enum route_answer {
    ANSWER_REFUSAL, /* nothing but failures */
    ANSWER_LIST,
    ANSWER_COUNT,
    ANSWER_DOC,
    ANSWER_CREATED,
    ANSWER_WRITTEN,
    ANSWER_BULK,
    ANSWER_EVENTS,
    ANSWER_NAMED_EVENTS,
    ANSWER_FILE,
    ANSWER_INITIALIZED,
    ANSWER_ME,
    ANSWER_SIGNED_IN,
    ANSWER_REFRESHED,
    ANSWER_RESET,
    ANSWER_SIGNED_OUT,
    ANSWER_MESSAGE,
    ANSWER_ACCESS,
    ANSWER_ACCESS_ALL,
    ANSWER_OPENAPI,
    ANSWER_METRICS,
    ANSWER_CONFIG,
    ANSWER_PRESENCE,
    ANSWER_PRESENCE_OF,
    ANSWER_PEOPLE,
    ANSWER_PROFILE,
    ANSWER_SESSIONS,
    ANSWER_CONVERSATIONS,
    ANSWER_CONVERSATION,
    ANSWER_MARK,
    ANSWER_NOTHING,
};

#define GET    (1u << METHOD_GET)
#define HEAD   (1u << METHOD_HEAD) /* answered wherever GET is; described where it is named */
#define POST   (1u << METHOD_POST)
#define PATCH  (1u << METHOD_PATCH)
#define DELETE (1u << METHOD_DELETE)

struct route {
    unsigned methods;
    const char *pattern; /* may have two parameters: ":collection" before all others, and an id */
    enum collection_sort sort;
    operation *run;
    /* The description. In the texts, {one} and {many} are the collection's nouns. */
    const char *name; /* operationId */
    const char *summary;
    enum route_need need;
    unsigned asks;
    enum route_body body;
    enum route_answer answer;
};

/* The first that fits is taken: fixed words stand before ":id". */
extern const struct route routes[];
extern const size_t nroutes;

/* Is it of that sort? */
bool collection_fits(const struct collection *c, enum collection_sort sort);
/* Is the row one of the collection's? NULL: is it one without a collection? */
bool route_fits(const struct route *route, const struct collection *c);

#endif
