"""What a mail server's settings may be, and which of them is wrong.

Mirrors several: newsletter/transports/settings.py, registrants/host_names.py.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.transports.settings import SettingsError, SmtpSettings, server_host


@pytest.mark.parametrize(
    ("typed", "connected_to"),
    [
        ("mail.example.org", "mail.example.org"),
        (" Mail.Example.org. ", "mail.example.org"),
        ("post.müller.example", "post.xn--mller-kva.example"),
        ("mail_server", "mail_server"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("localhost", "localhost"),
    ],
)
def test_a_host_is_taken_as_people_write_it(typed: str, connected_to: str) -> None:
    assert server_host(typed) == connected_to


@pytest.mark.parametrize(
    "typed",
    ["smtp://mail.example.org", "mail.example.org:587", "[::1]:25", "mail.example.org/",
     "ada@mail.example.org", "mail example.org", "mail\texample.org", "", "a..b", "-a.example",
     "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[mail.example.org]", "a\\b", "m\x00.org",
     f"{'ü' * 60}.example", "mail.example.org?x", "[::1", "fe80::1::2"],
)  # fmt: skip
def test_what_is_no_host_is_refused_at_its_field(typed: str) -> None:
    with pytest.raises(SettingsError) as fault:
        SmtpSettings(host=typed)
    assert fault.value.setting == "host"


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"username": "ada"}, "security"),
        ({"username": "a\tb", "security": "tls"}, "username"),
        ({"password": "a\nb"}, "password"),
        ({"password": "a\u00a0b"}, "password"),
        ({"port": 70000}, "port"),
        ({"connections": 0}, "connections"),
        ({"login": "ntlm"}, "login"),
    ],
)
def test_a_fault_names_its_setting_and_no_secret(changes: dict[str, Any], setting: str) -> None:
    with pytest.raises(SettingsError) as fault:
        SmtpSettings(**{"host": "mail.example.org", **changes})
    assert fault.value.setting == setting
    assert not changes.get("password") or changes["password"] not in str(fault.value)


@given(st.text(max_size=60))
def test_whatever_host_is_taken_can_be_asked_for(typed: str) -> None:
    """Python's own resolver raises UnicodeError for names that are none."""
    try:
        host = server_host(typed)
    except SettingsError:
        return
    assert host.encode("idna")
    assert server_host(host) == host
