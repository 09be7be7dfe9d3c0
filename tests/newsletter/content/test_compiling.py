"""From source to compiled mail: faults with their place, and clean HTML in every format."""

import re
from html import unescape

import pytest

from newsletter.content.compiling import CompiledMail, SourceErrors, compile_mail, unknown_variables
from tests.newsletter.mails import ada, part, ready, source

MJML = "<mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section>"


def faults(**changes: object) -> list[tuple[str, int | None, int | None]]:
    """Return field, line and column of each fault of a source."""
    with pytest.raises(SourceErrors) as caught:
        compile_mail(source(**changes))
    return [(fault.field, fault.line, fault.column) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        ("one\n {% if x %}\nthree", 2, 2),
        ("{{ registrant.name", 1, 1),
        ("a\nb {{ registrant.name | nosuch }}", 2, 24),
        ("a\n\n{% nosuch %}", 3, 4),
        ("{% include 'x' %}", 1, 4),
        ("x {{ a b }}", 1, 8),
    ],
)
def test_a_liquid_error_is_told_with_line_and_column(body: str, line: int, column: int) -> None:
    """Issue "Bad input"."""
    fault = faults(body=body)[0]
    assert fault[:2] == ("body", line)
    assert fault[2] == column


def test_faults_of_several_fields_are_told_together() -> None:
    """Issue "Bad input": an author mends all at once."""
    faults_listed = faults(subject="{{ x", body="{% if %}", from_name="A\nB")
    assert [name for name, _, _ in faults_listed] == ["subject", "body", "from_name"]


def test_mjml_that_is_not_well_formed_is_told_with_its_line() -> None:
    """Issue "Bad input"."""
    broken = "<mj-section><mj-column>\n<mj-text>one<mj-text>\n</mj-column></mj-section>"
    assert faults(body=broken, body_format="mjml")[0][:2] == ("body", 2)
    assert faults(layout="<mjml>\n<mj-body>{{ content }}\n</mjml>")[0][:2] == ("layout", 3)


@pytest.mark.parametrize("code", [*range(32), *range(127, 160), 0x2028, 0x2029])
def test_a_control_character_in_a_header_field_is_refused(code: int) -> None:
    """AT-M2, M-5: subject, sender name, List-Id, addresses."""
    bad = f"a{chr(code)}b"
    assert ("subject", None, None) in faults(subject=bad)
    assert ("from_name", None, None) in faults(from_name=bad)
    assert ("list_id", None, None) in faults(list_id=f'"{bad}" <l.example.org>')
    assert ("from_address", None, None) in faults(from_address=f"{bad}@example.org")
    assert ("reply_to", None, None) in faults(reply_to=f"{bad}@example.org")
    assert ("feedback_id", None, None) in faults(feedback_id=bad)


def test_what_is_too_long_or_empty_is_refused() -> None:
    """M-5."""
    assert ("subject", None, None) in faults(subject="s" * 256)
    assert ("subject", None, None) in faults(subject=" ")
    assert ("from_name", None, None) in faults(from_name="n" * 121)
    assert ("link_base", None, None) in faults(link_base="https://" + "a" * 40 + ".example.org")
    assert ("list_id", None, None) in faults(list_id="")


def test_unknown_variables_are_told_where_they_stand() -> None:
    """Issue "Composing": flagged with line; loops and assignments bring names of their own."""
    body = (
        "{{ registrant.name }} {{ registrant.nmae }}\n{% for tag in registrant.tags %}{{ tag }}"
        "{% endfor %}\n{% assign x = registrant.city %}{{ x }}{{ nobody }}{{ registrant }}"
    )
    unknown = unknown_variables(
        source(body=body, subject="{{ client.nam }}", layout="{{ content }}")
    )
    assert [(fault.field, fault.line) for fault in unknown] == [
        ("subject", 1), ("body", 1), ("body", 3), ("body", 3),
    ]  # fmt: skip
    assert unknown[1].column == 26


def test_a_notice_knows_no_unsubscribe_link_and_a_letter_its_own_names() -> None:
    """U-13, U-14."""
    notice = source(kind="notice", body="{{ unsubscribe_url }}{{ list.name }}")
    assert len(unknown_variables(notice)) == 2
    letter = source(kind="letter", body="{{ letter.a }}{{ letter.b }}", letter_names=("a",))
    assert [fault.column for fault in unknown_variables(letter)] == [18]


@pytest.mark.parametrize(
    ("body_format", "page"),
    [
        ("html", "<!doctype html><html><body>{}</body></html>"),
        ("mjml", "<mjml><mj-body><mj-text>{}</mj-text></mj-body></mjml>"),
    ],
)
def test_a_body_that_is_a_page_of_its_own_knows_what_a_layout_knows(
    body_format: str, page: str
) -> None:
    """It has to say why readers get it, and in which language and direction it is."""
    names = "{{ mail.direction }}{{ subject }}{{ preheader }}{{ footer_reason }}"
    assert unknown_variables(source(body=page.format(names), body_format=body_format)) == []
    fragment = source(body=f"<p>{names}</p>", body_format=body_format)
    assert len(unknown_variables(fragment)) == 4


@pytest.mark.parametrize(
    "html",
    ["<script>alert(1)</script>", "<iframe src='https://x.example'></iframe>",
     "<form><input></form>",
     "<a href='javascript:alert(1)'>x</a>", "<img src='data:image/png;base64,x' onerror='x()'>",
     "<p onclick='x()'>x</p>", "<link rel='stylesheet' href='https://x.example/x.css'>",
     "<style>@import 'https://x.example'</style>", "<!--[if mso]><script>x</script><![endif]-->",
     "<svg onload='x()'></svg>", "<p style='position:fixed;behavior:url(x)'>x</p>",
     "<object data='x'></object>", "<meta http-equiv='refresh' content='0'>", "<base href='//x'>"],
)  # fmt: skip
@pytest.mark.parametrize("body_format", ["html", "markdown"])
def test_nothing_that_acts_survives_in_a_body(html: str, body_format: str) -> None:
    """M-14."""
    compiled = compile_mail(source(body=f"before {html} after", body_format=body_format))
    inside = compiled.html[compiled.html.index("before") :]
    tags = "".join(re.findall(r"<[^>]*>", inside)).lower()
    for word in ("script", "iframe", "<form", "onclick", "onerror", "onload", "data:", "behavior"):
        assert word not in tags
    for word in ("<link", "<object", "<meta", "<base", "fixed", "@import", "<svg"):
        assert word not in tags
    assert "after" in inside


@pytest.mark.parametrize(
    "layout",
    ["<script>x</script>{{ content }}", "<p onclick='x()'>{{ content }}</p>",
     "<form>{{ content }}",
     "<meta http-equiv=refresh content=0>{{ content }}",
     "<link rel=stylesheet href=x>{{ content }}"],
)  # fmt: skip
def test_a_layout_that_acts_is_refused_with_its_place(layout: str) -> None:
    """M-14: a layout is whole HTML, so it is refused rather than cut."""
    assert faults(layout=layout, layout_format="html") == [("layout", 1, 1)]


def test_a_layout_needs_a_place_for_the_content() -> None:
    """Issue "Composing"."""
    assert faults(layout="<p>x</p>", layout_format="html") == [("layout", None, None)]
    inside = "<mjml><mj-body><mj-section><mj-column><mj-text>{{ content }}</mj-text></mj-column>"
    layout = f"{inside}</mj-section></mj-body></mjml>"
    assert faults(layout=layout, body=MJML, body_format="mjml") == [("layout", None, None)]
    assert "Hello" in compile_mail(source(layout=layout)).html


@pytest.mark.parametrize(
    "html",
    ['<p style="color: {{ registrant.name }}">x</p>', "<p {% if a %}class='x'{% endif %}>x</p>",
     "<style>p { color: {{ registrant.name }} }</style><p>x</p>", '{{ "<script>" }}'],
)  # fmt: skip
def test_a_tag_where_it_cannot_be_safe_is_refused(html: str) -> None:
    """S-6: never in a style or script, never lost in silence."""
    assert faults(body=html, body_format="html")[0][:2] == ("body", 1)


def test_tags_keep_their_places_between_the_rows_of_a_table() -> None:
    """Dependencies.md §0.5."""
    body = (
        "<table><tr><th>City</th></tr>{% for tag in registrant.tags %}<tr><td>{{ tag }}</td></tr>"
        "{% endfor %}</table>"
    )
    renderer = ready(body=body, body_format="html")
    html = part(renderer.render(ada(attributes={"tags": ["a", "b"]})), "html")
    inner = html[html.index("<th") :]
    assert re.findall(r"<tr><td[^>]*>(\w)</td></tr>", inner) == ["a", "b"]


def test_links_are_listed_by_position_and_quotes_in_a_tag_do_not_cut_it() -> None:
    """Design.md §5."""
    body = (
        '<a href="https://a.example/?x=1&amp;y=2">a</a><a href="https://a.example/?x=1&amp;y=2">a</a>'
        '<a href="https://b.example/{{ registrant.name | default: "a>b" }}">b</a>'
    )
    compiled = compile_mail(source(body=body, body_format="html"))
    assert compiled.links == ["https://a.example/?x=1&y=2"] * 2
    assert compiled.personal_links == ['https://b.example/{{ registrant.name | default: "a>b" }}']


def test_mjml_calls_no_third_party() -> None:
    """Dependencies.md §0.4."""
    body = (
        "<mj-section><mj-column><mj-text>x</mj-text><mj-social><mj-social-element name='facebook' "
        "href='https://f.example/'>f</mj-social-element></mj-social></mj-column></mj-section>"
    )
    compiled = compile_mail(source(body=body, body_format="mjml"))
    assert "googleapis" not in compiled.html
    assert "mailjet" not in compiled.html


def test_a_whole_mjml_page_stands_alone() -> None:
    """Issue "Composing": the checks see whether the footer is in it."""
    body = f"<mjml><mj-body>{MJML}</mj-body></mjml>"
    compiled = compile_mail(source(body=body, body_format="mjml"))
    assert "unsubscribe_url" not in compiled.html
    assert compiled.text == "Hi\n"


@pytest.mark.parametrize("body_format", ["markdown", "mjml"])
def test_the_built_in_layout_is_accessible_and_complete(body_format: str) -> None:
    """M-12, M-13, M-7: lang, dir, title, presentation tables, colour scheme, footer."""
    body = MJML if body_format == "mjml" else "Hi"
    renderer = ready(body=body, body_format=body_format, locale="ar", preheader="Soon & now")
    html = part(renderer.render(ada()), "html")
    for wanted in (
        'lang="ar"', 'dir="rtl"', "<title>News for you</title>", "Soon &amp; now", "color-scheme",
        "prefers-color-scheme: dark", "Ärzte &amp; Co", "1 High Street<br />", "Unsubscribe</a>",
        "said yes to “News”",
    ):  # fmt: skip
        assert wanted in html
    assert len(re.findall("<table", html)) == len(re.findall('role="presentation"', html))
    sizes = [int(size) for size in re.findall(r"font-size: ?(\d+)px", html) if int(size) > 1]
    assert min(sizes) >= 14
    assert "Soon" not in part(renderer.render(ada()), "plain")


def test_a_frozen_mail_is_json_and_refuses_other_formats() -> None:
    """Design.md §5: stored on the mailing when it starts; no code in it."""
    compiled = compile_mail(source(subject="Grüße {{ registrant.name }}"))
    assert CompiledMail.load(compiled.dump()) == compiled
    assert CompiledMail.load(memoryview(compiled.dump())) == compiled
    with pytest.raises(ValueError, match="format"):
        CompiledMail.load(compiled.dump().replace(b'"version":1', b'"version":2'))


def test_windows_line_ends_change_nothing() -> None:
    """Browsers post CRLF."""
    body = "# A\n\n{% if registrant.vip %}\n\nb\n\n{% endif %}\n"
    one, other = (compile_mail(source(body=text)) for text in (body, body.replace("\n", "\r\n")))
    assert one == other


@pytest.mark.parametrize("kind", ["campaign", "notice"])
@pytest.mark.parametrize("body_format", ["markdown", "html", "mjml"])
def test_a_preheader_is_followed_by_what_fills_the_line(kind: str, body_format: str) -> None:
    """Inboxes do not run on into the text; nobody sees, hears or reads the filler."""
    written = {
        "kind": kind,
        "body_format": body_format,
        "body": MJML if body_format == "mjml" else "Hi",
    }
    mail = ready(**written, preheader="In short").render(ada())
    before = unescape(part(mail, "html")).partition("In short</div>")[2].partition("Hi")[0]
    assert "\u034f\u200c\xa0" * 40 in before
    assert 'aria-hidden="true"' in before
    bare = ready(**written).render(ada())
    assert "\u034f" not in part(mail, "plain") + unescape(part(bare, "html"))
