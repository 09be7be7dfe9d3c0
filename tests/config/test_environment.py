"""Wrong settings are named, each with what is expected, and never with what they say."""

from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.environment import Environment, faults

KEY = urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
OTHER = urlsafe_b64encode(bytes(range(1, 33))).decode()
SECRET = "hunter2secret"
RIGHT = {
    "DATABASE_URL": "postgresql://heed:pa%2Fss@db:5432/heed?sslmode=require",
    "REDIS_URL": "redis://:pa%2Fss@redis:6379/0",
    "EMAIL_URL": "smtp://heed:pa%23ss@mail.example.org:587/?security=starttls&connections=4",
    "HEED_PUBLIC_URL": "https://news.example.org/",
    "HEED_SECRET_KEY": SECRET * 5,
    "HEED_LINK_KEYS": f"1:{KEY},2:{OTHER}",
    "HEED_ADDRESS_KEY": KEY,
    "HEED_SECRETS_KEYS": f" 1:{KEY}, 12:{OTHER} ",
}


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the right settings and no others."""
    for name in ("HEED_DEMO", "HEED_NOTES_FOLDER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in RIGHT.items():
        monkeypatch.setenv(name, value)


def sentences(monkeypatch: pytest.MonkeyPatch, **values: str) -> list[str]:
    """Return what is said of these settings, none where they are right."""
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    try:
        Environment.model_validate({})
    except ValidationError as error:
        return faults(error)
    return []


WRONG = [
    ("DATABASE_URL", f"mysql://heed:{SECRET}@db/heed", "postgresql://"),
    ("DATABASE_URL", f"{SECRET}", "postgresql://"),
    ("DATABASE_URL", f"postgresql://heed:pa/{SECRET}@db/heed", "%2F"),
    ("DATABASE_URL", f"postgresql://heed:pa@{SECRET}@db/heed", "%40"),
    ("DATABASE_URL", f"postgresql://heed:%zz{SECRET}@db/heed", "%25"),
    ("DATABASE_URL", f"postgresql://heed:{SECRET}@db:54x2/heed", "5432"),
    ("DATABASE_URL", f"postgresql://heed:{SECRET}@db:70000/heed", "5432"),
    ("DATABASE_URL", f"postgresql://heed@db/heed?passwd={SECRET}", "postgresql://"),
    ("DATABASE_URL", "sqlite:///db.sqlite3", "postgresql://"),
    ("DATABASE_URL", " ", "postgresql://"),
    ("REDIS_URL", f"http://:{SECRET}@redis:6379/0", "redis://"),
    ("REDIS_URL", f"redis:{SECRET}", "redis://"),
    ("REDIS_URL", f"redis://:pa#{SECRET}@redis:6379/0", "%23"),
    ("REDIS_URL", f"redis://:pa/{SECRET}@redis:6379/0", "%2F"),
    ("REDIS_URL", f"redis://:pa?{SECRET}@redis:6379/0", "%3F"),
    ("REDIS_URL", f"redis://:{SECRET}@redis:99999/0", "6379"),
    ("REDIS_URL", f"redis://:{SECRET}@redis:0/0", "6379"),
    ("REDIS_URL", f"redis://:{SECRET}@redis:6379/heed", "number of the database"),
    ("REDIS_URL", f"rediss://:{SECRET}@redis:6379/0?ssl_cert_reqs=none", "HEED_REDIS_CA"),
    ("REDIS_URL", f"redis://:{SECRET}@[::1/0", "redis://"),
    ("REDIS_URL", "redis:///0", "redis://"),
    ("EMAIL_URL", f"smtp://heed:pa#{SECRET}@mail.example.org:587/", "%23"),
    ("EMAIL_URL", f"smtp://heed:pa/{SECRET}@mail.example.org:587/", "%2F"),
    ("EMAIL_URL", f"smtp://heed:12/{SECRET}@mail.example.org:587/", "%2F"),
    ("EMAIL_URL", f"smtp://heed:pa?{SECRET}@mail.example.org:587/", "%3F"),
    ("EMAIL_URL", f"smtp://heed:{SECRET}@mail.example.org:587x/", "smtp://"),
    ("EMAIL_URL", f"smtp://heed:{SECRET}@mail.example.org:587/relay", "%2F"),
    ("EMAIL_URL", f"smtp://heed:{SECRET} @mail.example.org:587/", "smtp://"),
    ("EMAIL_URL", f"smtp+tls://heed:{SECRET}@mail.example.org/", "smtp://"),
    ("EMAIL_URL", f"smtp://heed:{SECRET}@mail.example.org/", "security="),
    ("EMAIL_URL", f"smtp://mail.example.org/?{SECRET}", "smtp://"),
    ("EMAIL_URL", f"smtp://mail.example.org/?{SECRET}=1", "security"),
    ("EMAIL_URL", f"smtp://mail.example.org/?connections={SECRET}", "number"),
    ("EMAIL_URL", f"smtp://mail.example.org/?connect={SECRET}", "numbers"),
    ("EMAIL_URL", f"smtp://mail.example.org/?security={SECRET}", "starttls"),
    ("EMAIL_URL", "smtp://mail.example.org/?connections=0", "connections"),
    ("EMAIL_URL", "mail.example.org", "smtp://"),
    ("HEED_PUBLIC_URL", "http://news.example.org", "https://"),
    ("HEED_PUBLIC_URL", "news.example.org", "https://"),
    ("HEED_PUBLIC_URL", "https://", "https://"),
    ("HEED_PUBLIC_URL", f"https://heed:{SECRET}@news.example.org", "no user"),
    ("HEED_PUBLIC_URL", f"https://news.example.org/{SECRET}", "no path"),
    ("HEED_PUBLIC_URL", f"https://news.example.org/?{SECRET}", "nothing after"),
    ("HEED_PUBLIC_URL", f"https://news.example.org#{SECRET}", "nothing after"),
    ("HEED_PUBLIC_URL", "https://müller.example", "xn--"),
    ("HEED_PUBLIC_URL", "https://[2001:db8::1]", "IPv6"),
    ("HEED_PUBLIC_URL", "https://[2001:db8::1", "IPv6"),
    ("HEED_PUBLIC_URL", "https://news_letter.example.org", "name"),
    ("HEED_PUBLIC_URL", "https://news example.org", "name"),
    ("HEED_PUBLIC_URL", "https://300.1.2.3", "IPv4"),
    ("HEED_PUBLIC_URL", "https://news.example.org:99999", "https://"),
    ("HEED_PUBLIC_URL", "https://news.a-very-long-name.example.org", "28"),
    ("HEED_SECRET_KEY", SECRET, "32"),
    ("HEED_LINK_KEYS", KEY, "1:<base64url>"),
    ("HEED_LINK_KEYS", f"1:{KEY},1:{OTHER}", "once"),
    ("HEED_LINK_KEYS", f"²:{KEY}", "1 to 255"),
    ("HEED_LINK_KEYS", f"0:{KEY}", "1 to 255"),
    ("HEED_LINK_KEYS", f"256:{KEY}", "1 to 255"),
    ("HEED_LINK_KEYS", f"1:{KEY},", "1 to 255"),
    ("HEED_LINK_KEYS", f"1:{SECRET}", "base64url"),
    ("HEED_SECRETS_KEYS", f"1:{KEY}x", "base64url"),
    ("HEED_SECRETS_KEYS", f"1:{KEY[:-4]}!{SECRET[:3]}", "base64url"),
    ("HEED_ADDRESS_KEY", f"1:{KEY}", "base64url"),
    ("HEED_ADDRESS_KEY", SECRET, "base64url"),
    ("HEED_STAFF_HOSTS", "https://staff.example.org", "without a port"),
    ("HEED_STAFF_HOSTS", "staff.example.org:8443", "without a port"),
    ("HEED_STAFF_HOSTS", "staff.example.org/admin", "alone"),
    ("HEED_STAFF_HOSTS", "a.example.org b.example.org", "alone"),
    ("HEED_STAFF_HOSTS", "a.example.org,[::1]", "IPv6"),
    ("HEED_STAFF_HOSTS", "*", "alone"),
    ("HEED_STAFF_HOSTS", "bücher.example", "xn--"),
    ("HEED_SYSTEM_ADDRESS", "Heed <heed@example.org>", "heed@example.org"),
    ("HEED_SYSTEM_ADDRESS", "heed@example.org\tBcc: x@example.org", "e-mail address"),
    ("HEED_DEMO", "perhaps", "1 or 0"),
    ("HEED_DEBUG", "perhaps", "1 or 0"),
    ("HEED_DEBUG", "1", "demo"),
    ("HEED_HTTPS_REDIRECT", "always", "1 or 0"),
    ("HEED_HSTS_SECONDS", "a year", "whole number"),
    ("HEED_HSTS_SECONDS", "-1", "too small"),
    ("HEED_TRUSTED_PROXIES", "two", "whole number"),
    ("HEED_TRUSTED_PROXIES", "99", "too large"),
    ("HEED_CLIENT_ADDRESS_HEADER", "X_Forwarded_For", "underscore"),
    ("HEED_NOTES_FOLDER", __file__, "folder"),
    ("HEED_METRICS_TOKEN", SECRET, "20"),
    ("HEED_METRICS_TOKEN", f"{SECRET}{SECRET}ü", "ASCII"),
    ("HEED_REDIS_CA", __file__, "rediss://"),
]


@pytest.mark.parametrize(("name", "value", "expected"), WRONG)
def test_a_wrong_setting_is_named_with_what_is_expected_and_without_what_it_says(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    (sentence,) = sentences(monkeypatch, **{name: value})
    assert sentence.startswith(f"{name}: ")
    assert expected in sentence
    assert SECRET not in sentence
    assert KEY[:-4] not in sentence
    assert "\n" not in sentence


def test_all_faults_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RIGHT:
        monkeypatch.delenv(name)
    named = [sentence.partition(":") for sentence in sentences(monkeypatch, HEED_DEMO="nein")]
    assert {name for name, _, _ in named} == {*RIGHT, "HEED_DEMO"} - {"EMAIL_URL"}
    assert {expected for name, _, expected in named if name != "HEED_DEMO"} == {" is missing"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "host=/run/postgresql dbname=heed user=heed"),
        ("DATABASE_URL", "postgresql://heed:pa?s#s@db/heed"),
        ("DATABASE_URL", "postgres://heed@/heed?host=/run/postgresql"),
        ("DATABASE_URL", "postgresql://heed@a:5432,b:5433/heed?target_session_attrs=primary"),
        ("REDIS_URL", "rediss://user:pa@redis.example.org:6380"),
        ("EMAIL_URL", "smtp://me@example.org:pa@mail.example.org:587"),
        ("EMAIL_URL", "smtps://mail.example.org"),
        ("EMAIL_URL", ""),
        ("HEED_PUBLIC_URL", "https://News.Example.org:8443"),
        ("HEED_PUBLIC_URL", "https://192.0.2.9"),
        ("HEED_STAFF_HOSTS", "Staff.Example.org, 10.0.0.1,"),
        ("HEED_SYSTEM_ADDRESS", "root@localhost"),
        ("HEED_TRUSTED_PROXIES", ""),
        ("HEED_DEBUG", "false"),
        ("HEED_METRICS_TOKEN", ""),
    ],
)
def test_what_is_right_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert sentences(monkeypatch, **{name: value}) == []


def test_hosts_are_kept_as_browsers_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEED_STAFF_HOSTS", "Staff.Example.org, 10.0.0.1,")
    monkeypatch.setenv("HEED_PUBLIC_URL", "https://News.Example.org:8443/")
    environment = Environment.model_validate({})
    assert environment.staff_hosts == "staff.example.org,10.0.0.1"
    assert environment.public_url == "https://news.example.org:8443"


def test_an_authority_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REDIS_URL", "rediss://redis:6379/0")
    for path in (tmp_path / "none.pem", Path(__file__), tmp_path):
        (sentence,) = sentences(monkeypatch, HEED_REDIS_CA=str(path))
        assert sentence.startswith("HEED_REDIS_CA: a file with certificates")
