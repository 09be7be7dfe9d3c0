"""Header fields as bytes, read back by the email package."""

from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content import header_fields
from tests.newsletter.mails import STRICT

PRINTED = st.text(
    alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=120
)


@given(PRINTED)
def test_a_subject_reads_back_as_written(text: str) -> None:
    """M-1, RFC 2047."""
    subject = header_fields.one_line(text)
    data = b"Subject: " + header_fields.unstructured(subject, used=9) + b"\r\n\r\n"
    assert max(map(len, data.split(b"\r\n"))) <= 78
    assert message_from_bytes(data, policy=STRICT)["Subject"] == subject


@given(PRINTED)
def test_a_display_name_reads_back_as_written(text: str) -> None:
    """M-2: one From with one address."""
    name = header_fields.one_line(text)
    data = b"From: " + header_fields.sender(name, "a@client.example") + b"\r\n\r\n"
    assert max(map(len, data.split(b"\r\n"))) <= 78
    [(display_name, address)] = getaddresses([message_from_bytes(data, policy=compat32)["From"]])
    # The newer parser keeps the blank between two encoded words (RFC 2047 §6.2 drops it).
    assert str(make_header(decode_header(display_name))) == name
    assert address == "a@client.example"


@pytest.mark.parametrize(
    "name", ["Ann", "Ann, Ben", 'The "Best"', "Zoë", "=?x?=", "a\\b", "x" * 50]
)
def test_sender_names_that_need_care(name: str) -> None:
    """M-2, M-5."""
    data = b"From: " + header_fields.sender(name, "a@client.example") + b"\r\n\r\n"
    assert message_from_bytes(data, policy=STRICT)["From"].addresses[0].display_name == name


@pytest.mark.parametrize("value", ["no brackets or dots", "<a b>", '"x" <a><b>', "<a\r\nb>"])
def test_what_is_no_list_id_is_refused(value: str) -> None:
    """U-9."""
    with pytest.raises(header_fields.HeaderFieldError):
        header_fields.list_id(value)
