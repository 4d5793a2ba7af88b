#include "bench/mark.h"

static void write_hex(char *at, int digits, uint64_t value)
{
    for (int i = digits - 1; i >= 0; i--, value >>= 4) at[i] = "0123456789abcdef"[value & 15];
}

static bool read_hex(const char *at, int digits, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++) {
        int digit = at[i] >= '0' && at[i] <= '9' ? at[i] - '0' : at[i] >= 'a' && at[i] <= 'f' ? at[i] - 'a' + 10 : -1;
        if (digit < 0) return false;
        *value = *value << 4 | (unsigned)digit;
    }
    return true;
}

void mark_write(char *at, struct mark m)
{
    at[0] = '#';
    write_hex(at + 1, 8, m.run);
    write_hex(at + 9, 8, m.number);
    write_hex(at + 17, 16, m.due);
    at[33] = '#';
}

bool mark_read(const char *at, size_t len, struct mark *m)
{
    uint64_t run, number;
    if (len < MARK_LENGTH || at[33] != '#' || !read_hex(at + 1, 8, &run) || !read_hex(at + 9, 8, &number) ||
        !read_hex(at + 17, 16, &m->due))
        return false;
    m->run = (uint32_t)run;
    m->number = (uint32_t)number;
    return true;
}
