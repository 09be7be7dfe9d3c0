"""What the system owes people: how it reads, how often, and how it is hurried along."""

import email
import email.policy
import socket
import time
from email.message import EmailMessage
from types import SimpleNamespace

import pytest
from django.db import transaction

from config.celery import app
from newsletter import letters, links
from newsletter.content.compiling import compile_mail, unknown_variables
from newsletter.models import Delivery, Lease
from newsletter.rendering.renderer import Recipient, Renderer
from registrants import consent
from registrants.consent import Ask
from registrants.models import ConsentEvent, MailingList
from tests.cast import FORM, Cast, make_list, make_sender

CONFIRM, CHOICES = Delivery.Letter.CONFIRM, Delivery.Letter.CHOICES


def written(delivery: Delivery) -> tuple[bytes, EmailMessage]:
    """Return a letter as it leaves, and as a stranger's parser reads it."""
    person = delivery.registrant
    compiled = compile_mail(letters.source(person.client, delivery.letter))
    renderer = Renderer(compiled, link_ids=[0] * len(compiled.links))
    raw = renderer.render(
        Recipient(
            delivery=delivery.pk,
            address=person.address,
            name=person.name,
            extra=letters.letter_values(delivery),
        )
    )
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return raw, read


def part_text(mail: EmailMessage, kind: str) -> str:
    """Return the text of one part."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def asked(cast: Cast, *lists: MailingList) -> Delivery:
    """Return the confirm letter of a form somebody filled in with an advert for a name."""
    ask = consent.ask(
        client=cast.client,
        address="gus@example.net",
        ask=Ask(lists=lists or (cast.mailing_list,), opens=True, name="CHEAP PILLS"),
        provenance=FORM,
    )
    owed = letters.owe(registrant=ask.registrant, letter=CONFIRM, asked_by=ask.pk)
    assert owed is not None
    return owed


def test_the_confirm_letter_says_what_was_asked_and_carries_no_advert(cast: Cast) -> None:
    """U-14, S-6: no list headers, no name from the form, no image, both ways out."""
    delivery = asked(cast)
    raw, mail = written(delivery)
    ask = ConsentEvent.objects.get(pk=delivery.asked_by or 0)
    for kind in ("plain", "html"):
        text = part_text(mail, kind)
        assert cast.mailing_list.name in text
        assert cast.mailing_list.purpose in text
        assert "measuring opens" in text
        assert links.confirm("", ask.pk) in text
        assert links.never("", ask.pk) in text
        assert "PILLS" not in text
        assert "<img" not in text
        assert "/i/" not in text
        assert "/l/" not in text
    assert not [name for name in mail if name.lower().startswith("list-")]
    assert "PILLS" not in raw.decode("ascii")


def test_the_confirm_letter_stays_small_whatever_is_asked(cast: Cast) -> None:
    """S-3: at most 5 KB."""
    many = [make_list(cast.client, f"List {number}", f"list-{number}") for number in range(12)]
    for mailing_list in many:
        mailing_list.purpose = "long words " * 27
        mailing_list.save()
    raw, mail = written(asked(cast, *many))
    assert len(raw) <= 5120
    assert "and 7 more" in part_text(mail, "plain")


def test_nothing_in_a_letter_is_unknown(cast: Cast) -> None:
    for letter in (CONFIRM, CHOICES):
        assert unknown_variables(letters.source(cast.client, letter)) == []


def test_the_choices_letter_carries_its_link(cast: Cast) -> None:
    owed = letters.owe(registrant=cast.ada, letter=CHOICES, asked_by=1)
    assert owed is not None
    _, mail = written(owed)
    assert links.choices("", owed.pk) in part_text(mail, "html")
    assert "24 hours" in part_text(mail, "plain")


def test_a_letter_is_owed_once_and_has_a_lease_of_its_own(cast: Cast) -> None:
    owed = letters.owe(registrant=cast.ada, letter=CHOICES, asked_by=1)
    assert owed is not None
    assert letters.owe(registrant=cast.ada, letter=CHOICES, asked_by=1) is None
    lease = Lease.objects.get(first=owed.pk, last=owed.pk)
    assert (lease.lane, lease.size, lease.mailing_id) == ("letters", 1, None)


@pytest.mark.parametrize("name", ["dov", "eve", "fay"])
def test_whom_the_gate_refuses_is_owed_nothing(cast: Cast, name: str) -> None:
    person = cast.everybody[name]
    for letter in (CONFIRM, CHOICES):
        assert letters.owe(registrant=person, letter=letter, asked_by=1) is None


def test_the_default_sender_signs_and_a_missing_one_is_said(cast: Cast) -> None:
    cast.sender.is_default = False
    cast.sender.save()
    assert letters.sender_of(cast.client) == cast.sender
    better = make_sender(cast.client, name="Letters", from_address="letters@heron.example.org")
    assert letters.sender_of(cast.client) == better
    cast.client.senders.all().delete()
    with pytest.raises(letters.NoSender):
        letters.source(cast.client, CONFIRM)


@pytest.mark.django_db(transaction=True)
def test_the_worker_is_nudged_after_the_commit_and_only_then(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr("newsletter.letters.celery", SimpleNamespace(current_app=app), raising=True)
    monkeypatch.setattr(type(app), "send_task", lambda self, name, **more: sent.append(name))
    with transaction.atomic():
        letters.owe(registrant=cast.ada, letter=CHOICES, asked_by=1)
        assert sent == []
    assert sent == ["newsletter.tasks.send_letters"]
    assert letters.NUDGE in app.conf.task_routes


@pytest.mark.parametrize("broker", ["away", "silent"])
def test_a_nudge_that_fails_costs_less_than_a_second(
    broker: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1] if broker == "silent" else 9
        monkeypatch.setattr(app.conf, "broker_url", f"redis://127.0.0.1:{port}/0")
        monkeypatch.setattr(app.conf, "broker_write_url", f"redis://127.0.0.1:{port}/0")
        letters.nudge()
        began = time.monotonic()
        letters.nudge()
        assert time.monotonic() - began < 1
    assert "did not get through" in caplog.text
