/* What an uploaded file is: its MIME type by its content where that shows, else what its client says it is.
 *
 * The signatures are src/files/types.magic, compiled by the build and kept in the program: libmagic's own database is
 * 8 MB. Any thread may call. */
#ifndef FILES_FILETYPE_H
#define FILES_FILETYPE_H

#include "parley/status.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stdint.h>

#define MIME_MOST 127 /* bytes of a type (RFC 6838, 4.2: 127 on each side; longer ones are not believed) */

struct filetypes;

MUST_CHECK enum status filetypes_open(struct filetypes **out, struct failure *f);
void filetypes_close(struct filetypes *t);

/* The type that the file's first 64 KiB show, "text/plain" for any text, "application/octet-stream" for anything else,
 * also for a file of no bytes. The file's offset stays. */
MUST_CHECK enum status filetypes_detect(struct filetypes *t, int fd, char type[MIME_MOST + 1], struct failure *f);

/* "text/csv" of "Text/CSV; charset=utf-8", in lower case; "" for what is no type. */
void filetype_essence(struct view sent, char type[MIME_MOST + 1]);
/* The type for a name's extension, where content shows none; NULL: none is known. */
const char *filetype_of_extension(struct view extension);
/* The type to store: `detected` where it says more than "some text" or "some bytes"; else `declared` (an essence, or
 * "") unless it claims what would have been detected, or several parts; else what the extension says. */
const char *filetype_choose(const char *detected, const char *declared, struct view extension);
/* Files that a system or a browser would run (Payload's list, and JavaScript's other names): by extension or by
 * type. */
bool filetype_restricted(const char *declared, struct view extension);
/* A type that some browser shows as a document of XML, and runs what is in it. */
bool filetype_is_xml(const char *type);

#endif
