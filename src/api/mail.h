/* Mail, sent by a command of the operator's choice: the whole message goes to its standard input, as `sendmail -t`
 * takes it. One thread sends, one after the other; who asks does not wait for it. */
#ifndef API_MAIL_H
#define API_MAIL_H

#include "parley/attributes.h"
#include "parley/str.h"
#include <stdbool.h>

struct mailer;

/* `command` is given to sh; NULL: mail is off, and mail_send drops what it gets. NULL: no memory or no thread. */
MUST_CHECK struct mailer *mailer_new(const char *command);
/* Lets the mail that is being sent end; what waits is dropped. Takes NULL. */
void mailer_free(struct mailer *m);
/* Is it on? */
bool mail_works(const struct mailer *m);
/* Queues a message in plain text. False: too many wait already, or no memory. No CR or LF may be in `to` (an e-mail
 * address that was checked has none). Any thread. */
bool mail_send(struct mailer *m, struct view to, const char *subject, struct view text);

#endif
