/* Signing in: the routes of an auth collection. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/call.h"

operation auth_init, auth_me, auth_first_register, auth_login, auth_refresh, auth_logout, auth_unlock, auth_forgot,
    auth_reset;

/* Is there an account? */
MUST_CHECK enum status auth_any(const struct app *app, bool *out, struct failure *f);

#endif
