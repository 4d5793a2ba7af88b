#define _GNU_SOURCE 1
#include "base/clock.h"
#include <string.h>
#include <time.h>

#define FIRST_MS INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define LAST_MS  INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static int64_t (*replaced)(void);

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_wall(void)
{
    return replaced ? replaced() : read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void clock_replace(int64_t (*source)(void))
{
    replaced = source;
}

static struct tm split(int64_t ms, int *rest)
{
    struct tm t;
    if (ms < FIRST_MS) ms = FIRST_MS;
    if (ms > LAST_MS) ms = LAST_MS;
    *rest = (int)(ms % 1000);
    time_t seconds = (time_t)(ms / 1000);
    if (*rest < 0) {
        *rest += 1000;
        seconds--;
    }
    gmtime_r(&seconds, &t);
    return t;
}

/* `digits` digits of n and nothing else: %04d would not be bounded for the compiler. */
static void put_number(char *at, int n, int digits)
{
    while (digits--) {
        at[digits] = (char)('0' + n % 10);
        n /= 10;
    }
}

void clock_iso(int64_t ms, char out[ISO_LENGTH + 1])
{
    int rest;
    struct tm t = split(ms, &rest);
    memcpy(out, "0000-00-00T00:00:00.000Z", ISO_LENGTH + 1);
    put_number(out, t.tm_year + 1900, 4);
    put_number(out + 5, t.tm_mon + 1, 2);
    put_number(out + 8, t.tm_mday, 2);
    put_number(out + 11, t.tm_hour, 2);
    put_number(out + 14, t.tm_min, 2);
    put_number(out + 17, t.tm_sec, 2);
    put_number(out + 20, rest, 3);
}

void clock_http_date(int64_t ms, char out[HTTP_DATE_LENGTH + 1])
{
    int rest;
    struct tm t = split(ms, &rest);
    memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", HTTP_DATE_LENGTH + 1);
    memcpy(out, &"SunMonTueWedThuFriSat"[3 * t.tm_wday], 3);
    put_number(out + 5, t.tm_mday, 2);
    memcpy(out + 8, &"JanFebMarAprMayJunJulAugSepOctNovDec"[3 * t.tm_mon], 3);
    put_number(out + 12, t.tm_year + 1900, 4);
    put_number(out + 17, t.tm_hour, 2);
    put_number(out + 20, t.tm_min, 2);
    put_number(out + 23, t.tm_sec, 2);
}
