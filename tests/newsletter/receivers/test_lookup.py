"""Receivers are told apart by domain at once, and by MX as soon as DNS has been asked."""

import timeit
from collections.abc import Iterator
from datetime import timedelta
from typing import cast

import pytest
import redis
from django.utils.timezone import now
from pytest_django import Settings

from newsletter.models import Receiver, ReceivingDomain
from newsletter.receivers import lookup, mx, well_known
from newsletter.receivers.lookup import receiver_of
from newsletter.tasks import look_up_receivers
from tests.newsletter.receivers.name_server import NameServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(valkey: redis.Redis) -> Iterator[None]:
    """Begin and leave with the built-in domains alone."""
    lookup.forget()
    yield
    lookup.forget()


@pytest.mark.parametrize(
    ("address", "receiver"),
    [
        ("ada@gmail.com", Receiver.GMAIL),
        ("ada@GoogleMail.com", Receiver.GMAIL),
        ("ada@hotmail.co.uk", Receiver.OUTLOOK),
        ("ada@outlook.de", Receiver.OUTLOOK),
        ("ada@msn.com", Receiver.OUTLOOK),
        ("ada@yahoo.fr", Receiver.YAHOO),
        ("ada@aol.com", Receiver.YAHOO),
        ("ada@me.com", Receiver.APPLE),
        ("ada@web.de", Receiver.UNITED_INTERNET),
        ("ada@pm.me", Receiver.PROTON),
        ("ada@comcast.net", Receiver.COMCAST),
        ("ada@wanadoo.fr", Receiver.ORANGE),
        ("ada@t-online.de", Receiver.T_ONLINE),
        ("ada@bk.ru", Receiver.MAIL_RU),
        ("ada@qq.com", Receiver.TENCENT),
        ("ada@zohomail.eu", Receiver.ZOHO),
        ('"a@b"@gmail.com', Receiver.GMAIL),
        ("ada@notgmail.com", Receiver.REST),
        ("ada@yahoo.co.jp", Receiver.REST),
    ],
)
def test_the_big_receivers_are_known_without_asking(address: str, receiver: int) -> None:
    """Whatever the country and the case."""
    assert receiver_of(address) == receiver


@pytest.mark.parametrize(
    ("host", "receiver"),
    [
        ("aspmx.l.google.com.", Receiver.GMAIL),
        ("heron-example-org.mail.protection.outlook.com", Receiver.MICROSOFT_365),
        ("heron-example-org.x-v1.mx.microsoft", Receiver.MICROSOFT_365),
        ("heron.mail.protection.partner.outlook.cn", Receiver.MICROSOFT_365),
        ("heron.mail.protection.office365.us", Receiver.MICROSOFT_365),
        ("outlook-com.olc.protection.outlook.com", Receiver.OUTLOOK),
        ("hotmail-com.olc.protection.outlook.com", Receiver.OUTLOOK),
        ("mx1.hotmail.com", Receiver.OUTLOOK),
        ("mta5.am0.yahoodns.net", Receiver.YAHOO),
        ("mx01.mail.icloud.com", Receiver.APPLE),
        ("MX00.KUNDENSERVER.DE", Receiver.UNITED_INTERNET),
        ("mail.protonmail.ch", Receiver.PROTON),
        ("mx.zoho.eu", Receiver.ZOHO),
        ("mail.notgoogle.com", Receiver.REST),
        ("google.com.mail.example.org", Receiver.REST),
        ("localhost", Receiver.REST),
        ("", Receiver.REST),
    ],
)
def test_a_mail_server_is_told_by_the_end_of_its_name(host: str, receiver: int) -> None:
    """Whole labels only."""
    assert well_known.by_mx(host) == receiver


def test_a_domain_met_while_sending_is_looked_up_and_known_to_every_process() -> None:
    """It goes as REST until then; nobody waits for DNS."""
    table = {"heron-books.org": ["20 alt.aspmx.l.google.com.", "10 aspmx.l.google.com."]}
    assert receiver_of("ada@heron-books.org") == Receiver.REST
    lookup.refresh()
    with NameServer(table, silent=set()) as dns:
        assert mx.look_up_noted(resolver=dns.resolver()) == 1
        assert mx.look_up_noted(resolver=dns.resolver()) == 0
        assert dns.asked == ["heron-books.org"]
    assert ReceivingDomain.objects.get().mx == "aspmx.l.google.com"
    lookup.forget()
    lookup.refresh()
    assert receiver_of("ben@Heron-Books.org") == Receiver.GMAIL


def test_one_odd_domain_takes_no_other_along(monkeypatch: pytest.MonkeyPatch) -> None:
    note("heron-books.org", "odd\x00.org", "strange.org")
    real = well_known.by_mx

    def by_mx(host: str) -> Receiver:
        if "strange" in host:
            raise RuntimeError("unforeseen")
        return real(host)

    monkeypatch.setattr(well_known, "by_mx", by_mx)
    table = {"heron-books.org": ["10 aspmx.l.google.com."], "strange.org": ["10 mx.strange.org."]}
    with NameServer(table, silent=set()) as dns:
        assert mx.look_up_noted(resolver=dns.resolver()) == 3
    kept = dict(ReceivingDomain.objects.values_list("domain", "mx"))
    assert kept == {"heron-books.org": "aspmx.l.google.com", "strange.org": lookup.UNANSWERED}


def test_the_first_known_of_several_mail_servers_decides() -> None:
    """A filter in front that nobody knows does not hide who runs the mailboxes."""
    note("filtered.org")
    with NameServer(
        {"filtered.org": ["5 in.filter.net.", "10 filtered-org.mail.protection.outlook.com."]},
        silent=set(),
    ) as dns:
        mx.look_up_noted(resolver=dns.resolver())
    assert ReceivingDomain.objects.get().receiver == Receiver.MICROSOFT_365


def test_what_cannot_be_found_out_is_kept_and_not_asked_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No such domain, no MX, no mail wanted, no answer: all go with the rest."""
    monkeypatch.setattr(mx, "DOMAIN_SECONDS", 0.3)
    note("gone.org", "nothing.org", "nomail.org", "mute.org", "x" * 70 + ".org")
    with NameServer({"nothing.org": [], "nomail.org": ["0 ."]}, silent={"mute.org"}) as dns:
        mx.look_up_noted(resolver=dns.resolver())
    kept = dict(ReceivingDomain.objects.values_list("domain", "mx"))
    assert kept == {
        "gone.org": "",
        "nothing.org": "",
        "nomail.org": "",
        "mute.org": lookup.UNANSWERED,
        "x" * 70 + ".org": "",
    }
    assert {row.receiver for row in ReceivingDomain.objects.all()} == {Receiver.REST}
    lookup.refresh()
    assert noted_by(*kept) == set()


def test_many_domains_are_asked_in_parallel_and_a_bounded_number_at_a_time() -> None:
    """A hundred slow answers take a few times as long as one."""
    names = [f"domain-{number}.org" for number in range(60)]
    note(*names)
    with NameServer({name: ["10 mx.zoho.eu."] for name in names}, silent=set(), slow=0.1) as dns:
        took = timeit.timeit(lambda: mx.look_up_noted(50, resolver=dns.resolver()), number=1)
        assert 2 <= dns.most_at_once <= mx.DOMAINS_AT_ONCE
    assert took < 3
    assert ReceivingDomain.objects.count() == 50
    assert server_set() and len(server_set()) == 10


def test_an_answer_a_week_old_holds_but_is_asked_for_again() -> None:
    """The same for one that no name server gave, after a day."""
    ago = {"old.org": 8, "young.org": 6, "mute-old.org": 2}
    for domain, days in ago.items():
        ReceivingDomain.objects.create(
            domain=domain,
            receiver=Receiver.ZOHO,
            mx=lookup.UNANSWERED if domain.startswith("mute") else "mx.zoho.eu",
            looked_up_at=now() - timedelta(days=days),
        )
    lookup.refresh()
    assert noted_by(*ago) == {"old.org", "mute-old.org"}
    assert receiver_of("ada@old.org") == Receiver.ZOHO


def test_a_domain_nobody_is_written_to_is_forgotten_after_a_month() -> None:
    """It may be a person's own, and outlive an erasure."""
    for domain, days in (("long-ago.org", 31), ("lately.org", 29)):
        ReceivingDomain.objects.create(domain=domain, looked_up_at=now() - timedelta(days=days))
    look_up_receivers()
    assert [row.domain for row in ReceivingDomain.objects.all()] == ["lately.org"]


@pytest.mark.parametrize("domain", ["mail.test", "a.invalid", "www.example.net", "localhost", ""])
def test_reserved_names_never_leave_this_machine(domain: str) -> None:
    """RFC 6761: there is nothing to ask."""
    assert noted_by(domain) == set()


def test_without_redis_nothing_is_lost_and_nothing_raises(settings: Settings) -> None:
    """What was noted is handed on when it is back."""
    receiver_of("ada@later.org")
    there = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    lookup.refresh()
    assert mx.look_up_noted() == 0
    settings.REDIS_URL = there
    lookup.refresh(at_once=True)
    assert server_set() == {"later.org"}


def test_the_dictionary_is_fast_enough_for_every_message() -> None:
    """Half a microsecond each; four times that is let pass on a busy machine."""
    addresses = [f"p{number}@{name}" for number in range(50) for name in ("gmail.com", "a.org")]
    [receiver_of(address) for address in addresses]
    best = min(timeit.repeat(lambda: [receiver_of(address) for address in addresses], number=50))
    assert best / 50 / len(addresses) < 2e-6


def note(*domains: str) -> None:
    """Meet domains while sending, and hand them on."""
    lookup.server().sadd(lookup.NOTED, *domains)


def noted_by(*domains: str) -> set[str]:
    """Return which of some domains are handed on for asking when they are met."""
    for domain in domains:
        receiver_of(f"ada@{domain}")
    lookup.refresh(at_once=True)
    return server_set()


def server_set() -> set[str]:
    """Return what waits to be asked."""
    return {
        domain.decode() for domain in cast("set[bytes]", lookup.server().smembers(lookup.NOTED))
    }
