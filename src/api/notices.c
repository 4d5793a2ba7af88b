#include "api/notices.h"
#include "api/people.h"
#include "base/check.h"
#include "stream/frame.h"

static const struct {
    enum notice_kind kind;
    const char *event;
} kinds[] = {
    {NOTICE_READ, "read"}, {NOTICE_TYPING, "typing"}, {NOTICE_PRESENCE, "presence"}, {NOTICE_PROFILE, "profile"}};

unsigned notice_find(struct view name)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (view_is(name, kinds[i].event)) return kinds[i].kind;
    return 0;
}

static const char *event_of(enum notice_kind kind)
{
    size_t i = 0;
    while (kinds[i].kind != kind) i++;
    return kinds[i].event;
}

static void add(struct str *out, enum notice_kind kind, struct str *data)
{
    frame_add(out, NULL, event_of(kind), str_view(data));
    if (data->failed) out->failed = true;
    str_release(data);
}

/* Without memory it is lost. */
static void tell(struct delivery *d, int64_t owner, enum notice_kind kind, struct str *frames)
{
    if (!frames->failed && frames->len) delivery_tell(d, (uint64_t)owner, kind, str_view(frames));
    str_release(frames);
}

void notice_read(struct delivery *d, int64_t user, int64_t peer, int64_t message)
{
    const int64_t readers[] = {user, peer};
    for (size_t i = 0; i < (user == peer ? 1 : COUNT(readers)); i++) {
        struct str data = {0}, frames = {0};
        str_addf(&data, "{\"user\":%lld,\"peer\":%lld,\"message\":%lld}", (long long)user, (long long)peer,
            (long long)message);
        add(&frames, NOTICE_READ, &data);
        tell(d, readers[i], NOTICE_READ, &frames);
    }
}

void notice_typing(struct delivery *d, int64_t user, int64_t peer, bool typing)
{
    struct str data = {0}, frames = {0};
    str_addf(&data, "{\"user\":%lld,\"typing\":%s}", (long long)user, typing ? "true" : "false");
    add(&frames, NOTICE_TYPING, &data);
    tell(d, peer, NOTICE_TYPING, &frames);
}

void notice_presence(struct delivery *d, const struct presence_change *changes, size_t n)
{
    struct str frames = {0};
    for (size_t i = 0; i < n; i++) {
        struct str data = {0};
        str_addf(
            &data, "{\"user\":%lld,\"online\":%s}", (long long)changes[i].user, changes[i].online ? "true" : "false");
        add(&frames, NOTICE_PRESENCE, &data);
    }
    tell(d, 0, NOTICE_PRESENCE, &frames);
}

void notice_profile(struct delivery *d, const struct profile *p)
{
    struct str data = {0}, frames = {0};
    str_addc(&data, '{');
    people_add(&data, p->user, p->email, p->name);
    str_addc(&data, '}');
    add(&frames, NOTICE_PROFILE, &data);
    tell(d, 0, NOTICE_PROFILE, &frames);
}
