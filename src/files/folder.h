/* A folder of uploaded files, and the parts that are on their way into it.
 *
 * A part is written beside the folder, synced, and then moved into it under its name; the move is on the disk when
 * folder_publish returns. What a crash leaves among the parts is removed at the next opening. Which names in the folder
 * belong to a document is not known here (store/claim.h is).
 *
 * Any thread may call; a part belongs to one thread. Names are one piece of a path: anything else is INVALID. What
 * opens a file is UNAVAILABLE while the process has no descriptor left. */
#ifndef FILES_FOLDER_H
#define FILES_FOLDER_H

#include "parley/status.h"
#include "parley/str.h"
#include <stdbool.h>
#include <stdint.h>

struct folder;

/* <parent>/<name>, made if it is missing. */
MUST_CHECK enum status folder_open(struct folder **out, const char *parent, const char *name, struct failure *f);
void folder_close(struct folder *folder);

#define PART_NAME_LENGTH 32

/* An upload on its way into the folder, under a name of its own; {0} is none. */
struct part {
    bool open;
    int fd;
    int64_t size;
    char name[PART_NAME_LENGTH + 1];
};

/* An empty one, to be dropped or published. NO_SPACE: the disk is full. */
MUST_CHECK enum status part_begin(struct folder *folder, struct part *p, struct failure *f);
/* NO_SPACE: the disk is full. */
MUST_CHECK enum status part_write(struct part *p, struct view bytes, struct failure *f);
/* Removes it, if it is there still. */
void part_drop(struct folder *folder, struct part *p);

/* CONFLICT: there is a file of that name; the part stays. OK: the part has become that file. */
MUST_CHECK enum status folder_publish(struct folder *folder, struct part *p, const char *name, struct failure *f);
/* A part with the bytes of a file. NOT_FOUND: there is none. */
MUST_CHECK enum status folder_copy(struct folder *folder, const char *name, struct part *p, struct failure *f);
/* What is not there is removed already. The removal is on the disk after folder_sync. */
MUST_CHECK enum status folder_remove(struct folder *folder, const char *name, struct failure *f);
MUST_CHECK enum status folder_sync(struct folder *folder, struct failure *f);

struct file {
    int fd; /* the caller's to close */
    int64_t size;
    int64_t modified; /* nanoseconds since 1970 */
};

/* NOT_FOUND: there is no plain file of that name. */
MUST_CHECK enum status folder_find(struct folder *folder, const char *name, struct file *out, struct failure *f);

#endif
