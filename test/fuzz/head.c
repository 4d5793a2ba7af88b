/* A request's head: what is said of bytes that nobody has parsed (arrival) and what the parser says of them must agree,
 * or a worker would wait, or a client; and in whichever pieces they come, the same request is read of them. */
#include "fuzz.h"
#include "http/arrival.h"
#include "http/civet.h"

struct wire {
    struct view rest;
    size_t piece;
    int asked;
};

static ssize_t receive(void *ctx, char *at, size_t room)
{
    struct wire *wire = ctx;
    size_t n = wire->rest.len < room ? wire->rest.len : room;
    if (n > wire->piece) n = wire->piece;
    wire->asked++;
    memcpy(at, wire->rest.at, n);
    wire->rest = (struct view){wire->rest.at + n, wire->rest.len - n};
    return (ssize_t)n;
}

static void note(struct str *out, struct civet *civet, int status)
{
    str_addf(out, "%d", status);
    if (status) return;
    struct view method = civet_method(civet), path, query;
    civet_target(civet, &path, &query);
    str_addf(out, " %.*s %.*s %.*s", VIEW_ARGS(method), VIEW_ARGS(path), VIEW_ARGS(query));
    str_addf(out, " %d %d %lld", civet_keeps(civet), civet_chunked(civet), (long long)civet_length(civet));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wire wire;
    static struct civet *civet;
    static char none[1];
    struct view bytes = input_of(data, size);
    size_t piece = take_byte(&bytes) + 1;
    if (bytes.len > ARRIVAL_MOST) bytes.len = ARRIVAL_MOST;
    if (!civet) civet = civet_new(receive, &wire);
    ASSERT(civet);

    struct str whole = {0}, pieces = {0};
    struct arrival a = arrival_of(bytes);
    bool enough = a.wanted <= bytes.len;
    wire = (struct wire){.rest = {none, 0}};
    civet_begin(civet, bytes);
    int status = civet_next(civet);
    ASSERT(a.head || enough ? !wire.asked : wire.asked);
    if (!a.head) ASSERT(status);
    if (a.head && !status && enough && !a.long_body) ASSERT(civet_here(civet));
    note(&whole, civet, status);

    wire = (struct wire){.rest = bytes, .piece = piece};
    civet_begin(civet, (struct view){0});
    note(&pieces, civet, civet_next(civet));
    if (a.head) ASSERT(view_equal(str_view(&whole), str_view(&pieces)));
    str_release(&whole);
    str_release(&pieces);
    return 0;
}
