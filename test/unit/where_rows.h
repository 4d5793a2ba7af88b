/* The rows of the model: nulls, relations that lead nowhere, equal times, wildcards, quotes, digits as text, letters
 * that only Unicode takes for equal, numbers at the ends of their types. */
#ifndef TEST_WHERE_ROWS_H
#define TEST_WHERE_ROWS_H

#include "where_model.h"

#define D1      TEXT("2024-01-01T00:00:00.000Z")
#define D3      TEXT("2024-01-03T00:00:00.000Z")
#define D3MS    TEXT("2024-01-03T00:00:00.001Z")
#define D4      TEXT("2024-01-04T00:00:00.000Z")
#define LEAP    TEXT("2024-02-29T00:00:00.000Z")
#define FIRST   TEXT("0000-01-01T00:00:00.000Z")
#define LAST    TEXT("9999-12-31T23:59:59.999Z")
#define HUGE_ID INT(INT64_C(9007199254740993))

static const struct column users_fields[] = {
    {"id", SHAPE_NUMBER, 0, 0, false},
    {"email", SHAPE_TEXT, 1, 0, false},
    {"updatedAt", SHAPE_DATE, 2, 0, false},
    {"createdAt", SHAPE_DATE, 3, 0, false},
};

static const struct cell users_rows[][MAX_CELLS] = {
    {INT(1), TEXT("ann@example.com"), D1, D1},
    {INT(2), TEXT("bob@example.com"), D3, D1},
    {INT(3), TEXT("50%_off@example.com"), D3, D3},
    {INT(7), TEXT("b\xC3\xB6rn@example.com"), D3MS, FIRST},
    {HUGE_ID, TEXT("o'brien@example.com"), LAST, LEAP},
};

static const struct column messages_fields[] = {
    {"id", SHAPE_NUMBER, 0, 0, false},
    {"sender", SHAPE_RELATION, 1, 0, false},
    {"receiver", SHAPE_RELATION, 2, 0, false},
    {"content", SHAPE_TEXT, 3, 0, false},
    {"timestamp", SHAPE_DATE, 4, 0, false},
    {"updatedAt", SHAPE_DATE, 5, 0, false},
    {"createdAt", SHAPE_DATE, 6, 0, false},
    {"sender.id", SHAPE_RELATION, 1, 0, false},
    {"receiver.id", SHAPE_RELATION, 2, 0, false},
    {"sender.email", SHAPE_TEXT, 1, 2, true},
    {"receiver.email", SHAPE_TEXT, 1, 3, true},
    {"sender.updatedAt", SHAPE_DATE, 2, 2, true},
    {"receiver.createdAt", SHAPE_DATE, 3, 3, true},
};

static const struct cell messages_rows[][MAX_CELLS] = {
    {INT(1), INT(1), INT(2), TEXT("alpha one"), D1, D1, D1},
    {INT(2), INT(2), INT(1), TEXT("Beta two"), D3, D1, D1},
    {INT(3), INT(2), INT(3), TEXT("BETA TWO three"), D3, D3, D1},
    {INT(4), NONE, INT(2), TEXT("two beta"), D3MS, D3, D1},
    {INT(5), INT(99), INT(1), TEXT("100% sure"), D4, D3, D3},
    {INT(6), INT(3), NONE, TEXT("100 sure"), D4, D3MS, D3},
    {INT(7), INT(3), INT(99), NONE, LEAP, D3MS, D3},
    {INT(8), INT(3), INT(2), TEXT("5"), NONE, D3MS, D3MS},
    {INT(9), INT(1), INT(1), TEXT(""), FIRST, LAST, D3MS},
    {INT(10), INT(1), INT(3), TEXT("a_b"), LAST, LAST, D4},
    {INT(11), INT(7), HUGE_ID, TEXT("axb"), D1, D1, D4},
    {INT(12), HUGE_ID, INT(7), TEXT("back\\slash"), D1, NONE, D4},
    {INT(13), INT(-1), INT(0), TEXT("it's \"quoted\""), D3, FIRST, NONE},
    {INT(14), INT(1), INT(2), TEXT("  two  spaces "), D3, D1, LEAP},
    {INT(15), INT(2), INT(2), TEXT("null"), D3, D1, LEAP},
    {INT(16), INT(2), INT(2), TEXT("05"), D3, D1, LAST},
    {INT(17), INT(2), INT(2),
        TEXT("\xC3\xBCn\xC3\xAF"
             "code"),
        D3, D1, LAST},
    {INT(18), INT(2), INT(2),
        TEXT("\xC3\x9CN\xC3\x8F"
             "CODE"),
        D3, D1, FIRST},
    {INT(19), INT(7), INT(7), TEXT("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E"), D1, D4, D1},
    {INT(20), INT(7), INT(7), TEXT("\xF0\x9F\x98\x80 smile"), D1, D4, D1},
    {INT(21), INT(7), INT(1), TEXT("a,b"), D1, D4, D1},
    {INT(22), INT(7), INT(1), TEXT("a, b"), D1, D4, D1},
    {INT(23), INT(7), INT(1), TEXT("tab\there\nnew line"), D1, D4, D1},
    {INT(24), INT(1), INT(1), TEXT("%"), D1, D4, D1},
    {INT(25), INT(1), INT(1), TEXT("_"), D1, D4, D1},
    {INT(26), INT(1), INT(1), TEXT("\\"), D1, D4, D1},
    {INT(27), INT(1), INT(1), TEXT("aaaaaaaaaaaab"), D1, D4, D1},
    {INT(28), INT(1), INT(1),
        TEXT("\xE2\x84\xAA"
             "elvin"),
        D1, D4, D1},
    {INT(29), INT(1), INT(1), TEXT("kelvin"), D1, D4, D1},
    {INT(30), INT(1), INT(1), TEXT("true"), D1, D4, D1},
    {INT(31), INT(1), INT(1), TEXT("&=+#[x]=%41"), D1, D4, D1},
    {INT(144), INT(2), INT(3), TEXT("abcabcabd"), D3, D3, D3},
    {HUGE_ID, INT(2), INT(3), TEXT("2024-01-03T00:00:00.000Z"), D3, D3, D3},
    {INT(INT64_MAX), INT(2), INT(3), TEXT("last"), D3, D3, D3},
};

static const struct column media_fields[] = {
    {"id", SHAPE_NUMBER, 0, 0, false},
    {"alt", SHAPE_TEXT, 1, 0, false},
    {"updatedAt", SHAPE_DATE, 2, 0, false},
    {"createdAt", SHAPE_DATE, 3, 0, false},
    {"filename", SHAPE_TEXT, 4, 0, false},
    {"mimeType", SHAPE_TEXT, 5, 0, false},
    {"filesize", SHAPE_NUMBER, 6, 0, false},
    {"width", SHAPE_NUMBER, 7, 0, false},
    {"focalX", SHAPE_NUMBER, 8, 0, false},
};

static const struct cell media_rows[][MAX_CELLS] = {
    {INT(1), TEXT("one"), D1, D1, TEXT("a.png"), TEXT("image/png"), INT(100), INT(10), INT(50)},
    {INT(2), TEXT("Two"), D1, D3, TEXT("A.PNG"), TEXT("image/png"), INT(100), NONE, REAL(50.5)},
    {INT(3), TEXT(""), D3, D3, NONE, NONE, NONE, NONE, NONE},
    {INT(4), TEXT("null"), D3, D3, TEXT("null"), TEXT("text/plain"), INT(0), INT(-5), REAL(1.0e+21)},
    {INT(5), TEXT("a b"), D3MS, LAST, TEXT("5"), NONE, HUGE_ID, INT(0), REAL(0.1)},
    {INT(6), TEXT("%_\\"), LEAP, FIRST, TEXT("50%.png"), TEXT("image/svg+xml"), INT(INT64_MAX), INT(144), REAL(-0.5)},
    {INT(7), TEXT("b\xC3\xB6rn"), D4, D4, TEXT("B\xC3\x96RN"), TEXT(""), INT(INT64_MIN), INT(2), REAL(1.0e-07)},
    {INT(8), TEXT("one"), D1, D1, TEXT("o'brien"), NONE, INT(5), REAL(2.5), REAL(1.0e+300)},
};

#define ROWS(name)                                                                                                     \
    .fields = name##_fields, .nfields = COUNT_OF(name##_fields), .rows = name##_rows, .nrows = COUNT_OF(name##_rows)

static const struct table users_table = {.slug = "users", .columns = "id, email, updated_at, created_at", ROWS(users)};
static const struct table messages_table = {.slug = "messages",
    .columns = "id, sender_id, receiver_id, content, timestamp, updated_at, created_at",
    ROWS(messages)};
static const struct table media_table = {.slug = "media",
    .columns = "id, alt, updated_at, created_at, filename, mime_type, filesize, width, focal_x",
    ROWS(media)};

#endif
