/* The files of the web page: those that the build embedded into the binary (assets.cmake), or, for developers, those of
 * a folder. */
#ifndef HTTP_ASSETS_H
#define HTTP_ASSETS_H

#include "http/request.h"
#include "http/response.h"
#include <stdbool.h>

struct asset {
    const char *path; /* "/a/app-4XK2.js"; index.html is "/" */
    const char *etag; /* the start of the bytes' SHA-256, without quotes */
    const char *at, *end;
    const char *zip, *zip_end; /* the same compressed with gzip; zip == zip_end: there is none */
};

extern const struct asset assets_table[];
extern const size_t assets_count;

/* GET or HEAD of one of the files: fills the answer and returns true; false: there is no such file. `folder` NULL: the
 * embedded ones, compressed for whom takes gzip, with an ETag, and 304 when If-None-Match holds it; those under /a/
 * bear their content in their names and are kept by browsers for good. Else those of that folder, as they are just now.
 */
bool assets_serve(const char *folder, const struct request *rq, struct response *rs);

/* Does the header Accept-Encoding, `wanted`, take gzip (RFC 9110, 12.5.3)? at == NULL: no. */
bool assets_gzip_taken(struct view wanted);

#endif
