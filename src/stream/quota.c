/* A hash table of the addresses that have streams, chained. A place is its address's entry, so that dropping it needs
 * no search but that of its chain. What is allocated is allocated without the lock: a taker that finds its address
 * missing, or the table too small, drops the lock, allocates and looks again.
 *
 * The hash has a random key: who owns many addresses cannot choose those of one chain. */
#include "stream/quota.h"
#include "base/check.h"
#include "base/crypt.h"
#include "base/lock.h"
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CHAINS 64 /* a power of two, as all that follow */

struct address {
    uint64_t network; /* of IPv6; else 0 */
    uint64_t host;    /* of IPv4, with 0xffff before it; else 0 */
};

#define NO_ADDRESS ((struct address){0, 1})

struct quota_place {
    struct quota *quota;
    struct quota_place *next; /* in its chain */
    struct address address;
    size_t taken;
};

struct quota {
    /* fixed */
    size_t most, most_per_address; /* SIZE_MAX: no limit */
    uint64_t key;
    struct quota_place anyone; /* every stream's place, where addresses do not count */
    /* under lock */
    struct lock lock;
    size_t taken;
    size_t naddresses, nchains;
    struct quota_place **chains;
};

static struct address read_address(struct view text)
{
    char name[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    uint32_t host;
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    text = view_cut(&text, '%'); /* the interface of a link-local address */
    if (text.len >= sizeof name) return NO_ADDRESS;
    if (text.len) memcpy(name, text.at, text.len);
    name[text.len] = 0;
    if (inet_pton(AF_INET, name, &host) == 1) return (struct address){0, UINT64_C(0xffff) << 32 | ntohl(host)};
    if (inet_pton(AF_INET6, name, bytes) != 1) return NO_ADDRESS;
    if (!memcmp(bytes, mapped, sizeof mapped)) {
        memcpy(&host, bytes + sizeof mapped, sizeof host);
        return (struct address){0, UINT64_C(0xffff) << 32 | ntohl(host)};
    }
    struct address address = {0};
    for (int i = 0; i < 8; i++) address.network = address.network << 8 | bytes[i];
    return address;
}

/* Spreads every bit over all (the finalizer of SplitMix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static struct quota_place **chain_of(struct quota *q, struct address a)
{
    return &q->chains[mix(mix(a.network ^ q->key) ^ a.host) & (q->nchains - 1)];
}

/* The link that leads to the address's entry, or the NULL at its chain's end. */
static struct quota_place **find(struct quota *q, struct address a)
{
    struct quota_place **link = chain_of(q, a);
    while (*link && ((*link)->address.network != a.network || (*link)->address.host != a.host)) link = &(*link)->next;
    return link;
}

/* Moves all into the larger table and returns the old one. */
static struct quota_place **move_to(struct quota *q, struct quota_place **chains, size_t nchains)
{
    struct quota_place **old = q->chains;
    size_t nold = q->nchains;
    q->chains = chains;
    q->nchains = nchains;
    for (size_t i = 0; i < nold; i++) {
        for (struct quota_place *place = old[i], *next; place; place = next) {
            struct quota_place **chain = chain_of(q, place->address);
            next = place->next;
            place->next = *chain;
            *chain = place;
        }
    }
    return old;
}

/* Without memory the chains stay long, and right. */
static void grow(struct quota *q, size_t nchains)
{
    struct quota_place **chains = calloc(nchains, sizeof(struct quota_place *));
    if (!chains) return;
    lock_take(&q->lock);
    if (q->nchains < nchains) chains = move_to(q, chains, nchains);
    lock_drop(&q->lock);
    free(chains);
}

struct quota *quota_new(size_t most, size_t most_per_address)
{
    struct quota *q = calloc(1, sizeof *q);
    if (!q) return NULL;
    lock_init(&q->lock);
    q->most = most ? most : SIZE_MAX;
    q->most_per_address = most_per_address ? most_per_address : SIZE_MAX;
    q->anyone.quota = q;
    q->nchains = FIRST_CHAINS;
    q->chains = calloc(q->nchains, sizeof(struct quota_place *));
    if (q->chains && crypt_random(&q->key, sizeof q->key)) return q;
    quota_free(q);
    return NULL;
}

void quota_free(struct quota *q)
{
    if (!q) return;
    ASSERT(!q->taken && !q->naddresses);
    free(q->chains);
    lock_destroy(&q->lock);
    free(q);
}

/* With the lock. `*spare` is used up when the address is new; `*wants`: it is new, and there is no spare. */
static enum quota_result take(
    struct quota *q, struct address a, struct quota_place **spare, struct quota_place **out, bool *wants)
{
    bool counted = q->most_per_address != SIZE_MAX;
    struct quota_place **link = counted ? find(q, a) : NULL;
    struct quota_place *place = counted ? *link : &q->anyone;
    *wants = false;
    if (q->taken >= q->most) return QUOTA_FULL;
    if (place && place->taken >= q->most_per_address) return QUOTA_ADDRESS_FULL;
    if (!place && !*spare) {
        *wants = true;
        return QUOTA_NO_MEMORY;
    }
    if (!place) {
        place = *link = *spare;
        *spare = NULL;
        *place = (struct quota_place){.quota = q, .address = a};
        q->naddresses++;
    }
    place->taken++;
    q->taken++;
    *out = place;
    return QUOTA_OK;
}

enum quota_result quota_take(struct quota *q, struct view address, struct quota_place **out)
{
    struct address a = read_address(address);
    struct quota_place *spare = NULL;
    enum quota_result result;
    size_t wanted = 0;
    bool wants;
    *out = NULL;
    do {
        lock_take(&q->lock);
        result = take(q, a, &spare, out, &wants);
        if (q->naddresses > q->nchains) wanted = 2 * q->nchains;
        lock_drop(&q->lock);
    } while (wants && (spare = malloc(sizeof *spare)));
    free(spare); /* another thread was faster */
    if (wanted) grow(q, wanted);
    return result;
}

void quota_drop(struct quota_place *place)
{
    if (!place) return;
    struct quota *q = place->quota;
    struct quota_place *unused = NULL;
    lock_take(&q->lock);
    ASSERT(place->taken > 0);
    place->taken--;
    q->taken--;
    if (place != &q->anyone && !place->taken) {
        *find(q, place->address) = place->next;
        q->naddresses--;
        unused = place;
    }
    lock_drop(&q->lock);
    free(unused);
}

size_t quota_count(struct quota *q)
{
    lock_take(&q->lock);
    size_t taken = q->taken;
    lock_drop(&q->lock);
    return taken;
}
