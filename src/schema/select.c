#include "schema/select.h"
#include "schema/json.h"

static bool is_true(struct json_object *json)
{
    if (json_object_is_type(json, json_type_boolean)) return json_object_get_boolean(json);
    if (json_object_is_type(json, json_type_int)) return json_object_get_int64(json) == 1;
    return view_is_nocase(json_text(json), "true") || view_is(json_text(json), "1");
}

static bool is_false(struct json_object *json)
{
    if (json_object_is_type(json, json_type_boolean)) return !json_object_get_boolean(json);
    if (json_object_is_type(json, json_type_int)) return json_object_get_int64(json) == 0;
    return view_is_nocase(json_text(json), "false") || view_is(json_text(json), "0");
}

struct select select_parse(const struct collection *c, struct json_object *json)
{
    if (!json) return SELECT_ALL;
    struct select in = {.fields = 1}, out = SELECT_ALL;
    bool exclude = false;
    if (!json_object_is_type(json, json_type_object)) return in;
    json_object_object_foreach(json, name, member)
    {
        int i = field_find(c, view_of(name));
        uint32_t bit = i < 0 ? 0 : UINT32_C(1) << i;
        bool sessions = c->auth && view_is(view_of(name), "sessions");
        if (is_false(member)) {
            exclude = true;
            out.fields &= ~bit;
            if (sessions) out.sessions = false;
        } else if (is_true(member) || json_object_is_type(member, json_type_object)) {
            in.fields |= bit;
            if (sessions) in.sessions = true;
        }
    }
    out.fields |= 1;
    return exclude ? out : in;
}

void populate_parse(struct populate *out, struct json_object *json)
{
    for (size_t i = 0; i < ncollections; i++) {
        const struct collection *c = collection_at(i);
        out->select[i] = select_parse(c, json_member(json, c->slug));
    }
}
