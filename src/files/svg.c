/* What is refused are the ways in which a picture that is opened by itself can run something: elements, attributes and
 * addresses, by their local names. What is not refused, an address of another picture for instance, is held back by the
 * Content-Security-Policy that the file is served with. */
#include "files/svg.h"
#include "parley/str.h"
#include <ctype.h>
#include <expat.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMESPACE  "http://www.w3.org/2000/svg"
#define XHTML      "http://www.w3.org/1999/xhtml"
#define PUBLIC_SVG "-//W3C//DTD SVG "
#define SEPARATOR  '|' /* between namespace and local name, as expat is asked to join them */
#define DEPTH_MOST 256
#define STYLE_MOST ((size_t)1 << 20)
#define TYPE_MOST  127 /* bytes of a type that is looked at; no longer one is known */
#define PIECE      16384

static const char *const acting_elements[] = {
    "script", "foreignobject", "iframe", "object", "embed", "handler", "listener", NULL};
static const char *const address_attributes[] = {
    "href", "src", "data", "action", "formaction", "from", "to", "by", "values", "base", NULL};
static const char *const acting_addresses[] = {"javascript:", "vbscript:", "data:application/", NULL};
static const char *const acting_styles[] = {
    "@import", "expression(", "javascript:", "vbscript:", "-moz-binding", "behavior:url(", NULL};
/* Parts of the types that a browser reads as a document or a script. */
static const char *const acting_types[] = {"text/", "xml", "svg", "html", "script", "multipart/", "message/", NULL};

struct look {
    struct svg *svg;
    XML_Parser parser;
    int depth;
    int style_depth; /* of <style>; 0: outside */
    struct str style;
};

static const char *local_name(const char *name)
{
    const char *bar = strrchr(name, SEPARATOR);
    return bar ? bar + 1 : name;
}

static bool in_list(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (!strcasecmp(*list, name)) return true;
    return false;
}

static bool holds_any(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (strcasestr(text, *list)) return true;
    return false;
}

/* Does it hold an address of data that act? `text` is without blanks. */
static bool data_acts(const char *text)
{
    char type[TYPE_MOST + 1];
    while ((text = strcasestr(text, "data:"))) {
        text += strlen("data:");
        size_t len = strcspn(text, ",;:\"()<>@[]?={}");
        if (len > TYPE_MOST) return true;
        memcpy(type, text, len);
        type[len] = 0;
        if (holds_any(type, acting_types)) return true;
    }
    return false;
}

/* Browsers pass over control characters and spaces inside an address's scheme (URL standard, 4.4). */
static bool address_acts(const char *value)
{
    struct str plain = {0};
    for (; *value; value++)
        if ((unsigned char)*value > 0x20 && *value != 0x7F) str_addc(&plain, *value);
    bool acts = plain.failed || (plain.len && (holds_any(plain.at, acting_addresses) || data_acts(plain.at)));
    str_release(&plain);
    return acts;
}

/* What an escape of CSS stands for (CSS Syntax, 4.3.7), "?" for anything beyond ASCII; `*css` is behind it then. */
static char unescape(const char **css)
{
    const char *c = *css + 1;
    unsigned code = 0;
    int digits = 0;
    for (; digits < 6 && isxdigit((unsigned char)*c); digits++, c++)
        code = code * 16 + (unsigned)(*c <= '9' ? *c - '0' : (*c | 0x20) - 'a' + 10);
    if (!digits && *c)
        code = (unsigned char)*c++;
    else if (*c && strchr(" \t\r\n\f", *c))
        c++;
    *css = c;
    return code && code < 0x80 ? (char)code : '?';
}

/* CSS as it counts: without blanks and escapes, and, when they are not wanted, without comments. */
static void add_css(struct str *out, const char *css, bool comments)
{
    while (*css) {
        if (!comments && css[0] == '/' && css[1] == '*') {
            const char *end = strstr(css + 2, "*/");
            if (!end) return;
            css = end + 2;
            continue;
        }
        char c = *css == '\\' ? unescape(&css) : *css++;
        if ((unsigned char)c > 0x20 && c != 0x7F) str_addc(out, c);
    }
}

/* With comments, since what looks like one is none within a string; and without, since a browser once joined what
 * stands on both sides of one. */
static bool style_acts(const char *style)
{
    struct str plain = {0};
    bool acts = false;
    for (int comments = 0; comments < 2 && !acts; comments++) {
        str_reset(&plain);
        add_css(&plain, style, comments);
        acts = plain.failed || (plain.len && (holds_any(plain.at, acting_styles) || data_acts(plain.at)));
    }
    str_release(&plain);
    return acts;
}

static bool is_handler(const char *name)
{
    return !strncasecmp(name, "on", 2) && strlen(name) > 2;
}

/* The attribute that an animation changes: "fill", " xlink:href". */
static bool animates_handler(const char *value)
{
    const char *colon = strrchr(value, ':'), *name = colon ? colon + 1 : value;
    return is_handler(name + strspn(name, " \t\r\n"));
}

static bool attribute_acts(const char *name, const char *value)
{
    if (is_handler(name) || (!strcasecmp(name, "attributename") && animates_handler(value))) return true;
    if (in_list(address_attributes, name) && address_acts(value)) return true;
    return (!strcasecmp(name, "style") || strcasestr(value, "url(") || strchr(value, '\\')) && style_acts(value);
}

/* The number that `*text` begins with; strtod also knows hexadecimal ones, "inf" and "nan". */
static bool read_number(const char **text, double *n)
{
    const char *start = *text, *most = start + strspn(start, " \t\r\n+-.0123456789eE");
    char *end;
    *n = strtod(start, &end);
    *text = end;
    return end > start && end <= most && isfinite(*n);
}

/* A length in CSS pixels, whatever its unit says; 0 for a share of what is not known here. */
static double read_length(const char *text)
{
    double n;
    return !read_number(&text, &n) || n <= 0 || n > 1e6 || strchr(text, '%') ? 0 : n;
}

static void read_view_box(const char *text, double *width, double *height)
{
    double n[4];
    for (int i = 0; i < 4; i++) {
        text += strspn(text, " \t\r\n,");
        if (!read_number(&text, &n[i])) return;
    }
    if (n[2] <= 0 || n[3] <= 0 || n[2] > 1e6 || n[3] > 1e6) return;
    *width = n[2];
    *height = n[3];
}

static void read_size(struct svg *svg, const XML_Char **attributes)
{
    double width = 0, height = 0, box_width = 0, box_height = 0;
    for (; *attributes; attributes += 2) {
        if (!strcmp(attributes[0], "width")) width = read_length(attributes[1]);
        if (!strcmp(attributes[0], "height")) height = read_length(attributes[1]);
        if (!strcmp(attributes[0], "viewBox")) read_view_box(attributes[1], &box_width, &box_height);
    }
    if (box_width > 0) {
        if (width <= 0 && height <= 0) width = box_width;
        if (height <= 0) height = width / box_width * box_height;
        if (width <= 0) width = height / box_height * box_width;
    }
    if (width < 0.5 || height < 0.5 || width > 1e6 || height > 1e6) return;
    svg->width = (int64_t)(width + 0.5);
    svg->height = (int64_t)(height + 0.5);
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct look *look = ctx;
    const char *local = local_name(name);
    if (++look->depth > DEPTH_MOST) {
        XML_StopParser(look->parser, XML_FALSE);
        return;
    }
    if (look->depth == 1) {
        look->svg->is_svg = !strcmp(name, NAMESPACE "|svg");
        if (!look->svg->is_svg) look->svg->safe = false;
        read_size(look->svg, attributes);
    }
    if (!strncmp(name, XHTML "|", strlen(XHTML "|")) || in_list(acting_elements, local)) look->svg->safe = false;
    /* Nothing draws there, and a browser takes the style's own text alone: it would read on behind the element. */
    if (look->style_depth) look->svg->safe = false;
    if (!strcasecmp(local, "style") && !look->style_depth) look->style_depth = look->depth;
    for (; *attributes; attributes += 2)
        if (attribute_acts(local_name(attributes[0]), attributes[1])) look->svg->safe = false;
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct look *look = ctx;
    (void)name;
    if (look->style_depth == look->depth) {
        if (look->style.failed || (look->style.len && style_acts(look->style.at))) look->svg->safe = false;
        str_reset(&look->style);
        look->style_depth = 0;
    }
    look->depth--;
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int len)
{
    struct look *look = ctx;
    if (!look->style_depth) return;
    if (look->style.len + (size_t)len > STYLE_MOST)
        XML_StopParser(look->parser, XML_FALSE);
    else
        str_add(&look->style, (struct view){text, (size_t)len});
}

static void XMLCALL on_instruction(void *ctx, const XML_Char *target, const XML_Char *data)
{
    struct look *look = ctx;
    (void)data;
    if (!strcasecmp(target, "xml-stylesheet")) look->svg->safe = false;
}

/* Entities of its own hide what a text says, and unfold a file of 4 MiB to hundreds before expat stops of itself. So
 * nothing is read behind them; the DOCTYPE has the root's name. */
static void XMLCALL on_doctype(
    void *ctx, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
    struct look *look = ctx;
    const char *colon = strchr(name, ':');
    (void)system;
    /* To a document of XHTML browsers give the entities of HTML, which expat does not know: "&colon;" is nothing here.
     */
    if (public && strncmp(public, PUBLIC_SVG, strlen(PUBLIC_SVG)) != 0) look->svg->safe = false;
    if (!internal) return;
    look->svg->is_svg = !strcmp(colon ? colon + 1 : name, "svg");
    look->svg->safe = false;
    XML_StopParser(look->parser, XML_FALSE);
}

bool svg_inspect(int fd, int64_t size, struct svg *out)
{
    char piece[PIECE];
    *out = (struct svg){.safe = true};
    struct look look = {.svg = out, .parser = XML_ParserCreateNS(NULL, SEPARATOR)};
    bool good = look.parser != NULL, parsed = size <= SVG_MOST;
    if (good) {
        XML_SetUserData(look.parser, &look);
        XML_SetElementHandler(look.parser, on_start, on_end);
        XML_SetCharacterDataHandler(look.parser, on_text);
        XML_SetProcessingInstructionHandler(look.parser, on_instruction);
        XML_SetStartDoctypeDeclHandler(look.parser, on_doctype);
    }
    bool last = false;
    for (int64_t at = 0; good && parsed && !last; at += PIECE) {
        ssize_t n = pread(fd, piece, sizeof piece, (off_t)at);
        last = n < PIECE;
        good = n >= 0;
        if (good) parsed = XML_Parse(look.parser, piece, (int)n, last) == XML_STATUS_OK;
    }
    out->well_formed = good && parsed;
    if (!out->well_formed) out->safe = false;
    if (look.parser) XML_ParserFree(look.parser);
    str_release(&look.style);
    return good;
}
