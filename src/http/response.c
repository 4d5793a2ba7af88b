#include "http/response.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *response_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status) return reasons[i].reason;
    return "Unknown";
}

void response_header(struct response *rs, const char *name, struct view value)
{
    if (value.len && (memchr(value.at, '\r', value.len) || memchr(value.at, '\n', value.len))) return;
    str_addz(&rs->headers, name);
    str_addz(&rs->headers, ": ");
    str_add(&rs->headers, value);
    str_addz(&rs->headers, "\r\n");
}

void response_headerf(struct response *rs, const char *name, const char *format, ...)
{
    char few[256], *many = NULL;
    va_list values;
    va_start(values, format);
    int len = vsnprintf(few, sizeof few, format, values);
    va_end(values);
    if (len >= (int)sizeof few) {
        many = malloc((size_t)len + 1);
        va_start(values, format);
        if (many) vsnprintf(many, (size_t)len + 1, format, values);
        va_end(values);
    }
    if (len < 0 || (len >= (int)sizeof few && !many))
        rs->headers.failed = true;
    else
        response_header(rs, name, (struct view){many ? many : few, (size_t)len});
    free(many);
}

void response_file(struct response *rs, int fd, int64_t from, int64_t len)
{
    response_drop_file(rs);
    rs->file.open = true;
    rs->file.fd = fd;
    rs->file.from = from;
    rs->file.len = len;
}

void response_drop_file(struct response *rs)
{
    if (rs->file.open) close(rs->file.fd);
    rs->file.open = false;
}

void response_release(struct response *rs)
{
    response_drop_file(rs);
    str_release(&rs->headers);
    str_release(&rs->body);
}
