#include "store/populate.h"
#include "store/read.h"
#include <string.h>

static bool readable(const struct populator *p, const struct collection *c)
{
    return p->everything || p->readable.all[collection_index(c)];
}

static bool write_relation(void *ctx, struct str *out, const struct collection *c, int64_t id)
{
    struct populator *p = ctx;
    if (p->depth <= 0 || !c || !readable(p, c)) return false;
    size_t slot = ((size_t)id * 31 + (size_t)p->depth) % POPULATED;
    if (p->kept[slot].json.at && p->kept[slot].id == id && p->kept[slot].collection == c &&
        p->kept[slot].depth == p->depth) {
        str_add(out, p->kept[slot].json);
        return true;
    }
    struct doc doc;
    struct failure f = {0};
    if (read_one(p->db, c, id, p->arena, &doc, &f)) {
        if (f.status != NOT_FOUND && !p->failure.status) p->failure = f;
        return false;
    }
    struct str json = {0};
    struct doc_style style = {.select = p->populate.select[collection_index(c)],
        .relations = &p->writer,
        .sessions_shown = c == p->own && id == p->own_id};
    p->personal = p->personal || (style.sessions_shown && doc.sessions.at);
    p->depth--;
    doc_add_json(&json, &doc, &style);
    p->depth++;
    struct view text = {json.failed ? NULL : arena_copy(p->arena, str_view(&json)), json.len};
    str_release(&json);
    if (!text.at) {
        if (!p->failure.status) fail(&p->failure, NO_MEMORY, "Out of memory.");
        return false;
    }
    str_add(out, text);
    p->kept[slot].collection = c;
    p->kept[slot].id = id;
    p->kept[slot].depth = p->depth;
    p->kept[slot].json = text;
    return true;
}

void populator_init(struct populator *p, struct db *db, struct arena *arena)
{
    memset(p, 0, sizeof *p);
    p->writer = (struct relation_writer){write_relation, p};
    p->db = db;
    p->arena = arena;
    populate_parse(&p->populate, NULL);
}

void populator_init_stream(struct populator *p, struct db *db, struct arena *arena)
{
    populator_init(p, db, arena);
    p->depth = 1;
    p->everything = true;
    for (size_t i = 0; i < ncollections; i++) {
        const struct collection *c = collection_at(i);
        struct select *select = &p->populate.select[i];
        if (!c->auth) continue;
        *select = (struct select){.fields = 1};
        for (size_t k = 0; k < c->nfields; k++)
            if (c->fields[k].kind == KIND_EMAIL) select->fields |= UINT32_C(1) << k;
    }
}

void populator_forget(struct populator *p)
{
    memset(p->kept, 0, sizeof p->kept);
}
