#include "stream/end.h"
#include "base/check.h"
#include <stddef.h>

const char *stream_end_name(enum stream_end end)
{
    static const char *const names[NSTREAM_ENDS] = {
        [STREAM_END_CLIENT] = "client",
        [STREAM_END_ERROR] = "error",
        [STREAM_END_LAG_BYTES] = "lag-bytes",
        [STREAM_END_LAG_SECONDS] = "lag-seconds",
        [STREAM_END_RIGHTS] = "rights",
        [STREAM_END_STOPPING] = "stopping",
        [STREAM_END_SOURCE] = "source",
    };
    ASSERT((size_t)end < COUNT(names));
    return names[end];
}
