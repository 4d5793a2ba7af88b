/* A sealed answer is the fingerprint, then the answer as HTTP writes it: status, header lines, an empty line, the body;
 * then nothing when it was too large. Its place in the table is bound to it as the seal's context. */
#include "api/idempotency.h"
#include "api/turn.h"
#include "base/clock.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

#define KEY_MOST 255
#define WAIT_MS  30000

struct idempotency {
    struct turns *turns;
    uint8_t key[32];
};

enum keyed_state {
    KEYED_OPEN,     /* nothing is decided, or the request is refused */
    KEYED_TURN,     /* it is this request's turn; its answer is to be kept */
    KEYED_KEPT,     /* the same; its answer has been kept with a write */
    KEYED_REPLAYED, /* call->rs is the first answer */
};

/* A call's part in it. */
struct keyed {
    enum keyed_state state;
    struct turn turn; /* held in TURN and KEPT */
    size_t before;    /* bytes of headers that are this request's own (CORS) and not the answer's */
};

/* The one door of the state. */
static void keyed_set(struct keyed *k, enum keyed_state state)
{
    static const unsigned from[] = {
        [KEYED_OPEN] = 1u << KEYED_TURN | 1u << KEYED_KEPT,
        [KEYED_TURN] = 1u << KEYED_OPEN,
        [KEYED_KEPT] = 1u << KEYED_TURN,
        [KEYED_REPLAYED] = 1u << KEYED_OPEN,
    };
    ASSERT(from[state] >> k->state & 1);
    k->state = state;
}

struct idempotency *idempotency_new(struct view secret, int waiting)
{
    struct idempotency *i = calloc(1, sizeof *i);
    if (!i) return NULL;
    i->turns = turns_new(WAIT_MS, waiting);
    if (i->turns && crypt_hmac_sha256(secret, VIEW("parley: kept answers"), i->key)) return i;
    idempotency_free(i);
    return NULL;
}

void idempotency_free(struct idempotency *i)
{
    if (!i) return;
    turns_free(i->turns);
    free(i);
}

static bool key_valid(struct view key)
{
    for (size_t i = 0; i < key.len; i++)
        if (key.at[i] < ' ' || key.at[i] > '~') return false;
    return key.len && key.len <= KEY_MOST;
}

enum status idempotency_begin(struct call *call, struct failure *f)
{
    struct view key = request_header(call->rq, "Idempotency-Key");
    if (!key.at) return OK;
    if (!key_valid(key))
        return fail(f, INVALID, "The Idempotency-Key must be 1 to %d printable ASCII characters.", KEY_MOST);
    struct keyed *k = ARENA_NEW(call->arena, struct keyed);
    const char *kept = arena_copy(call->arena, key);
    if (!k || !kept) return fail(f, NO_MEMORY, "Out of memory.");
    k->turn.scope = call->reader.holder;
    k->turn.key = (struct view){kept, key.len};
    k->before = call->rs->headers.len;
    call->keyed = k;
    return OK;
}

/* ---- sealed answers ---- */

static void add_context(struct str *out, const struct turn *turn)
{
    str_add_integer(out, turn->scope);
    str_addc(out, ' ');
    str_add(out, turn->key);
}

enum status idempotency_seal(struct call *call, struct answer *out, struct failure *f)
{
    const struct keyed *k = call->keyed;
    const struct response *rs = call->rs;
    struct str context = {0}, plain = {0}, sealed = {0};
    add_context(&context, &k->turn);
    str_add(&plain, (struct view){(const char *)k->turn.fingerprint, sizeof k->turn.fingerprint});
    if (rs->headers.len - k->before + rs->body.len <= ANSWER_KEPT_MOST) {
        str_add_integer(&plain, rs->status);
        str_addz(&plain, "\r\n");
        if (call->type.len) str_addf(&plain, "Content-Type: %.*s\r\n", VIEW_ARGS(call->type));
        str_add(&plain, (struct view){rs->headers.at + k->before, rs->headers.len - k->before});
        str_addz(&plain, "\r\n");
        str_add(&plain, str_view(&rs->body));
    }
    *out = (struct answer){.scope = k->turn.scope, .key = k->turn.key, .written = clock_wall()};
    bool good = !rs->headers.failed && !rs->body.failed && !context.failed && !plain.failed &&
                crypt_seal(&sealed, call->app->idempotency->key, str_view(&context), str_view(&plain));
    if (good) out->sealed = (struct view){arena_copy(call->arena, str_view(&sealed)), sealed.len};
    str_release(&context);
    str_release(&plain);
    str_release(&sealed);
    return out->sealed.at ? OK : fail(f, NO_MEMORY, "Out of memory.");
}

/* `text`, without its fingerprint, becomes call->rs. */
static enum status restore(struct call *call, struct view text, struct failure *f)
{
    struct response *rs = call->rs;
    int64_t http_status;
    if (!text.len)
        return fail(f, CONFLICT, "This Idempotency-Key was answered before; the answer was too large to be kept.");
    const char *end = memmem(text.at, text.len, "\r\n\r\n", 4);
    struct view head = {text.at, end ? (size_t)(end + 2 - text.at) : 0};
    if (!view_integer(view_cut(&head, '\r'), &http_status)) return fail(f, IO_ERROR, "A kept answer is malformed.");
    rs->status = (int)http_status;
    call->type = (struct view){0}; /* among the headers */
    str_add(&rs->headers, (struct view){head.at + 1, head.len - 1});
    str_add(&rs->body, (struct view){end + 4, (size_t)(text.at + text.len - (end + 4))});
    return OK;
}

static enum status replay(struct call *call, const struct answer *kept, struct failure *f)
{
    const struct turn *turn = &call->keyed->turn;
    struct str context = {0}, plain = {0};
    enum status status;
    add_context(&context, turn);
    bool opened = !context.failed &&
                  crypt_open(&plain, call->app->idempotency->key, str_view(&context), kept->sealed) &&
                  plain.len >= sizeof turn->fingerprint;
    if (context.failed || plain.failed)
        status = fail(f, NO_MEMORY, "Out of memory.");
    else if (!opened)
        status = fail(f, CONFLICT,
            "This Idempotency-Key was answered before; the answer was kept under another secret and cannot be read.");
    else if (memcmp(plain.at, turn->fingerprint, sizeof turn->fingerprint))
        status = fail(f, MISMATCH, "This Idempotency-Key was sent with another request.");
    else
        status =
            restore(call, (struct view){plain.at + sizeof turn->fingerprint, plain.len - sizeof turn->fingerprint}, f);
    str_release(&context);
    str_release(&plain);
    return status;
}

/* ---- the way of a request ---- */

enum status idempotency_decide(struct call *call, struct fingerprint *fp, struct failure *f)
{
    struct keyed *k = call->keyed;
    if (!k) {
        fingerprint_release(fp);
        return OK;
    }
    if (!fingerprint_final(fp, k->turn.fingerprint)) return fail(f, NO_MEMORY, "Out of memory.");
    request_pause(call->rq);
    enum status status = turns_take(call->app->idempotency->turns, &k->turn, f);
    request_go_on(call->rq);
    if (status) return status;
    struct answer kept = {.scope = k->turn.scope, .key = k->turn.key};
    struct db *db = pool_take(call->app->pool);
    status = answers_find(db, clock_wall(), call->arena, &kept, f);
    pool_give(call->app->pool, db);
    if (status == NOT_FOUND) {
        keyed_set(k, KEYED_TURN);
        *f = (struct failure){0};
        return OK;
    }
    turns_give(call->app->idempotency->turns, &k->turn);
    if (!status) status = replay(call, &kept, f);
    if (!status) keyed_set(k, KEYED_REPLAYED);
    return status;
}

bool idempotency_replayed(const struct call *call)
{
    return call->keyed && call->keyed->state == KEYED_REPLAYED;
}

enum status idempotency_decide_body(struct call *call, struct failure *f)
{
    struct fingerprint fp = {0};
    struct view body;
    if (!call->keyed || call->keyed->state != KEYED_OPEN) return OK;
    enum status status = call_bytes(call, &body, f);
    if (status) return status;
    fingerprint_init(&fp, call->rq);
    status = fingerprint_body(&fp, request_header(call->rq, "Content-Type"), body, f);
    if (!status) return idempotency_decide(call, &fp, f);
    fingerprint_release(&fp);
    return status;
}

void idempotency_kept(struct call *call)
{
    if (call->keyed) keyed_set(call->keyed, KEYED_KEPT);
}

static bool keepable(int http_status)
{
    static const int not_kept[] = {401, 403, 408, 413, 429};
    for (size_t i = 0; i < COUNT(not_kept); i++)
        if (http_status == not_kept[i]) return false;
    return http_status < 500;
}

static void keep(struct call *call)
{
    struct failure f;
    struct write w = {.op = WRITE_ANSWER, .collection = call->collection};
    enum status status = idempotency_seal(call, &w.answer, &f);
    if (!status) status = broker_run(call->app->broker, &w, 1, call->arena, &f);
    if (!status && w.failure.status) f = w.failure;
    if (status || w.failure.status) log_warning("an answer could not be kept for its Idempotency-Key: %s", f.reason);
}

void idempotency_end(struct call *call)
{
    struct keyed *k = call->keyed;
    if (!k || (k->state != KEYED_TURN && k->state != KEYED_KEPT)) return;
    if (k->state == KEYED_TURN && keepable(call->rs->status)) keep(call);
    turns_give(call->app->idempotency->turns, &k->turn);
    keyed_set(k, KEYED_OPEN);
}
