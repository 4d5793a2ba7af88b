#include "store/apply.h"
#include "schema/filename.h"
#include "schema/kind.h"
#include "schema/match.h"
#include "schema/registry.h"
#include "schema/sql.h"
#include "store/claim.h"
#include "store/read.h"
#include <string.h>

enum status tables_load(struct tables *t, struct db *db, struct failure *f)
{
    struct changelog_span span;
    enum status status = changelog_span(db, &span, f);
    t->db = db;
    t->seq = span.head;
    memset(t->ledgers, 0, sizeof t->ledgers);
    memset(t->touched, 0, sizeof t->touched);
    for (size_t i = 0; i < ncollections && !status; i++) status = ledger_read(db, collection_at(i), &t->ledgers[i], f);
    return status;
}

enum status tables_flush(struct tables *t, struct view now, struct failure *f)
{
    enum status status = OK;
    for (size_t i = 0; i < ncollections && !status; i++) {
        if (!t->touched[i]) continue;
        status = ledger_write(t->db, collection_at(i), &t->ledgers[i], now, f);
        t->touched[i] = false;
    }
    return status;
}

static enum status run(struct tables *t, struct str *sql, const struct binds *binds, struct failure *f)
{
    enum status status = sql->failed || binds->failed ? fail(f, NO_MEMORY, "Out of memory.")
                                                      : db_run(t->db, sql->at, binds->values, binds->count, f);
    str_release(sql);
    return status;
}

/* Which relations of the draft lead nowhere, as flaws. */
static enum status blame_relations(struct tables *t, const struct write *w, struct arena *arena, struct failure *f)
{
    *f = (struct failure){.slug = w->collection->slug, .id = w->op == WRITE_UPDATE ? w->id : 0};
    for (size_t i = 0; i < w->collection->nfields; i++) {
        const struct field *field = &w->collection->fields[i];
        if (field->kind != KIND_RELATIONSHIP || !w->draft->given[i]) continue;
        struct doc doc;
        struct failure missing = {0};
        const struct collection *c = collection_find(view_of(field->relation_to));
        if (read_one(t->db, c, w->draft->values[i].integer, arena, &doc, &missing) != NOT_FOUND) continue;
        char *message = arena_printf(arena, "This relationship field has the following invalid relationships: %lld 0",
            (long long)w->draft->values[i].integer);
        fail_flaw(f, FAILURE_VALIDATION,
            (struct flaw){.label = field->label, .message = message ? message : "", .path = field->name});
    }
    return f->status ? f->status : fail(f, CONFLICT, "The document's relations cannot be stored.");
}

static enum status blame_unique(struct tables *t, const struct write *w, struct failure *f)
{
    *f = (struct failure){.slug = w->collection->slug, .id = w->op == WRITE_UPDATE ? w->id : 0};
    for (size_t i = 0; i < w->collection->nfields; i++) {
        const struct field *field = &w->collection->fields[i];
        if (!field->unique || !w->draft->given[i]) continue;
        struct str sql = {0};
        struct value values[] = {w->draft->values[i], value_integer(w->op == WRITE_UPDATE ? w->id : 0)};
        struct failure ignored;
        int64_t taken = 0;
        str_addf(&sql, "SELECT 1 FROM `%s` WHERE `%s` = ? AND id <> ?", w->collection->slug, field->column);
        enum status status = sql.failed ? NO_MEMORY : db_integer(t->db, sql.at, values, 2, 0, &taken, &ignored);
        str_release(&sql);
        if (status || !taken) continue;
        bool sign_up = w->op == WRITE_CREATE && field->kind == KIND_EMAIL;
        fail_flaw(f, FAILURE_VALIDATION,
            (struct flaw){
                .message = sign_up ? "A user with the given email is already registered." : "Value must be unique",
                .path = field->name,
                .table = sign_up ? NULL : w->collection->slug});
    }
    return f->status ? f->status : fail(f, CONFLICT, "Value must be unique");
}

/* SQLite names no field; look what it was. */
static enum status blame(struct tables *t, const struct write *w, struct arena *arena, struct failure *f)
{
    switch (db_constraint(t->db)) {
    case CONSTRAINT_UNIQUE: return blame_unique(t, w, f);
    case CONSTRAINT_REFERENCE:
        if (w->op == WRITE_DELETE)
            return fail(
                f, CONFLICT, "This %s cannot be deleted: other documents refer to it.", w->collection->singular);
        return blame_relations(t, w, arena, f);
    case CONSTRAINT_OTHER: break;
    }
    return CONFLICT;
}

static bool has_parties(const struct collection *c)
{
    for (size_t i = 0; i < c->nfields; i++)
        if (c->fields[i].role) return true;
    return false;
}

/* {"sender":1,"receiver":2} */
static void add_parties(struct str *out, const struct doc *doc)
{
    const struct collection *c = doc->collection;
    str_addc(out, '{');
    for (size_t i = 0; i < c->nfields; i++) {
        if (!c->fields[i].role) continue;
        str_addf(out, "%s\"%s\":", out->len > 1 ? "," : "", c->fields[i].name);
        value_add_json(out, &doc->values[i]);
    }
    str_addc(out, '}');
}

static bool sets(const struct write *w, const char *field)
{
    int at = field_find(w->collection, view_of(field));
    return at >= 0 && w->draft->given[at];
}

/* When the document was made that is gone now, or is said to be of another time. */
static struct value made_before(const struct write *w, enum change_op op)
{
    int at = field_find(w->collection, VIEW("createdAt"));
    bool changes = op == CHANGE_DELETE || (op == CHANGE_UPDATE && sets(w, "createdAt"));
    return at >= 0 && changes && w->before ? w->before->values[at] : value_null();
}

static enum status change(struct tables *t, struct write *w, enum change_op op, struct failure *f)
{
    struct str parties = {0};
    w->seq = ++t->seq;
    t->touched[collection_index(w->collection)] = true;
    if (w->before && has_parties(w->collection)) add_parties(&parties, w->before);
    struct change entry = {
        .seq = t->seq, .doc = w->id, .op = op, .parties = str_view(&parties), .made = made_before(w, op)};
    enum status status =
        parties.failed ? fail(f, NO_MEMORY, "Out of memory.") : changelog_append(t->db, w->collection, &entry, f);
    str_release(&parties);
    if (status) return status;
    return conversation_follow(t->db, op == CHANGE_CREATE ? NULL : w->before, op == CHANGE_DELETE ? NULL : &w->doc, f);
}

static enum status refuse(struct failure *f)
{
    return fail(f, FORBIDDEN, "You are not allowed to perform this action.");
}

static enum status check(const struct write *w, const struct doc *doc, struct failure *f)
{
    return !w->must_match || match(w->must_match, doc, NULL) ? OK : refuse(f);
}

/* The document as it is; whoever may not write it is not told whether there is one, as in Payload. */
static enum status read_checked(
    struct tables *t, const struct write *w, struct arena *arena, struct doc *out, struct failure *f)
{
    enum status status = read_one(t->db, w->collection, w->id, arena, out, f);
    if (status == NOT_FOUND && w->must_match) return refuse(f);
    return status ? status : check(w, out, f);
}

/* The place of the field that names a document's file; -1: the collection has none. */
static int file_field(const struct collection *c)
{
    return c->upload ? field_find(c, VIEW("filename")) : -1;
}

static struct view file_of(const struct collection *c, const struct value *values)
{
    int at = file_field(c);
    bool has = at >= 0 && values[at].type == VALUE_TEXT && filename_possible(values[at].text);
    return has ? values[at].text : (struct view){0};
}

/* The row owns `now` from here on, and `before` no longer. */
static enum status hand_over(struct tables *t, struct write *w, struct view before, struct view now, struct failure *f)
{
    enum status status = OK;
    w->orphan = (struct view){0};
    if (before.at && now.at && view_equal(before, now)) return OK;
    if (now.at) status = claim_drop(t->db, w->collection, now, f);
    if (!status && before.at) status = claim_add(t->db, w->collection, before, f);
    if (!status) w->orphan = before;
    return status;
}

static enum status create(struct tables *t, struct write *w, struct arena *arena, struct failure *f)
{
    size_t place = collection_index(w->collection);
    struct binds binds = {.arena = arena};
    struct str sql = {0};
    if (w->only_first) {
        bool any = true;
        enum status status = read_any(t->db, w->collection, &any, f);
        if (status) return status;
        if (any) return refuse(f);
    }
    /* An id is used up even when the write fails: never again means never. */
    w->id = ++t->ledgers[place].last;
    t->touched[place] = true;
    sql_add_insert(&sql, w->draft, w->id, &binds);
    enum status status = run(t, &sql, &binds, f);
    if (status == CONFLICT) return blame(t, w, arena, f);
    if (!status) status = read_one(t->db, w->collection, w->id, arena, &w->doc, f);
    if (!status) status = check(w, &w->doc, f);
    if (!status) status = hand_over(t, w, (struct view){0}, file_of(w->collection, w->doc.values), f);
    if (status) return status;
    t->ledgers[place].docs++;
    return change(t, w, CHANGE_CREATE, f);
}

/* Sets w->before. */
static enum status read_before(struct tables *t, struct write *w, struct arena *arena, struct failure *f)
{
    struct doc *before = ARENA_NEW(arena, struct doc);
    w->before = before;
    return before ? read_checked(t, w, arena, before, f) : fail(f, NO_MEMORY, "Out of memory.");
}

static bool sets_password(const struct write *w)
{
    return w->collection->auth && sets(w, "hash");
}

static enum status update(struct tables *t, struct write *w, struct arena *arena, struct failure *f)
{
    struct binds binds = {.arena = arena};
    struct str sql = {0};
    const struct collection *c = w->collection;
    int file = file_field(c);
    bool refiled = file >= 0 && w->draft->given[file];
    bool needs =
        refiled || w->must_match || has_parties(c) || sets(w, "createdAt") || t->want_before[collection_index(c)];
    enum status status = needs ? read_before(t, w, arena, f) : OK;
    if (status) return status;
    sql_add_update(&sql, w->draft, w->id, &binds);
    status = run(t, &sql, &binds, f);
    if (status == CONFLICT) return blame(t, w, arena, f);
    if (!status && !db_changes(t->db)) return fail(f, NOT_FOUND, "Not Found");
    if (!status && sets_password(w)) status = account_end_others(t->db, c, w->id, w->session.id, arena, &w->dropped, f);
    if (!status) status = read_one(t->db, c, w->id, arena, &w->doc, f);
    if (!status) status = check(w, &w->doc, f);
    if (!status && refiled) status = hand_over(t, w, file_of(c, w->before->values), file_of(c, w->doc.values), f);
    return status ? status : change(t, w, CHANGE_UPDATE, f);
}

static enum status delete (struct tables *t, struct write *w, struct arena *arena, struct failure *f) {
    struct value key = value_integer(w->id); struct binds binds = {.values = &key, .count = 1}; struct str sql = {0};
    enum status status = read_checked(t, w, arena, &w->doc, f);
    w->before = &w->doc;
    if (status) return status;
    str_addf(&sql, "DELETE FROM `%s` WHERE id = ?", w->collection->slug);
    status = run(t, &sql, &binds, f);
    if (status == CONFLICT) return blame(t, w, arena, f);
    if (!status) status = hand_over(t, w, file_of(w->collection, w->doc.values), (struct view){0}, f);
    if (status) return status;
    t->ledgers[collection_index(w->collection)].docs--;
    return change(t, w, CHANGE_DELETE, f);
}

static enum status apply_op(struct tables *t, struct write *w, struct arena *arena, struct failure *f)
{
    enum status status = OK;
    switch (w->op) {
    case WRITE_CREATE: return create(t, w, arena, f);
    case WRITE_UPDATE: return update(t, w, arena, f);
    case WRITE_DELETE: return delete (t, w, arena, f);
    case WRITE_SIGNED_IN:
        status = account_signed_in(t->db, w->collection, w->id, &w->session, arena, &w->dropped, f);
        if (!status && w->hash.at) status = account_rehash(t->db, w->collection, w->id, w->salt, w->hash, f);
        break;
    case WRITE_ASK_RESET: return account_ask_reset(t->db, w->collection, w->id, w->token, w->now, f);
    case WRITE_RESET:
        status = account_reset(t->db, w->collection, w->id, w->now, f);
        return status ? status : account_rehash(t->db, w->collection, w->id, w->salt, w->hash, f);
    case WRITE_EXTEND: status = account_extend(t->db, w->collection, w->id, &w->session, f); break;
    case WRITE_REFUSED: return account_refused(t->db, w->collection, w->id, w->now, f);
    case WRITE_UNLOCK: return account_unlock(t->db, w->collection, w->id, f);
    case WRITE_SIGNED_OUT: return account_signed_out(t->db, w->collection, w->id, w->session.id, f);
    case WRITE_CLAIM: return claim_take(t->db, w->collection, w->file, arena, &w->file, f);
    case WRITE_RELEASE: return claim_drop(t->db, w->collection, w->file, f);
    case WRITE_MARK:
        return conversation_mark(
            t->db, w->id, w->conversation.peer, w->conversation.read, &w->conversation, &w->moved, f);
    case WRITE_PROFILE: return profile_save(t->db, w->id, &w->profile_change, arena, &w->profile, &w->moved, f);
    case WRITE_ANSWER: return OK;
    }
    return status ? status : read_one(t->db, w->collection, w->id, arena, &w->doc, f);
}

enum status apply(struct tables *t, struct write *w, struct arena *arena)
{
    struct failure undo;
    int64_t seq = t->seq;
    struct ledger *ledger = &t->ledgers[collection_index(w->collection)];
    int64_t docs = ledger->docs;
    enum status status = db_run(t->db, "SAVEPOINT write", NULL, 0, &w->failure);
    if (status) return status;
    status = apply_op(t, w, arena, &w->failure);
    if (!status && w->make) status = w->make(w, t->db, &w->failure);
    if (!status && w->answer.key.at) status = answers_add(t->db, &w->answer, &w->failure);
    if (status) {
        t->seq = seq;
        ledger->docs = docs;
        w->orphan = (struct view){0};
        if (db_run(t->db, "ROLLBACK TO write", NULL, 0, &undo)) w->failure = undo;
    }
    if (db_run(t->db, "RELEASE write", NULL, 0, &undo) && !status) {
        w->failure = undo;
        t->seq = seq;
        return undo.status;
    }
    return status ? w->failure.status : OK;
}

bool write_ends_sessions(const struct write *w, struct view *session)
{
    *session = (struct view){0};
    switch (w->op) {
    case WRITE_SIGNED_OUT: *session = w->session.id; return true;
    case WRITE_RESET: return true;
    case WRITE_DELETE: return w->collection->auth;
    case WRITE_CREATE:
    case WRITE_UPDATE:
    case WRITE_SIGNED_IN:
    case WRITE_REFUSED:
    case WRITE_UNLOCK:
    case WRITE_ASK_RESET:
    case WRITE_EXTEND:
    case WRITE_CLAIM:
    case WRITE_RELEASE:
    case WRITE_MARK:
    case WRITE_PROFILE:
    case WRITE_ANSWER: break;
    }
    return false;
}
