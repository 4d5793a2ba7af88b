#include "store/relations.h"
#include "store/read.h"

static const struct doc *find(void *ctx, const struct collection *c, int64_t id)
{
    struct relations *r = ctx;
    struct failure f = {0};
    if (r->doc.collection == c && r->id == id) return r->found ? &r->doc : NULL;
    enum status status = read_one(r->db, c, id, r->arena, &r->doc, &f);
    r->doc.collection = c;
    r->id = id;
    r->found = !status;
    if (status && status != NOT_FOUND && !r->failure.status) r->failure = f;
    return r->found ? &r->doc : NULL;
}

void relations_init(struct relations *r, struct db *db, struct arena *arena)
{
    *r = (struct relations){.db = db, .arena = arena};
    r->reader = (struct relation_reader){find, r};
}

void relations_forget(struct relations *r)
{
    r->doc.collection = NULL;
}
