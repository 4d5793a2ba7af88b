/* A client's connection, from accept to close. It has one owner at a time, who alone may touch it: the front while it
 * waits, a worker while it is served. */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "base/list.h"
#include "base/peer.h"
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>

struct exchange;
struct outgoing;
struct tls;

enum stage {
    STAGE_NEW,     /* waits for its first byte of a request */
    STAGE_HEAD,    /* a part of a head has come */
    STAGE_BODY,    /* a head, and a part of its short body */
    STAGE_ANSWER,  /* a part of an answer has gone out, and its client takes no more for now */
    STAGE_IDLE,    /* has been answered, and waits for a further request */
    STAGE_PARTING, /* has been told all and is heard out, so that closing does not overtake the last answer */
    STAGES
};

/* How metrics count those that wait: by their stage, and the queue (http/lobby.h). */
enum { WAITS_QUEUED = STAGES, WAITS };

struct connection {
    struct peer peer;
    struct str early; /* read from the peer, and not by a worker's parser yet */
    char remote[46];  /* "127.0.0.1" or "::1" */
    bool secure;      /* TLS is to be spoken */
    bool shaken;      /* its handshake is done */
    bool writable;    /* it waits until it can write instead */
    bool arrived;     /* the front has seen all that a worker needs */
    bool long_body;   /* but for its body, for which a worker may have to wait */
    enum stage stage;
    struct outgoing *outgoing; /* of its answer, what has not gone out yet; NULL: nothing */
    struct exchange *exchange; /* its answer is yet to come, and nobody hears it meanwhile; NULL: none is */
    /* the front's */
    struct list link;
    enum stage timed; /* the stage that `deadline` is of; STAGES: none */
    int64_t deadline;
    int low_water;  /* bytes that wake the front */
    bool waiting;   /* with the front, and linked; under its lock */
    bool refused;   /* it was one too many */
    bool has_turn;  /* a worker may wait for its body; under its lock */
    unsigned fired; /* events that came before it was linked; under its lock */
};

/* Takes the socket. NULL: no memory; the caller has it still. */
MUST_CHECK struct connection *connection_new(int socket, const struct sockaddr *remote, bool secure);
/* Closes the peer, if it has one. */
void connection_free(struct connection *c);

enum heard {
    HEARD_ALL,  /* a worker can go on with `early` and what the peer gives */
    HEARD_PART, /* wait until it is readable (`writable`: writable); the stage says for what */
    HEARD_END,  /* close it */
    HEARD_SAY,  /* the client has been told what is wrong; hear it out */
};

/* For the front: looks at what lies in a plain peer's socket, without taking it. `ended`: no more will come. `room`
 * holds ARRIVAL_MOST bytes. */
MUST_CHECK enum heard connection_look(struct connection *c, bool ended, char *room);
/* For a worker: reads what is there, through TLS where that is spoken, begins that first. A plain peer with nothing
 * read early is left to connection_look. */
MUST_CHECK enum heard connection_hear(struct connection *c, struct tls *tls);

/* Tells the client that no more will be said to it; from then on connection_drain. */
void connection_part(struct connection *c);
/* Reads and drops what has come. HEARD_PART: there may be more; HEARD_END. */
MUST_CHECK enum heard connection_drain(struct connection *c);

#endif
