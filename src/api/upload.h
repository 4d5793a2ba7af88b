/* Uploads: a file on its way from a request's body to its document.
 *
 *     upload_body      the part `file` goes to the disk as it arrives and is looked at; the part `_payload` is the body
 *     upload_store     its name is claimed, the file moved into the collection's folder, the draft told of it
 *     (the write)      the document's row takes the claim over
 *     upload_end       what no document took is removed
 *
 * Each step is on the disk before the next begins, so that after a crash every file is either a document's or claimed,
 * and uploads_open removes the claimed ones. The client's name for a file is never a path: it is a name only after
 * schema/filename.h made one of it. */
#ifndef API_UPLOAD_H
#define API_UPLOAD_H

#include "api/call.h"
#include "files/filetype.h"
#include "files/folder.h"
#include "files/picture.h"

struct upload {
    struct part part; /* open until it is in the folder */
    bool given;       /* the request has a file */
    struct view name; /* clean; once it is claimed, the claimed one */
    struct view type; /* MIME */
    struct picture picture;
    struct value focal[2]; /* x, y */
    int64_t size;
    bool claimed;
};

/* Opens the folders of the upload collections and removes what the last run left without a document. After the broker,
 * before the server. uploads_close takes what was never opened. */
MUST_CHECK enum status uploads_open(struct app *app, const char *parent, struct failure *f);
void uploads_close(struct app *app);

/* The body's JSON, and the file if there is one: refused, with nothing left behind, where its type is. upload_end must
 * follow in any case. For collections without uploads it is call_body. With a key it asks whether the request came
 * before: when it did (idempotency_replayed), nothing else is to be done. */
MUST_CHECK enum status upload_body(struct call *call, struct upload *u, struct json_object **body, struct failure *f);
/* Does nothing where there is no file. */
MUST_CHECK enum status upload_store(struct call *call, struct upload *u, struct draft *draft, struct failure *f);
/* Begins an upload with the file of a document that is being copied. */
MUST_CHECK enum status upload_copy(struct call *call, struct upload *u, const struct doc *from, struct failure *f);
/* `written`: how it went. OK: a document has the file now. UNAVAILABLE: the disk failed, and nobody knows before the
 * next start. After anything else the file is removed. */
void upload_end(struct call *call, struct upload *u, enum status written);

/* Removes the files that the writes left without a document. What cannot be removed now is at the next start. */
void upload_sweep(struct call *call, const struct write *writes, size_t nwrites);

#endif
