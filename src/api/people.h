/* People, as those who are signed in see each other: with the name that each has given himself, or none. */
#ifndef API_PEOPLE_H
#define API_PEOPLE_H

#include "api/call.h"

#define PEOPLE_SHOWN 50  /* in a list that names no limit */
#define PEOPLE_MOST  500 /* in any */

/* The members of a person, without the braces: id, email, name (name.at == NULL: null), collection. */
void people_add(struct str *out, int64_t id, struct view email, struct view name);
/* Which page of a list of people the query asks for. */
void people_page(const struct call *call, int64_t *limit, int64_t *page);

operation people_list;

#endif
