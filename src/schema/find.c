#include "schema/find.h"
#include "schema/json.h"
#include "schema/number.h"
#include <math.h>

int64_t find_whole(struct json_object *json, int64_t least, int64_t fallback)
{
    double n = 0;
    if (json_object_is_type(json, json_type_int))
        n = (double)json_object_get_int64(json);
    else if (!json_object_is_type(json, json_type_string) || !number_parse(json_text(json), &n))
        return fallback;
    if (!(n >= (double)least) || !(n <= 1e15) || floor(n) < n) return fallback;
    return (int64_t)n;
}

static enum status refuse_path(struct view name, struct arena *arena, struct failure *f)
{
    const char *path = arena_copy(arena, name);
    if (!path) return fail(f, NO_MEMORY, "Out of memory.");
    return fail_flaw(f, FAILURE_QUERY, (struct flaw){.path = path});
}

static enum status add_sort(
    struct find *out, struct view name, const struct readable *readable, struct arena *arena, struct failure *f)
{
    struct sort_term term = {.collection = out->collection};
    if (name.len && name.at[0] == '-') {
        term.descending = true;
        name.at++;
        name.len--;
    }
    struct view rest = name, first = view_cut(&rest, '.');
    int i = field_find(out->collection, first);
    if (i >= 0 && out->collection->fields[i].use == USE_HIDDEN) return refuse_path(first, arena, f);
    if (i < 0 || out->nsort == MAX_SORT_TERMS) return OK;
    term.field = &out->collection->fields[i];
    if (rest.at) {
        if (term.field->kind != KIND_RELATIONSHIP) return OK;
        term.via = term.field;
        term.collection = collection_find(view_of(term.via->relation_to));
        i = field_find(term.collection, rest);
        if (i >= 0 && term.collection->fields[i].use == USE_HIDDEN) return refuse_path(rest, arena, f);
        if (i < 0) return OK;
        term.field = &term.collection->fields[i];
        if (!readable->all[collection_index(term.collection)] && term.field->kind != KIND_ID)
            return refuse_path(rest, arena, f);
    }
    out->sort[out->nsort++] = term;
    return OK;
}

static enum status parse_sort(
    struct find *out, struct json_object *json, const struct readable *readable, struct arena *arena, struct failure *f)
{
    enum status status = OK;
    bool list = json_object_is_type(json, json_type_array);
    size_t n = list ? json_object_array_length(json) : 1;
    for (size_t i = 0; i < n && !status; i++) {
        struct view text = json_text(list ? json_object_array_get_idx(json, i) : json);
        while (text.at && !status) status = add_sort(out, view_cut(&text, ','), readable, arena, f);
    }
    if (!out->nsort && !status) {
        int i = field_find(out->collection, VIEW("createdAt"));
        out->sort[0] = (struct sort_term){
            .field = &out->collection->fields[i < 0 ? 0 : i], .collection = out->collection, .descending = true};
        out->nsort = 1;
    }
    return status;
}

enum status find_parse(struct find *out, const struct collection *c, struct json_object *query,
    const struct readable *readable, struct arena *arena, struct failure *f)
{
    *out = (struct find){.collection = c};
    *f = (struct failure){0};
    struct json_object *where = json_member(query, "where");
    out->where_given = where && !(json_object_is_type(where, json_type_string) && !json_object_get_string_len(where));
    enum status status = where_parse(&out->where, c, where, readable, arena, f);
    if (!status) status = parse_sort(out, json_member(query, "sort"), readable, arena, f);
    if (status) return status;
    struct json_object *pagination = json_member(query, "pagination");
    out->pagination = !(view_is(json_text(pagination), "false") ||
                        (json_object_is_type(pagination, json_type_boolean) && !json_object_get_boolean(pagination)));
    out->limit = find_whole(json_member(query, "limit"), 0, out->pagination ? 10 : 0);
    out->page = find_whole(json_member(query, "page"), 1, 1);
    struct json_object *depth = json_member(query, "depth");
    bool no_depth = !depth || (json_object_is_type(depth, json_type_string) && !json_object_get_string_len(depth));
    out->depth = !no_depth ? (int)find_whole(depth, 0, 0) : 2;
    if (out->depth > 10) out->depth = 10;
    out->select = select_parse(c, json_member(query, "select"));
    populate_parse(&out->populate, json_member(query, "populate"));
    return OK;
}
