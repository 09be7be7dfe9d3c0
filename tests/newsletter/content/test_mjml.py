"""MJML becomes the page its author wrote: attributes byte for byte, nothing from third parties.

Mirrors several: newsletter/content/mjml.py, newsletter/content/mjml_output.py,
newsletter/content/layout.py.
"""

import re

import pytest

from newsletter.content.compiling import compile_mail
from tests.newsletter.mails import ada, part, ready, source

IMAGE = "https://heron.example/a.png"


def section(content: str) -> str:
    """Return content in a section with one column."""
    return f"<mj-section><mj-column>{content}</mj-column></mj-section>"


def whole(body: str, head: str = "", attributes: str = "") -> str:
    """Return a body as a page of its own."""
    return f"<mjml{attributes}><mj-head>{head}</mj-head><mj-body>{body}</mj-body></mjml>"


def html_of(body: str, **changes: object) -> str:
    """Return the compiled HTML of an MJML body."""
    return compile_mail(source(body=body, body_format="mjml", **changes)).html


def text_for_ada(body: str, **attributes: object) -> str:
    """Return the text part as Ada gets it."""
    renderer = ready(body=body, body_format="mjml")
    return part(renderer.render(ada(attributes=attributes)), "plain")


@pytest.mark.parametrize(
    "value",
    [
        "We ❤️ you", "नमस्ते", "👨‍👩‍👧", "no\u00a0break", "a\tb", "a\nb",
        "back\\slash", "it's", "a &amp; b", "&quot;q&quot;", "&nbsp;&#160;&copy;", "a < b > c",
        "%7B 100 %", "u{fe0f}", "\u200f\u202b", "ß",
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_whole", [True, False])
def test_an_attribute_arrives_byte_for_byte(value: str, is_whole: bool) -> None:
    """B5: mrml writes them with Rust's escapes."""
    body = section(
        f'<mj-image src="{IMAGE}" alt="{value}" title="{value}" /><mj-text>'
        f'<b title="{value}" style="color:red;\n font-size:30px">x</b></mj-text>'
    )
    html = html_of(whole(body) if is_whole else body)
    assert html.count(f'title="{value.replace("<", "&lt;")}"') >= 1
    assert f'alt="{value.replace("<", "&lt;")}"' in html
    assert f'<b title="{value}" style="color:red;\n font-size:30px">' in html


def test_values_mjml_copies_into_styles_and_classes_arrive() -> None:
    """B5: what is no plain ASCII, quotes of the other kind, several lines."""
    html = html_of(
        section(
            """<mj-text css-class="größe b" font-family='"Größe", Arial' color="#ff0000
            ">x</mj-text><mj-button href='https://x.example/' title='a "b"'>y</mj-button>"""
        )
    )
    assert 'class="größe b"' in html
    assert "font-family:&quot;Größe&quot;, Arial;" in html
    assert "color:#ff0000;" in html
    assert 'title="a &quot;b&quot;"' in html
    assert compile_mail(
        source(body=section('<mj-button href="https://x.example/?a=1&region=2">y</mj-button>'),
               body_format="mjml")
    ).links == ["https://x.example/?a=1&region=2"]  # fmt: skip


def test_what_mjml_computes_with_still_reaches_it() -> None:
    html = html_of(
        "<mj-section padding='\n 10px\t20px'><mj-column width=\"40%\">"
        f'<mj-image src="{IMAGE}" alt="" width="120px" padding="0" /></mj-column>'
        '<mj-column width="60%"><mj-text>x</mj-text></mj-column></mj-section>'
    )
    assert "padding:10px 20px;" in html
    assert "mj-column-per-40" in html
    assert 'width="120"' in html


@pytest.mark.parametrize(
    "body",
    [
        "<mj-accordion><mj-accordion-element><mj-accordion-title>T</mj-accordion-title>"
        "<mj-accordion-text>B</mj-accordion-text></mj-accordion-element></mj-accordion>",
        f'<mj-carousel><mj-carousel-image src="{IMAGE}" alt="a" />'
        f'<mj-carousel-image src="{IMAGE}" alt="b" /></mj-carousel>',
        '<mj-social><mj-social-element name="facebook" href="https://heron.example/">F'
        '</mj-social-element><mj-social-element name="x" href="https://heron.example/" />'
        '<mj-social-element name="GitHub" href="https://heron.example/"></mj-social-element>'
        "</mj-social>",
        '<mj-social mode="vertical"><mj-social-element name="youtube" /></mj-social>',
        '<mj-navbar hamburger="hamburger"><mj-navbar-link href="https://heron.example/">L'
        "</mj-navbar-link></mj-navbar>",
        '<mj-text font-family="Roboto, Open Sans, Ubuntu, Lato">x</mj-text>',
    ],
)
@pytest.mark.parametrize("is_whole", [True, False])
def test_nothing_loads_from_a_third_party_unless_it_was_written(body: str, is_whole: bool) -> None:
    """B5: icons of accordion, carousel and networks; fonts."""
    html = html_of(whole(section(body)) if is_whole else section(body))
    loaded = re.findall(r'(?:src|background)="([^"]*)"|url\(([^)]*)\)|<link[^>]*>', html)
    assert {address for pair in loaded for address in pair} <= {IMAGE, ""}
    assert "<link" not in html
    assert "no-icon" not in html


def test_networks_without_a_picture_stand_as_words_and_with_one_keep_it() -> None:
    """B5: mj-social made facebook.png of them."""
    body = section(
        '<mj-social><mj-social-element name="github" href="https://a.example/" />'
        f'<mj-social-element name="facebook-noshare" src="{IMAGE}" alt="us" '
        'href="https://b.example/" />'
        "<mj-social-element href='https://c.example/'>Elsewhere</mj-social-element></mj-social>"
    )
    compiled = compile_mail(source(body=body, body_format="mjml"))
    assert f'src="{IMAGE}"' in compiled.html
    assert compiled.html.count("<img") == 1
    assert compiled.links[:3] == ["https://a.example/", "https://b.example/", "https://c.example/"]
    for word in ("GitHub", "us", "Elsewhere"):
        assert word in compiled.text


def test_a_font_is_loaded_where_its_author_names_and_uses_it() -> None:
    """B5: fonts the author wrote are allowed."""
    head = (
        '<mj-font name="Größe" href="https://f.example/a?b&c" />'
        '<mj-font name="Unused" href="https://f.example/unused" />'
    )
    html = html_of(whole(section("<mj-text font-family=\"'Größe', Arial\">x</mj-text>"), head))
    assert '<link href="https://f.example/a?b&c" rel="stylesheet"' in html
    assert "unused" not in html


@pytest.mark.parametrize(
    ("body", "seen", "unseen"),
    [
        ("<!-- note -->{0}<!-- note -->{1}", "one two", ""),
        ("{{% if registrant.vip %}}{0}{{% else %}}{1}{{% endif %}}", "two", "one"),
        ("{{% for tag in registrant.tags %}}{0}{{% endfor %}}{1}", "one one two", ""),
        ("{0}<mj-raw><!-- note --></mj-raw>{1}", "one two", ""),
        ("{0}<!--[if mso]><p>three</p><![endif]-->{1}", "one two", "three"),
        ("{{% if true %}}<!-- note -->{{% endif %}}{0}{1}", "one two", ""),
    ],
)
@pytest.mark.parametrize(
    "frame",
    [
        "{}", "<mj-wrapper>{}</mj-wrapper>", "mjml", "layout", "wrapper in a layout", "columns",
        "columns in a group", "parts", "hero",
    ],
)  # fmt: skip
def test_comments_and_liquid_between_elements(
    body: str, seen: str, unseen: str, frame: str
) -> None:
    """B6: in the built-in layout the text part was cut off and the footer gone."""
    column = "<mj-column><mj-text>{}</mj-text></mj-column>"
    parts = {"parts": "<mj-text>{}</mj-text>", "hero": "<mj-text>{}</mj-text>"}
    one = parts.get(frame, column if "columns" in frame else section("<mj-text>{}</mj-text>"))
    around = {
        "mjml": whole("{}"), "columns": "<mj-section>{}</mj-section>",
        "columns in a group": "<mj-section><mj-group>{}</mj-group></mj-section>",
        "parts": section("{}"), "hero": "<mj-hero>{}</mj-hero>",
    }.get(frame, frame if "{" in frame else "{}")  # fmt: skip
    layout = {
        "layout": "{{ content }}",
        "wrapper in a layout": "<mj-wrapper>{{ content }}</mj-wrapper>",
    }
    inside = layout.get(frame, "")
    written = around.format(body.format(one.format("one"), one.format("two")))
    renderer = ready(
        body=written,
        body_format="mjml",
        layout=whole(f"{inside}{section('<mj-text>foot</mj-text>')}") if inside else "",
    )
    mail = renderer.render(ada(attributes={"tags": ["a", "b"]}))
    text = part(mail, "plain")
    assert " ".join(text.split()).startswith(
        seen if frame in ("mjml",) or inside else "Ärzte & Co " + seen
    )
    assert not unseen or unseen not in text
    assert "foot" in text if inside else "Unsubscribe" in text or frame == "mjml"
    html = part(mail, "html")
    assert _balanced(html)


def _balanced(html: str) -> bool:
    """Say whether tables and divs close for a browser and, comments opened, for Outlook."""
    shown = re.sub(
        r"<!--\[if.*?<!\[endif\]-->", "", html.replace("<!--[if !mso", "<!--"), flags=re.S
    )
    outlook = re.sub(r"<!--\[if [^!\]]*\]>|<!\[endif\]-->", "", html)
    return all(
        len(re.findall(rf"<{name}\b", text)) == len(re.findall(rf"</{name}>", text))
        for text in (shown, outlook)
        for name in ("table", "div", "td", "tr")
    )


def test_liquid_between_links_networks_questions_and_rows() -> None:
    """B6: between social elements, links of a bar, elements of an accordion, rows."""
    body = section(
        '<mj-social>{% for tag in registrant.tags %}<mj-social-element name="x" '
        'href="https://x.example/">{{ tag }}</mj-social-element>{% endfor %}</mj-social>'
        '<mj-navbar>{% if true %}<mj-navbar-link href="https://l.example/">L</mj-navbar-link>'
        "{% endif %}<!-- note --></mj-navbar><mj-accordion>{% if true %}<mj-accordion-element>"
        "<mj-accordion-title>T</mj-accordion-title></mj-accordion-element>{% endif %}"
        "</mj-accordion><mj-table>{% for tag in registrant.tags %}<tr><td>{{ tag }}</td></tr>"
        "{% endfor %}</mj-table>"
    )
    mail = ready(body=body, body_format="mjml").render(ada(attributes={"tags": ["a", "b"]}))
    assert _balanced(part(mail, "html"))
    text = part(mail, "plain")
    assert re.findall(r"^\w$", text, re.M) == ["T", "a", "b"]
    assert len(re.findall("x.example", text)) == 2


@pytest.mark.parametrize(
    "body",
    [
        "\ufeff" + section("<mj-text>x</mj-text>"),
        "\ufeff<?xml version='1.0'?>\n<!-- a --><!DOCTYPE mjml>"
        + whole(section("<mj-text>x</mj-text>")),
        "{% assign a = 1 %}" + whole(section("<mj-text>x</mj-text>")),
        "<MJML><MJ-BODY>" + section("<Mj-Text COLOR='red'>x</mj-text >") + "</MJ-BODY></MJML>",
        section("<mj-text><![CDATA[x]]></mj-text>"),
        section("<mj-text><!-- </mj-text> -->x</mj-text><mj-text></mj-text><mj-spacer/>"),
        section("<mj-text><p>x<br><ul><li>y</ul></mj-text>"),
        "<mj-head><mj-style>.a{color:red}</mj-style></mj-head>" + section("<mj-text>x</mj-text>"),
        section("<mj-text><style>p > a { color: red }</style>x</mj-text>"),
    ],
)
def test_ways_of_writing_that_simply_work(body: str) -> None:
    """B5: a byte-order mark, a declaration, capitals, CDATA, HTML that is no XML."""
    assert re.search(r"^x$", text_for_ada(body), re.M)


def test_cdata_is_text() -> None:
    assert "a < b & c" in text_for_ada(section("<mj-text><![CDATA[a < b & c]]></mj-text>"))


def test_inline_styles_classes_and_defaults() -> None:
    """Reference: mj-style inline, mj-class, mj-all, an element's defaults."""
    head = (
        '<mj-attributes><mj-all color="#010101" /><mj-text font-size="21px" />'
        '<mj-class name="größe" line-height="33px" /></mj-attributes>'
        '<mj-style inline="inline">.red b { color: #ff0000 }</mj-style>'
        "<mj-style>.kept { color: #00ff00 }</mj-style><mj-breakpoint width='300px' />"
        '<mj-title>T &amp; "q"</mj-title><mj-preview>P</mj-preview>'
        '<mj-raw position="file-start"><!-- first --></mj-raw>'
    )
    body = section('<mj-text css-class="red" mj-class="größe"><b>x</b></mj-text>')
    html = html_of(whole(body, head))
    assert html.startswith("<!-- first -->")
    assert re.search(r'<b style="color: ?#ff0000;?">x</b>', html)
    assert "font-size:21px;line-height:33px;" in html
    assert "color:#010101" in html
    assert ".kept { color: #00ff00 }" in html
    assert "(min-width:300px)" in html
    assert "<title>T &amp; &quot;q&quot;</title>" in html or '<title>T &amp; "q"</title>' in html
    assert ">P</div>" in html


@pytest.mark.parametrize("is_whole", [True, False])
def test_mjml_runs_from_right_to_left_for_clients_who_write_so(is_whole: bool) -> None:
    """B9: MJML writes its direction into every part; clients strip <html>."""
    body = section(
        "<mj-text><ul><li>x</li></ul></mj-text><mj-table><tr><td>x</td></tr></mj-table>"
        "<mj-accordion><mj-accordion-element><mj-accordion-title>T</mj-accordion-title>"
        "</mj-accordion-element></mj-accordion>"
    )
    body = whole(body, "<mj-preview>Soon</mj-preview>") if is_whole else body
    mail = ready(body=body, body_format="mjml", locale="ar", preheader="Soon").render(ada())
    html = part(mail, "html")
    assert "direction:ltr" not in html
    assert html.index(">T</td>") < html.index(
        'class="mj-accordion-ico"'
    )  # a row that runs leftwards
    assert "text-align:left" not in html
    assert 'align="left"' not in html
    first, second = re.findall(r"<div[^>]*>", html[html.index("<body") :])[:2]
    for element in (first, second, html[html.index("<html") :][:200]):
        assert 'lang="ar"' in element
        assert 'dir="rtl"' in element
    assert len(re.findall("<table", html)) == len(re.findall('role="presentation"', html)) + 1


def test_what_an_author_says_of_direction_stays() -> None:
    body = whole(section('<mj-text align="left">x</mj-text>'), attributes=' lang="en" dir="ltr"')
    html = html_of(body, locale="ar")
    assert 'lang="en"' in html and 'dir="ltr"' in html
    assert "rtl" not in html


def test_attributes_mrml_does_not_know_arrive_too() -> None:
    """B5: each was dropped in silence; the reference writes them."""
    html = html_of(
        section(
            f'<mj-image src="{IMAGE}" alt="" sizes="100vw" border-top="3px solid red" />'
            '<mj-button href="https://x.example/" title="t">b</mj-button>'
            '<mj-table role="none"><tr><td>x</td></tr></mj-table>'
            f'<mj-social><mj-social-element src="{IMAGE}" srcset="{IMAGE} 2x" alt="" />'
            "</mj-social><mj-accordion><mj-accordion-element>"
            '<mj-accordion-title font-weight="bold">T</mj-accordion-title>'
            "</mj-accordion-element></mj-accordion>"
        )
    )
    for wanted in (
        'sizes="100vw"', "border:0;border-top:3px solid red;", 'title="t"', 'role="none"',
        f'srcset="{IMAGE} 2x"', "font-size:13px;font-weight:bold;",
    ):  # fmt: skip
        assert wanted in html
