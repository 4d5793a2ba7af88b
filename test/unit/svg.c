#include "files/svg.h"
#include "base/check.h"
#include "parley/str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sample.h"

#define OPEN                                                                                                           \
    "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"3\" height=\"2\">"
#define CLOSE "</svg>"

static struct svg look(struct view bytes)
{
    struct svg svg;
    int fd = sample(bytes);
    lseek(fd, 3, SEEK_SET);
    assert_true(svg_inspect(fd, (int64_t)bytes.len, &svg));
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 3);
    close(fd);
    if (svg.safe) assert_true(svg.is_svg && svg.well_formed);
    return svg;
}

/* The text within an SVG. */
static struct svg look_inside(const char *text)
{
    struct str s = {0};
    str_addf(&s, OPEN "%s" CLOSE, text);
    struct svg svg = look(str_view(&s));
    str_release(&s);
    return svg;
}

/* Each of them is well-formed: it is refused for what it holds. */
static void expect_acting(const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct svg svg = look_inside(texts[i]);
        if (svg.safe || !svg.well_formed) print_error("%s: %s\n", svg.safe ? "safe" : "malformed", texts[i]);
        assert_true(svg.is_svg && svg.well_formed);
        assert_false(svg.safe);
    }
}

static void expect_safe(const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct svg svg = look_inside(texts[i]);
        if (!svg.safe) print_error("%s: %s\n", svg.well_formed ? "acts" : "malformed", texts[i]);
        assert_true(svg.safe);
        assert_int_equal(svg.width, 3);
    }
}

/* ---- what acts ---- */

static void svg__scripts_act(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<script>alert(1)</script>",
        "<script/>",
        "<SCRIPT/>",
        "<ScRiPt href=\"x.js\"/>",
        "<script type=\"application/json\">{}</script>",
        "<s:script xmlns:s=\"http://www.w3.org/2000/svg\"/>",
        "<h:script xmlns:h=\"http://www.w3.org/1999/xhtml\"/>",
        "<script xmlns=\"http://www.w3.org/1999/xhtml\">x</script>",
        "<script xmlns=\"\"/>",
        "<g><g><g><script/></g></g></g>",
        "<script><![CDATA[x]]></script>",
        "<handler type=\"application/ecmascript\" ev:event=\"load\" xmlns:ev=\"http://www.w3.org/2001/xml-events\"/>",
        "<ev:listener event=\"click\" handler=\"#x\" xmlns:ev=\"http://www.w3.org/2001/xml-events\"/>",
        "<foreignObject><p/></foreignObject>",
        "<foreignobject/>",
        "<s:foreignObject xmlns:s=\"http://www.w3.org/2000/svg\"/>",
        "<iframe src=\"x\"/>",
        "<h:iframe xmlns:h=\"http://www.w3.org/1999/xhtml\" src=\"x\"/>",
        "<object data=\"x\"/>",
        "<embed src=\"x\"/>",
    };
    expect_acting(texts, COUNT(texts));
}

/* What is HTML is foreign, whatever it is. */
static void svg__html_acts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<h:meta xmlns:h=\"http://www.w3.org/1999/xhtml\" http-equiv=\"refresh\" "
        "content=\"0;url=https://example.com\"/>",
        "<h:form xmlns:h=\"http://www.w3.org/1999/xhtml\" action=\"https://example.com\"><h:input "
        "type=\"password\"/></h:form>",
        "<h:link xmlns:h=\"http://www.w3.org/1999/xhtml\" rel=\"stylesheet\" href=\"https://example.com/x.css\"/>",
        "<h:base xmlns:h=\"http://www.w3.org/1999/xhtml\" href=\"https://example.com/\"/>",
        "<video xmlns=\"http://www.w3.org/1999/xhtml\" src=\"x\"/>",
        "<div xmlns=\"http://www.w3.org/1999/xhtml\">hello</div>",
    };
    expect_acting(texts, COUNT(texts));
}

static void svg__event_handlers_act(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<g onclick=\"alert(1)\"/>",
        "<g onload=\"\"/>",
        "<g ONLOAD=\"x\"/>",
        "<g oNbegin=\"x\"/>",
        "<g onanything=\"x\"/>",
        "<g x:onload=\"x\" xmlns:x=\"urn:x\"/>",
        "<g\n\tonload\n=\n'x'/>",
        "<svg onload=\"x\"/>",
        "<set attributeName=\"onclick\" to=\"alert(1)\"/>",
        "<animate attributeName=\"ONload\" values=\"1\"/>",
        "<set attributeName=\"&#111;nclick\" to=\"alert(1)\"/>",
    };
    expect_acting(texts, COUNT(texts));
    struct svg svg = look(VIEW("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\" onload=\"x\"/>"));
    assert_true(svg.is_svg && svg.well_formed && !svg.safe);
}

static void svg__an_event_handler_behind_blanks_acts(void **state)
{
    (void)state;
    static const char *const texts[] = {"<set attributeName=\" onclick\" to=\"alert(1)\"/>",
        "<set attributeName=\"&#10;&#9;onclick\" to=\"alert(1)\"/>",
        "<set attributeName=\"x:onclick\" to=\"alert(1)\"/>"};
    expect_acting(texts, COUNT(texts));
}

static void svg__addresses_act(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<a href=\"javascript:alert(1)\"/>",
        "<a href=\"JavaScript:alert(1)\"/>",
        "<a href=\" \tjavascript:alert(1)\"/>",
        "<a href=\"java&#10;script:alert(1)\"/>",
        "<a href=\"java&#9;script:alert(1)\"/>",
        "<a href=\"java&#xD;script&#x3a;alert(1)\"/>",
        "<a href=\"&#106;avascript&#58;alert(1)\"/>",
        "<a href=\"javascript\n:alert(1)\"/>",
        "<a xlink:href=\"javascript:alert(1)\"/>",
        "<a y:href=\"javascript:alert(1)\" xmlns:y=\"http://www.w3.org/1999/xlink\"/>",
        "<a HREF=\"javascript:alert(1)\"/>",
        "<a href=\"vbscript:x\"/>",
        "<a href=\"data:text/html,&lt;script&gt;\"/>",
        "<a href=\"DATA:Text/HTML;base64,PHNjcmlwdD4=\"/>",
        "<a href=\"da&#9;ta:te&#10;xt/html,x\"/>",
        "<use href=\"data:image/svg+xml;base64,PHN2Zz4=#x\"/>",
        "<use xlink:href=\"data:image/svg+xml,x#x\"/>",
        "<image href=\"data:image/svg+xml,x\"/>",
        "<a href=\"data:application/xhtml+xml,x\"/>",
        "<a href=\"data:application/javascript,x\"/>",
        "<feImage href=\"data:image/svg+xml,x\"/>",
        "<g src=\"javascript:x\"/>",
        "<g action=\"javascript:x\"/>",
        "<g formaction=\"javascript:x\"/>",
        "<animate attributeName=\"href\" to=\"javascript:alert(1)\"/>",
        "<animate attributeName=\"xlink:href\" from=\"#a\" to=\"java&#10;script:alert(1)\"/>",
        "<animate attributeName=\"href\" values=\"#a;javascript:alert(1)\"/>",
        "<animate attributeName=\"href\" values=\"#a;&#10;javascript&#x3A;alert(1)\" dur=\"1s\"/>",
        "<set attributeName=\"href\" to=\"data:text/html,x\"/>",
        "<animate attributeName=\"href\" by=\"javascript:x\"/>",
    };
    expect_acting(texts, COUNT(texts));
}

static void svg__an_address_of_any_xml_acts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<a href=\"data:x/y+xml,x\"/>",
        "<a href=\"data:image/x-odd+XML;base64,x\"/>",
        "<a href=\"data:xml/html,x\"/>",
        "<a href=\"data:multipart/x-mixed-replace;boundary=x,x\"/>",
        "<a href=\"data:message/rfc822,x\"/>",
        "<g style=\"fill:url('data:x/y+xml,x')\"/>",
    };
    expect_acting(texts, COUNT(texts));
    struct str s = {0};
    str_addz(&s, "<a href=\"data:");
    for (int i = 0; i < 200; i++) str_addc(&s, 'a'); /* no type is that long */
    str_addz(&s, "/b\"/>");
    assert_false(look_inside(s.at).safe);
    str_release(&s);
}

static void svg__a_base_acts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<a xml:base=\"javascript:alert(1)//\" href=\"#x\"/>", "<g xml:base=\"data:text/html,x\"/>"};
    expect_acting(texts, COUNT(texts));
}

static void svg__styles_act(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<style>@import url(https://example.com/x.css);</style>",
        "<style>@import 'x.css'</style>",
        "<style>@IMPORT \"x.css\"</style>",
        "<style>a{}\n@im/**/port 'x.css'</style>",
        "<style>@im/* x * / */port 'x.css'</style>",
        "<style>@im<![CDATA[port]]> 'x.css'</style>",
        "<style><![CDATA[@import 'x.css']]></style>",
        "<style>@im<!-- x -->port 'x.css'</style>",
        "<style>@im<?x y?>port 'x.css'</style>",
        "<style>@&#105;mport 'x.css'</style>",
        "<style>@\\69mport 'x.css'</style>",
        "<style>@\\000069 mport 'x.css'</style>",
        "<style>@\\import 'x.css'</style>",
        "<STYLE>@import 'x.css'</STYLE>",
        "<s:style xmlns:s=\"http://www.w3.org/2000/svg\">@import 'x.css'</s:style>",
        "<style>a{background:url(javascript:x)}</style>",
        "<style>a{background:url( 'java\nscript:x')}</style>",
        "<style>a{background:url(\"java\\9script:x\")}</style>",
        "<style>a{background:url('java\\\nscript:x')}</style>",
        "<style>a{width:expression(alert(1))}</style>",
        "<style>a{width:exp/**/ression(alert(1))}</style>",
        "<style>a{width:\\65xpression(alert(1))}</style>",
        "<style>a{-moz-binding:url(x.xml#y)}</style>",
        "<style>a{behavior:url(x.htc)}</style>",
        "<style>a{background:url(data:text/html,x)}</style>",
        "<style>a{background:url(data:image/svg+xml;base64,PHN2Zz4=)}</style>",
        "<g style=\"background:url(javascript:x)\"/>",
        "<g style=\"background:url(java&#10;script:x)\"/>",
        "<g style=\"background:\\75rl(javascript:x)\"/>",
        "<g style=\"width:expression(x)\"/>",
        "<g style=\"-moz-binding:url(x)\"/>",
        "<g STYLE=\"@import 'x'\"/>",
        "<g fill=\"url(javascript:x)\"/>",
        "<g fill=\"URL( javascript:x)\"/>",
        "<g filter=\"url(data:image/svg+xml,x#f)\"/>",
        "<g mask=\"url('java&#9;script:x')\"/>",
    };
    expect_acting(texts, COUNT(texts));
}

/* To CSS a comment's marks within a string, or a bare address, are no comment. */
static void svg__a_style_between_false_comments_acts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<style>a{content:\"/*\"} b{-moz-binding:url(x)} c{content:\"*/\"}</style>",
        "<style>@charset \"/*\"; @import 'x.css'; a{content:\"*/\"}</style>",
        "<style>a{fill:url(/*)} b{background:url(javascript:x)}</style>",
        "<style>a{content:\"/*\"} @\\69mport 'x.css'; c{content:\"*/\"}</style>",
        "<g style=\"font-family:'/*';background:url(javascript:x);content:'*/'\"/>",
    };
    expect_acting(texts, COUNT(texts));
}

static void svg__an_escaped_address_in_any_attribute_acts(void **state)
{
    (void)state;
    static const char *const texts[] = {"<g fill=\"\\75rl(javascript:x)\"/>",
        "<g fill=\"\\000055\\52\\4c(javas\\63ript:x)\"/>",
        "<set attributeName=\"fill\" to=\"\\75rl(\\6a avascript:x)\"/>"};
    expect_acting(texts, COUNT(texts));
}

/* A browser takes a style's own text without that of elements in it. */
static void svg__a_style_with_elements_acts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<style>@im<x>zzz</x>port 'x.css'</style>", "<style><g/></style>", "<style>a{}<style>b{}</style></style>"};
    expect_acting(texts, COUNT(texts));
}

static void svg__instructions_of_style_act(void **state)
{
    (void)state;
    static const struct view files[] = {
        VIEW("<?xml-stylesheet href=\"x.css\"?>" OPEN CLOSE),
        VIEW("<?xml version=\"1.0\"?><?xml-stylesheet type=\"text/xsl\" href=\"#x\"?>" OPEN CLOSE),
        VIEW("<?XML-Stylesheet href=\"x.css\"?>" OPEN CLOSE),
        VIEW(OPEN "<?xml-stylesheet href=\"x.css\"?>" CLOSE),
        VIEW(OPEN CLOSE "<?xml-stylesheet href=\"x.css\"?>"),
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        struct svg svg = look(files[i]);
        assert_true(svg.is_svg && svg.well_formed && !svg.safe);
    }
}

static void svg__entities_of_its_own_act(void **state)
{
    (void)state;
    static const struct view files[] = {
        VIEW("<!DOCTYPE svg [<!ENTITY a \"b\">]>" OPEN CLOSE),
        VIEW("<!DOCTYPE svg [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>" OPEN "<text>&a;</text>" CLOSE),
        VIEW("<!DOCTYPE svg [<!ENTITY % a SYSTEM \"http://example.com/x.dtd\"> %a;]>" OPEN CLOSE),
        VIEW("<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"x\" [<!ENTITY a \"b\">]>" OPEN CLOSE),
        VIEW("<!DOCTYPE svg [<!ATTLIST svg onload CDATA \"alert(1)\">]>" OPEN CLOSE),
        VIEW("<!DOCTYPE svg []>" OPEN CLOSE),
        VIEW("<!DOCTYPE x:svg [<!ENTITY a \"b\">]><x:svg xmlns:x=\"http://www.w3.org/2000/svg\"/>"),
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        struct svg svg = look(files[i]);
        assert_true(svg.is_svg);
        assert_false(svg.safe);
    }
    assert_false(look(VIEW("<!DOCTYPE html [<!ENTITY a \"b\">]>" OPEN CLOSE)).safe);
}

/* A few megabytes that would be hundreds are not unfolded: the process may not grow to hold them. */
static void svg__entities_are_not_unfolded(void **state)
{
    (void)state;
    struct str s = {0};
    str_addz(&s, "<!DOCTYPE svg [<!ENTITY a \"");
    for (int i = 0; i < 100000; i++) str_addc(&s, 'x');
    str_addz(&s, "\">]><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"3\" height=\"2\" href=\"");
    for (int i = 0; i < 50; i++) str_addz(&s, "&a;");
    str_addz(&s, "\"/>");
    struct svg svg = look(str_view(&s));
    assert_false(svg.safe);
    assert_false(svg.well_formed);
    assert_int_equal(svg.width, 0);
    str_release(&s);
}

/* Chromium and Firefox know the entities of HTML in a document that says it is XHTML: "&colon;" is ":" there, and
 * nothing to a reader that does not fetch what the DOCTYPE names. */
static void svg__a_doctype_of_another_language_acts(void **state)
{
    (void)state;
    static const struct view files[] = {
        VIEW("<!DOCTYPE svg PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"x\">" OPEN
             "<a href=\"javascript&colon;alert(1)\"/>" CLOSE),
        VIEW("<!DOCTYPE svg PUBLIC \"-//W3C//DTD XHTML 1.1 plus MathML 2.0 plus SVG 1.1//EN\" \"x\">" OPEN CLOSE),
        VIEW("<!DOCTYPE html PUBLIC \" -//W3C//DTD\n XHTML Basic 1.0//EN\" \"x\">" OPEN CLOSE),
        VIEW("<!DOCTYPE svg PUBLIC \"-//W3C//DTD MathML 2.0//EN\" \"x\">" OPEN CLOSE),
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        struct svg svg = look(files[i]);
        assert_true(svg.is_svg);
        assert_false(svg.safe);
    }
}

/* ---- what does not ---- */

static void svg__drawings_are_safe(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "<rect width=\"3\" height=\"2\" fill=\"red\"/>",
        "<defs><linearGradient id=\"g\"><stop offset=\"0\"/></linearGradient></defs><rect fill=\"url(#g)\"/>",
        "<rect fill=\"url('#g')\" filter=\"url(#f)\" mask=\"url( #m )\" clip-path=\"url(&quot;#c&quot;)\"/>",
        "<rect style=\"fill:url(#g);stroke:#000;stroke-width:2px\"/>",
        "<image href=\"data:image/png;base64,iVBORw0KGgo=\"/>",
        "<image xlink:href=\"data:image/jpeg;base64,/9j/\n 4AAQ\"/>",
        "<image href=\"data:img/png;base64,iVBORw0KGgo=\"/>",
        "<image href=\"data:image/webp;base64,xmlx\"/>",
        "<image href=\"https://example.com/red.png\"/>",
        "<use href=\"#a\"/><use xlink:href=\"#a\"/>",
        "<a href=\"https://example.com/?a=b#c\"><text>x</text></a>",
        "<a href=\"mailto:a@example.com\"/>",
        "<text>javascript:alert(1) onclick= &lt;script&gt; data:text/html</text>",
        "<title>on and on</title><desc>@import</desc>",
        "<g id=\"on\" class=\"onload\" data-on=\"x\"/>",
        "<g aria-label=\"a\" role=\"img\" tabindex=\"0\" xml:space=\"preserve\" xml:lang=\"en\"/>",
        "<animate attributeName=\"fill\" values=\"red;blue\" dur=\"1s\" begin=\"a.click\"/>",
        "<animateTransform attributeName=\"transform\" type=\"rotate\" from=\"0\" to=\"360\" dur=\"1s\"/>",
        "<animate attributeName=\"opacity\" from=\"0\" to=\"1\" by=\"0.1\"/>",
        "<svg width=\"1\" height=\"1\"><g/></svg>",
        "<!-- <script>alert(1)</script> -->",
        "<?php echo 1 ?>",
        "<g on=\"1\"/>",
    };
    expect_safe(texts, COUNT(texts));
}

static void svg__styles_are_safe(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<style/>",
        "<style>.a{fill:red}</style>",
        "<style type=\"text/css\"><![CDATA[.a > .b{fill:url(#g);font:12px 'Open Sans',sans-serif}]]></style>",
        "<style>/* a comment */ .a{fill:red} /* another */</style>",
        "<style>@media (prefers-color-scheme:dark){.a{fill:#fff}}</style>",
        "<style>@keyframes x{from{opacity:0}to{opacity:1}} .a{animation:x 1s}</style>",
        "<style>@font-face{font-family:x;src:url(data:font/woff2;base64,d09GMg==)}</style>",
        "<style>.a{background:url(data:image/png;base64,iVBORw0KGgo=)}</style>",
        "<style>.a{background:url('data:image/png;base64,iVBORw0KGgo=')}</style>",
        "<style>.a{cursor:pointer}</style><style>.b{fill:red}</style>",
        "<style>@namespace svg url(http://www.w3.org/2000/svg);</style>",
        "<rect style=\"font-family:&quot;Segoe UI&quot;,Arial\"/>",
    };
    expect_safe(texts, COUNT(texts));
}

static void svg__fonts_are_safe(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<style>@font-face{src:url(data:application/font-woff;charset=utf-8;base64,d09GRg==) format('woff')}</style>",
        "<style>@font-face{src:url('data:application/x-font-ttf;base64,AAEAAA==')}</style>",
        "<style>@font-face{src:url(data:application/vnd.ms-fontobject;base64,AAEAAA==)}</style>",
        "<style>@font-face{src:url(data:application/octet-stream;base64,AAEAAA==)}</style>",
        "<style>@font-face{src:url(data:;base64,AAEAAA==)}</style>",
    };
    expect_safe(texts, COUNT(texts));
}

static void svg__escapes_and_words_of_css_are_safe(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<style>.a:before{content:\"\\201C\"} .b{fill:url(#g)}</style>",
        "<style>.\\31 0px{fill:red}</style>",
        "<style>.a{font-family:\"\\5FAE\\8F6F\\96C5\\9ED1\"}</style>",
        "<style>.a{scroll-behavior:smooth;overscroll-behavior: none}</style>",
        "<g style=\"font-family:'a\\'b';fill:url(#g)\"/>",
        "<g fill=\"url(#a\\.b)\"/>",
        "<style>.a{fill:red} /* never ended</style>",
    };
    expect_safe(texts, COUNT(texts));
}

static void svg__what_editors_write_is_safe(void **state)
{
    (void)state;
    static const struct view files[] = {
        VIEW("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG "
             "1.1//EN\" "
             "\"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">\n" OPEN "<g/>" CLOSE),
        VIEW("<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.0//EN\" "
             "\"http://www.w3.org/TR/2001/REC-SVG-20010904/DTD/svg10.dtd\">" OPEN CLOSE),
        VIEW("<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 20010904//EN\" \"x\">" OPEN CLOSE),
        VIEW("<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1 Tiny//EN\" \"x\">" OPEN CLOSE),
        VIEW("<!DOCTYPE svg>" OPEN CLOSE),
        VIEW("<!DOCTYPE svg SYSTEM \"svg.dtd\">" OPEN CLOSE),
        VIEW("\xef\xbb\xbf<?xml version=\"1.0\"?>" OPEN CLOSE),
        VIEW("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>" OPEN "<text>caf\xe9</text>" CLOSE),
        VIEW("<!-- made by hand -->\n" OPEN CLOSE "\n<!-- the end -->\n"),
        VIEW("<svg:svg xmlns:svg=\"http://www.w3.org/2000/svg\" width=\"3\" height=\"2\"><svg:g/></svg:svg>"),
        VIEW("<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:i=\"http://www.inkscape.org/namespaces/inkscape\" "
             "xmlns:s=\"http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd\" width=\"3\" height=\"2\" "
             "s:docname=\"a.svg\" "
             "i:export-filename=\"C:\\Users\\me\\Pictures (old)\\a.png\"><s:namedview i:zoom=\"1\"/><metadata>"
             "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><w:Work "
             "xmlns:w=\"http://creativecommons.org/ns#\" rdf:about=\"\"/></rdf:RDF></metadata></svg>"),
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        struct svg svg = look(files[i]);
        if (!svg.safe) print_error("file %zu\n", i);
        assert_true(svg.safe);
        assert_int_equal(svg.width, 3);
    }
}

/* ---- what is one at all ---- */

static struct str utf16(const char *text, bool big, bool mark)
{
    struct str s = {0};
    if (mark) str_add(&s, big ? VIEW("\xfe\xff") : VIEW("\xff\xfe"));
    for (; *text; text++) str_add(&s, (struct view){big ? (char[]){0, *text} : (char[]){*text, 0}, 2});
    return s;
}

static void svg__in_utf16(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct str good = utf16("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" OPEN "<g/>" CLOSE, i & 1, i & 2);
        struct str bad = utf16("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" OPEN "<script/>" CLOSE, i & 1, i & 2);
        struct svg svg = look(str_view(&good));
        assert_true(svg.safe && svg.width == 3);
        svg = look(str_view(&bad));
        assert_true(svg.is_svg && svg.well_formed && !svg.safe);
        str_release(&good);
        str_release(&bad);
    }
}

static void svg__in_no_encoding_that_it_says(void **state)
{
    (void)state;
    static const struct view files[] = {
        VIEW("<?xml version=\"1.0\" encoding=\"UTF-7\"?>" OPEN "+ADw-script/+AD4-" CLOSE),
        VIEW("<?xml version=\"1.0\" encoding=\"x-odd\"?>" OPEN CLOSE),
        VIEW("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" OPEN CLOSE),
        VIEW("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" OPEN "caf\xe9" CLOSE),
        VIEW(OPEN "\xc0\xbcscript/>" CLOSE),
        VIEW("\xff\xfe" OPEN CLOSE),
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        struct svg svg = look(files[i]);
        assert_false(svg.safe || svg.well_formed);
    }
}

static void svg__is_xml_with_a_root_of_its_namespace(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_svg, well_formed;
    } rows[] = {
        {"", false, false},
        {"hello", false, false},
        {"<svg", false, false},
        {"<svg/>", false, true},
        {"<svg xmlns=\"http://www.w3.org/2000/SVG\"/>", false, true},
        {"<svg xmlns=\"http://www.w3.org/2000/svg/\"/>", false, true},
        {"<SVG xmlns=\"http://www.w3.org/2000/svg\"/>", false, true},
        {"<g xmlns=\"http://www.w3.org/2000/svg\"/>", false, true},
        {"<html xmlns=\"http://www.w3.org/1999/xhtml\"><script/></html>", false, true},
        {"<a><svg xmlns=\"http://www.w3.org/2000/svg\"/></a>", false, true},
        {"<x:svg/>", false, false},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\">", true, false},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\"><g></svg>", true, false},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\"/><script/>", true, false},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\"/>hello", true, false},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\">&nbsp;</svg>", true, false},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\"><g a=b/></svg>", true, false},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\"><g a=\"1\" a=\"2\"/></svg>", true, false},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\"><x:g/></svg>", true, false},
        {"\n<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>", false, false},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", true, true},
        {"\n <svg xmlns=\"http://www.w3.org/2000/svg\" />\n", true, true},
        {"<svg xmlns='http://www.w3.org/2000/svg'></svg>", true, true},
        {"<svg xmlns=\"http://www.w3.org/2000&#x2f;svg\"/>", true, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct svg svg = look(view_of(rows[i].text));
        if (svg.is_svg != rows[i].is_svg || svg.well_formed != rows[i].well_formed) print_error("%s\n", rows[i].text);
        assert_int_equal(svg.is_svg, rows[i].is_svg);
        assert_int_equal(svg.well_formed, rows[i].well_formed);
        assert_int_equal(svg.safe, rows[i].is_svg && rows[i].well_formed);
    }
    struct svg svg = look(VIEW("<svg xmlns=\"http://www.w3.org/2000/svg\"/>\0"));
    assert_true(svg.is_svg && !svg.safe);
}

static void svg__cut_off_at_every_byte(void **state)
{
    (void)state;
    static const struct view whole =
        VIEW("<?xml version=\"1.0\"?>" OPEN "<style>.a{fill:red}</style><rect class=\"a\"/>" CLOSE);
    for (size_t len = 0; len < whole.len; len++) {
        struct svg svg = look((struct view){whole.at, len});
        assert_false(svg.safe || svg.well_formed);
    }
    assert_true(look(whole).safe);
}

/* ---- its limits ---- */

static struct svg look_at_many(const char *before, const char *text, size_t n, const char *after)
{
    struct str s = {0};
    str_addz(&s, before);
    while (n--) str_addz(&s, text);
    str_addz(&s, after);
    struct svg svg = look(str_view(&s));
    str_release(&s);
    return svg;
}

static void svg__has_a_depth(void **state)
{
    (void)state;
    struct str s = {0};
    for (int depth = 255; depth <= 257; depth++) {
        str_reset(&s);
        str_addz(&s, OPEN);
        for (int i = 1; i < depth; i++) str_addz(&s, "<g>");
        for (int i = 1; i < depth; i++) str_addz(&s, "</g>");
        str_addz(&s, CLOSE);
        struct svg svg = look(str_view(&s));
        assert_true(svg.is_svg);
        assert_int_equal(svg.safe, depth <= 256);
    }
    str_release(&s);
    assert_false(look_at_many(OPEN, "<g>", 1000000, "").safe);
}

static void svg__has_a_size_of_file(void **state)
{
    (void)state;
    struct str s = {0};
    str_addz(&s, OPEN CLOSE);
    while (s.len < (size_t)SVG_MOST) str_addz(&s, "\n");
    assert_true(look(str_view(&s)).safe);
    str_addz(&s, "\n");
    struct svg svg = look(str_view(&s));
    assert_false(svg.is_svg || svg.well_formed || svg.safe);
    str_release(&s);
}

/* Whatever is long is read in time that grows with its length: the alarm is for what does not end. */
static void svg__of_large_pieces(void **state)
{
    (void)state;
    alarm(300);
    static const struct {
        const char *before, *text, *after;
        bool safe;
    } rows[] = {
        {OPEN "<g d=\"", "M0 0L1 1", "\"/>" CLOSE, true},
        {OPEN "<a href=\"", "aaaaaaaa", "\"/>" CLOSE, true},
        {OPEN "<a href=\"", "data:aaa", "\"/>" CLOSE, true},
        {OPEN "<g style=\"", "/*aaaaaa", "\"/>" CLOSE, true},
        {OPEN "<g style=\"", "/**/a:b;", "\"/>" CLOSE, true},
        {OPEN "<g style=\"", "\\\\\\\\\\\\\\\\", "\"/>" CLOSE, true},
        {OPEN "<g style=\"", "\\0\\0\\0\\0", "\"/>" CLOSE, true},
        {OPEN "<g fill=\"", "url(url(", "\"/>" CLOSE, true},
        {OPEN "<!--", "aaaaaaaa", "-->" CLOSE, true},
        {OPEN "<![CDATA[", "]]aaaaaa", "]]>" CLOSE, true},
        {OPEN "<?x ", "aaaaaaaa", "?>" CLOSE, true},
        {OPEN, "<g/><g/>", CLOSE, true},
        {OPEN, "&amp;<g/>", CLOSE, true},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", "11111111", "\" height=\"2\"/>", true},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"", "0 0 0 0 ", "\"/>", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct svg svg = look_at_many(rows[i].before, rows[i].text, 100000, rows[i].after);
        if (svg.safe != rows[i].safe) print_error("%s%s\n", rows[i].before, rows[i].text);
        assert_true(svg.is_svg);
        assert_int_equal(svg.safe, rows[i].safe);
    }
    assert_true(look_at_many(OPEN "<style>", ".a{b:c}", 100000, "</style>" CLOSE).safe);
    struct svg svg = look_at_many(OPEN "<style>", ".a{b:c}", 200000, "</style>" CLOSE);
    assert_true(svg.is_svg && !svg.safe);
    alarm(0);
}

/* ---- its size ---- */

struct size {
    const char *attributes;
    int64_t width, height;
};

static void expect_sizes(const struct size *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str s = {0};
        str_addf(&s, "<svg xmlns=\"http://www.w3.org/2000/svg\" %s/>", rows[i].attributes);
        struct svg svg = look(str_view(&s));
        if (svg.width != rows[i].width || svg.height != rows[i].height)
            print_error("%s: %lld x %lld\n", rows[i].attributes, (long long)svg.width, (long long)svg.height);
        assert_true(svg.safe);
        assert_int_equal(svg.width, rows[i].width);
        assert_int_equal(svg.height, rows[i].height);
        str_release(&s);
    }
}

static void svg__size_in_its_root(void **state)
{
    (void)state;
    static const struct size rows[] = {
        {"width=\"30\" height=\"20\"", 30, 20},
        {"width=\"30px\" height=\"20px\"", 30, 20},
        {"width=\"10mm\" height=\"20mm\"", 10, 20}, /* as in Payload: units do not count */
        {"width=\"1e2\" height=\"2E1\"", 100, 20},
        {"width=\" 30 \" height=\"+20\"", 30, 20},
        {"width=\"30.5\" height=\"20.4\"", 31, 20},
        {"width=\".5\" height=\"1.\"", 1, 1},
        {"width=\"30\" height=\"20\" viewBox=\"0 0 1 1\"", 30, 20},
        {"width=\"1000000\" height=\"1\"", 1000000, 1},
        {"width=\"3em\" height=\"2ex\"", 3, 2},
        {"", 0, 0},
        {"width=\"30\"", 0, 0},
        {"height=\"20\"", 0, 0},
        {"x:width=\"30\" x:height=\"20\" xmlns:x=\"urn:x\"", 0, 0},
        {"WIDTH=\"30\" HEIGHT=\"20\"", 0, 0},
        {"width=\"\" height=\"\"", 0, 0},
        {"width=\"auto\" height=\"auto\"", 0, 0},
        {"width=\"100%\" height=\"100%\"", 0, 0},
        {"width=\"0\" height=\"5\"", 0, 0},
        {"width=\"-5\" height=\"7\"", 0, 0},
        {"width=\"1e308\" height=\"2\"", 0, 0},
        {"width=\"1e999\" height=\"2\"", 0, 0},
        {"width=\"1000001\" height=\"2\"", 0, 0},
        {"width=\"nan\" height=\"2\"", 0, 0},
        {"width=\"inf\" height=\"2\"", 0, 0},
        {"width=\"infinity\" height=\"infinity\"", 0, 0},
        {"width=\"30\" height=\"20\" a=\"1\" xmlns:b=\"urn:b\" b:width=\"4\"", 30, 20},
    };
    expect_sizes(rows, COUNT(rows));
}

static void svg__size_in_its_view_box(void **state)
{
    (void)state;
    static const struct size rows[] = {
        {"viewBox=\"0 0 30 20\"", 30, 20},
        {"viewBox=\"0,0,30,20\"", 30, 20},
        {"viewBox=\" -5 , -5\n30\t20 \"", 30, 20},
        {"viewBox=\"-5 -5 7.5 5.4\"", 8, 5},
        {"viewBox=\"1e1 0 3e1 2e1\"", 30, 20},
        {"width=\"60\" viewBox=\"0 0 30 20\"", 60, 40},
        {"height=\"60\" viewBox=\"0 0 30 20\"", 90, 60},
        {"width=\"100\" viewBox=\"0 0 3 2\"", 100, 67},
        {"width=\"100%\" height=\"100%\" viewBox=\"0 0 30 20\"", 30, 20},
        {"width=\"60\" height=\"50%\" viewBox=\"0 0 30 20\"", 60, 40},
        {"width=\"-1\" height=\"60\" viewBox=\"0 0 30 20\"", 90, 60},
        {"width=\"1e308\" height=\"1e308\" viewBox=\"0 0 30 20\"", 30, 20},
        {"viewBox=\"0 0 30\"", 0, 0},
        {"viewBox=\"\"", 0, 0},
        {"viewBox=\"0 0 0 20\"", 0, 0},
        {"viewBox=\"0 0 -30 20\"", 0, 0},
        {"viewBox=\"0 0 1e308 20\"", 0, 0},
        {"viewBox=\"0 0 nan 20\"", 0, 0},
        {"viewBox=\"0 0 1e999 1e999\"", 0, 0},
        {"viewBox=\"a b c d\"", 0, 0},
        {"width=\"1000000\" viewBox=\"0 0 1 1000000\"", 0, 0},
        {"width=\"1000000\" viewBox=\"0 0 1e-300 1000000\"", 0, 0},
        {"viewbox=\"0 0 30 20\"", 0, 0},
    };
    expect_sizes(rows, COUNT(rows));
}

/* One side that is nothing is no size. */
static void svg__size_of_nothing(void **state)
{
    (void)state;
    static const struct size rows[] = {
        {"width=\"0.2\" height=\"10\"", 0, 0},
        {"width=\"1e-320\" height=\"2\"", 0, 0},
        {"width=\"10\" height=\"0.4\"", 0, 0},
        {"viewBox=\"0 0 0.1 10\"", 0, 0},
        {"width=\"10\" viewBox=\"0 0 1000 1\"", 0, 0},
    };
    expect_sizes(rows, COUNT(rows));
}

static void svg__size_in_no_hexadecimal(void **state)
{
    (void)state;
    static const struct size rows[] = {
        {"width=\"0x10\" height=\"4\"", 0, 0},
        {"width=\"0x1p4\" height=\"4\"", 0, 0},
        {"viewBox=\"0 0 0x10 4\"", 0, 0},
    };
    expect_sizes(rows, COUNT(rows));
}

static void svg__size_of_the_root_alone(void **state)
{
    (void)state;
    struct svg svg = look(VIEW("<svg xmlns=\"http://www.w3.org/2000/svg\"><svg width=\"3\" height=\"2\"/></svg>"));
    assert_true(svg.safe);
    assert_int_equal(svg.width, 0);
}

static void svg__says_when_it_cannot_be_read(void **state)
{
    (void)state;
    struct svg svg;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_false(svg_inspect(ends[0], 10, &svg));
    assert_false(svg.safe);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(svg__scripts_act),
        cmocka_unit_test(svg__html_acts),
        cmocka_unit_test(svg__event_handlers_act),
        cmocka_unit_test(svg__an_event_handler_behind_blanks_acts),
        cmocka_unit_test(svg__addresses_act),
        cmocka_unit_test(svg__an_address_of_any_xml_acts),
        cmocka_unit_test(svg__a_base_acts),
        cmocka_unit_test(svg__styles_act),
        cmocka_unit_test(svg__a_style_between_false_comments_acts),
        cmocka_unit_test(svg__an_escaped_address_in_any_attribute_acts),
        cmocka_unit_test(svg__a_style_with_elements_acts),
        cmocka_unit_test(svg__instructions_of_style_act),
        cmocka_unit_test(svg__entities_of_its_own_act),
        cmocka_unit_test(svg__entities_are_not_unfolded),
        cmocka_unit_test(svg__a_doctype_of_another_language_acts),
        cmocka_unit_test(svg__drawings_are_safe),
        cmocka_unit_test(svg__styles_are_safe),
        cmocka_unit_test(svg__fonts_are_safe),
        cmocka_unit_test(svg__escapes_and_words_of_css_are_safe),
        cmocka_unit_test(svg__what_editors_write_is_safe),
        cmocka_unit_test(svg__in_utf16),
        cmocka_unit_test(svg__in_no_encoding_that_it_says),
        cmocka_unit_test(svg__is_xml_with_a_root_of_its_namespace),
        cmocka_unit_test(svg__cut_off_at_every_byte),
        cmocka_unit_test(svg__has_a_depth),
        cmocka_unit_test(svg__has_a_size_of_file),
        cmocka_unit_test(svg__of_large_pieces),
        cmocka_unit_test(svg__size_in_its_root),
        cmocka_unit_test(svg__size_in_its_view_box),
        cmocka_unit_test(svg__size_of_nothing),
        cmocka_unit_test(svg__size_in_no_hexadecimal),
        cmocka_unit_test(svg__size_of_the_root_alone),
        cmocka_unit_test(svg__says_when_it_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
