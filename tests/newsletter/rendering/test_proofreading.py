"""What a reader would stumble over is found, at its line; what is in order is not."""

import pytest

from newsletter.content.compiling import compilation
from newsletter.rendering import inert_preview, proofreading
from newsletter.rendering.proofreading import Finding, bare_values, proofread
from tests.newsletter.mails import ada, source

LAYOUT = '<html><body>{{ content }}<a href="{{ unsubscribe_url }}">Leave</a></body></html>'


def findings(body: str, **changes: str) -> list[Finding]:
    """Return what is found in a mail with such a body."""
    fields = {"body_format": "html", "layout": LAYOUT, "layout_format": "html", **changes}
    written = source(body=body, **fields)
    mail = compilation(written).mail
    made = inert_preview.preview(mail, ada())
    return proofread(written.texts, mail, made.subject, made.html)


@pytest.mark.parametrize(
    "address",
    [
        "", "#", "#top", "#nowhere", "/media/x.jpg", "media/x.jpg", "heron.example.org/x", "www.x",
        "www.example.org", "//example.org/x", "htp://example.org", "http//example.org", "http://",
        "https://", "https://a b.example/", "https://x:99999/", "https://localhost/", "https://x/",
        "mailto:", "mailto:ada", "mailto:ada@", "mailto:ada @example.org", "mailto:a@b",
        "tel:", "tel:abc", "sms:", "?a=b", "example.org", "ada@example.org", "C:\\x.html",
    ],
)  # fmt: skip
def test_a_link_that_leads_nowhere_is_found_at_its_line(address: str) -> None:
    """Issue 9, B12: each passed 18 checks."""
    (finding,) = findings(f'<p>one</p>\n<p><a href="{address}">go</a></p>')
    assert finding.check == proofreading.BROKEN_LINKS
    assert finding.is_broken
    assert finding.fault.field == "body"
    assert finding.fault.line == 2


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/", "http://example.org:8080/a?b#c", "https://müller.example/ä b",
        "mailto:ada@example.org", "mailto:ada%40example.org?subject=a b", 
        "mailto:?to=a@example.org",
        "mailto:a@x.example,b@x.example", "tel:+49 123", "sms:123", "whatsapp://send?text=x",
        "webcal://example.org/a.ics", "#here", "{{ registrant.site }}", "{{ unsubscribe_url }}",
        "https://example.org/?n={{ registrant.name }}", "https://192.0.2.1/",
        "{% if registrant.vip %}https://a.example/{% else %}https://b.example/{% endif %}",
    ],
)  # fmt: skip
def test_a_link_in_order_is_not_found(address: str) -> None:
    assert findings(f'<p id="here">x</p><a href="{address}">go</a>') == []


@pytest.mark.parametrize("body", ["[x]()", "[x](/a)", "[x](www.example.org)", "![x](a.png)"])
def test_links_of_markdown_are_looked_at_too(body: str) -> None:
    """B12."""
    (finding,) = findings(f"one\n\n{body}", body_format="markdown")
    assert finding.is_broken
    assert finding.fault.line in (1, 3)


@pytest.mark.parametrize("address", ["facebook.png", "/a.png", "//x.example/a.png", "cid:a", ""])
def test_a_picture_that_cannot_be_loaded_is_found(address: str) -> None:
    """B12."""
    (finding,) = findings(f'<img src="{address}" alt="x">')
    assert (finding.check, finding.is_broken) == (proofreading.PICTURES, True)


def test_a_broken_link_of_the_layout_is_told_there() -> None:
    layout = LAYOUT.replace("</body>", '\n<a href="/imprint">Imprint</a></body>')
    (finding,) = findings("x", layout=layout)
    assert (finding.fault.field, finding.fault.line, finding.fault.column) == ("layout", 2, 10)


@pytest.mark.parametrize(
    "text",
    [
        "*|FNAME|*", "*|MC:SUBJECT|*", "%recipient.name%", "%recipient.", "[[name]]", "[[data:x]]",
        "{$name}", "%%name%%", "<%= name %>", "${name}", "#{name}", "[First Name]", "{first_name}",
        "%FIRSTNAME%", "[NAME,there]",
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["body", "subject"])
def test_a_placeholder_of_another_system_is_found(text: str, field: str) -> None:
    """B12."""
    escaped = text.replace("<", "&lt;").replace(">", "&gt;") if field == "body" else text
    fields = {"body": "x", field: f"Hello {escaped}, hello"}
    finding = findings(**fields)[0]
    assert (finding.check, finding.is_broken) == (proofreading.PLACEHOLDERS, True)
    assert (finding.fault.field, finding.fault.line) == (field, 1)


def test_a_placeholder_in_an_address_is_found() -> None:
    kinds = {one.check for one in findings('<a href="https://x.example/*|UNSUB|*">x</a>')}
    assert proofreading.PLACEHOLDERS in kinds


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("&lt;b&gt;bold&lt;/b&gt;", proofreading.MARKUP),
        ("&lt;a href='x'&gt;", proofreading.MARKUP),
        ("[our shop](https://x.example/)", proofreading.MARKUP),
        ("a **bold** word", proofreading.MARKUP),
        ("Lorem Ipsum dolor", proofreading.FILLER),
    ],
)
def test_what_is_doubtful_is_found_and_only_warns(text: str, check: str) -> None:
    """B12."""
    (finding, *_) = findings(f"<p>{text}</p>")
    assert (finding.check, finding.is_broken) == (check, False)


@pytest.mark.parametrize(
    "body",
    [
        "<code>*|FNAME|* &lt;b&gt; **x** ](y)</code>", "<pre>%%name%% {$x}</pre>",
        "50 % off, 20% of all", "[Unsubscribe]", "[1] a footnote", "2 * 3 ** 4", "a < b > c",
        "{ x }", "100%%", "i**2", "Mail us: [email]", "a [b] (c)", "5 &lt; 6", "$name $5.00",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_not_found(body: str) -> None:
    assert findings(f"<p>{body}</p>") == []


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("{{ registrant.name }}", ["name"]),
        ("{{registrant.city|upcase}}", ["city"]),
        ('{{ registrant.name | default: "x" }}', []),
        ("{% if registrant.name %}{{ registrant.name }}{% endif %}", []),
        ("{% if registrant.city %}{{ registrant.name }}{% endif %}", ["name"]),
        ("{% if registrant.name %}{% endif %}{{ registrant.name }}", ["name"]),
        ("{% if x %}{% elsif registrant.name %}{{ registrant.name }}{% endif %}", []),
        ("{{ client.name }}", []),
    ],
)
def test_a_value_without_a_word_for_those_who_lack_it_is_found(body: str, names: list[str]) -> None:
    """B12."""
    assert [bare.message for bare in bare_values({"body": body})] == names


def test_findings_of_one_kind_are_bounded() -> None:
    body = "".join(f'<a href="/{number}">x</a>' for number in range(500))
    assert len(findings(body)) == proofreading.MOST_FOUND
