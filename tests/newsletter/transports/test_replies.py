"""Replies cut from any stream, and words without addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.transports.replies import Reply, ReplyReader, redacted


@given(st.lists(st.integers(1, 40), max_size=30))
def test_replies_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    stream = b"250-one\r\n250-two\r\n250 three\r\n354 go\r\n250\r\n550 5.1.1 no\n"
    reader, replies, at = ReplyReader(), [], 0
    for cut in [*cuts, len(stream)]:
        replies += reader.feed(stream[at : at + cut])
        at += cut
    assert replies == [(250, "one\ntwo\nthree"), (354, "go"), (250, ""), (550, "5.1.1 no")]
    assert not reader.garbage


@given(st.binary(max_size=3000))
def test_no_stream_breaks_the_reader(stream: bytes) -> None:
    reader = ReplyReader()
    for reply in reader.feed(stream):
        assert 200 <= reply.code <= 599
        assert len(reply.words) <= 500


def test_a_reply_without_end_is_garbage() -> None:
    for stream in (b"250-a\r\n" * 200, b"2" * 3000):
        reader = ReplyReader()
        assert reader.feed(stream) == []
        assert reader.garbage


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("5.1.1 <ada@example.org>: Recipient rejected", "<address>: Recipient rejected"),
        (
            "5.1.1 ada+x@example.org unknown\n5.1.1 see ada%40example.org",
            "<address> unknown see <address>",
        ),
        ('no "ada l"@example.org here', "no <address> here"),
        ("ada@[127.0.0.1] \x1b[31mred\x00", "<address> [31mred"),
        ("(ada@bücher.example)", "(<address>)"),
        ("mailto:ada@example.org, x", "mailto:<address>, x"),
        ("a" * 700, "a" * 500),
    ],
)
def test_words_are_kept_without_codes_addresses_and_controls(text: str, kept: str) -> None:
    assert Reply(550, text).words == kept


@given(st.emails(), st.text(max_size=30))
def test_no_plain_address_survives(address: str, around: str) -> None:
    assert address not in redacted(f"{around} {address} {around}")


def test_an_enhanced_code_of_another_class_is_none() -> None:
    """RFC 2034 §4."""
    assert Reply(550, "4.1.1 odd").enhanced == ""
    assert Reply(550, "5.1.1 plain").enhanced == "5.1.1"
    assert Reply(550, "5.1.1").enhanced == "5.1.1"
