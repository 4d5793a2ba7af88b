#include "schema/select.h"
#include "schema/json.h"

static bool is_false(struct json_object *json)
{
    if (json_object_is_type(json, json_type_boolean)) return !json_object_get_boolean(json);
    return view_is_nocase(json_text(json), "false");
}

struct select select_parse(const struct collection *c, struct json_object *json)
{
    struct select named = {.fields = 1};
    bool exclude = false;
    if (!json || (json_object_is_type(json, json_type_string) && !json_object_get_string_len(json))) return SELECT_ALL;
    if (!json_object_is_type(json, json_type_object)) return named;
    json_object_object_foreach(json, name, member)
    {
        int i = field_find(c, view_of(name));
        if (i >= 0) named.fields |= UINT32_C(1) << i;
        if (c->auth && view_is(view_of(name), "sessions")) named.sessions = true;
        if (is_false(member)) exclude = true;
    }
    return exclude ? (struct select){~named.fields | 1, !named.sessions} : named;
}

void populate_parse(struct populate *out, struct json_object *json)
{
    for (size_t i = 0; i < ncollections; i++) {
        const struct collection *c = collection_at(i);
        out->select[i] = select_parse(c, json_member(json, c->slug));
    }
}
