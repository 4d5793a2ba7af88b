#include "token.h"

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

void token_write(char *at, struct token t)
{
    at[0] = '#';
    write_hex(at + 1, 8, t.number);
    write_hex(at + 9, 16, t.due);
    at[25] = '#';
}

bool token_read(const char *at, size_t len, struct token *t)
{
    uint64_t number;
    if (len < TOKEN_LENGTH || at[25] != '#' || !read_hex(at + 1, 8, &number) || !read_hex(at + 9, 16, &t->due))
        return false;
    t->number = (uint32_t)number;
    return true;
}
