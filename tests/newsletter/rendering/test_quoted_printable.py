"""Quoted-printable that may be cut at any slot (RFC 2045 §6.7)."""

import quopri
import re

from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering.quoted_printable import SOFT, encode, encode_part

ANY = st.characters(exclude_categories=["Cs"])
TEXT = st.text(alphabet=st.one_of(st.sampled_from(".= \n\té€𝄞a"), ANY))


@given(st.lists(TEXT, max_size=5))
def test_parts_joined_by_soft_line_breaks_decode_to_the_text(texts: list[str]) -> None:
    """Limits.md §9."""
    texts = [re.sub(r"\r\n?", "\n", text) for text in texts]
    for code in (encode, encode_part):
        data = SOFT.join(map(code, texts))
        decoded = quopri.decodestring(data.replace(b"\r\n", b"\n")).decode()
        assert decoded == "".join(texts)
        assert all(len(line) <= 76 for line in data.split(b"\r\n"))
        assert not re.search(rb"(?m)^\.", data)
        assert not re.search(rb"[ \t]\r\n", data)


def test_long_values_are_coded_alike_whether_quick_or_careful() -> None:
    """M-1."""
    for text in ("." * 5_000, "é.\n" * 700, "a" * 9_000, "x\n" * 200 + "." * 76 + "\n"):
        decoded = [
            quopri.decodestring(code(text).replace(b"\r\n", b"\n"))
            for code in (encode, encode_part)
        ]
        assert decoded == [text.encode()] * 2
        assert not re.search(rb"(?m)^\.", encode_part(text))
