/* The SQL texts of a collection's table. */
#ifndef SCHEMA_SQL_H
#define SCHEMA_SQL_H

#include "parley/collection.h"
#include "schema/binds.h"
#include "schema/draft.h"
#include "schema/find.h"

/* CREATE TABLE as Payload 3.90.2 makes it (Drizzle's quoting and order), without its indexes. */
void sql_add_create_table(struct str *out, const struct collection *c);
/* The column's definition alone: for CREATE TABLE and ALTER TABLE. */
void sql_add_column(struct str *out, const struct field *field);
/* CREATE INDEX IF NOT EXISTS for each of its indexes, one statement a line. */
void sql_add_indexes(struct str *out, const struct collection *c);

/* "id, sender_id, …": every field but the hidden ones, whose places hold NULL, in the fields' order. */
void sql_add_columns(struct str *out, const struct collection *c);
/* "SELECT … FROM messages WHERE id = ?" */
void sql_add_select_one(struct str *out, const struct collection *c);
/* " WHERE …", or nothing */
void sql_add_where(struct str *out, const struct find *find, struct binds *binds);
/* A list: "SELECT … WHERE … ORDER BY … [LIMIT ? OFFSET ?]"; newest first where the sort leaves it open. limit 0: all.
 */
void sql_add_select(struct str *out, const struct find *find, int64_t limit, int64_t offset, struct binds *binds);
/* "SELECT count(*) FROM …" */
void sql_add_count(struct str *out, const struct find *find, struct binds *binds);

/* INSERT of the draft's given fields with the id as the first bind; UPDATE of them with the id as the last. */
void sql_add_insert(struct str *out, const struct draft *draft, int64_t id, struct binds *binds);
void sql_add_update(struct str *out, const struct draft *draft, int64_t id, struct binds *binds);

#endif
