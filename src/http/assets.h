/* The files of the web page, embedded into the binary by the build (CMake: every file of src/ui). */
#ifndef HTTP_ASSETS_H
#define HTTP_ASSETS_H

#include "http/request.h"
#include "http/response.h"
#include <stdbool.h>

struct asset {
    const char *path; /* "/app.js"; index.html is "/" */
    const char *type;
    const char *etag; /* quoted: the start of the bytes' SHA-256 */
    const char *at, *end;
};

extern const struct asset assets_table[];
extern const size_t assets_count;

/* GET or HEAD of an embedded path: fills the answer (304 when If-None-Match holds its ETag) and returns true; false:
 * there is no such file. */
bool assets_serve(const struct request *rq, struct response *rs);

#endif
