"""What composing takes for a link is what the door sends a reader to."""

from html import escape

from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.content import link_rewriting, web_addresses
from newsletter.content.liquid_tags import Tags

ODD = st.text(alphabet=st.sampled_from("a\\/:?#@[]% .&=é\t|<>'{}") | st.characters(codec="utf-8"))


@given(st.sampled_from(["https://", "http:", "https:///", "//", "ftp://", "HTTPS:\\\\"]), ODD)
@example("https://", "x/a\\b")
@example("https:///", "x")
@example("https://", "")
@example("https://", "x:99999/")
@example("https://", "[::1/")
def test_no_link_is_counted_that_the_door_would_not_open(scheme: str, rest: str) -> None:
    """One rule: as a browser reads it, or left as it is written and never counted."""
    href = escape(f"{scheme}{rest}".replace("\x00", ""))
    tags = Tags(href)
    _, links = link_rewriting.rewritable(f'<a href="{href}">x</a>', tags, base="https://m.example")
    for address in links.rewritable:
        assert web_addresses.asked_for(address) == address
        assert address.isascii() and not set(address) & set('\\ "<>\t\r\n')
