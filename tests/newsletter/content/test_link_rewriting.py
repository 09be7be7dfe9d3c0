"""Links as they leave: exact in the page and its text, filtered also where Outlook alone reads."""

import pytest

from newsletter.content import link_rewriting
from newsletter.content.compiling import SourceErrors, compile_mail
from tests.newsletter.mails import source

WRITTEN = [
    ("https://x.example/Annual Report (1).pdf", "https://x.example/Annual%20Report%20(1).pdf"),
    ("https://x.example/?a=1&region=2&copy=3", "https://x.example/?a=1&region=2&copy=3"),
    ("https://x.example/?a=1&amp;region=2", "https://x.example/?a=1&region=2"),
    ("HTTPS://MÜLLER.example/ä?ö#ü", "https://xn--mller-kva.example/%C3%A4?%C3%B6#%C3%BC"),
    ("https://x.example/a\\b", "https://x.example/a/b"),
    ("https:///x.example", "https://x.example/"),
    ("https://x.example:443/a/../b", "https://x.example/b"),
]


def in_format(link: str, body_format: str) -> str:
    """Return a link as it stands in a body of a format."""
    if body_format == "mjml":
        return f"<mj-section><mj-column><mj-text>{link}</mj-text></mj-column></mj-section>"
    return link


@pytest.mark.parametrize("body_format", ["html", "mjml"])
@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize(("written", "wanted"), WRITTEN)
def test_a_link_leaves_as_a_browser_would_ask_for_it(
    written: str, wanted: str, quote: str, body_format: str
) -> None:
    """Issue 9, B2: rewritten or not, and in the text part."""
    body = in_format(f"<a href={quote}{written}{quote}>go</a>", body_format)
    mail = compile_mail(source(body=body, body_format=body_format))
    assert mail.links == [wanted]
    assert wanted in mail.text


def test_a_link_without_quotes_is_one_too() -> None:
    """B2."""
    mail = compile_mail(
        source(body="<a href=https://x.example/?a=1&reg=2>go</a>", body_format="html")
    )
    assert mail.links == ["https://x.example/?a=1&reg=2"]


def test_a_personal_link_is_encoded_around_its_values() -> None:
    """B2, S-6."""
    body = '<a href="https://x.example/a b?n={{ registrant.name }}&region=ä">go</a>'
    mail = compile_mail(source(body=body, body_format="html"))
    assert (
        "https://x.example/a%20b?n={{ registrant.name | _in_url }}&amp;region=%C3%A4" in mail.html
    )


VML = '<!--[if mso]><v:rect xmlns:v="urn:x" href="{}"></v:rect><![endif]-->'
PAGE = "<html><body>{}{{{{ content }}}}</body></html>"


@pytest.mark.parametrize("place", ["body", "layout"])
def test_what_outlook_alone_reads_is_filtered_like_the_rest(place: str) -> None:
    """B2, S-6: also the addresses of VML."""
    drawn = VML.format("{{ registrant.site }}")
    body = drawn if place == "body" else "x"
    layout = PAGE.format(drawn if place == "layout" else "")
    fields = {"body_format": "html", "layout_format": "html", "layout": layout}
    assert "{{ registrant.site | _whole_url }}" in compile_mail(source(body=body, **fields)).html
    acting = PAGE.format(VML.format("{% if x %}javascript:x(){% endif %}"))
    with pytest.raises(SourceErrors):
        compile_mail(source(body="x", **{**fields, "layout": acting}))
    styled = PAGE.format("<!--[if mso]><style>p { color: {{ list.name }} }</style><![endif]-->")
    with pytest.raises(SourceErrors):
        compile_mail(source(body="x", **{**fields, "layout": styled}))


def test_in_what_staff_see_outlooks_links_lead_nowhere_either() -> None:
    """Design §5: what staff preview never acts."""
    page = link_rewriting.inert(
        VML.format("https://x.example/") + "<a HREF=https://y.example>y</a>"
    )
    assert "x.example" not in page
    assert 'href="#" title="would go to https://y.example"' in page
