"""Attributes are read and written as HTML says."""

import pytest

from newsletter.content.attributes import attributes, unescape_attribute, with_attributes


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("?a=1&region=2&copy=3", "?a=1&region=2&copy=3"),
        ("?a=1&amp;region=2", "?a=1&region=2"),
        ("&reg", "®"),
        ("&reg;", "®"),
        ("&reg ;", "® ;"),
        ("&reg=", "&reg="),
        ("&regb", "&regb"),
        ("&reg1;", "&reg1;"),
        ("&not;in", "¬in"),
        ("&notit;", "&notit;"),
        ("&notin;", "∉"),
        ("&nosuch;", "&nosuch;"),
        ("&nosuch", "&nosuch"),
        ("&#65;&#x42;&#67", "ABC"),
        ("&#x80;", "€"),
        ("&#0;", "\ufffd"),
        ("&", "&"),
        ("a&b", "a&b"),
        ("&&amp;&", "&&&"),
        ("&amp;amp;", "&amp;"),
        ("&lt=1&lt;2", "&lt=1<2"),
        ("&quot;&apos;&#39;", "\"''"),
        ("&para&sect", "¶§"),
    ],
)
def test_references_in_an_attribute_follow_html(written: str, value: str) -> None:
    """B2: a named one without semicolon before `=`, a letter or a digit is left alone."""
    assert unescape_attribute(written) == value


def test_attributes_are_read_whatever_their_quotes() -> None:
    """B2: unquoted, single-quoted, without value, glued together, over several lines."""
    tag = '<a/HREF = https://x/?a=1&copy=2 b=\'"c&amp;d"\' e f="g>"h=i\n  j\n=\nk/ l>'
    assert list(attributes(tag)) == [
        ("href", "https://x/?a=1&copy=2"), ("b", '"c&d"'), ("e", ""), ("f", "g>"), ("h", "i"),
        ("j", "k/"), ("l", ""),
    ]  # fmt: skip


def test_an_attribute_left_alone_stays_as_it_was_written() -> None:
    """B5: byte for byte, save what other readers would take for something else."""
    tag = "<a title='a &amp; b' HREF=x alt=\"&region=1\" c>"
    same = with_attributes(tag, lambda _, value: value)
    assert same == "<a title='a &amp; b' HREF=x alt=\"&amp;region=1\" c>"
    changed = with_attributes(tag, lambda name, value: "<y>" if name == "href" else value)
    assert 'HREF="&lt;y&gt;"' in changed
