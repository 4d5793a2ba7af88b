/* The tables that Payload 3.90.2 keeps for itself beside the collections': locks of documents being edited,
 * preferences, migrations, a key-value store. Parley uses none of them; a file that has them is one that Payload opens
 * as its own. */
#ifndef SCHEMA_PAYLOAD_H
#define SCHEMA_PAYLOAD_H

#include "parley/str.h"

/* CREATE … IF NOT EXISTS for all of them, as Payload's SQLite adapter writes them. */
void payload_add_tables(struct str *out);

#endif
