/* The log: one line an event on standard error, as text or as JSON, with the time, the level, a message and named
 * values. Lines are written whole with one write(); any thread may call, and nobody waits for another while formatting.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "parley/attributes.h"
#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Before other threads start. */
void log_setup(enum log_level lowest, bool json);
bool log_wants(enum log_level level);
/* Longer lines are cut at 2 KiB. Control characters are escaped, so that one event stays one line. */
void log_write(enum log_level level, const char *format, ...) PRINTF(2, 3);

#define log_debug(...)   (log_wants(LOG_DEBUG) ? log_write(LOG_DEBUG, __VA_ARGS__) : (void)0)
#define log_info(...)    log_write(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_error(...)   log_write(LOG_ERROR, __VA_ARGS__)

#endif
