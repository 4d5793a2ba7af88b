/* The time, in one place, so that tests can replace it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since 1970-01-01T00:00:00Z by the wall clock; may step. For what people and files see. */
int64_t clock_wall(void);
/* Milliseconds that only go forward. For deadlines. */
int64_t clock_monotonic(void);

/* Tests: from now on clock_wall() answers source(); NULL: the system's clock again. Not while other threads run. */
void clock_replace(int64_t (*source)(void));

/* "2026-01-02T03:04:05.678Z" and a NUL. Years 0000 to 9999; outside them the nearest of these moments. */
#define ISO_LENGTH 24
void clock_iso(int64_t ms, char out[ISO_LENGTH + 1]);

/* "Wed, 25 Nov 2026 05:42:04 GMT" and a NUL (RFC 9110, 5.6.7). */
#define HTTP_DATE_LENGTH 29
void clock_http_date(int64_t ms, char out[HTTP_DATE_LENGTH + 1]);

#endif
